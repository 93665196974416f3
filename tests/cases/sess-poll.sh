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

note "somebody waited, and a line was left without its end: that becomes one after the mount"
MOUNT_AS=(env MALLOC_PERTURB_=90)
mount_store
mkdir "$MNT/left"
timeout 60 python3 -c 'import os, select, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)
poll = select.poll()
poll.register(fd, select.POLLPRI)
assert poll.poll(10) == []
os.write(fd, b"left")' "$MNT/left/.session/events.jsonl"
umount_store
mount_store
assert_match "$(cat "$MNT/left/.session/events.jsonl")" '"left"'
umount_store
