# A store of the last program of format 1, whose content is never in pieces: read, checked, raised to the present
# format, written.
#
# tests/stores/format-1-life.tar.gz: with status, trash, texts and events; its daemon was killed, and what had been
# fsynced lies in a log.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir -m 700 "$STORE"
tar -xzf "$TEST_ROOT/tests/stores/format-1-life.tar.gz" -C "$STORE" --no-same-owner
[ "$(id -u)" = 0 ] || skip "the files of the store are root's"

expect_all() {
	cd "$MNT/work"
	cmp intermediate_results/numbers <(seq 9000; echo "in the log"; "$@")
	cmp intermediate_results/cut "$TEST_DIR/cut"
	cmp intermediate_results/overwritten "$TEST_DIR/overwritten"
	cmp cache/small <(seq 700)
	cmp cache/medium <(seq 1900)
	assert_file logs/late late
	assert_eq "$(cat .session/query .session/tags)" "what is it"$'\n'one$'\n'two
	grep -q '"mine"' .session/events.jsonl || fail "an event is gone"
	assert_file ../done/research_data/result result
	assert_eq "$(cat ../done/.session/status)" completed
	cmp "$MNT/.sessfs/trash/thrown/logs/numbers" <(seq 3000)
	cd "$TEST_DIR"
	check_counts "$MNT/work"
}

seq 7000 >"$TEST_DIR/cut"
truncate -s 20000 "$TEST_DIR/cut"
seq 8000 >"$TEST_DIR/overwritten"
printf XYZ | dd of="$TEST_DIR/overwritten" bs=1 seek=10000 conv=notrunc status=none
options=ttl=0,retain=0,cache_ttl=0,grace=36500d,commit=1
cp -r --sparse=always "$STORE" "$TEST_DIR/copy"
check_store
said=$("$SESSFS" check --repair "$TEST_DIR/copy") || fail "repair: $said"
assert_match "$said" "clean"
mount_store -o "ro,$options"
expect_all true
umount_store
mount_store -o "$options"
expect_all true
seq 9000 >>"$MNT/work/intermediate_results/numbers"
sync "$MNT/work/intermediate_results/numbers"
expect_all seq 9000
umount_store
check_store
mount_store -o "$options"
expect_all seq 9000
umount_store
