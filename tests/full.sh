# full.sh - what the cases full-*.sh share: a mount is filled to the brim, and everything but writing goes on working.

FILLER=$BUILD/tests/filler
PIECE=1000003 # bytes of a file: not a multiple of anything

# fill DIR SEED [MOST] - sets COUNT, BYTES, ERROR to what was taken and what ended it.
fill() {
	read -r COUNT BYTES ERROR < <(timeout 60 "$FILLER" fill "$1" "$2" $PIECE ${3:+"$3"})
	note "$1: $COUNT files, $BYTES bytes more, $ERROR"
}

verify() { timeout 60 "$FILLER" verify "$1" "$2" $PIECE "$3" "$4"; }

daemon_lives() { kill -0 "$DAEMON" || fail "the daemon has died: $(tail -n 3 "$LOG")"; }

# writes_again DIR SEED - two whole files can be written; clears away what an attempt left.
writes_again() {
	rm -f "$1"/*
	fill "$1" "$2" 2
	[ "$COUNT" = 2 ]
}

# brim SESSION - makes it and fills its cache/ until the daemon refuses; what was acknowledged is there. Leaves FULL
# files and LAST bytes more.
brim() {
	local dir=$MNT/$1/cache
	mkdir "$MNT/$1" "$MNT/$1/more" "$MNT/$1.old" "$MNT/$1.removed"
	fill "$dir" 1
	FULL=$COUNT LAST=$BYTES
	assert_match "$ERROR" '^(ENOSPC|EDQUOT)$'
	daemon_lives
	verify "$dir" 1 "$FULL" "$LAST"
	df "$MNT" >/dev/null
	lives_on "$1"
}

# lives_on SESSION - its status and its settings can be changed, other sessions be removed, and expire. What that frees
# comes back to whoever writes.
lives_on() {
	local control=$MNT/$1/.session
	echo paused >"$control/status"
	echo active >"$control/status"
	assert_file "$control/status" active
	echo 1 >"$control/pin"
	touch -d '2 days ago' "$MNT/$1.old"
	wait_for 10 is_gone "$MNT/$1.old"
	mv "$MNT/$1.removed" "$MNT/.sessfs/trash/"
	assert_eq "$(json "$MNT/.sessfs/history.json" '[s["rule"] for s in j["sessions"][:2]]')" "['removed', 'ttl']"
	daemon_lives
}
is_gone() { [ ! -e "$1" ]; }

# room SESSION - deletes the second half of what brim wrote; then writing works, with no restart, and nothing else is
# gone.
room() {
	local dir=$MNT/$1/cache half=$((FULL / 2)) n
	for ((n = half; n <= FULL; n++)); do timeout 30 rm -f "$dir/$(printf %06d "$n")"; done
	daemon_lives
	wait_for 30 writes_again "$MNT/$1/more" 2
	verify "$MNT/$1/more" 2 2 0
	verify "$dir" 1 "$half" 0
	FULL=$half LAST=0
}

# settled SESSION - after a clean unmount, a check and a mount it is all there.
settled() {
	remount
	verify "$MNT/$1/cache" 1 "$FULL" "$LAST"
	verify "$MNT/$1/more" 2 2 0
	umount_store
}

# loop_disk SIZE [MKFS-OPTION...] - an ext4 of SIZE on a loop device at $TEST_DIR/disk, with the store in it.
loop_disk() {
	need_root
	truncate -s "$1" "$TEST_DIR/disk.img"
	mkfs.ext4 -q -m 0 "${@:2}" "$TEST_DIR/disk.img"
	mkdir "$TEST_DIR/disk"
	mount -o loop "$TEST_DIR/disk.img" "$TEST_DIR/disk" || skip "needs loop devices"
	STORE=$TEST_DIR/disk/store
}

# btrfs_disk SIZE - likewise a btrfs.
btrfs_disk() {
	need_root
	truncate -s "$1" "$TEST_DIR/disk.img"
	mkfs.btrfs -q "$TEST_DIR/disk.img" >/dev/null 2>&1
	mkdir "$TEST_DIR/disk"
	mount -o loop "$TEST_DIR/disk.img" "$TEST_DIR/disk" || skip "needs loop devices and btrfs"
	STORE=$TEST_DIR/disk/store
}
