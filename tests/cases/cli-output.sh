# What becomes of a verb where stdout is full, closed, or read no further; and of the store where all of it is closed.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
need python3
unset SESSFS_SESSION
export SESSFS_MOUNT=$MNT
[ -c /dev/full ] || skip "needs /dev/full"
mount_store
for n in {01..60}; do mkdir "$MNT/session_$n"; done # more than a buffer of stdout holds

# full STATUS WORDS... - with a full stdout, the verb ends with this status, and tells why.
full() {
	local wanted=$1 status=0
	shift
	"$SESSFS" "$@" >/dev/full 2>err || status=$?
	assert_eq $status "$wanted" "status of sessfs $*"
	grep -q 'not everything could be printed: No space left on device' err || fail "sessfs $*: $(cat err)"
}
note "full"
for words in list 'list --json' 'list --all' stats 'stats --json' 'history --json' 'expire -n' 'expire -n --json' \
	'status session_01' 'search --json session' 'top --once' 'new another' 'pin session_01' --help --version \
	help 'list --help' 'completion bash' 'completion for li'; do
	full 1 $words
done
full 8 check "$STORE"
full 8 check --json "$STORE"
full 2 mount --help

note "read no further: not a word"
python3 - "$SESSFS" <<'PYTHON'
import os, subprocess, sys
for words in ["list"], ["list", "--json"], ["stats"], ["expire", "-n"], ["--help"], ["top", "-n", "2", "-d", "1s"]:
	read, write = os.pipe()
	os.close(read)
	done = subprocess.run([sys.argv[1], *words], stdout=write, stderr=subprocess.PIPE)
	os.close(write)
	assert (done.returncode, done.stderr) == (1, b""), (words, done)
PYTHON

note "closed"
refused 'not everything could be printed: Bad file descriptor' eval '"$SESSFS" list --json >&-'
assert_eq "$(status_of eval '"$SESSFS" list >&-')" 1
"$SESSFS" pause session_01 2>&- >/dev/null
assert_file "$MNT/session_01/.session/status" paused

note "mounted and unmounted are not undone by a line that cannot be printed"
assert_eq "$(status_of eval '"$SESSFS" umount "$MNT" >/dev/full')" 0
wait "$DAEMON"
DAEMON=
assert_eq "$(status_of eval '"$SESSFS" mount "$STORE" "$MNT" >/dev/full')" 0
assert_eq "$(status_of eval '"$SESSFS" umount "$MNT" >&-')" 0

note "a daemon whose caller closed everything: no file of the store takes the place of what was closed"
for closed in '<&- >&- 2>&-' '2>&-' '>&- 2>&-' '<&-'; do
	eval '"$SESSFS" mount "$STORE" "$MNT" '"$closed"
	for fd in "/proc/$(sed -n 's/^pid //p' "$STORE/daemon")/fd/"[012]; do
		assert_eq "$(readlink "$fd")" /dev/null "$fd after $closed"
	done
	echo "$closed" >"$MNT/session_02/logs/file"
	"$SESSFS" umount "$MNT"
	check_store
	mount_store
	assert_file "$MNT/session_02/logs/file" "$closed"
	umount_store
done
eval '"$SESSFS" mount -d "$STORE" "$MNT" <&- >&- 2>&- &'
DAEMON=$!
wait_for 20 mount_settled
stat "$MNT" >/dev/null
for fd in "/proc/$DAEMON/fd/"[012]; do assert_eq "$(readlink "$fd")" /dev/null "$fd of a daemon in the foreground"; done
umount_store
