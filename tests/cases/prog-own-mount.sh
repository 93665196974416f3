# Programs of an ordinary user on a mount of his own.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/works.sh"

need git make cc
MOUNT_AS=("${AS_USER[@]}")
own_by_user "$TEST_DIR"
chmod 777 "$NATIVE"
mount_store
as_user mkdir "$MNT/s"
for work in git_work make_work; do
	run_in "$NATIVE/$work" $work "${AS_USER[@]}" >"$TEST_DIR/native.out"
	run_in "$MNT/s/logs/$work" $work "${AS_USER[@]}" >"$TEST_DIR/mount.out"
	diff "$TEST_DIR/native.out" "$TEST_DIR/mount.out" || fail "$work differs"
done
umount_store
