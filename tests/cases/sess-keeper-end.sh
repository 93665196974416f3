# The daemon's own process on the mount, which tells watchers what expired, holds up no end of the mount, and survives
# none. It is caught there: the daemon is stopped while the process waits for an answer.
. "$TEST_ROOT/tests/lib.sh"

need_root
need mountpoint

cat >"$TEST_DIR/catch.py" <<'END'
# catch.py PID - stops the daemon while a process of its keeper waits for an answer of it; prints that process.
import os, signal, sys, time

pid = int(sys.argv[1])
tasks = f"/proc/{pid}/task"
keeper = next(t for t in os.listdir(tasks) if open(f"{tasks}/{t}/comm").read() == "keeper\n")
state = lambda path: open(path + "/stat").read().rpartition(")")[2].split()[0]
end = time.monotonic() + 4
while time.monotonic() < end:
    child = open(f"{tasks}/{keeper}/children").read().split()
    if not child:
        continue
    os.kill(pid, signal.SIGSTOP)
    try:
        # Its threads stop one by one; what it is then still waiting for is not answered.
        while any(state(f"{tasks}/{t}") not in "TD" for t in os.listdir(tasks)):
            pass
        if "request_wait_answer" in open(f"/proc/{child[0]}/wchan").read():
            print(child[0])
            sys.exit(0)
    except OSError:
        pass
    os.kill(pid, signal.SIGCONT)
sys.exit("not caught")
END

# It takes some luck on a busy machine.
catch() {
	mkdir "$MNT"/s{1..500}
	CHILD=$(python3 "$TEST_DIR/catch.py" "$DAEMON")
}
# mount_and_catch - CHILD is on the mount and waits.
mount_and_catch() {
	rm -rf "$STORE"
	mount_store -o ttl=1s,grace=0
	CONNECTION=/sys/fs/fuse/connections/$(mountpoint -d "$MNT" | cut -d: -f2)
	wait_for 40 catch
}
child_is_gone() { [ ! -e "/proc/$CHILD" ] || [ "$(cut -d' ' -f3 "/proc/$CHILD/stat")" = Z ]; }
daemon_is_gone() { ! kill -0 "$DAEMON" 2>/dev/null; }
# ends STATUS - both end by themselves, the mount is gone, the store is whole.
ends() {
	wait_for 20 daemon_is_gone
	assert_eq "$(status_of wait "$DAEMON")" "$1" "exit status of the daemon"
	wait_for 5 child_is_gone
	! is_mounted || fail "still mounted"
	check_store
}

note "kill -TERM"
mount_and_catch
kill -TERM "$DAEMON"
kill -CONT "$DAEMON"
ends 0

note "kill -9"
mount_and_catch
kill_daemon
wait_for 5 child_is_gone
check_store

note "a lazy unmount"
mount_and_catch
umount -l "$MNT"
kill -CONT "$DAEMON"
ends 0

note "an unmount from outside, again and again until nobody is on the mount"
mount_and_catch
kill -CONT "$DAEMON"
unmounts() { umount "$MNT" 2>/dev/null; }
wait_for 20 unmounts
ends 0

note "sessfs umount waits for it"
mount_and_catch
kill -CONT "$DAEMON"
umount_store

note "the connection is aborted"
mount_and_catch
echo 1 >"$CONNECTION/abort"
kill -CONT "$DAEMON"
wait_for 20 daemon_is_gone
wait_for 5 child_is_gone
! is_mounted || umount -l "$MNT"
check_store

note "a mount point that was handed over has no path: names are forgotten, and nobody is sent"
if command -v mount.fuse3 >/dev/null; then
	PATH=$(dirname "$SESSFS"):$PATH mount.fuse3 "$STORE" "$MNT" -t fuse.sessfs \
		-o "drop_privileges,default_permissions,fsname=$STORE,ttl=1s"
	rm -rf "$MNT"/*
	mkdir "$MNT/one"
	! stat "$MNT/one/none" 2>/dev/null
	exec 7<"$MNT/one/logs"
	python3 - "$MNT/one" <<-'END'
		import os, sys, time
		end = time.monotonic() + 3
		while time.monotonic() < end:
		    os.stat(sys.argv[1]) # in use, it stays
	END
	exec 7<&-
	is_gone() { [ ! -e "$MNT/one" ]; }
	wait_for 20 is_gone
	"$SESSFS" umount "$MNT"
	check_store
fi
