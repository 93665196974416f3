# The clock of ages: time that goes by ends sessions, a clock that jumps does not.
. "$TEST_ROOT/tests/lib.sh"

HOUR=3600 DAY=86400 YEAR=31536000
shopt -s nullglob
with_clock

note "time goes by"
mount_store
mkdir "$MNT/a"
pass $((23 * HOUR))
assert_eq "$(sessions)" "a"
mkdir "$MNT/b"
pass $((2 * HOUR))
assert_eq "$(sessions)" "b"
assert_absent "$MNT/a"

note "a year forward"
jump $YEAR
assert_eq "$(sessions)" "b"
pass $((21 * HOUR))
assert_eq "$(sessions)" "b"
mkdir "$MNT/c"
pass $((2 * HOUR))
assert_eq "$(sessions)" "c"

note "a year back"
jump -$YEAR
assert_eq "$(sessions)" "c"
pass $((21 * HOUR))
assert_eq "$(sessions)" "c"
echo new >"$MNT/c/logs/f"
pass $((23 * HOUR))
assert_eq "$(sessions)" "c" "written since"
pass $((2 * HOUR))
assert_eq "$(sessions)" ""

note "forth and back, with a write in between"
mkdir "$MNT/d" "$MNT/e"
jump $YEAR
echo new >"$MNT/d/logs/f"
jump -$YEAR
pass $((23 * HOUR))
assert_eq "$(sessions)" "d e"
pass $((2 * HOUR))
assert_eq "$(sessions)" ""

note "back, and forth again only after the next mount"
mkdir "$MNT/d"
umount_store
jump -$YEAR
remount
assert_eq "$(sessions)" "d"
jump $YEAR
assert_eq "$(sessions)" "d"
pass $((25 * HOUR))
assert_eq "$(sessions)" ""

note "a kill after a jump"
mkdir "$MNT/d"
jump $YEAR
assert_eq "$(sessions)" "d"
kill_daemon
remount
pass $((2 * HOUR))
assert_eq "$(sessions)" "d"
pass $((23 * HOUR))
assert_eq "$(sessions)" ""

note "a time that was asked for is of the clock that jumps: an hour of patience"
mkdir "$MNT/d"
echo +48h >"$MNT/d/.session/expires_at"
jump $YEAR
assert_eq "$(sessions)" "d"
[ -d "$MNT/d" ]
pass 3540
assert_eq "$(sessions)" "d"
pass 120
assert_eq "$(sessions)" ""

note "a name that the kernel knows, of which the keeper has no news"
knows() { [ -d "$MNT/known" ]; }
knows_not() { ! knows; }
mkdir "$MNT/known"
remount
knows
pass $((25 * HOUR))
wait_for 5 knows_not

note "the machine sleeps for three days"
mkdir "$MNT/f"
jump $((3 * DAY))
assert_eq "$(sessions)" "f"
pass $((23 * HOUR))
assert_eq "$(sessions)" "f"
pass $((2 * HOUR))
assert_eq "$(sessions)" ""

note "times beyond those that are kept"
mkdir "$MNT/late" "$MNT/early"
echo 1 >"$MNT/early/.session/pin"
jump -$DAY
touch -d 2400-01-01 "$MNT/late"
touch -d 1600-01-01 "$MNT/early"
assert_eq "$(sessions)" "early late"
valid "$MNT/.sessfs/expiring.json" "$MNT/.sessfs/sessions.json"
valid "$MNT/late/.session/info.json" "$MNT/early/.session/info.json"
rm -r "$MNT/late" "$MNT/early"
jump $DAY

note "half an hour without a mount"
mkdir "$MNT/g"
pass $((24 * HOUR - 600))
umount_store
pass 1800
remount
assert_eq "$(sessions)" ""

note "two days without a mount: an hour of patience"
mkdir "$MNT/h"
umount_store
pass $((2 * DAY))
remount
assert_eq "$(sessions)" "h"
pass 3540
assert_eq "$(sessions)" "h"
pass 120
assert_eq "$(sessions)" ""
umount_store
