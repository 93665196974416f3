# The life of a mount: in the background and in the foreground, unmounted in every way, and what is told to whom.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
pid_of_store() { sed -n 's/^pid //p' "$STORE/daemon"; }
# It may still have to be reaped.
gone() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }

note "in the background: a new store, an answer when the command returns"
"$SESSFS" mount -v "$STORE" "$MNT" >said 2>&1
grep -q "made a new store in $STORE" said
grep -q "$STORE is mounted on $MNT" said
assert_eq "$(stat -c %a "$STORE")" 700
is_mounted
grep -q " - fuse.sessfs $STORE " /proc/self/mountinfo
mkdir "$MNT/one"
echo kept >"$MNT/one/file"
daemon=$(pid_of_store)
assert_eq "$(readlink "/proc/$daemon/cwd")" /
assert_eq "$(readlink "/proc/$daemon/fd/0")" /dev/null
assert_eq "$(readlink "/proc/$daemon/fd/2")" /dev/null

note "a second mount is refused, with the pid of the first"
mkdir other
assert_eq "$(status_of "$SESSFS" mount "$STORE" other)" 32
refused "in use by process $daemon, .*mounted on $MNT" "$SESSFS" mount "$STORE" other
if [ "$(id -u)" = 0 ]; then
	refused "in use by process $daemon, .*mounted on $MNT in another mount namespace.*kill $daemon" \
		unshare -m sh -c 'umount -l "$1" && exec "$2" mount "$3" other' - "$MNT" "$SESSFS" "$STORE"
fi
refused "mounted on $MNT already" "$SESSFS" mount "$STORE" "$MNT"
"$SESSFS" init other-store >/dev/null
refused "another store, $STORE, is mounted there" "$SESSFS" mount other-store "$MNT"
refused "in use by process $daemon" "$SESSFS" check --repair "$STORE"

note "in use: not unmounted, and told by whom"
exec 9<"$MNT/one/file"
assert_eq "$(status_of "$SESSFS" umount "$MNT")" 32
refused "in use by .*process $$" "$SESSFS" umount "$MNT"
exec 9<&-
is_mounted

note "unmounted: the daemon is gone when the command returns, and everything is saved"
assert_eq "$(status_of "$SESSFS" umount "$MNT")" 0
wait_for 5 gone "$daemon"
! is_mounted
[ ! -e "$STORE/daemon" ]
check_store

note "in the foreground, ended by each signal"
for signal in TERM INT HUP; do
	mount_store
	assert_file "$MNT/one/file" kept
	echo $signal >"$MNT/one/$signal"
	kill -$signal "$DAEMON"
	wait "$DAEMON" || fail "ended by $signal: $?"
	! is_mounted || fail "still mounted after $signal"
	check_store
done
mount_store
assert_eq "$(cat "$MNT"/one/{TERM,INT,HUP} | xargs)" "TERM INT HUP"

note "umount(8), then mounted again at once"
if [ "$(id -u)" = 0 ]; then umount "$MNT"; else fusermount3 -u "$MNT"; fi
"$SESSFS" mount "$STORE" "$MNT"
wait "$DAEMON"
assert_file "$MNT/one/file" kept
"$SESSFS" umount "$MNT/"

note "a service manager is told"
python3 - "$SESSFS" "$STORE" "$MNT" <<'PYTHON'
import os, socket, subprocess, sys
program, store, mnt = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("notify")
listener.settimeout(20)
path = os.path.abspath("notify")
daemon = subprocess.Popen([program, "mount", "-f", store, mnt], env=dict(os.environ, NOTIFY_SOCKET=path))
assert listener.recv(100) == f"READY=1\nMAINPID={daemon.pid}".encode()
assert os.path.ismount(mnt)
daemon.terminate()
assert listener.recv(100) == b"STOPPING=1"
assert daemon.wait() == 0
PYTHON

note "paths are resolved; a name with spaces, commas and backslashes"
mkdir 'a b' && ln -s 'a b' link
odd='a b/m, \n'
mkdir "$odd"
(cd link && "$SESSFS" mount './st, \o re' "../$odd")
mkdir "$odd/one"
refused "mounted on .*/a b/m, .n already" "$SESSFS" mount 'link/st, \o re' "link/m, \\n"
assert_eq "$(status_of "$SESSFS" umount "link/m, \\n")" 0
