# A process that is being told a session's name, and does not know it yet, uses it: it does not expire meanwhile.
. "$TEST_ROOT/tests/lib.sh"

with_clock
MOUNT_AS=(env "${MOUNT_AS[1]/preload_clock.so/preload_clock.so $BUILD/tests/preload_hold.so}" "HOLD=$TEST_DIR/hold"
	"${MOUNT_AS[@]:2}")
is_held() { [ -e "$TEST_DIR/hold.held" ]; }
is_gone() { [ ! -e "$MNT/s" ]; }

# While the answer is held, the name is listed, and nothing is in the trash.
look_meanwhile() {
	local teller
	touch "$TEST_DIR/hold"
	stat -c %F "$MNT/s" >"$TEST_DIR/told" &
	teller=$!
	wait_for 10 is_held
	pass 90000
	found="$(json "$MNT/.sessfs/sessions.json" '[s["id"] for s in j["sessions"]]') $(ls "$MNT/.sessfs/trash")"
	rm "$TEST_DIR/hold.held"
	wait $teller || :
}

mount_store -o max_threads=2
mkdir "$MNT/s"
# An answer counts as on its way for a second: what a slower machine sees proves nothing, and is tried again.
for ((round = 0; round < 20; round++)); do
	remount
	[ -d "$MNT" ]
	begun=${EPOCHREALTIME/./}
	look_meanwhile
	[ "$found" != "['s'] " ] || break
	[ $((${EPOCHREALTIME/./} - begun)) -gt 1000000 ] || fail "it expired under who was being told: $found"
	wait_for 10 [ -d "$MNT/.sessfs/trash/s" ]
	mv "$MNT/.sessfs/trash/s" "$MNT/s"
done
assert_eq "$found" "['s'] "
assert_file "$TEST_DIR/told" directory
pass 120
wait_for 10 is_gone
umount_store
