# With writeback the times that the kernel told of a file are those that are kept.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o writeback
mkdir "$MNT/s"
# Made and written at one tick of the kernel's clock, or at two.
python3 - "$MNT/s/logs" <<'END'
import mmap, os, sys
os.chdir(sys.argv[1])
for i in range(100):
	with open(f"new{i}", "w+b") as f:
		f.write(b"content" * i + b"end")
	with open(f"map{i}", "w+b") as f:
		f.truncate(5000)
		mmap.mmap(f.fileno(), 5000)[i * 40] = 1
	with open(f"new{i // 2}", "ab") as f:
		f.write(b"more")
END
tree_of "$MNT/s" >"$TEST_DIR/told"
remount
tree_of "$MNT/s" >"$TEST_DIR/kept"
diff "$TEST_DIR/told" "$TEST_DIR/kept" | head -5 >&2 || fail "times are not those that were told"

# They do move on.
before=$(stat -c '%.9Y %.9Z' "$MNT/s/logs/new1")
echo >>"$MNT/s/logs/new1"
after=$(stat -c '%.9Y %.9Z' "$MNT/s/logs/new1")
[ "$before" != "$after" ] || fail "the times are as before"
remount
assert_eq "$(stat -c '%.9Y %.9Z' "$MNT/s/logs/new1")" "$after" "times of what was written again"
umount_store
