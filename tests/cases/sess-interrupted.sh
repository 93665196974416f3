# A session that was active when the daemon died says so, until its status is written.
. "$TEST_ROOT/tests/lib.sh"

interrupted() { json "$MNT/$1/.session/info.json" 'j["interrupted"]'; }
told() { grep -c '"event": "interrupted"' "$MNT/$1/.session/events.jsonl" || :; }
is_told() { [ "$(told "$1")" = "$2" ]; }
set_status() { echo "$2" >"$MNT/$1/.session/status"; }

mount_store
for name in active paused completed failed; do
	mkdir "$MNT/$name"
	[ $name = active ] || set_status $name $name
done
mkdir "$MNT/trashed"
mv "$MNT/trashed" "$MNT/.sessfs/trash/"
note "a clean end interrupts nothing"
remount
for name in active paused completed failed; do
	assert_eq "$(interrupted $name)" False $name
	assert_eq "$(told $name)" 0
done
modified=$(json "$MNT/active/.session/info.json" 'j["modified_at"]')
refused "invalid" set_status active active

note "a kill interrupts what is active"
kill_daemon
remount
assert_eq "$(interrupted active)" True
wait_for 5 is_told active 1
for name in paused completed failed; do
	assert_eq "$(interrupted $name)" False $name
	assert_eq "$(told $name)" 0
done
mkdir "$MNT/later"
assert_eq "$(interrupted later)" False
assert_eq "$(json "$MNT/active/.session/info.json" 'j["modified_at"]')" "$modified"
note "but not what was removed before"
assert_eq "$(json "$MNT/.sessfs/trash/trashed/.session/info.json" 'j["interrupted"]')" False "removed before"
mv "$MNT/.sessfs/trash/trashed" "$MNT/"
assert_eq "$(interrupted trashed)" False "removed before, and taken back"
mv "$MNT/active" "$MNT/.sessfs/trash/"
assert_eq "$(json "$MNT/.sessfs/trash/active/.session/info.json" 'j["interrupted"]')" True "removed afterwards"
mv "$MNT/.sessfs/trash/active" "$MNT/"
assert_eq "$(interrupted active)" True "removed afterwards, and taken back"
note "it stays so through what ends in order"
echo work >"$MNT/active/logs/work"
remount
assert_eq "$(interrupted active) $(told active)" "True 1"
assert_eq "$(interrupted later)" False
umount_store
mount_store -o ro
assert_eq "$(interrupted active)" True
umount_store
mount_store
note "until the status is written"
set_status active active
assert_eq "$(interrupted active)" False
assert_match "$(grep '"event": "status"' "$MNT/active/.session/events.jsonl")" '"from": "active", "to": "active"'
refused "invalid" set_status active active
remount
assert_eq "$(interrupted active)" False
set_status paused active
kill_daemon

note "a mount that is only read tells what the last one left, and changes nothing"
mount_store -o ro
assert_eq "$(interrupted paused) $(interrupted later)" "True True"
umount_store
mount_store
assert_eq "$(interrupted paused) $(interrupted later)" "True True"
wait_for 5 is_told paused 1
set_status paused completed
assert_eq "$(interrupted paused)" False
assert_eq "$(interrupted trashed)" True
umount_store

note "many of them"
mount_store
for i in $(seq 100); do mkdir "$MNT/many$i"; done
kill_daemon
remount
for i in 1 50 99 100; do
	wait_for 10 is_told many$i 1
	assert_eq "$(interrupted many$i)" True
done
umount_store

note "a mount that never came to be is no crash"
if [ "$(id -u)" = 0 ]; then
	refused "not a directory|no such|mount point" "$SESSFS" mount -f "$STORE" "$TEST_DIR/none"
fi
mount_store
assert_eq "$(told many1)" 1
umount_store
