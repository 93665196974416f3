# dbench: a file server's load by four clients.
. "$TEST_ROOT/tests/lib.sh"

need dbench

dbench_work() {
	dbench -D . -t 4 4 >out 2>&1 || { tail -5 out >&2; return 1; }
	if grep -v semaphore out | grep -E 'ERROR|failed|expected'; then return 1; fi
	grep -q Throughput out
	rm -rf clients out
	ls -A
}

mount_for_programs
on_both dbench_work
check_counts "$MNT/s"
umount_store
