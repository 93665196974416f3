# Control files are found by name and not listed, so that no walk enters them.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
echo data >"$MNT/s/logs/f"
cd "$MNT"

assert_eq "$(ls -A)" s
assert_eq "$(find . -name '.sess*')" ""
assert_eq "$(tar c . | tar t | grep -c sess || :)" 0
test -d .sessfs -a -d s/.session
for file in version config.json sessions.json stats.json; do
	assert_match "$(ls .sessfs)" "$file"
	[ -n "$(cat ".sessfs/$file")" ] || fail "$file is empty"
	assert_eq "$(stat -c '%F %s' ".sessfs/$file" | cut -d' ' -f1,2)" "regular file"
done
assert_match "$(ls s/.session)" info.json
[ "$(stat -c %s s/.session/info.json)" = "$(wc -c <s/.session/info.json)" ] || fail "size of info.json"

note "they are no place to write"
for path in .sessfs/new s/.session/new; do
	refused 'denied|not permitted|read-only' touch "$path"
	refused 'denied|not permitted|read-only' mkdir "$path"
done
for path in .sessfs/version s/.session/info.json; do
	refused 'denied|not permitted|read-only|invalid' sh -c "echo x >$path"
	refused 'denied|not permitted|read-only' rm -f "$path"
	refused 'denied|not permitted|read-only|cross-device' mv "$path" s/logs/stolen
	refused 'denied|not permitted|read-only|cross-device' ln "$path" s/logs/stolen
done
refused 'exists|not permitted' mkdir s/.session
refused 'exists|not permitted' mkdir .sessfs
refused 'denied|not permitted|read-only|busy|not empty' rmdir s/.session
refused 'denied|not permitted|read-only|busy|not empty|cross-device' mv s/.session s/elsewhere
refused 'no such file' cat s/logs/.session/info.json
assert_file s/logs/f data
mkdir s/logs/.session
rmdir s/logs/.session
cd "$TEST_DIR"
umount_store
