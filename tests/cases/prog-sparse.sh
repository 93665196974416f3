# A file of 6 GiB that is mostly hole.
. "$TEST_ROOT/tests/lib.sh"

sparse_work() {
	python3 - <<'END'
import os, random
r = random.Random(1)
size = 6 << 30
fd = os.open("big", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, size)
places = sorted(r.sample(range(0, size // 4096), 200))
for p in places:
	os.pwrite(fd, r.randbytes(4096), p * 4096)
os.fsync(fd)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
r = random.Random(1)
assert r.sample(range(0, size // 4096), 200)
for p in places:
	assert os.pread(fd, 4096, p * 4096) == r.randbytes(4096), p
print(os.fstat(fd).st_size, os.fstat(fd).st_blocks < 200 * 8 * 2)
at, found = 0, 0
while at < size:
	try:
		at = os.lseek(fd, at, os.SEEK_DATA)
	except OSError:
		break
	end = os.lseek(fd, at, os.SEEK_HOLE)
	found += sum(at <= p * 4096 < end for p in places)
	at = end
print(found)
END
	cp --sparse=auto big copy
	python3 - <<'END'
import os
a, b = os.open("big", os.O_RDONLY), os.open("copy", os.O_RDONLY)
at = 0
while True:
	try:
		at = os.lseek(a, at, os.SEEK_DATA)
	except OSError:
		break
	end = os.lseek(a, at, os.SEEK_HOLE)
	assert os.pread(a, end - at, at) == os.pread(b, end - at, at)
	at = end
print(os.fstat(b).st_size, os.fstat(b).st_blocks < 200 * 8 * 2)
END
	truncate -s 5G copy
	stat -c %s copy
	tar -cSf big.tar big
	[ "$(stat -c %s big.tar)" -lt $((200 * 160 * 1024)) ] # holes may be known by chunks of 128 KiB only
	rm copy
}

mount_for_programs
on_both sparse_work
remount -o allow_other
assert_eq "$(stat -c %s "$MNT/s/research_data/sparse_work/big")" $((6 << 30))
check_counts "$MNT/s"
umount_store
