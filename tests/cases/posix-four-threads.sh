# POSIX as root and as another user, served by four threads.
. "$TEST_ROOT/tests/lib.sh"

need_root

mount_store -o allow_other,max_threads=4
mkdir "$MNT/root" "$MNT/user"
chown $USER_ID:$USER_ID "$MNT/user"
posix_suite "$MNT/root"
posix_suite "$MNT/user" "${AS_USER[@]}"
umount_store
