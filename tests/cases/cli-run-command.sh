# `sessfs run -- COMMAND`: a session for one program; its surroundings, output, signals, end and exit status.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o ttl=24h
cd "$TEST_DIR"
# run WORDS... - its stdout in the file out, its stderr in err, its exit status in STATUS.
run() {
	STATUS=0
	"$SESSFS" run -m "$MNT" "$@" >out 2>err || STATUS=$?
}
state() { json "$MNT/$1/.session/info.json" 'j["status"]'; }
told() { grep -qE -- "$1" err || fail "no '$1' in: $(cat err)"; }

note "what it is given"
run --name first --tag ice --tag snow --query 'How cold?' --keep -- sh -c \
	'cat; pwd; echo "$SESSFS_SESSION|$SESSFS_DIR|$TMPDIR|$OLDPWD"; echo oops >&2; echo $((1 / 1)) >"$(mktemp)"' \
	< <(echo from stdin)
assert_eq $STATUS 0
assert_file out "from stdin
$MNT/first
first|$MNT/first|$MNT/first/intermediate_results|$TEST_DIR"
told '^oops$'
assert_file "$MNT/first/logs/stdout.log" "$(cat out)"
assert_file "$MNT/first/logs/stderr.log" oops
assert_eq "$(ls "$MNT/first/intermediate_results" | wc -l)" 1
assert_eq "$(state first)" completed
assert_eq "$(json "$MNT/first/.session/info.json" 'j["query"], sorted(j["tags"])')" "('How cold?', ['ice', 'snow'])"
told "first completed after .*$MNT/first, .*logs/stdout.log"
told 'it expires in .*sessfs pin first'

note "a program by a path from where one is"
printf '#!/bin/sh\necho here: "$@"\n' >program
chmod +x program
run --keep --name second -- ./program a 'b c'
assert_file out 'here: a b c'

note "without --keep a success leaves nothing but a way back"
run -- sh -c 'echo kept >"$SESSFS_DIR/research_data/file"; echo $SESSFS_SESSION'
assert_eq $STATUS 0
name=$(cat out)
assert_match "$name" '^run_[0-9]{8}_[0-9]{6}(_[0-9]+)?$'
assert_absent "$MNT/$name"
told "$name completed .*and is removed; .sessfs undelete $name. takes it back until"
"$SESSFS" undelete -m "$MNT" "$name"
assert_file "$MNT/$name/research_data/file" kept
assert_eq "$(state "$name")" completed

note "runs of one second: each is taken back by the name that it was told"
for i in 1 2 3; do
	run -- sh -c 'echo $1 >research_data/number; echo $SESSFS_SESSION' - $i
	cp out name$i
done
for i in 1 2 3; do
	"$SESSFS" undelete -m "$MNT" "$(cat name$i)"
	assert_file "$MNT/$(cat name$i)/research_data/number" $i
done

note "a failure stays, with its reason"
run --name third -- sh -c 'exit 3'
assert_eq $STATUS 3
assert_eq "$(state third)" failed
told 'third failed after .* with exit status 3'
grep -q 'exit status 3' "$MNT/third/.session/events.jsonl"
run --name fourth -- sh -c 'kill -9 $$'
assert_eq $STATUS 137
told 'signal 9'
assert_eq "$(state fourth)" failed
grep -q 'signal 9' "$MNT/fourth/.session/events.jsonl"

note "what cannot be run leaves no session"
run --name fifth -- no-such-program
assert_eq $STATUS 127
assert_absent "$MNT/fifth"
run --name fifth -- "$TEST_DIR"
assert_eq $STATUS 126
assert_absent "$MNT/fifth"
run --name fifth --keep -- no-such-program
assert_eq $STATUS 127
assert_eq "$(state fifth)" failed
run --name fifth -- true
assert_eq $STATUS 1
told 'session fifth already'
run --name .hidden -- true
assert_eq $STATUS 2
run --tag a/b --name sixth -- true
assert_eq $STATUS 1
assert_absent "$MNT/sixth"
STATUS=$(status_of "$SESSFS" run)
assert_eq "$STATUS" 2

note "a program that pauses its session, or says itself that it is over"
run --name seventh -- sh -c 'echo before; read -r _ <.session/status; until grep -q before logs/stdout.log; do :; done
	echo paused >.session/status; echo after'
assert_eq "$STATUS $(state seventh)" "0 paused"
assert_file out "before"$'\n'"after"
assert_file "$MNT/seventh/logs/stdout.log" before
told 'not all that it printed is in .*seventh/logs: the session was made read-only before'
told 'seventh is paused, as its command made it, which ended after .* with exit status 0: its files are in'
told 'it does not expire'
run --name half -- sh -c 'echo completed >.session/status; exit 1'
assert_eq "$STATUS $(state half)" "1 completed"
told 'half is completed, as its command made it, which ended after .* with exit status 1'
told 'it expires in 90 days'
run --name done -- sh -c 'echo completed >.session/status'
assert_absent "$MNT/done"
told 'done is completed.* and is removed'
run --name eighth --keep -- sh -c 'echo archived >.session/status'
assert_eq "$STATUS $(state eighth)" "0 archived"

