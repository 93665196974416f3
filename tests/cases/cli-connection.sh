# What a mount asks of the kernel's connection: the kernel has it, and files are whole.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o max_write=4096,max_readahead=16K,max_background=40,congestion_threshold=30
assert_eq "$(json "$MNT/.sessfs/config.json" 'j["max_write"], j["max_background"]')" "('4K', 40)"
mkdir "$MNT/s"
head -c 3000001 /dev/urandom >"$NATIVE/data"
cp "$NATIVE/data" "$MNT/s/logs/data"
cmp "$NATIVE/data" "$MNT/s/logs/data"
# at 4 KiB each, not three of up to 1 MiB
assert_eq "$(json "$MNT/.sessfs/stats.json" 'j["operations"]["write"]["count"] >= 733')" True
connection=/sys/fs/fuse/connections/$(mountpoint -d "$MNT" | cut -d: -f2)
if [ "$(id -u)" = 0 ] && [ -e "$connection/max_background" ]; then
	assert_eq "$(cat "$connection/max_background" "$connection/congestion_threshold" | xargs)" "40 30"
fi
cd "$TEST_DIR"
remount
cmp "$NATIVE/data" "$MNT/s/logs/data"
umount_store
