# keep: only the newest N sessions stay, not counting those that something protects.
. "$TEST_ROOT/tests/lib.sh"

shopt -s nullglob
mount_store -o ttl=0,keep=3
are() { [ "$(sessions)" = "$1" ]; }

note "the newest by their last write"
for n in 1 2 3; do mkdir "$MNT/s$n"; done
assert_eq "$(sessions)" "s1 s2 s3"
echo new >"$MNT/s1/logs/f"
mkdir "$MNT/s4"
assert_eq "$(sessions)" "s1 s3 s4"
mkdir "$MNT/s5" "$MNT/s6"
assert_eq "$(sessions)" "s4 s5 s6"
ended() {
	local went
	went=$(json "$MNT/.sessfs/history.json" 'sorted(s["id"] for s in j["sessions"] if s["rule"] == "keep")')
	[ "$went" = "$1" ]
}
wait_for 10 ended "['s1', 's2', 's3']"

note "protected ones do not count"
echo 1 >"$MNT/s4/.session/pin"
echo paused >"$MNT/s5/.session/status"
ln -sfn s6 "$MNT/.sessfs/current"
for n in 7 8 9; do mkdir "$MNT/s$n"; done
assert_eq "$(sessions)" "s4 s5 s6 s7 s8 s9"
mkdir "$MNT/t1"
assert_eq "$(sessions)" "s4 s5 s6 s8 s9 t1"

note "nor does one in use, which goes when it is not"
exec 7<"$MNT/s8/logs"
mkdir "$MNT/t2" "$MNT/t3"
wait_for 10 are "s4 s5 s6 s8 t1 t2 t3"
exec 7<&-
wait_for 10 are "s4 s5 s6 t1 t2 t3"

note "unprotected, it counts again"
echo 0 >"$MNT/s4/.session/pin"
wait_for 10 are "s4 s5 s6 t2 t3"
rm "$MNT/.sessfs/current"
wait_for 10 are "s4 s5 t2 t3"
umount_store

note "a mount with a smaller number"
mount_store -o keep=1
wait_for 10 are "s4 s5"
umount_store
