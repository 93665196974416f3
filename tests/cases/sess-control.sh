# The generated files say what is so, in valid JSON.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o commit=7,max_file_size=1G,compress=5
cd "$MNT"
mkdir one
mkdir two
head -c 300000 /dev/zero | tr '\0' 'a' >two/cache/text
assert_match "$(cat .sessfs/version)" '[0-9]+\.[0-9]+'

json .sessfs/config.json 'j' | says commit || fail "config.json lacks commit"
assert_match "$(json .sessfs/config.json '{k: v for k, v in j.items()}')" "commit.*7"
assert_match "$(json .sessfs/config.json 'j')" "max_file_size.*(1G|1073741824)"
assert_match "$(json .sessfs/config.json 'j')" "compress.*5"
assert_eq "$(json .sessfs/config.json '1 <= j["max_threads"] <= 8 and j["hot_size"] not in (0, "0")')" True
assert_eq "$(json .sessfs/config.json 'j["ro"], j["compress"], j["commit"]')" "(False, 5, '7s')"

assert_eq "$(json .sessfs/sessions.json 'sorted(s["id"] for s in j["sessions"])')" "['one', 'two']"
assert_eq "$(json .sessfs/sessions.json 'j["current_session_id"]')" two
assert_eq "$(json .sessfs/sessions.json '[s["size_bytes"] for s in j["sessions"] if s["id"] == "two"]')" "[300000]"
assert_eq "$(json .sessfs/sessions.json '[s["is_current"] for s in j["sessions"] if s["id"] == "two"]')" "[True]"
is_current() { json "$1/.session/info.json" 'j["is_current"]'; }
assert_eq "$(is_current one) $(is_current two)" "False True"
mkdir three
assert_eq "$(is_current two) $(is_current three)" "False True"
rm -r three
assert_eq "$(is_current two)" True
assert_match "$(json .sessfs/sessions.json '[s["creation_time"] for s in j["sessions"]]')" "20[0-9-]+T[0-9:.]+Z"
assert_eq "$(json .sessfs/sessions.json '[s["path"] for s in j["sessions"] if s["id"] == "one"]')" "['$MNT/one']"

json .sessfs/stats.json 'j' >/dev/null
for key in session_id number created_at modified_at last_write_at last_saved_at unsaved_bytes owner \
	file_counts total_size_bytes stored_bytes compression_ratio path; do
	json two/.session/info.json "j['$key']" >/dev/null
done
assert_eq "$(json two/.session/info.json 'j["session_id"], j["total_size_bytes"]')" "('two', 300000)"
assert_eq "$(json two/.session/info.json 'j["file_counts"]["cache"]')" 1
assert_eq "$(json two/.session/info.json 'j["path"]')" "$MNT/two"

note "odd names are escaped"
name=$'q"uo\\te\n\ttab\x01 \xc3\xa4'
mkdir "$name"
assert_eq "$(json "$name/.session/info.json" 'j["session_id"]')" "$name"
mkdir $'bad\xff'
json .sessfs/sessions.json 'len(j["sessions"])' >/dev/null
json $'bad\xff/.session/info.json' 'j["session_id"]' >/dev/null
rmdir "$name" $'bad\xff'

note "a fresh look shows the present state"
before=$(json two/.session/info.json 'j["last_write_at"]')
echo more >two/logs/more
assert_eq "$(json two/.session/info.json 'j["file_counts"]["logs"]')" 1
[ "$(json two/.session/info.json 'j["last_write_at"]')" \> "$before" ] || fail "last_write_at stands still"
exec 5<two/.session/info.json
rm two/logs/more
python3 -c 'import json, os; json.load(os.fdopen(5))'
exec 5<&-
mv one renamed
assert_eq "$(json .sessfs/sessions.json 'sorted(s["id"] for s in j["sessions"])')" "['renamed', 'two']"

note "they can be copied"
for dir in .sessfs two/.session; do
	cp -r "$dir" "$TEST_DIR/copy"
	rm -r "$TEST_DIR/copy"
	for file in "$dir"/*; do
		[ ! -d "$file" ] || continue
		cp "$file" "$TEST_DIR/copy"
		rm "$TEST_DIR/copy"
	done
	tar -cf - "$dir" >"$TEST_DIR/tar"
	assert_eq "$(ls -i "$dir")" "$(cd "$dir" && stat -c '%i %n' -- *)"
done

cd "$TEST_DIR"
remount
assert_eq "$(json "$MNT/.sessfs/sessions.json" 'sorted(s["id"] for s in j["sessions"])')" "['renamed', 'two']"
json "$MNT/two/.session/info.json" 'j["compression_ratio"] > 2' | says True || fail "300000 letters were not compressed"
check_counts "$MNT/two"
umount_store
