# timeout: 240
# A store on a btrfs is filled to the brim: a filesystem that copies on write needs space to overwrite, too.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need mkfs.btrfs
btrfs_disk 160M
mount_store -o commit=1
brim one
room one
settled one
umount "$TEST_DIR/disk"
