# Names that were looked for in vain keep directories in the kernel's memory: that is no use of a session, and a quickly
# made row of sessions loses its oldest ones at once, also while somebody lists them again and again.
. "$TEST_ROOT/tests/lib.sh"

two_left() { [ "$(ls "$MNT" | wc -l)" = 2 ]; }
mount_store -o keep=2
for n in 1 2 3 4 5 6; do
	mkdir "$MNT/session_$n"
	! stat "$MNT/session_$n/nothing" "$MNT/session_$n/logs/nothing" "$MNT/session_$n/cache/nothing" 2>/dev/null
	ls "$MNT" >/dev/null
done
wait_for 3 two_left
assert_eq "$(ls "$MNT" | xargs)" "session_5 session_6"
assert_eq "$(ls "$MNT/.sessfs/trash" | wc -l)" 4
umount_store
