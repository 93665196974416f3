# timeout: 240
# The daemon is killed while its logs grow, are large, and shrink: every piece that was acknowledged is there.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
. "$TEST_ROOT/tests/burst.sh"

one_is_at_rest() { [ "$(stat -c %s "$STORE/hot.0")" = $REST ] || [ "$(stat -c %s "$STORE/hot.1")" = $REST ]; }

# killed NAME MIB [shrinking] - a burst into session NAME ends when the logs have come to MIB, or shrink after that.
killed() {
	local writer acknowledged
	mount_store -o $SIZES,commit=60
	wait_for 10 is_at_rest
	mkdir "$MNT/$1"
	plug
	"$BURST" write "$MNT/$1/pieces" 600 >"$TEST_DIR/said" 2>/dev/null &
	writer=$!
	wait_for 60 has_grown_to $(($2 << 20))
	if [ $# = 3 ]; then
		unplug
		wait_for 60 one_is_at_rest
	fi
	kill_daemon
	wait $writer
	[ $# = 3 ] || unplug
	acknowledged=$(sed -n 's/^end //p' "$TEST_DIR/said")
	note "$1: $acknowledged pieces, $(size) bytes of logs"
	mount_store -o $SIZES,compress=1
	"$BURST" verify "$MNT/$1/pieces" "$acknowledged" $((acknowledged + 1))
	is_at_rest || fail "the logs have $(size) bytes after a start"
	umount_store
}

killed begin 9
killed middle 30
killed full 60
killed shrinking 24 shrinking
