# Sessions expire: by the rules of their status, by a moment of their own, not while something protects them.
. "$TEST_ROOT/tests/lib.sh"

need setfattr
HOUR=3600 DAY=86400
shopt -s nullglob
with_clock
mount_store -o ttl=24h,retain=90d

control() { cat "$MNT/$1/.session/$2"; }

note "touch -d ages, and the access that finds it does not see it"
mkdir "$MNT/old" "$MNT/young"
touch -d '2 days ago' "$MNT/old"
touch -d '23 hours ago' "$MNT/young"
assert_eq "$(sessions)" "young"
rm -rf "$MNT"/*

note "every kind of write renews, reading does not"
kinds=(data append truncate mkdir chmod xattr rename link unlink touch)
for kind in "${kinds[@]}" read; do
	mkdir "$MNT/$kind"
	echo x >"$MNT/$kind/logs/f"
done
pass $((23 * HOUR))
echo y >"$MNT/data/logs/f"
echo y >>"$MNT/append/logs/f"
truncate -s 0 "$MNT/truncate/logs/f"
mkdir "$MNT/mkdir/logs/d"
chmod 600 "$MNT/chmod/logs/f"
setfattr -n user.a -v b "$MNT/xattr/logs/f"
mv "$MNT/rename/logs/f" "$MNT/rename/logs/g"
ln "$MNT/link/logs/f" "$MNT/link/logs/g"
rm "$MNT/unlink/logs/f"
touch "$MNT/touch"
cat "$MNT/read/logs/f" >/dev/null
ls -lR "$MNT/read" >/dev/null
pass $((2 * HOUR))
assert_eq "$(sessions)" "$(printf '%s\n' "${kinds[@]}" | sort | xargs)"
assert_absent "$MNT/read"
rm -rf "$MNT"/*

note "by status: ttl for active and failed, retain for completed and archived"
for status in active failed completed archived paused; do
	mkdir "$MNT/$status"
	[ $status = active ] || echo $status >"$MNT/$status/.session/status"
done
pass $((25 * HOUR))
assert_eq "$(sessions)" "archived completed paused"
pass $((90 * DAY))
assert_eq "$(sessions)" "paused"
echo active >"$MNT/paused/.session/status"
assert_eq "$(sessions)" "paused" "resumed"
pass $((25 * HOUR))
assert_eq "$(sessions)" ""

note "a moment of its own goes before ttl and retain"
mkdir "$MNT/soon" "$MNT/late" "$MNT/never"
echo +1h >"$MNT/soon/.session/expires_at"
echo +3d >"$MNT/late/.session/expires_at"
echo never >"$MNT/never/.session/expires_at"
pass 3660
assert_eq "$(sessions)" "late never"
pass $((2 * DAY))
assert_eq "$(sessions)" "late never"
pass $((2 * DAY))
assert_eq "$(sessions)" "never"
rm -rf "$MNT"/*

note "pinned, and set as current"
mkdir "$MNT/pinned" "$MNT/current" "$MNT/neither"
echo 1 >"$MNT/pinned/.session/pin"
ln -sfn current "$MNT/.sessfs/current"
pass $((25 * HOUR))
assert_eq "$(sessions)" "current pinned"
ln -sfn pinned "$MNT/.sessfs/current"
assert_eq "$(sessions)" "pinned"
rm "$MNT/.sessfs/current"
assert_eq "$(sessions)" "pinned"
echo 0 >"$MNT/pinned/.session/pin"
pass $((25 * HOUR))
assert_eq "$(sessions)" ""

note "control files do not tell of one that is over"
mkdir "$MNT/a" "$MNT/b"
pass $((23 * HOUR))
touch "$MNT/b"
pass $((2 * HOUR))
assert_eq "$(json "$MNT/.sessfs/sessions.json" '[s["id"] for s in j["sessions"]]')" "['b']"
assert_eq "$(ls "$MNT/.sessfs/by-status/active")" "b"

note "it is in the trash, with the rule, and can be taken back"
wait_for 5 test -d "$MNT/.sessfs/trash/a"
assert_eq "$(json "$MNT/.sessfs/history.json" '[s["rule"] for s in j["sessions"] if s["id"] == "a"]')" "['ttl']"
mv "$MNT/.sessfs/trash/a" "$MNT/a"
assert_eq "$(sessions)" "a b"

note "the keeper needs no access, and grace ends"
umount_store
rm -rf "$STORE" # its clock is ahead
MOUNT_AS=()
mount_store -o ttl=1s,grace=1s
cat >"$TEST_DIR/gone.py" <<-'END'
	import json, sys
	ended = json.load(open(sys.argv[1]))["sessions"]
	sys.exit(not any(s["id"] == sys.argv[2] for s in ended))
END
mkdir "$MNT/here"
wait_for 10 python3 "$TEST_DIR/gone.py" "$MNT/.sessfs/history.json" here
trash_is_empty() { [ -z "$(ls "$MNT/.sessfs/trash")" ]; }
wait_for 10 trash_is_empty
umount_store

note "read-only, nothing expires"
mount_store -o ttl=24h
mkdir "$MNT/a"
touch -d '23 hours ago' "$MNT/a"
umount_store
mount_store -o ro,ttl=1s
assert_eq "$(sessions)" "a"
umount_store
