# lib.sh - what the cases of tests/cases share; each begins with `. "$TEST_ROOT/tests/lib.sh"` and runs under tests/run.
#
# A case that mounts ends with umount_store, which also verifies the store; what it forgets counts as its failure.
# The first command that fails ends the case.
#
# Variables: TEST_DIR (private directory), STORE, MNT, NATIVE (a directory of the native filesystem, for comparison),
# SESSFS (the program), BUILD, DAEMON (pid of the mounted daemon), USER_ID (an ordinary user).

set -Eeuo pipefail
trap 'echo "${BASH_SOURCE[0]##*/}:$LINENO: failed: $BASH_COMMAND" >&2' ERR

SESSFS=${SESSFS:-$BUILD/sessfs}
STORE=$TEST_DIR/store
MNT=$TEST_DIR/mnt
NATIVE=$TEST_DIR/native
LOG=$TEST_DIR/daemon.log
DAEMON=
USER_ID=65534
umask 022
mkdir -p "$MNT" "$NATIVE"
# Nobody writes there: to read from it is to wait. A <(process) would do that too, but bash 5.2 takes one that ended
# for a later child with the same number, does not see that this one ends, and waits for ever.
export NEVER=$TEST_DIR/never
[ -p "$NEVER" ] || mkfifo -m 666 "$NEVER"

fail() { echo "$*" >&2; exit 1; }
skip() { echo "$*"; exit 77; }
note() { echo "== $*"; }

need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }
need() {
	local program
	for program; do command -v "$program" >/dev/null || skip "needs $program"; done
}
need_fuse() { [ -r /dev/fuse ] && [ -w /dev/fuse ] || skip "needs /dev/fuse"; }

# ---- assertions ---------------------------------------------------------------------------------------------------

assert_eq() { [ "$1" = "$2" ] || fail "${3:-values differ}: got '$1', expected '$2'"; }
assert_file() { [ "$(cat "$1")" = "$2" ] || fail "$1 holds '$(head -c 200 "$1")', expected '$2'"; }
assert_absent() { [ ! -e "$1" ] && [ ! -L "$1" ] || fail "$1 should not exist"; }
assert_match() { [[ $1 =~ $2 ]] || fail "'$1' does not match '$2'"; }

# COMMAND | says PATTERN - what it prints is read to its end, so that no pipe breaks before it (as with grep -q).
says() {
	local said
	said=$(cat)
	grep -q "$@" <<<"$said"
}

# refused WORDS COMMAND... - the command fails and says WORDS (an extended pattern, any case).
refused() {
	local words=$1 said
	shift
	if said=$("$@" 2>&1); then fail "should be refused: $*"; fi
	grep -qiE -- "$words" <<<"$said" || fail "$* said '$said', expected '$words'"
}

# status_of COMMAND... - prints its exit status, never fails; its output goes to the case's.
status_of() {
	local status=0
	"$@" >&2 || status=$?
	echo $status
}

# wait_for SECONDS COMMAND... - until the command succeeds; the only place that waits by looking again.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -le $end ] || fail "waited in vain for: $*"
		read -rt 0.02 <>"$NEVER" || :
	done
}

# ---- an ordinary user ---------------------------------------------------------------------------------------------

# The words before a command that make it run as an ordinary user; none when the tests already do.
AS_USER=()
if [ "$(id -u)" = 0 ]; then
	AS_USER=(setpriv "--reuid=$USER_ID" "--regid=$USER_ID" --clear-groups --)
fi
as_user() { "${AS_USER[@]}" "$@"; }

# own_by_user PATH... - gives what exists to the ordinary user.
own_by_user() { [ "$(id -u)" != 0 ] || chown -R "$USER_ID:$USER_ID" "$@"; }

# ---- the mount ----------------------------------------------------------------------------------------------------

# Words before the daemon's command, for instance MOUNT_AS=("${AS_USER[@]}").
MOUNT_AS=()
MOUNT_OPTIONS=()

is_mounted() { grep -q " ${1:-$MNT} fuse" /proc/self/mounts; }
mount_settled() { is_mounted || ! kill -0 "$DAEMON" 2>/dev/null; }

# mount_store [OPTION...] - makes the store if it is not there, and mounts it with a daemon in the foreground.
mount_store() {
	need_fuse
	MOUNT_OPTIONS=("$@")
	[ -d "$STORE" ] || "${MOUNT_AS[@]}" "$SESSFS" init "$STORE"
	"${MOUNT_AS[@]}" "$SESSFS" mount -f "$STORE" "$MNT" "$@" >>"$LOG" 2>&1 &
	DAEMON=$!
	wait_for 20 mount_settled
	if ! is_mounted; then
		wait "$DAEMON" || :
		cat "$LOG" >&2
		fail "the daemon ended before it had mounted"
	fi
	"${MOUNT_AS[@]}" stat -f "$MNT" >/dev/null
}

# with_clock - the daemon mounted from now on has clocks that the case moves.
with_clock() {
	local first
	# A sanitizer wants to be loaded first; other programs run with it too, and they leak.
	first=$(ldd "$BUILD/sessfs" | awk '/lib[at]san/ { print $3 }')
	CLOCK=$TEST_DIR/clock CLOCK_REAL=0 CLOCK_MONOTONIC=0
	MOUNT_AS=(env "LD_PRELOAD=$first $BUILD/tests/preload_clock.so" "CLOCK_OFFSETS=$CLOCK"
		"ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0")
	set_clock
}
set_clock() { echo "$CLOCK_REAL $CLOCK_MONOTONIC" >"$CLOCK.new" && mv "$CLOCK.new" "$CLOCK"; }
# pass SECONDS - time goes by. jump SECONDS - the clock on the wall is set, or the machine slept.
pass() { CLOCK_REAL=$((CLOCK_REAL + $1)) CLOCK_MONOTONIC=$((CLOCK_MONOTONIC + $1)); set_clock; }
jump() { CLOCK_REAL=$((CLOCK_REAL + $1)); set_clock; }

