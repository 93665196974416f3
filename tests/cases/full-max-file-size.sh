# max_file_size: EFBIG for what would lie behind it, up to it everything works.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o max_file_size=1M
mkdir "$MNT/s"
file=$MNT/s/logs/f
head -c 1M /dev/zero >"$file"
assert_eq "$(stat -c %s "$file")" 1048576
refused "File too large" dd if=/dev/zero "of=$file" bs=1 count=1 oflag=append conv=notrunc status=none
refused "File too large" truncate -s 1048577 "$file"
refused "File too large" fallocate -o 1048576 -l 1 "$file"
refused "File too large" dd if=/dev/zero "of=$MNT/s/logs/g" bs=64K count=17 status=none
assert_eq "$(stat -c %s "$file")" 1048576 "after what was refused"
assert_eq "$(stat -c %s "$MNT/s/logs/g")" 1048576 "what fits is written"
truncate -s 10 "$file"
echo more >>"$file"
assert_eq "$(stat -c %s "$file")" 15
umount_store
