# What tools say about space is true.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
cd "$MNT/s/research_data"
seq 2000000 >text
head -c 8000000 /dev/urandom >random
truncate -s 1G hole
: >empty
size=$(stat -c %s text)
sync -f .
cd "$TEST_DIR"
remount
cd "$MNT/s/research_data"
[ $(($(stat -c %b text) * 512)) -lt $((size / 3)) ] || fail "text occupies $(stat -c %b text) blocks for $size bytes"
blocks=$(stat -c %b random)
[ $((blocks * 512)) -ge 8000000 ] && [ $((blocks * 512)) -lt 8800000 ] || fail "random occupies $blocks blocks"
assert_eq "$(stat -c '%b %s' hole)" "0 1073741824"
assert_eq "$(stat -c %b empty)" 0
used=$(du -s --block-size=1 . | cut -f1)
[ "$used" -lt 16000000 ] || fail "du says $used"
assert_eq "$(seq 2000000 | cmp - text)" ""
check_counts "$MNT/s"

note "statfs follows the store"
read -r total free <<<"$(stat -f -c '%b %f' .)"
[ "$free" -le "$total" ] || fail "more free than there is"
assert_eq "$(stat -f -c '%c %d' .)" "0 0" # inodes are not limited
for mode in "" --keep-size --zero-range; do
	refused 'no space' fallocate $mode -l 100T empty
done
assert_eq "$(stat -c %s empty)" 0
fallocate -l 10M empty
cd "$TEST_DIR"
umount_store

note "a limit of the store is what statfs shows, and what stops writers"
STORE=$TEST_DIR/small
mount_store -o max_store_size=64M,hot_size=4M
mkdir "$MNT/s"
bytes=$(stat -f -c '%S * %b' "$MNT")
[ $((bytes)) -le $((64 << 20)) ] && [ $((bytes)) -ge $((32 << 20)) ] || fail "statfs says $bytes for 64M"
refused 'no space' dd if=/dev/urandom of="$MNT/s/cache/big" bs=1M count=100 status=none
rm "$MNT/s/cache/big"
check_counts "$MNT/s"
wait_for 15 dd if=/dev/urandom of="$MNT/s/cache/again" bs=1M count=20 status=none
umount_store

note "a limit for files"
STORE=$TEST_DIR/limited
mount_store -o max_file_size=1M
mkdir "$MNT/s"
refused 'file too large' dd if=/dev/zero of="$MNT/s/f" bs=600K count=2 status=none
refused 'file too large' truncate -s 1048577 "$MNT/s/f"
truncate -s 1048576 "$MNT/s/f"
check_counts "$MNT/s"
umount_store
