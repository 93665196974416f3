# Values of .session: what is taken, what is refused and changes nothing, what survives the daemon.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
control=$MNT/s/.session

# takes FILE TEXT [SHOWN] - written, acknowledged, the daemon killed: there.
takes() {
	printf '%b' "$2" >"$control/$1" || fail "$1 refused '$2'"
	assert_eq "$(cat "$control/$1"; echo .)" "$(printf '%b.' "${3-$2}")" "$1 after '$2'"
	kill_daemon
	mount_store
	assert_eq "$(cat "$control/$1"; echo .)" "$(printf '%b.' "${3-$2}")" "$1 after a crash"
}
reason() { tail -n 1 "$control/errors.jsonl"; }
# refuses FILE TEXT WORDS - with EINVAL, nothing changed, and the reason among the errors.
refuses() {
	local before
	before=$(cat "$control/$1"; echo .)
	refused 'invalid argument' python3 -c 'import sys; open(sys.argv[1], "wb", 0).write(sys.stdin.buffer.read())' \
		"$control/$1" < <(printf '%b' "$2")
	assert_eq "$(cat "$control/$1"; echo .)" "$before" "$1 after '$2' was refused"
	assert_match "$(reason)" "EINVAL.*$3"
}

note "status"
assert_file "$control/status" active
takes status paused 'paused\n'
refuses status 'completed\n' 'paused'
takes status 'active\n'
echo active >"$control/status" # it was interrupted: once more is allowed
refuses status 'active\n' 'active'
refuses status 'unknown\n' 'one of active'
refuses status '\n' 'one of active'
refuses status 'paused because\n' 'reason'
takes status 'failed: the disk was full\n' 'failed\n'
grep -q 'the disk was full' "$control/events.jsonl" || fail "no reason among the events"
takes status 'active\n'

note "texts"
for text in query phase notes project; do
	assert_file "$control/$text" ""
	takes $text 'one line\n'
	takes $text 'no newline, \xc3\xa4'
	refuses $text 'a\xffb' 'UTF-8'
	refuses $text 'a\x00b' 'zero'
	: >"$control/$text"
	assert_file "$control/$text" ""
	echo first >"$control/$text"
	echo second >>"$control/$text"
	assert_file "$control/$text" $'first\nsecond'
	truncate -s 6 "$control/$text"
	assert_file "$control/$text" first
done
python3 - "$control/notes" <<'END'
import os, sys
path = sys.argv[1]
text = "".join(chr(0x20 + n % 0x2000) for n in range(21000))[:21000]
while len(text.encode()) > 65536:
	text = text[:-1]
with open(path, "w") as file:  # in pieces that split characters
	file.write(text)
assert open(path).read() == text
fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
try:
	os.write(fd, b"x" * 65537)
	sys.exit("65537 bytes were taken")
except OSError as error:
	assert error.errno == 27, error
assert open(path).read() == text, "the refused text took the old one with it"
os.pwrite(fd, b"ab", 0)
os.pwrite(fd, b"c", 2)
os.close(fd)
END
assert_file "$control/notes" abc
cp "$TEST_ROOT/Makefile" "$control/notes"
cmp "$TEST_ROOT/Makefile" "$control/notes"

