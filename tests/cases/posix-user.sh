# POSIX on a mount that an ordinary user made.
. "$TEST_ROOT/tests/lib.sh"

MOUNT_AS=("${AS_USER[@]}")
own_by_user "$TEST_DIR"
mount_store
as_user mkdir "$MNT/s"
posix_suite "$MNT/s" "${AS_USER[@]}"
umount_store
