# Control files in the hands of one who means no good: nothing crashes, nothing leaks, nothing hangs.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
cd "$MNT"
rss() { awk '/^VmRSS/ {print $2}' "/proc/$DAEMON/status"; }

note "odd requests"
python3 - <<'END'
import errno, fcntl, itertools, mmap, os, random, stat
random.seed(1)
session, root = "s/.session", ".sessfs"
def attempt(function, *words):
	try:
		return function(*words)
	except (OSError, ValueError, OverflowError):
		return None
junk = [b"", b"\0", b"\xff" * 10, b"x" * 65537, b"x" * 65536, b"\n" * 1000, b'{"a":' * 5000, b"{}\n" * 3000, b"a/b\n",
	"ä".encode() * 2047 + b"\xc3", b"-1", b"1e400\n", b"9" * 60,
	b"+999999999999d", b"+9223372036854775807s", b"failed " + b"r" * 9000]
offsets = [0, 1, 4095, 65535, 65536, 1 << 31, (1 << 62) - 1, (1 << 63) - 70000]
for name in sorted(os.listdir(session)):
	path = f"{session}/{name}"
	fd = attempt(os.open, path, os.O_RDWR)
	for data, offset in itertools.product(junk, offsets):
		if fd is not None:
			attempt(os.pwrite, fd, data, offset)
			attempt(os.pread, fd, 100, offset)
	for size in offsets:
		attempt(os.truncate, path, size)
	if fd is not None:
		for mode in range(0, 64):
			attempt(os.posix_fallocate, fd, mode, 100)
		attempt(os.lseek, fd, 1 << 40, os.SEEK_HOLE)
		attempt(fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
		try:
			with mmap.mmap(fd, 4096) as m:
				m[0:5] = b"junk!"
				m.flush()
		except (OSError, ValueError):
			pass
		attempt(os.copy_file_range, fd, fd, 100, 0, 200)
		os.close(fd)
	attempt(os.setxattr, path, "user.x", b"1")
	attempt(os.link, path, f"{session}/linked")
	attempt(os.rename, path, f"{session}/renamed")
	attempt(os.mkdir, f"{path}/dir")
	attempt(os.unlink, path)
names = ["x" * 255, "new\nline", "..", ".", "a" * 256, "current", "trash", "\udcff", "%s%n", "status", "'"]
places = [root, session, f"{root}/by-status", f"{root}/by-status/active", f"{root}/by-tag", f"{root}/search",
	f"{root}/search/x", f"{root}/search/\n", f"{root}/trash", f"{root}/current"]
for place, name in itertools.product(places, names):
	path = f"{place}/{name}"
	attempt(os.lstat, path)
	attempt(os.listdir, path)
	if place != f"{root}/current":
		attempt(os.mkdir, path)
		attempt(os.mknod, path, stat.S_IFREG | 0o600)
	attempt(os.symlink, "x" * random.choice([1, 255, 4000]), path)
	attempt(os.readlink, path)
	for other in places[:-1]: # the last one is the session
		attempt(os.rename, path, f"{other}/other")
		attempt(os.rename, "s/logs", f"{other}/{name}")
	attempt(os.unlink, path)
	attempt(os.rmdir, path)
for n in range(100):
	attempt(os.symlink, str(n), f"{root}/link{n}")
assert len([name for name in os.listdir(root) if name.startswith("link")]) <= 16
for value in junk:
	for name in ("status", "pin", "expires_at", "stored_bytes", "", "x" * 200):
		attempt(os.setxattr, "s", f"user.sessfs.{name}", value)
END
[ -d s/logs ] || fail "a view is gone"
ls -laR .sessfs >/dev/null
cat s/.session/* >/dev/null
kill -0 "$DAEMON"

note "a session that goes while its control files are open"
mkdir gone
exec 5<gone/.session/info.json 6<gone/.session/events.jsonl 7>>gone/.session/events.jsonl 8<>gone/.session/notes
rmdir gone
cat <&5 >/dev/null || :
cat <&6 >/dev/null || :
echo '{}' >&7 2>/dev/null && fail "a line for nobody was taken"
echo note >&8 2>/dev/null && fail "a note for nobody was taken"
exec 5<&- 6<&- 7<&- 8<&-

note "memory stays flat"
mkdir calm
read_all() {
	python3 - "$1" <<'END'
import sys
for n in range(int(sys.argv[1])):
	for path in "calm/.session/info.json", "calm/.session/status", ".sessfs/version", f".sessfs/search/{n % 50}x":
		if "search" in path:
			import os
			os.listdir(path)
		else:
			open(path).read()
	if n % 10 == 0:
		open("calm/.session/progress", "w").write("0.5")
		open("calm/.session/events.jsonl", "a").write("{}\n")
END
}
read_all 400
before=$(rss)
read_all 2500 # of each
after=$(rss)
[ $((after - before)) -lt 3000 ] || [ -n "${SANITIZE:-}" ] || fail "grew from $before to $after KiB"
cd "$TEST_DIR"
umount_store
