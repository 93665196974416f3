# timeout: 240
# A store on an ext4 of 64 MiB is filled to the brim, twice.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

loop_disk 64M
mount_store -o commit=1
brim one
room one
note "again, up to the brim, with the rest of the room"
mkdir "$MNT/two"
fill "$MNT/two/logs" 3
assert_match "$ERROR" '^ENOSPC$'
daemon_lives
verify "$MNT/two/logs" 3 "$COUNT" "$BYTES"
timeout 60 rm -r "$MNT/two"
settled one
umount "$TEST_DIR/disk"
