# Hundreds of sessions, made by several at once.
. "$TEST_ROOT/tests/lib.sh"

mount_store
cd "$MNT"
for part in 1 2 3 4; do
	(for i in {1..100}; do mkdir "p$part-$i"; echo "$i" >"p$part-$i/logs/n"; done) &
	parts[part]=$!
done
for part in 1 2 3 4; do wait "${parts[part]}"; done
assert_eq "$(ls | wc -l)" 400
assert_eq "$(json .sessfs/sessions.json 'len(j["sessions"])')" 400
assert_eq "$(find . -mindepth 2 -maxdepth 2 -type d | wc -l)" 1600
assert_file p3-77/logs/n 77
rm -rf p1-* p2-*
assert_eq "$(ls | wc -l)" 200
kill_daemon 2>/dev/null || fail "kill"
cd "$TEST_DIR"
remount
assert_eq "$(ls "$MNT" | wc -l)" 200
assert_file "$MNT/p4-100/logs/n" 100
mkdir "$MNT/one"
for i in 1 2 3 4; do mkdir "$MNT/same" 2>/dev/null && echo made || : ; done >made
assert_eq "$(wc -l <made)" 1
umount_store
