# A tree of 100,000 files.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
cd "$MNT/s/cache"
python3 - <<'END'
import os
for d in range(100):
	os.mkdir(str(d))
	for i in range(1000):
		fd = os.open(f"{d}/file{i}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
		if i % 10 == 0:
			os.write(fd, b"some content")
		os.close(fd)
END
assert_eq "$(find . -type f | wc -l)" 100000
assert_eq "$(json "$MNT/s/.session/info.json" 'j["file_counts"]["cache"], j["total_size_bytes"]')" "(100000, 120000)"
assert_eq "$(ls 42 | wc -l)" 1000
cd "$TEST_DIR"
kill_daemon
remount
assert_eq "$(find "$MNT/s/cache" -type f -size +0 | wc -l)" 10000
mkdir "$MNT/s/cache/flat"
mv "$MNT"/s/cache/{0..9}/*5 "$MNT/s/cache/flat" 2>/dev/null || :
rm -rf "$MNT/s/cache"/*
assert_eq "$(ls -A "$MNT/s/cache")" ""
check_counts "$MNT/s"
umount_store