note "a value in several writes of one open file is one value"
lines() { python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
for line in sys.argv[2:]: os.write(fd, (line + "\n").encode(errors="surrogateescape"))' "$control/$@"; }
bash -c 'printf "failed\nthe first\nand the second line\n" >"$1"' - "$control/status"
assert_eq "$(json "$control/info.json" 'j["status"], j["reason"]')" "('failed', 'the first\nand the second line')"
refused 'invalid argument' lines status failed again
lines status active ""
refuses status 'failed\nbad \xff bytes\n' UTF-8
refused 'invalid argument' lines status failed $'bad \xff bytes'
assert_file "$control/status" failed
lines status active
refused 'invalid argument' lines status paused because
lines status active
for before in "" $'x\ny'; do
	printf %s "$before" >"$control/tags"
	refused 'invalid argument' lines tags a b/c
	assert_file "$control/tags" "$before"
	refused 'invalid argument' lines tags a b c/d e
	assert_file "$control/tags" "$before"
done
lines tags a b c
assert_file "$control/tags" $'a\nb\nc'
refused 'invalid argument' lines notes kept $'bad \xff'
assert_file "$control/notes" "$(cat "$TEST_ROOT/Makefile")"
lines progress 0.25 ""
refused 'invalid argument' lines progress 0.5 7
assert_file "$control/progress" 0.5
lines progress 0

note "tags"
takes tags 'one\ntwo\n'
takes tags 'b\na\nb\n\na' 'b\na\n'
takes tags 'b\r\na\r\n\r\n' 'b\na\n'
refuses tags 'fine\na/b\n' slash
refuses tags '.hidden\n' dot
refuses tags "$(printf 'x%.0s' {1..256})\n" 255
refuses tags "$(printf '%s\\n' {1..257})" 256
takes tags "$(printf '%s\\n' {1..256})" "$(printf '%s\\n' {1..256})"
{ echo a; echo b; } >"$control/tags"
assert_file "$control/tags" $'a\nb'
echo c >>"$control/tags"
assert_file "$control/tags" $'a\nb\nc'
: >"$control/tags"
assert_file "$control/tags" ""

note "progress and pin"
assert_file "$control/progress" 0
takes progress '0.50\n' '0.5\n'
takes progress '1.0' '1\n'
takes progress '.25\n' '0.25\n'
takes progress '5e-05' '0.00005\n'
takes progress '1E0\n' '1\n'
takes progress '+2.5e-1' '0.25\n'
takes progress '-0.0' '0\n'
takes progress '0.99999999' '1\n'
takes progress '.25\n' '0.25\n'
for bad in 7 -1 nan inf -inf 0x1 0x.8p0 1e 1e1 1e400 e-1 0,5 '1 0' . 1.0.0 1.0001 -1e-7 '\n'; do
	refuses progress "$bad\n" 'from 0 to 1'
done
: >"$control/progress"
assert_file "$control/progress" 0.25
takes pin '1\n'
for bad in 2 yes 01 '1 1'; do refuses pin "$bad\n" '0 or 1'; done
takes pin '0' '0\n'

note "of several who append at once none undoes what another did"
for text in tags notes; do
	printf 'a\nb\n' >"$control/$text"
	python3 - "$control/$text" <<'END'
import os, sys
path = sys.argv[1]
first, second, third = (os.open(path, os.O_WRONLY | os.O_APPEND) for _ in range(3))
os.write(first, b"first\n")
os.write(second, b"second\n")
os.write(first, b"on\n")
value = open(path).read()
assert value == "a\nb\nfirst\nsecond\non\n", value
os.write(second, b"half ")
os.write(second, b"a line\n")
value = open(path).read()
assert value.endswith("\non\nhalf a line\n"), value
os.truncate(path, 2)
os.write(third, b"third\n")
os.write(third, b"on\n")
value = open(path).read()
assert value == "a\nthird\non\n", value
END
	printf 'a\n' >"$control/$text"
	for n in 1 2 3 4; do
		for m in {1..20}; do echo "$n-$m" >>"$control/$text"; done &
	done
	wait $(jobs -p | grep -vx "$DAEMON")
	assert_eq "$(sort "$control/$text" | uniq | wc -l)" 81 "lines in $text"
done

note "expires_at"
takes expires_at '2030-01-02T03:04:05Z\n'
takes expires_at 'never\n'
takes expires_at '2030-01-02T03:04:05+00:00\n' '2030-01-02T03:04:05Z\n'
takes expires_at '2031-01-02T03:04:05.000006+00:00\n' '2031-01-02T03:04:05Z\n' # as Python's isoformat() has it
for bad in tomorrow 2030-01-02 2030-13-02T03:04:05Z 2030-01-02T03:04:05 2030-01-02T03:04:05+02:00 1h; do
	refuses expires_at "$bad\n" 'takes a time'
done
for bad in + +x +1y +1w +-1h +1hh +99999999999999999999d; do refuses expires_at "$bad\n" 'is no duration: 90s'; done
for bad in +7 +24; do refuses expires_at "$bad\n" 'might be seconds, hours or days'; done
for bad in 2026-02-30T00:00:00Z 2027-02-29T00:00:00Z 2026-04-31T00:00:00Z 2026-12-31T23:59:60Z; do
	refuses expires_at "$bad\n" "there is no $bad in the calendar"
done
for bad in 9999-12-31T23:59:59Z 2262-04-12T00:00:00Z 1960-01-01T00:00:00Z; do
	refuses expires_at "$bad\n" "times go from 1970 to 2262-04-11, and never is later: not to $bad"
done
for bad in +100000d +200000000000s; do refuses expires_at "$bad\n" 'is too far off: times go to 2262-04-11'; done
takes expires_at '2028-02-29T00:00:00Z\n'
takes expires_at '2262-04-11T00:00:00Z\n'
takes expires_at 'never\n'
assert_file "$control/expires_at" never
refuses expires_at '\n' 'takes a time' # as of a shell's variable that is empty
echo default >"$control/expires_at"
assert_match "$(cat "$control/expires_at")" "^20..-..-..T..:..:..Z$"
echo +90m >"$control/expires_at"
left=$(($(date -d "$(cat "$control/expires_at")" +%s) - $(date +%s)))
[ $left -gt 5380 ] && [ $left -le 5400 ] || fail "+90m became $left seconds"
echo 1 >"$control/pin"
assert_file "$control/expires_at" never
echo 0 >"$control/pin"

note "a read-only session takes settings; what it says of itself stays"
echo completed >"$control/status"
echo 0.75 >"$control/progress"
echo late >"$control/notes"
assert_file "$control/notes" late
refused 'read-only' touch "$MNT/s/logs/x"

note "what cannot be done"
refused 'not permitted' chmod 644 "$control/status"
refused 'not permitted' sed -i s/a/b/ "$control/notes"
refused 'not permitted' mv "$control/notes" "$control/other"
refused 'not permitted' rm "$control/notes"
refused 'not permitted' sh -c ": >$control/info.json"
touch "$control/notes"
assert_file "$control/notes" late
umount_store
