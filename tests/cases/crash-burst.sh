# timeout: 240
# The daemon is killed while its logs grow, are large, and shrink: every piece that was acknowledged is there.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
BURST=$TEST_ROOT/tests/burst.py
REST=$((4 << 20))

# size - bytes of both logs.
size() { echo $(($(stat -c %s "$STORE/hot.0") + $(stat -c %s "$STORE/hot.1"))); }
has_grown_to() { [ "$(size)" -ge "$1" ]; }
is_at_rest() { [ "$(stat -c %s "$STORE/hot.0")" = $REST ] || [ "$(stat -c %s "$STORE/hot.1")" = $REST ]; }

# killed NAME MIB [COMMAND...] - a burst into session NAME ends, when the logs have come to MIB and then COMMAND is true.
killed() {
	local writer acknowledged
	mount_store -o hot_size=64M,compress=19,commit=60
	assert_eq "$(size)" $((2 * REST))
	mkdir "$MNT/$1"
	"$BURST" write "$MNT/$1/pieces" 600 >"$TEST_DIR/said" 2>/dev/null &
	writer=$!
	wait_for 60 has_grown_to $(($2 << 20))
	[ $# = 2 ] || wait_for 60 "${@:3}"
	kill_daemon
	wait $writer
	acknowledged=$(sed -n 's/^end //p' "$TEST_DIR/said")
	note "$1: $acknowledged pieces, $(size) bytes of logs"
	mount_store -o hot_size=64M,compress=1
	"$BURST" verify "$MNT/$1/pieces" "$acknowledged" $((acknowledged + 1))
	assert_eq "$(size)" $((2 * REST))
	umount_store
}

killed begin 9
killed middle 30
killed full 64
killed shrinking 24 is_at_rest
