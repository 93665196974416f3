# timeout: 240
# The quota of a btrfs subvolume while its device has room: that is no error of the device, and whoever raises the quota
# needs no restart. (Deleting is not promised there: btrfs counts what it needs to overwrite, too.)
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need mkfs.btrfs
btrfs_disk 600M
btrfs quota enable "$TEST_DIR/disk"
btrfs subvolume create "$STORE" >/dev/null
btrfs qgroup limit 64M "$STORE"
mount_store -o commit=1
mkdir "$MNT/one" "$MNT/one/more"
fill "$MNT/one/cache" 1
FULL=$COUNT LAST=$BYTES
assert_match "$ERROR" '^(ENOSPC|EDQUOT)$'
daemon_lives
verify "$MNT/one/cache" 1 "$FULL" "$LAST"

btrfs qgroup limit 128M "$STORE"
wait_for 30 writes_again "$MNT/one/more" 2
settled one
umount "$TEST_DIR/disk"
