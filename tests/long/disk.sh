# disk.sh - for power and disks: a disk as a power cut may leave it, mounted after "another boot" and verified.
#
# From the environment: BASE, the store as it was before the workload; TRACE, what the daemon did to it; MODEL, what the
# workload did; SEED; RESUMED, `-r K` for each cut after which a daemon went on.

DISK=$TEST_DIR/disk
AGE=3000000000 # ns: the commit interval of 1 s and the time a flush may take
OPTIONS=(-o hot_size=4M,commit=1,ttl=0,cache_ttl=0)

# mount_other_boot [NAME=VALUE...]
mount_other_boot() {
	cat /proc/sys/kernel/random/uuid >"$TEST_DIR/boot_id"
	MOUNT_AS=(env "LD_PRELOAD=$BUILD/tests/preload_power.so" "POWER_BOOT=$TEST_DIR/boot_id" "$@")
	mount_store "${OPTIONS[@]}"
	MOUNT_AS=()
}

# disk KIND [OPTION...] - makes a disk and mounts it; the moment of the cut in $MOMENT.
disk() {
	STORE=$DISK
	rm -rf "$STORE" "$DISK.raw"
	MOMENT=$("$BUILD/tests/powercut" "$1" "$BASE" "$TRACE" "$STORE" "${@:2}" 2>"$TEST_DIR/cut")
	cp -a "$STORE" "$DISK.raw"
	mount_other_boot
}

verify() {
	local resumed
	read -ra resumed <<<"$RESUMED"
	"$BUILD/tests/recorder" verify "$MNT" -s "$SEED" -l "$MODEL" -t "$MOMENT" -g $AGE "${resumed[@]}" \
		>"$TEST_DIR/verified" 2>&1
}

sound() {
	REPRO="$POWER_REPRO (disk: powercut $*)"
	disk "$@"
	verify || fail "$(cat "$TEST_DIR/cut" "$TEST_DIR/verified")"
	umount_store
	! grep 'what was done last' "$LOG" || fail "the mount tells of a loss: $(cat "$TEST_DIR/cut")"
}

lying() {
	REPRO="$POWER_REPRO (disk: powercut $*)"
	disk "$@"
	! verify || fail "was not noticed: $(cat "$TEST_DIR/cut" "$TEST_DIR/verified")"
	kill_daemon
}
