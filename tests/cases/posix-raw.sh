# POSIX without compression, with flushes as often and logs as small as they go.
. "$TEST_ROOT/tests/lib.sh"

need_root

mount_store -o allow_other,compress=0,commit=1,hot_size=4M
mkdir "$MNT/root" "$MNT/user"
chown $USER_ID:$USER_ID "$MNT/user"
posix_suite "$MNT/root"
posix_suite "$MNT/user" "${AS_USER[@]}"
umount_store