note "a program that renames or removes its session"
run --name old --keep -- sh -c 'mv "$SESSFS_DIR" "$SESSFS_MOUNT/new"; echo there'
assert_eq "$STATUS $(state new)" "0 completed"
told 'renamed the session old to new'
told "new completed after .*: its files are in $MNT/new,"
assert_file "$MNT/new/logs/stdout.log" there
run --name old -- sh -c 'mv "$SESSFS_DIR" "$SESSFS_MOUNT/newer"; exit 3'
assert_eq "$STATUS $(state newer)" "3 failed"
run --name old -- sh -c '"$1" rm -m "$SESSFS_MOUNT" old >/dev/null; exit 5' - "$SESSFS"
assert_eq $STATUS 5
told 'old was left .* ended after .* with exit status 5, and is removed; `sessfs undelete old` takes it back'
run --name old2 -- sh -c 'cd /; rm -r "$SESSFS_DIR"'
assert_eq $STATUS 0
told 'old2 was left .* and is removed$'
! grep -q 'as new as' err || fail "$(cat err)"

note "much output, of both kinds, whole and in order"
run --name ninth --keep -- python3 -c '
import sys
for n in range(60000):
	print(n)
	if n % 3 == 0: print(-n, file=sys.stderr)'
assert_eq $STATUS 0
cmp out "$MNT/ninth/logs/stdout.log"
cmp out <(seq 0 59999)
cmp <(head -n 20000 err) "$MNT/ninth/logs/stderr.log"

note "signals are passed on"
python3 - "$SESSFS" "$MNT" <<'PYTHON'
import os, pty, select, signal, subprocess, sys
program, mnt = sys.argv[1:]
command = """
import signal, sys
number = int(sys.argv[1])
def end(*_):
	print("got it")
	sys.exit(7)
signal.signal(number, end)
print("ready", flush=True)
signal.pause()
"""
numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
	signal.SIGALRM]
for number in numbers:
	name = f"on_{number.name}"
	words = [program, "run", "-m", mnt, "--name", name, "--", "python3", "-c", command, str(number.value)]
	process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
		preexec_fn=lambda: [signal.signal(n, signal.SIG_DFL) for n in numbers])
	assert process.stdout.readline() == "ready\n"
	process.send_signal(number)
	out, err = process.communicate(timeout=20)
	assert (process.returncode, out) == (7, "got it\n"), (process.returncode, out, err)
	with open(f"{mnt}/{name}/logs/stdout.log") as log:
		assert log.read() == "ready\ngot it\n"

# What the terminal sends, it sends to the command too, unless that has left it: it is not passed on a second time.
command = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
print("interrupted:", signal.sigtimedwait([signal.SIGINT], float(sys.argv[1])) is not None)
"""
def type_interrupt(name, expected, *words):
	pid, terminal = pty.fork()
	if pid == 0:
		os.execl(program, program, "run", "-m", mnt, "--name", name, "--keep", "--", *words)
	said = b""
	for wanted in b"ready", b"interrupted: " + expected, name.encode() + b" completed":
		while wanted not in said:
			assert select.select([terminal], [], [], 20)[0], said
			said += os.read(terminal, 4096)
		if wanted == b"ready":
			os.write(terminal, b"\x03")
	assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
type_interrupt("typed", b"True", "python3", "-c", command, "20")
type_interrupt("apart", b"False", "setsid", "python3", "-c", command, "0.5")
PYTHON

note "who stays in the background does not hold it up, and what was printed is there"
run --name tenth --keep -- bash -c 'tail -f /dev/null & echo $! >pid; echo first; disown'
assert_eq "$STATUS $(cat out)" "0 first"
kill "$(cat "$MNT/tenth/pid")"
timeout 20 "$SESSFS" run -m "$MNT" --name eleventh --keep -- bash -c 'yes & echo $! >pid' | tail -c 2 >/dev/null
wait_for 5 sh -c "! kill -0 $(cat "$MNT/eleventh/pid") 2>/dev/null" # nobody reads what it prints

note "a reader that goes away ends it, as it would without sessfs"
"$SESSFS" run -m "$MNT" --name twelfth -- yes 2>err | head -2 >out || :
assert_eq "$(cat out | xargs)" "y y"
assert_eq "$(state twelfth)" failed

note "where it cannot write its logs it leaves nothing"
assert_eq "$( (ulimit -n 5; status_of "$SESSFS" run -m "$MNT" --name thirteenth -- true) 2>err)" 1
told 'thirteenth/logs/stderr.log cannot be written: Too many open files'
assert_absent "$MNT/thirteenth"

note "its logs reach the limit of file sizes: it goes on without them"
(ulimit -f 1; "$SESSFS" run -m "$MNT" --keep --name limited -- python3 -c 'print("x" * 9999)') 2>err | cat >out
assert_eq "$(wc -c <out) $(state limited)" "10000 completed"
told 'not all that it printed is in .*limited/logs: File too large'

note "the daemon dies meanwhile"
run --name fourteenth -- sh -c 'kill -9 $1; until ! stat -f "$SESSFS_MOUNT" >/dev/null 2>&1; do :; done; echo done
	exit 3' - "$DAEMON"
wait "$DAEMON" || :
assert_eq "$STATUS $(cat out)" "3 done"
told "the mount $MNT died or was unmounted while the command ran, .* status 3: .*sessfs status fourteenth"
! grep -q removed err || fail "$(cat err)"
remount=("${MOUNT_OPTIONS[@]}")
DAEMON=
umount -l "$MNT" 2>/dev/null || fusermount3 -u -z "$MNT"
mount_store "${remount[@]}"
"$SESSFS" status -m "$MNT" fourteenth | says 'status *active, interrupted'

note "nothing is mounted"
"$SESSFS" umount "$MNT"
wait "$DAEMON"
run -- true
assert_eq $STATUS 3
