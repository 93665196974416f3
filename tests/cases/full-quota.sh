# timeout: 240
# A quota under the store: EDQUOT below, "no space" above, and all of the rest as on a full disk. On btrfs, where in a
# quota also what is overwritten takes new space.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need mkfs.btrfs btrfs
btrfs_disk 400M
btrfs subvolume create "$TEST_DIR/disk/part" >/dev/null
btrfs quota enable "$TEST_DIR/disk"
btrfs qgroup limit 64M "$TEST_DIR/disk/part"
STORE=$TEST_DIR/disk/part/store
mount_store -o commit=1
brim one
room one
settled one
umount "$TEST_DIR/disk"
