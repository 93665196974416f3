# With writeback the kernel takes an append before it asks, and is refused later: in a paused session, without space, or
# where the file would be too large. The file then ends where it ended before, whoever has it open, and what is appended
# next comes directly behind that, as soon as it is known to be possible again.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

cat >"$TEST_DIR/append.py" <<'END'
"""append.py TOP SCENE - in a session."""
import errno, os, sys, time
top, scene = sys.argv[1:]
path = f"{top}/logs/f"

def status(word):
	with open(f"{top}/.session/status", "w") as file:
		file.write(word + "\n")

def append(text, to=None):
	"""The errno of what was refused, at the latest when it is synced. to: an open file, else one is opened."""
	fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if to is None else to
	refused = 0
	try:
		os.write(fd, text)
		os.fsync(fd)
	except OSError as error:
		refused = error.errno
	try:
		if to is None:
			os.close(fd)
	except OSError as error:
		refused = error.errno
	return refused

def content():
	with open(path, "rb") as file:
		return file.read()

def expect(wanted, fd=None):
	size = os.stat(path).st_size if fd is None else os.fstat(fd).st_size
	found = content() if fd is None else os.pread(fd, len(wanted) + 100000, 0)
	assert size == len(wanted) and found == wanted, (size, len(wanted), found[:100])

def pause_and_append(held, text, times=1):
	status("paused")
	for n in range(times):
		assert append(text, held) in (errno.EROFS, errno.EIO)
	status("active")

def closed():
	assert not append(b"one\n")
	pause_and_append(None, b"refused\n", 3)
	assert not append(b"two\n")
	expect(b"one\ntwo\n")
	pause_and_append(None, b"refused" * 20000)
	assert not append(b"three\n")
	expect(b"one\ntwo\nthree\n")

def open_by_others():
	held = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
	assert not append(b"one\n", held)
	pause_and_append(held, b"refused" * 1000, 2)
	assert not append(b"two\n", held)
	expect(b"one\ntwo\n", held)
	pause_and_append(None, b"refused")
	try:
		os.fsync(held) # is told of it too
	except OSError:
		pass
	assert not append(b"three\n", held)
	assert not append(b"four\n")
	expect(b"one\ntwo\nthree\nfour\n", held)

def unlinked():
	held = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
	os.unlink(path)
	assert not append(b"one\n", held)
	pause_and_append(held, b"refused\n", 2)
	assert not append(b"two\n", held)
	found = os.pread(held, 100, 0)
	assert found == b"one\ntwo\n", found

def too_large():
	"""max_file_size=64K"""
	assert not append(b"a" * 60000)
	assert append(b"b" * 10000) in (errno.EFBIG, errno.EIO)
	end = time.monotonic() + 10
	while os.stat(path).st_size != 65536 and time.monotonic() < end:
		time.sleep(0.01)
	expect(b"a" * 60000 + b"b" * 5536)
	os.truncate(path, 60000)
	assert not append(b"c")
	expect(b"a" * 60000 + b"c")

def full():
	"""max_store_size is small."""
	with open(f"{top}/logs/filler", "wb") as file:
		file.write(os.urandom(3 << 20))
		os.fsync(file.fileno())
	held = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
	all = b""
	for n in range(200):
		piece = os.urandom(700001)
		if append(piece, held):
			break
		all += piece
	else:
		sys.exit("the store is never full")
	os.unlink(f"{top}/logs/filler")
	end = time.monotonic() + 60
	while append(b"the end", held):
		assert time.monotonic() < end, "the store stays full"
	kept = os.pread(held, len(all) + 1000000, 0)
	assert kept.endswith(b"the end")
	while kept.endswith(b"the end"):
		kept = kept[:-7]
	assert len(kept) >= len(all) and (all + piece).startswith(kept), (len(all), len(kept), kept[len(all):].count(0))

locals()[scene]()
END
scene() {
	note "$1"
	mkdir "$MNT/$1"
	python3 "$TEST_DIR/append.py" "$MNT/$1" "$1"
	[ ! -e "$MNT/.sessfs-keeper" ] || fail "the keeper's directory is seen"
	assert_eq "$(sessions)" "$1"
	rm -r "${MNT:?}/$1"
}

mount_store -o writeback,commit=1
for name in closed open_by_others unlinked; do scene "$name"; done
remount -o writeback,max_file_size=64K
scene too_large
umount_store
rm -r "$STORE"
mount_store -o writeback,max_store_size=24M,hot_size=4M,commit=1,grace=0
scene full
umount_store
