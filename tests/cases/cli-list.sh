# list and status as people see them: order, marks, colours, widths; and how long many sessions take.
# timeout: 240
. "$TEST_ROOT/tests/lib.sh"

need_fuse
unset SESSFS_SESSION NO_COLOR
export SESSFS_MOUNT=$MNT
ESCAPE=$(printf '\033')
column() { awk -v n="$1" 'NR > 1 { print $n }' "$2" | xargs; }
# on_terminal COLUMNS COMMAND... - its output on a terminal of that width.
on_terminal() {
	local columns=$1 command
	shift
	printf -v command '%q ' "$@"
	script -qec "stty cols $columns rows 24; $command" /dev/null </dev/null | tr -d '\r'
}

mount_store -o commit=1
refused "no sessions in $MNT; .sessfs new. makes one" eval '"$SESSFS" list && false'
assert_eq "$("$SESSFS" list 2>/dev/null)" ""
for name in first second third fourth; do "$SESSFS" new $name; done >/dev/null
head -c 300000 /dev/zero >"$MNT/first/logs/zeros"
head -c 5000 /dev/urandom >"$MNT/first/cache/noise"
echo x >"$MNT/first/other"
"$SESSFS" pin first >/dev/null
"$SESSFS" pause second >/dev/null
"$SESSFS" complete third >/dev/null
"$SESSFS" fail fourth 'no reason at all' >/dev/null
is_compressed() { json "$MNT/first/.session/info.json" "1 / (j['compression_ratio'] > 2)" >/dev/null 2>&1; }
wait_for 20 is_compressed

note "the newest first, with marks"
"$SESSFS" list >said
assert_eq "$(head -n 1 said | xargs)" "NAME STATUS AGE EXPIRES FILES SIZE STORED RATIO MARKS"
assert_eq "$(column 1 said)" "fourth third second first"
assert_eq "$(column 2 said)" "failed completed paused active"
assert_eq "$(column 4 said)" "24h 90d never never"
assert_match "$(tail -n 1 said)" "^first +active +[0-9]+s +never +3 +298K +[0-9.]+K +[0-9.]+ pinned$"
grep -q '^fourth .*current$' said
! grep -q "$ESCAPE" said || fail "colours in a file"

note "status in full"
"$SESSFS" status first >said
grep -q '^session *first$' said
grep -q "^path *$MNT/first$" said
grep -Eq '^made *20[0-9-]+ [0-9:]+ \([0-9]+ s ago\)$' said
grep -q '^files *3: cache 1, logs 1, other 1$' said
grep -Eq '^size *298 KiB, stored in [0-9.]+ KiB \([0-9.]+ : 1\)$' said
grep -Eq "^owner *[^ ]+ \($(id -u)\)" said
saved() { "$SESSFS" status first | grep -Eq '^on disk *saved [0-9]+ s ago$'; }
wait_for 10 saved
echo more >>"$MNT/first/logs/zeros"
"$SESSFS" status first | grep -Eq '^on disk *[0-9.]+ (bytes|KiB) not saved yet$'
printf 'one\ntwo\033[31m\n' >"$MNT/first/.session/notes"
printf 'a tag\nb\n' >"$MNT/first/.session/tags"
echo 0.25 >"$MNT/first/.session/progress"
"$SESSFS" status first >said
grep -q '^notes *one$' said
grep -q '^ *two\\x1b\[31m$' said
grep -q '^tags *a tag, b$' said
grep -q '^progress *25 %$' said

note "what was interrupted is marked until its status is written"
kill_daemon
mount_store -o commit=5
assert_eq "$("$SESSFS" list | sed -n 's/^first .* //p')" "pinned,interrupted"
"$SESSFS" status first | says '^status *active, interrupted'
"$SESSFS" resume first >/dev/null
assert_eq "$("$SESSFS" list | sed -n 's/^first .* //p')" pinned

if command -v script >/dev/null; then
	note "on a terminal: fitted to its width, in colours unless NO_COLOR"
	long=$(printf 'x%.0s' {1..200})
	"$SESSFS" new "$long" >/dev/null
	on_terminal 80 "$SESSFS" list >said
	assert_eq "$(wc -l <said)" 6
	assert_eq "$(sed "s/$ESCAPE\[[0-9;]*m//g" said | awk 'length > 80')" "" "lines over 80 columns"
	grep -q 'xxxxxxx' said
	grep -q "$ESCAPE\[.*paused" said
	on_terminal 80 env NO_COLOR=1 "$SESSFS" list >said
	! grep -q "$ESCAPE" said || fail "colours in spite of NO_COLOR"
	"$SESSFS" list | says "^$long "
	"$SESSFS" rm "$long" >/dev/null
	for command in status\ first stats history 'expire -n'; do
		on_terminal 80 "$SESSFS" $command >said
		assert_eq "$(sed "s/$ESCAPE\[[0-9;]*m//g" said | awk 'length > 80')" "" \
			"$command: lines over 80 columns"
	done
fi

note "what cannot be printed is told; who stops reading is not bothered"
if [ -c /dev/full ]; then
	assert_eq "$(status_of eval '"$SESSFS" list >/dev/full')" 1
	refused "not everything could be printed: No space" eval '"$SESSFS" list --json >/dev/full'
fi
note "20,000 sessions"
python3 - "$MNT" <<'PYTHON'
import os, sys
for i in range(20000):
	os.mkdir(f"{sys.argv[1]}/many{i:05}")
PYTHON
TIMEFORMAT=%R
took=$({ time "$SESSFS" list >said; } 2>&1)
echo "listed in $took s"
assert_eq "$(wc -l <said)" 20005
assert_eq "$("$SESSFS" list | head -n 1 | xargs)" "NAME STATUS AGE EXPIRES FILES SIZE STORED RATIO MARKS"
assert_eq "$("$SESSFS" list --json | json /dev/stdin "len(j['sessions'])")" 20004
"$SESSFS" umount "$MNT" >said
grep -q '^20004 sessions; `sessfs expire --dry-run` tells' said
wait "$DAEMON"
DAEMON=
check_store
