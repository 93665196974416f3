# A process that is being told a session's name, and does not know it yet, uses it: it does not expire meanwhile.
. "$TEST_ROOT/tests/lib.sh"

with_clock
MOUNT_AS=(env "${MOUNT_AS[1]/preload_clock.so/preload_clock.so $BUILD/tests/preload_hold.so}" "HOLD=$TEST_DIR/hold"
	"${MOUNT_AS[@]:2}")
is_held() { [ -e "$TEST_DIR/hold.held" ]; }
is_gone() { [ ! -e "$MNT/s" ]; }

mount_store -o max_threads=2
mkdir "$MNT/s"
umount_store
mount_store -o max_threads=2
[ -d "$MNT" ]
touch "$TEST_DIR/hold"
stat -c %F "$MNT/s" >"$TEST_DIR/told" &
teller=$!
wait_for 10 is_held
pass 90000
assert_eq "$(json "$MNT/.sessfs/sessions.json" '[s["id"] for s in j["sessions"]]')" "['s']"
assert_eq "$(ls "$MNT/.sessfs/trash")" ""
rm "$TEST_DIR/hold.held"
wait $teller
assert_file "$TEST_DIR/told" directory
pass 120
wait_for 10 is_gone
umount_store
