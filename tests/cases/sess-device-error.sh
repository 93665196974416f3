# The device fails while the daemon has the kernel write what it gathered: it ends all the same, and nothing else hangs.
. "$TEST_ROOT/tests/lib.sh"

daemon_is_gone() { ! kill -0 "$DAEMON" 2>/dev/null; }
first=$(ldd "$BUILD/sessfs" | awk '/lib[at]san/ { print $3 }')
MOUNT_AS=(env "LD_PRELOAD=$first $BUILD/tests/preload_device.so" "DEVICE_FAILS=$TEST_DIR/fails"
	"ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0")
mount_store -o writeback,max_threads=1
mkdir "$MNT/s"
echo before >"$MNT/s/logs/saved"
# A shell would close its copy of the file behind each write, and so have it written.
python3 - "$MNT/s/logs/open" "$TEST_DIR/written" <<'END' &
import os, signal, sys
os.write(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), b"gathered")
open(sys.argv[2], "w").write("yes")
signal.pause()
END
HOLDER=$!
wait_for 20 test -s "$TEST_DIR/written"
touch "$TEST_DIR/fails"
timeout 20 bash -c "echo paused >'$MNT/s/.session/status'" || :
wait_for 20 daemon_is_gone
assert_eq "$(status_of wait "$DAEMON")" 2 "exit status of the daemon"
kill "$HOLDER"
! is_mounted || umount -l "$MNT" || fusermount3 -u -z "$MNT"
MOUNT_AS=()
DAEMON=
check_store
mount_store
assert_file "$MNT/s/logs/saved" before
assert_eq "$(json "$MNT/s/.session/info.json" 'j["interrupted"], j["status"]')" "(False, 'paused')"
umount_store
