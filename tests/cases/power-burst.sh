# timeout: 300
# The power is cut while the logs grow: what was synced is there, wherever in a log it lies, and nothing that is wrong.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
[ "${SANITIZE-}" != thread ] || skip "a preloaded library and ThreadSanitizer do not go together"
[ -z "${SANITIZE-}" ] || export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
. "$TEST_ROOT/tests/burst.sh"
PIECES=280
DISKS=10

# mount_other_boot OPTIONS [NAME=VALUE...]
mount_other_boot() {
	cat /proc/sys/kernel/random/uuid >"$TEST_DIR/boot_id"
	MOUNT_AS=(env "LD_PRELOAD=$BUILD/tests/preload_power.so" "POWER_BOOT=$TEST_DIR/boot_id" "${@:2}")
	mount_store -o "$SIZES,$1"
	MOUNT_AS=()
}

# synced MOMENT - pieces that an fsync before it covered.
synced() { awk -v moment="$1" '$1 != "end" && $1 + 0 < moment + 0 { n = $2 } END { print n + 0 }' "$TEST_DIR/said"; }

# cut OPTION... - makes a disk and verifies it.
cut() {
	local moment least
	rm -rf "$STORE"
	moment=$("$BUILD/tests/powercut" cut "$TEST_DIR/base" "$TEST_DIR/trace" "$STORE" "$@" 2>"$TEST_DIR/cut")
	least=$(synced "$moment")
	note "$* $(cat "$TEST_DIR/cut") at least $least, logs of" $(stat -c %s "$STORE/hot.0" "$STORE/hot.1")
	mount_other_boot compress=1
	[ "$least" = 0 ] && [ ! -e "$MNT/s/pieces" ] || "$BURST" verify "$MNT/s/pieces" "$least" $PIECES
	umount_store
}

mount_store -o $SIZES
mkdir "$MNT/s"
umount_store
cp -a "$STORE" "$TEST_DIR/base"
mount_other_boot commit=60 "POWER_STORE=$STORE" "POWER_TRACE=$TEST_DIR/trace"
plug
"$BURST" write "$MNT/s/pieces" $PIECES 35 >"$TEST_DIR/said"
has_grown_to $((PIECES * 128 << 10)) || fail "the logs did not grow"
unplug
umount_store
boundaries=$("$BUILD/tests/powercut" count "$TEST_DIR/trace")
for ((i = 0; i < DISKS; i++)); do
	case $((i % 3)) in
	0) cut -s $i -b $((i * boundaries / DISKS)) -p ;;
	1) cut -s $i -b $((i * boundaries / DISKS)) ;;
	2) cut -s $i ;;
	esac
done

note "a disk that lies is noticed"
rm -rf "$STORE"
"$BUILD/tests/powercut" twin "$TEST_DIR/base" "$TEST_DIR/trace" "$STORE" -b 3 >/dev/null 2>&1
mount_other_boot compress=1
refused "pieces" "$BURST" verify "$MNT/s/pieces" 35 $PIECES
umount_store
