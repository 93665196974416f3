# timeout: 120
# With writeback what was closed counts: who appends, opening and closing the file each time, while the daemon is killed
# learns of it from the first close that lost something.
. "$TEST_ROOT/tests/lib.sh"

need_root
mount_store -o writeback
mkdir "$MNT/s"
for round in {1..20}; do
	kill_at=$((round * 37 % 60))
	python3 - "$MNT/s/logs/$round" "$DAEMON" "$kill_at" >"$TEST_DIR/closed" <<'END'
import os, signal, sys, threading
path, daemon, after = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
closed = 0
open(path, "w").close()
try:
	while True:
		if closed == after:
			threading.Thread(target=os.kill, args=(daemon, signal.SIGKILL)).start()
		fd = os.open(path, os.O_WRONLY | os.O_APPEND)
		os.write(fd, b"line\n")
		os.close(fd)
		closed += 1
except OSError:
	print(closed)
END
	wait "$DAEMON" 2>/dev/null || :
	DAEMON=
	umount -l "$MNT"
	mount_store -o writeback
	closed=$(cat "$TEST_DIR/closed")
	lines=$(wc -l <"$MNT/s/logs/$round")
	[ "$lines" -ge "$closed" ] || fail "$closed lines were written and closed, $lines are there"
done
umount_store
