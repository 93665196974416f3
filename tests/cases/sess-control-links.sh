# .sessfs/current, by-status, by-tag, search: links to sessions, which resolve, for everybody who may look.
. "$TEST_ROOT/tests/lib.sh"

mount_store
cd "$MNT"

note "current: the newest, until one is set"
assert_absent .sessfs/current
assert_eq "$(ls .sessfs | grep -c current || :)" 0
mkdir one two three
assert_eq "$(readlink .sessfs/current)" ../three
ln -sfn one .sessfs/current
assert_eq "$(readlink .sessfs/current)" ../one
ln -sfn ../two .sessfs/current
assert_eq "$(readlink .sessfs/current)" ../two
ln -sfn "$MNT/three" .sessfs/current
ln -sfn "$MNT/one/" .sessfs/current
assert_eq "$(readlink .sessfs/current)" ../one
for target in none ../none one/logs ../../one /tmp "$MNT" "${MNT}one" ''; do
	refused 'no such file' ln -sfn "$target" .sessfs/current
done
assert_eq "$(readlink .sessfs/current)" ../one
assert_eq "$(ls -A .sessfs | grep -c '^Cu' || :)" 0
assert_eq "$(stat -L -c %i .sessfs/current)" "$(stat -c %i one)"
echo through >.sessfs/current/logs/file
assert_file one/logs/file through
python3 - <<'END'
import os
os.symlink("two", ".sessfs/made")
assert os.readlink(".sessfs/made") == "two" and "made" in os.listdir(".sessfs")
os.replace(".sessfs/made", ".sessfs/current")
assert os.readlink(".sessfs/current") == "../two" and "made" not in os.listdir(".sessfs")
os.symlink("x", ".sessfs/a")
os.rename(".sessfs/a", ".sessfs/b")
os.unlink(".sessfs/b")
END
cd "$TEST_DIR"
kill_daemon
mount_store
cd "$MNT"
assert_eq "$(readlink .sessfs/current)" ../two
mv two second
assert_eq "$(readlink .sessfs/current)" ../second
rm .sessfs/current
assert_eq "$(readlink .sessfs/current)" ../three
refused 'not permitted' touch .sessfs/file
refused 'not permitted' mkdir .sessfs/dir .sessfs/trash/dir .sessfs/by-tag/dir .sessfs/search/dir/dir
refused 'not permitted' ln -s x .sessfs/by-tag/x
refused 'not permitted' mv .sessfs/version .sessfs/other
refused 'not permitted' mv .sessfs/by-tag .sessfs/other
refused 'exist' ln -s x .sessfs/version

note "by-status"
echo paused >one/.session/status
echo completed >second/.session/status
names() { (cd ".sessfs/$1" && echo *); }
assert_eq "$(names by-status)" "active archived completed failed paused"
assert_eq "$(names by-status/active) $(names by-status/paused) $(names by-status/completed)" "three one second"
assert_eq "$(names by-status/failed)" "*"
assert_eq "$(readlink .sessfs/by-status/paused/one)" ../../../one
assert_absent .sessfs/by-status/active/one
assert_absent .sessfs/by-status/gone
echo active >one/.session/status
assert_eq "$(names by-status/active)" "one three"

note "by-tag"
printf 'red\nodd tag \xc3\xa4\n' >one/.session/tags
printf 'red\nblue\n' >three/.session/tags
assert_eq "$(names by-tag)" "blue odd tag ä red"
assert_eq "$(names by-tag/red) $(names by-tag/blue)" "one three three"
assert_eq "$(names 'by-tag/odd tag ä')" one
assert_absent .sessfs/by-tag/green
: >three/.session/tags
assert_eq "$(names by-tag)" "odd tag ä red"
assert_absent .sessfs/by-tag/blue

note "search"
echo "Where is the Änderung" >one/.session/query
echo "the notes" >three/.session/notes
assert_eq "$(names search/where) $(names search/THE) $(names search/ÄNDER)" "one one three one"
assert_eq "$(names search/odd) $(names search/seco) $(names search/nothing)" "one second *"
assert_eq "$(names search)" "*"
assert_eq "$(cat .sessfs/search/where/one/logs/file; cat .sessfs/by-status/active/one/logs/file)" $'through\nthrough'
long=$(printf 'x%.0s' {1..255})
assert_eq "$(names "search/$long")" "*"
refused 'too long' ls ".sessfs/search/x$long"
names $'search/new\nline' >/dev/null
names $'search/bad\xff' >/dev/null

note "numbers stay, walks end, copies are whole"
numbers() { find .sessfs/by-status -type l -printf '%i\n' | sort; }
assert_eq "$(numbers)" "$(numbers)"
assert_eq "$(find .sessfs -printf '%i\n' | sort | uniq -d)" ""
ls -laR .sessfs >/dev/null
for kind in by-status by-tag; do
	tar -cf - .sessfs/$kind | tar -tf - >"$TEST_DIR/list"
	grep -q /one "$TEST_DIR/list" || fail "$kind in an archive"
	cp -r .sessfs/$kind "$TEST_DIR/$kind"
done

note "many sessions: a listing that takes several requests is whole"
for n in {1..500}; do mkdir "many_$n"; echo "tag_$n" >"many_$n/.session/tags"; done
assert_eq "$(ls .sessfs/by-status/active | sort | uniq | wc -l)" 502
assert_eq "$(ls .sessfs/by-tag | sort | uniq | wc -l)" 502
assert_eq "$(ls .sessfs/search/MANY_ | wc -l)" 500
cd "$TEST_DIR"
umount_store

note "not listed, unless asked for"
mount_store -o show_control
cd "$MNT"
assert_eq "$(ls -A | grep sess)" .sessfs
assert_match "$(ls -A one)" '^.session'
assert_eq "$(ls -iA one | grep .session | tr -d ' ' | grep -o '^[0-9]*')" "$(stat -c %i one/.session)"
tar -cf "$TEST_DIR/tar" one
tar -tf "$TEST_DIR/tar" | says one/.session/info.json || fail "tar left .session out"
cd "$TEST_DIR"
umount_store

note "and then they do not keep a session from being removed"
if [ "$(id -u)" = 0 ]; then mount_store -o show_control,allow_other; else mount_store -o show_control; fi
chmod 1777 "$MNT"
cd "$MNT"
gone_by() {
	as_user mkdir gone
	as_user sh -c 'echo text >gone/logs/file; echo note >gone/.session/notes'
	as_user "$@"
	assert_absent gone
}
gone_by rm -r gone </dev/null
gone_by rm -rf gone
gone_by python3 -c 'import shutil; shutil.rmtree("gone")'
gone_by find gone -delete

note "nothing happens to them, and not even that where the session stays"
mkdir stays
echo note >stays/.session/notes
rm stays/.session/notes
rmdir stays/.session
assert_file stays/.session/notes note
ln -sfn stays .sessfs/current
refused busy rm stays/.session/notes
rm .sessfs/current
echo paused >stays/.session/status
refused read-only rm stays/.session/notes
refused read-only rmdir stays/.session
echo active >stays/.session/status
refused 'not permitted' rm .sessfs/version
refused 'not permitted' rmdir .sessfs
rm -rf stays
cd "$TEST_DIR"
umount_store
