# burst.sh - what crash-burst and power-burst share: logs that grow because the flusher is held up.

BURST=$TEST_ROOT/tests/burst.py
REST=$((4 << 20)) # bytes of a log at rest
SIZES=hot_size=64M

[ "$(stat -f -c %T "$TEST_DIR")" != btrfs ] || skip "where files are copied on write LMDB has no lock to be held"

# plug - no flush gets on until unplug.
plug() {
	local said
	coproc PLUG { exec "$BUILD/tests/plug" "$STORE"; }
	read -r said <&"${PLUG[0]}"
	assert_eq "$said" plugged
}
unplug() {
	local pid=$PLUG_PID
	exec {PLUG[1]}>&-
	wait "$pid"
}

# size - bytes of both logs.
size() { echo $(($(stat -c %s "$STORE/hot.0") + $(stat -c %s "$STORE/hot.1"))); }
has_grown_to() { [ "$(size)" -ge "$1" ]; }
is_at_rest() { [ "$(size)" = $((2 * REST)) ]; }