# sessions - the names in the root, in one line.
sessions() { (cd "$MNT" && echo *); }

# umount_store - unmounts, expects success of both sides, verifies the store.
umount_store() {
	"${MOUNT_AS[@]}" "$SESSFS" umount "$MNT" || fail "umount failed"
	wait "$DAEMON" || fail "the daemon ended with $?"
	DAEMON=
	! is_mounted || fail "still mounted"
	check_store
}

# kill_daemon - kill -9, as a crash would.
kill_daemon() {
	kill -9 "$DAEMON"
	wait "$DAEMON" 2>/dev/null || :
	DAEMON=
	if [ "$(id -u)" = 0 ]; then umount -l "$MNT"; else fusermount3 -u -z "$MNT"; fi
}

# remount [OPTION...] - mounts again, with the options of last time unless others are given.
remount() {
	[ -z "$DAEMON" ] || umount_store
	[ $# != 0 ] || set -- "${MOUNT_OPTIONS[@]}"
	mount_store "$@"
}

# check_store - sessfs check finds nothing.
check_store() {
	local said
	said=$("${MOUNT_AS[@]}" "$SESSFS" check "$STORE" 2>&1) || fail "sessfs check: exit $?"$'\n'"$said"
}

# ---- what a tree holds --------------------------------------------------------------------------------------------

# tree_of DIR [WORD...] - all that must survive: names, types, modes, owners, times, links, attributes, content; words
# of tests/tree.py leave out some of it.
tree_of() { python3 "$TEST_ROOT/tests/tree.py" list "$@"; }

# same_trees A B - but for inode numbers.
same_trees() {
	tree_of "$1" no-inodes >"$TEST_DIR/tree.1"
	tree_of "$2" no-inodes >"$TEST_DIR/tree.2"
	diff "$TEST_DIR/tree.1" "$TEST_DIR/tree.2" | head -20 >&2 || fail "$1 and $2 differ"
}

# check_counts SESSION - its info.json says what a walk through it finds.
check_counts() { python3 "$TEST_ROOT/tests/tree.py" counts "$1"; }

# json FILE EXPRESSION - prints what the Python expression makes of the document j.
json() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }

# valid FILE... - control files are as their schemas in tests/schema say (each line of JSON Lines).
valid() { "$TEST_ROOT/tests/valid.py" "$@" || fail "not as the schema says: $*"; }

# ---- the POSIX programs -------------------------------------------------------------------------------------------

# posix_suite DIR [WORD...] - every posix_* program in a fresh directory of DIR, with the words before its command.
posix_suite() {
	local dir=$1 program failed=
	shift
	dir=$("$@" mktemp -d "$dir/posix.XXXXXX")
	[ $# != 0 ] || chmod 755 "$dir"
	for program in "$BUILD"/tests/posix_*; do
		[ -x "$program" ] || continue
		"$@" "$program" "$dir" >"$TEST_DIR/posix.out" || failed=1
		grep -v -e '^[a-z]' -e '^  skip: needs root' "$TEST_DIR/posix.out" | sed "s/^/${program##*/}: /" || :
	done
	[ -z "$failed" ] || fail "POSIX programs failed in $dir"
	"$@" rmdir "$dir"
}

# ---- programs on both filesystems ---------------------------------------------------------------------------------

# mount_for_programs [OPTION...] - a mount with two sessions: s, and, with root, theirs (the ordinary user's).
mount_for_programs() {
	if [ "$(id -u)" != 0 ]; then
		mount_store "$@"
		mkdir "$MNT/s"
		return
	fi
	mount_store -o allow_other "$@"
	mkdir "$MNT/s" "$MNT/theirs"
	own_by_user "$MNT/theirs"
}

# run_in DIR FUNCTION [WORD...] - makes DIR and runs the function there, by a shell of its own with the words before it.
run_in() {
	local dir=$1 function=$2
	shift 2
	"$@" mkdir "$dir"
	"$@" bash -c "set -Eeuo pipefail; cd '$dir'; $(declare -f); $function" || fail "$function failed in $dir"
}

# on_both FUNCTION - runs it on the native filesystem and on the mount, where it must print the same.
on_both() {
	run_in "$NATIVE/$1" "$1" >"$TEST_DIR/native.out"
	run_in "$MNT/s/research_data/$1" "$1" >"$TEST_DIR/mount.out"
	diff "$TEST_DIR/native.out" "$TEST_DIR/mount.out" >&2 || fail "$1: the mount differs"
}

# on_all FUNCTION - the same, and also as an ordinary user on the mount.
on_all() {
	on_both "$1"
	[ "$(id -u)" = 0 ] || return 0
	run_in "$MNT/theirs/research_data/$1" "$1" "${AS_USER[@]}" >"$TEST_DIR/user.out"
	diff "$TEST_DIR/native.out" "$TEST_DIR/user.out" >&2 || fail "$1: the mount differs for an ordinary user"
}
