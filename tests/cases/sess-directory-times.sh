# Who is being told of a directory when another changes it does not make the kernel keep what was right before.
. "$TEST_ROOT/tests/lib.sh"

MOUNT_AS=(env "LD_PRELOAD=$(ldd "$BUILD/sessfs" | awk '/lib[at]san/ { print $3 }') $BUILD/tests/preload_hold.so"
	"HOLD=$TEST_DIR/hold" "ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0")
is_held() { [ -e "$TEST_DIR/hold.held" ]; }

# told_while COMMAND... - the command, of another process, comes between the answer about s/d and its arrival.
told_while() {
	local teller
	links=$(stat -c %h "$MNT/s/d")
	touch "$TEST_DIR/hold"
	stat --cached=never -c %h "$MNT/s/d" >"$TEST_DIR/told" &
	teller=$!
	wait_for 10 is_held
	"$@"
	rm "$TEST_DIR/hold.held"
	wait $teller
	assert_file "$TEST_DIR/told" "$links" "told before"
}

mount_store -o max_threads=2
mkdir -p "$MNT/s/d" "$MNT/s/e/below"
told_while mkdir "$MNT/s/d/a"
assert_eq "$(stat -c %h "$MNT/s/d")" $((links + 1)) "after mkdir"
told_while rmdir "$MNT/s/d/a"
assert_eq "$(stat -c %h "$MNT/s/d")" $((links - 1)) "after rmdir"
told_while mv "$MNT/s/e/below" "$MNT/s/d/below"
assert_eq "$(stat -c %h "$MNT/s/d")" $((links + 1)) "after rename"
umount_store
