# poll(2), select(2) and epoll(7) follow events.jsonl: POLLPRI when there is more, whoever added it; the rest is ready.
# timeout: 150
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
timeout 60 "$TEST_ROOT/tests/poll.py" "$MNT" s
umount_store
mount_store -o writeback
mkdir "$MNT/s"
timeout 60 "$TEST_ROOT/tests/poll.py" "$MNT" s writeback
umount_store
