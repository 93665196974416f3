# stress-ng: its stressors of files, verifying.
. "$TEST_ROOT/tests/lib.sh"

need stress-ng

stress() {
	if ! stress-ng --temp-path . --verify --timeout "$STRESS_SECONDS" --oom-avoid "$@" >out 2>&1; then
		grep -iE 'fail|error' out | head >&2
		return 1
	fi
	rm out
}
stress_work() {
	stress --access 1 --chmod 1 --chown 1 --dentry 1 --dir 1 --dirdeep 1 --fallocate 1 --fcntl 1 --filename 1 \
		--flock 1
	stress --fpunch 1 --fstat 1 --getdent 1 --hdd 1 --hdd-bytes 16M --iomix 1 --iomix-bytes 16M --link 1 --locka 1
	stress --lockf 1 --lockofd 1 --open 1 --readahead 1 --readahead-bytes 16M --rename 1 --seek 1 \
		--sendfile 1 --symlink 1
	stress --touch 1 --utime 1 --xattr 1 --sync-file 1 --sync-file-bytes 16M --msync 1 --copy-file 1 \
		--copy-file-bytes 128M
	ls -A
}

mount_for_programs
export STRESS_SECONDS=1
run_in "$NATIVE/stress" stress_work
STRESS_SECONDS=2
assert_eq "$(run_in "$MNT/s/cache/stress" stress_work)" ""
check_counts "$MNT/s"
umount_store
