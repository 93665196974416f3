# POSIX while the kernel keeps forgetting what it knew of names and inodes.
. "$TEST_ROOT/tests/lib.sh"

need_root
[ -w /proc/sys/vm/drop_caches ] || skip "needs /proc/sys/vm/drop_caches"

forget_often() {
	while is_mounted; do
		echo 2 >/proc/sys/vm/drop_caches
		read -rt 0.1 <>"$NEVER" || :
	done
}

mount_store -o allow_other,max_threads=4,commit=1
mkdir "$MNT/s"
forget_often &
forgetter=$!
posix_suite "$MNT/s"
check_counts "$MNT/s"
umount_store
wait $forgetter
