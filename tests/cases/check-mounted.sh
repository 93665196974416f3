# A store is checked beside its mount, while it is written to; it is not repaired there.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mount_store -o commit=1
mkdir "$MNT/s"
for i in $(seq 300); do
	echo "content $i" >"$MNT/s/logs/$i"
	[ $((i % 30)) != 0 ] || check_store
done
assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 8
refused 'use|mounted' "$SESSFS" check --repair "$STORE"
assert_file "$MNT/s/logs/7" "content 7"
umount_store
assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 0
assert_eq "$(status_of "$SESSFS" check "$TEST_DIR")" 8 "no store"
assert_absent "$TEST_DIR/lock"
