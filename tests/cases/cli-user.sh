# An ordinary user mounts, works and unmounts; nobody else gets in without allow_other.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir home home/mnt
own_by_user home
MNT=$TEST_DIR/home/mnt STORE=$TEST_DIR/home/store

as_user "$SESSFS" mount "$STORE" "$MNT"
as_user mkdir "$MNT/one"
as_user sh -c "echo mine >'$MNT/one/file'"
assert_eq "$(as_user cat "$MNT/one/file")" mine
if [ "$(id -u)" = 0 ]; then
	refused "permission denied" ls "$MNT"
fi
refused 'no fusermount3, which lets users' as_user env PATH=/nowhere "$SESSFS" umount "$MNT"
is_mounted
as_user "$SESSFS" umount "$MNT"
! is_mounted
as_user "$SESSFS" check "$STORE" | says 'clean$'
