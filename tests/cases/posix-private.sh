# POSIX as root on a mount that nobody else may enter.
. "$TEST_ROOT/tests/lib.sh"

need_root

mount_store
mkdir "$MNT/s"
posix_suite "$MNT/s"
umount_store
