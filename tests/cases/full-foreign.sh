# timeout: 240
# The disk is filled by a file that is not ours: before and while writing; when it goes, writing works with no restart.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

foreign() { dd if=/dev/zero "of=$TEST_DIR/disk/foreign.$1" bs=64K status=none 2>"$TEST_DIR/dd" || :; }

loop_disk 96M
mount_store -o commit=1
mkdir "$MNT/one" "$MNT/one/more"
fill "$MNT/one/cache" 1 5
FULL=$COUNT LAST=0
foreign 1
fill "$MNT/one/logs" 4
assert_match "$ERROR" '^ENOSPC$'
daemon_lives
verify "$MNT/one/cache" 1 "$FULL" 0
verify "$MNT/one/logs" 4 "$COUNT" "$BYTES"
timeout 60 rm -f "$MNT"/one/logs/*
daemon_lives

rm "$TEST_DIR"/disk/foreign.*
wait_for 30 writes_again "$MNT/one/more" 2
verify "$MNT/one/more" 2 2 0

note "unmounted on a full disk, mounted again on a full disk"
foreign 2
remount
verify "$MNT/one/cache" 1 "$FULL" 0
verify "$MNT/one/more" 2 2 0
rm "$TEST_DIR"/disk/foreign.*
settled one
umount "$TEST_DIR/disk"
