# info.json tells all there is to tell of a session, and what of it is not saved yet.
. "$TEST_ROOT/tests/lib.sh"

info() { json "$MNT/$1/.session/info.json" "$2"; }

mount_store -o commit=3600,ttl=2h
mkdir "$MNT/one" "$MNT/two"
cd "$MNT/one/.session"
valid info.json
assert_eq "$(info one '(j["status"], j["interrupted"], j["pinned"], j["progress"], j["tags"], j["query"],
	j["read_only"])')" \
	"('active', False, False, 0.0, [], '', False)"
note "a session without texts and events says so"
assert_eq "$(info one 'j["protected_by"], j["rule"], j["ended_at"], j["until"]')" "(None, 'ttl', None, None)"

note "settings and texts show at once"
echo "why is the sky blue" >query
echo reading >phase
printf 'one\ntwo words\n' >tags
echo 0.25 >progress
valid info.json
assert_eq "$(info one 'j["query"].strip(), j["phase"].strip(), j["tags"], j["progress"]')" \
	"('why is the sky blue', 'reading', ['one', 'two words'], 0.25)"
assert_eq "$(info one 'j["expires_at"] > j["last_write_at"]')" True
echo 1 >pin
valid info.json
assert_eq "$(info one 'j["pinned"], j["protected_by"], j["expires_at"]')" "(True, 'pinned', None)"
echo 0 >pin
echo paused >status
valid info.json
assert_eq "$(info one 'j["status"], j["protected_by"], j["expires_at"], j["read_only"]')" \
	"('paused', 'paused', None, True)"
echo active >status

note "figures count what was done"
seq 1000 >../logs/numbers
echo more >../cache/more
rm ../cache/more
assert_eq "$(info one '(j["file_counts"]["logs"], j["file_counts"]["cache"], j["files_created"],
	j["total_size_bytes"])')" "(1, 0, 2, 3893)"
check_counts "$MNT/one"

note "unsaved bytes are those of the session"
sync "$MNT"
assert_eq "$(info one 'j["unsaved_bytes"]') $(info two 'j["unsaved_bytes"]')" "0 0"
head -c 1000000 /dev/urandom >../logs/random
[ "$(info one 'j["unsaved_bytes"] >= 1000000')" = True ] || fail "a megabyte is not counted as unsaved"
[ "$(info one 'j["unsaved_bytes"] < 1200000')" = True ] || fail "more than was written is counted as unsaved"
assert_eq "$(info two 'j["unsaved_bytes"]')" 0
echo x >"$MNT/two/logs/x"
[ "$(info two '0 < j["unsaved_bytes"] < 5000')" = True ] || fail "two: $(info two 'j["unsaved_bytes"]')"
[ "$(info one 'j["last_saved_at"] < j["last_write_at"]')" = True ] || fail "what is not saved is said to be"
sync "$MNT"
assert_eq "$(info one 'j["unsaved_bytes"]') $(info two 'j["unsaved_bytes"]')" "0 0"
[ "$(info one 'j["last_saved_at"] >= j["last_write_at"]')" = True ] || fail "what is saved is not said to be"
mkdir "$MNT/three"
[ "$(info three '0 < j["unsaved_bytes"] < 5000')" = True ] || fail "a new session is not saved yet"
rmdir "$MNT/three"

note "when it was saved is no time that can be set, and no other session's"
echo 1 >"$MNT/two/.session/pin"
for year in 2020 2031; do
	touch -d $year-05-05 "$MNT/two"
	sync "$MNT"
	saved=$(info two 'j["last_saved_at"]')
	assert_match "$saved" "^$(date -u +%Y-%m)"
	echo x >>../logs/numbers
	assert_eq "$(info two 'j["unsaved_bytes"], j["last_saved_at"]')" "(0, '$saved')"
	sync "$MNT"
	assert_eq "$(info two 'j["unsaved_bytes"], j["last_saved_at"]')" "(0, '$saved')"
	[ "$(info one "j['last_saved_at'] > '$saved'")" = True ] ||
		fail "one was saved later: $(info one 'j["last_saved_at"]')"
	cd "$TEST_DIR"
	remount
	cd "$MNT/one/.session"
	saved=$(info two 'j["last_saved_at"]')
	assert_match "$saved" "^$(date -u +%Y-%m)"
	echo x >>../logs/numbers
	assert_eq "$(info two 'j["unsaved_bytes"], j["last_saved_at"]')" "(0, '$saved')"
done

note "a crash leaves when it was last written, and that it was interrupted"
cd "$TEST_DIR"
written=$(info one 'j["last_write_at"]')
kill_daemon
remount
valid "$MNT/one/.session/info.json"
assert_eq "$(info one 'j["interrupted"], j["last_write_at"], j["unsaved_bytes"]')" "(True, '$written', 0)"
assert_eq "$(info one 'j["last_saved_at"] > j["last_write_at"]')" True
echo active >"$MNT/one/.session/status"
assert_eq "$(info one 'j["interrupted"]')" False

note "in the trash"
mv "$MNT/one" "$MNT/.sessfs/trash/one"
valid "$MNT/.sessfs/trash/one/.session/info.json"
assert_eq "$(info .sessfs/trash/one '(j["rule"], j["path"], j["expires_at"], j["read_only"],
	j["ended_at"] < j["until"])')" \
	"('removed', '$MNT/.sessfs/trash/one', None, True, True)"
assert_eq "$(info .sessfs/trash/one 'j["tags"]')" "['one', 'two words']"
umount_store
