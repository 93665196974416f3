# A store of the last program of format 2, which has no identity, nor have its logs: read, checked, raised, written.
#
# tests/stores/format-2.tar.gz: its daemon was killed, and what had been fsynced lies in a log. format-2-empty.tar.gz,
# on which make check-power begins: the same of a store in which a session was made and removed.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir -m 700 "$STORE"
tar -xzf "$TEST_ROOT/tests/stores/format-2.tar.gz" -C "$STORE" --no-same-owner
[ "$(id -u)" = 0 ] || skip "the files of the store are root's"

expect_all() {
	cmp "$MNT/work/intermediate_results/numbers" <(seq 9000; echo "in the log"; "$@")
	cmp "$MNT/work/cache/pieces" <(seq 1900)
	assert_file "$MNT/work/logs/late" late
	check_counts "$MNT/work"
}

check_store
cp -r --sparse=always "$STORE" repaired
assert_match "$("$SESSFS" check --repair repaired)" clean
note "read only"
mount_store -o ro,ttl=0,cache_ttl=0
expect_all
umount_store

note "raised, with what its log holds"
cp -r --sparse=always "$STORE" kept
mount_store -o ttl=0,cache_ttl=0,commit=1h
expect_all
echo new >>"$MNT/work/intermediate_results/numbers"
kill_daemon
remount
expect_all echo new
umount_store

note "the log of then is that of another store now"
cp kept/hot.0 "$STORE/"
refused "log of another store: hot.0" "$SESSFS" mount "$STORE" "$MNT"
assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 1
mount_store -o ttl=0,cache_ttl=0
expect_all echo new
umount_store

note "a store made and emptied"
STORE=$TEST_DIR/empty
mkdir -m 700 "$STORE"
tar -xzf "$TEST_ROOT/tests/stores/format-2-empty.tar.gz" -C "$STORE" --no-same-owner
mount_store
assert_eq "$(sessions)" '*'
umount_store
