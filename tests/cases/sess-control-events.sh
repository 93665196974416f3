# events.jsonl: programs append lines, readers that have it open see what comes, and what was read stays as it was.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
events=$MNT/s/.session/events.jsonl
count() { wc -l <"$events"; }
last() { tail -n "${1:-1}" "$events"; }
has() { grep -qs "$1" "$2"; }

note "lines of programs"
echo '{"a": 1}' >>"$events"
assert_eq "$(last)" '{"a": 1}'
printf '{"b": 1}\n{"b": 2}\n' >>"$events"
assert_eq "$(last 2)" $'{"b": 1}\n{"b": 2}'
printf '{"c": 1}' >>"$events"
assert_eq "$(last)" '{"c": 1}' "a line without its newline"
(printf '{"d": '; printf '1}\n') >>"$events"
assert_eq "$(last)" '{"d": 1}' "a line in two writes"
echo plain text >>"$events"
assert_match "$(last)" '"text": "plain text"'
echo failed because >"$MNT/s/.session/status"
assert_match "$(last)" '"status".*"failed".*because'
python3 -c '
import json, sys
for line in open(sys.argv[1]): assert isinstance(json.loads(line), dict), line' "$events"
refused 'not permitted' sh -c ": >$events"
refused 'not permitted' truncate -s 0 "$events"
python3 - "$events" <<'END'
import json, os, sys
# A line of any length is taken whole: it becomes several.
fd = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)
def check(expected):
	lines = [json.loads(line) for line in open(sys.argv[1])][-len(expected):]
	assert [line["text"] for line in lines] == expected, [len(line["text"]) for line in lines]
	assert ["goes_on" in line for line in lines] == [True] * (len(expected) - 1) + [False]
for n in range(100):
	assert os.write(fd, b"x" * 1000) == 1000
os.write(fd, b"\n")
check(["x" * 65536, "x" * (100000 - 65536)])
assert os.write(fd, b"y" * (1 << 20)) == 1 << 20
os.write(fd, b"\n")
check(["y" * 65536] * 16)
os.write(fd, b"a\0b\n")
check(["a\0b"])
os.write(fd, b'{"kept": 1}\n')
END
assert_eq "$(last)" '{"kept": 1}'

note "what was acknowledged survives the daemon"
kill_daemon
mount_store
assert_eq "$(last)" '{"kept": 1}'

note "readers that have it open"
python3 - "$events" <<'END'
import mmap, os, sys
path = sys.argv[1]
def append(text):
	with open(path, "a") as file:
		file.write(text)
with open(path, "rb") as file:
	seen = file.read()
	assert file.read() == b""
	for n in range(300):
		line = '{"n": %d, "pad": "%s"}\n' % (n, "x" * (n % 97))
		append(line)
		assert os.fstat(file.fileno()).st_size == len(seen) + len(line)
		new = file.read()
		assert new == line.encode(), (n, new)
		seen += new
	file.seek(0)
	assert file.read() == seen, "what was read has changed"
	assert mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:] == seen
with open(path, "rb") as file:
	assert file.read() == seen
END
for options in "-s 0.05 -f" "-s 0.05 -F"; do
	: >"$TEST_DIR/seen" # of the one before
	tail -n 0 $options "$events" >"$TEST_DIR/seen" 2>&1 &
	follower=$!
	echo '{"marker": 0}' >>"$events"
	until has marker "$TEST_DIR/seen"; do # until tail has begun
		echo '{"marker": 0}' >>"$events"
		read -rt 0.05 <>"$NEVER" || :
	done
	for n in {1..50}; do echo "{\"line\": $n}" >>"$events"; done
	echo active >"$MNT/s/.session/status"
	echo failed >"$MNT/s/.session/status"
	wait_for 10 has '"to": "failed"' "$TEST_DIR/seen"
	kill $follower
	wait $follower || :
	grep -v marker "$TEST_DIR/seen" >"$TEST_DIR/new"
	assert_eq "$(head -50 "$TEST_DIR/new")" "$(for n in {1..50}; do echo "{\"line\": $n}"; done)" "tail $options"
	assert_eq "$(wc -l <"$TEST_DIR/new")" 52 "lines of tail $options"
	! grep -q $'\x01' <(tr '\0' '\1' <"$TEST_DIR/seen") || fail "tail $options saw zeros"
done

note "the oldest lines go; a reader who comes later sees newlines in their place"
python3 - "$events" <<'END'
import sys
path = sys.argv[1]
def append(first, count):
	with open(path, "a") as file:
		for n in range(first, first + count):
			file.write('{"n": %d}\n' % n)
with open(path, "rb", 0) as file:
	append(1000, 11000) # what is being read stays for a while: here nothing is
	whole = file.read()
	assert len(whole) > 11000 * 10
	lines = [line for line in whole.split(b"\n") if line]
	assert lines[-1] == b'{"n": 11999}', lines[-1]
	assert len(lines) <= 10000
	assert whole.startswith(b"\n"), whole[:100]
assert len(open(path).readlines()) <= 10000
END

note "who reads while they go gets whole lines"
python3 - "$events" <<'END'
import json, sys
path = sys.argv[1]
def append(first, count):
	with open(path, "a") as file:
		for n in range(first, first + count):
			file.write('{"n": %d, "pad": "%s"}\n' % (n, "x" * (n % 89)))
append(0, 9000)
for size in 100, 4096, 5000, 70000:
	with open(path, "rb", 0) as file:
		file.seek(0)
		read = file.read(size)
		append(9000, 4000)
		read += file.read(size)
		append(13000, 6000)
		while data := file.read(size):
			read += data
	lines = [json.loads(line) for line in read.split(b"\n") if line]
	assert lines[-1]["n"] == 18999
END

note "several programs at once: no line is lost or torn"
mkdir "$MNT/t"
for program in 1 2 3 4; do
	(for n in {1..200}; do echo "{\"program\": $program, \"n\": $n}"; done >>"$MNT/t/.session/events.jsonl") &
done
for job in $(jobs -p); do [ "$job" = "$DAEMON" ] || wait "$job"; done
for program in 1 2 3 4; do
	assert_eq "$(grep "\"program\": $program," "$MNT/t/.session/events.jsonl")" \
		"$(for n in {1..200}; do echo "{\"program\": $program, \"n\": $n}"; done)"
done
umount_store
