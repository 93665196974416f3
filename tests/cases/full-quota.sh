# timeout: 240
# A project quota on the disk under the store: EDQUOT below, "no space" above, and all of the rest as on a full disk.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need setquota chattr
loop_disk 200M -O quota,project -E quotatype=prjquota
mount -o remount,prjquota "$TEST_DIR/disk" || skip "needs a kernel with quotas"
mkdir "$STORE"
chattr -p 77 +P "$STORE"
setquota -P 77 0 $((48 << 10)) 0 0 "$TEST_DIR/disk" || skip "needs a kernel with quotas"
mount_store -o commit=1
brim one
room one
settled one
umount "$TEST_DIR/disk"
