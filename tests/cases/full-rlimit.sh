# timeout: 240
# RLIMIT_FSIZE of the daemon: no file of the store grows further, SIGXFSZ does not kill it, writers get ENOSPC.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need prlimit
"$SESSFS" init "$STORE"
MOUNT_AS=(prlimit --fsize=$((32 << 20)))
mount_store -o commit=1,hot_size=8M
MOUNT_AS=()
brim one
room one
umount_store
mount_store -o commit=1
verify "$MNT/one/cache" 1 "$FULL" "$LAST"
umount_store
