# timeout: 240
# A project quota under the store: EDQUOT below, "no space" above, and all of the rest as on a full disk.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need setquota chattr
need_root
truncate -s 200M "$TEST_DIR/disk.img"
mkfs.ext4 -q -m 0 -O quota,project -E quotatype=prjquota "$TEST_DIR/disk.img"
mkdir "$TEST_DIR/disk"
mount -o loop,prjquota "$TEST_DIR/disk.img" "$TEST_DIR/disk" || skip "needs a kernel with quotas on ext4"
STORE=$TEST_DIR/disk/store
mkdir "$STORE"
chattr -p 77 +P "$STORE"
setquota -P 77 0 $((48 << 10)) 0 0 "$TEST_DIR/disk"
mount_store -o commit=1
brim one
room one
settled one
umount "$TEST_DIR/disk"
