# With -o writeback the kernel buffers what is written to control files too: a value counts from close, which reports
# one that is refused; appended lines are appended once.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o writeback
mkdir "$MNT/s"
control=$MNT/s/.session

echo paused >"$control/status"
assert_file "$control/status" paused
kill_daemon
mount_store -o writeback
assert_file "$control/status" paused
echo active >"$control/status"
{ echo a; echo b; } >"$control/tags"
assert_file "$control/tags" $'a\nb'
echo c >>"$control/tags"
assert_file "$control/tags" $'a\nb\nc'
python3 - "$control" <<'END'
import os, sys
control = sys.argv[1]
def refused(name, value):
	before = open(f"{control}/{name}", "rb").read()
	file = open(f"{control}/{name}", "wb")
	try:
		file.write(value)
		file.close()
		sys.exit(f"{name} took {value}")
	except OSError as error:
		assert error.errno == 5, error
	assert open(f"{control}/{name}", "rb").read() == before
refused("status", b"unknown\n")
refused("tags", b"a/b\n")
refused("notes", b"\xff\n")
text = "".join(f"line {n}\n" for n in range(5000))
with open(f"{control}/notes", "w") as file:
	file.write(text)
assert open(f"{control}/notes").read() == text
fd = os.open(f"{control}/query", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"first")
os.fsync(fd)
assert open(f"{control}/query").read() == "first"
os.close(fd)
END
assert_match "$(grep -c EINVAL "$control/errors.jsonl")" '[3-9]'

note "of several who append to a text none undoes what another did"
for text in tags notes; do
	printf 'a\n' >"$control/$text"
	for n in 1 2 3 4; do
		for m in {1..20}; do echo "$n-$m" >>"$control/$text"; done &
	done
	wait $(jobs -p | grep -vx "$DAEMON")
	assert_eq "$(sort "$control/$text" | uniq | wc -l)" 81 "lines in $text"
	python3 - "$control/$text" <<'END'
import os, sys
path = sys.argv[1]
with open(path, "w") as file:
	file.write("".join("line %d of those that were there\n" % n for n in range(250)))
before = open(path).read()
assert len(before) > 8192
first, second = (os.open(path, os.O_WRONLY | os.O_APPEND) for _ in range(2))
for n in range(3):
	for fd, name in (first, "first"), (second, "second"):
		os.write(fd, b"%s %d\n" % (name.encode(), n))
		os.fsync(fd)
value = open(path).read()
assert value == before + "".join("first %d\nsecond %d\n" % (n, n) for n in range(3)), value[len(before):]
END
done

note "lines"
events=$control/events.jsonl
lines=$(wc -l <"$events")
for n in {1..300}; do echo "{\"n\": $n}" >>"$events"; done
assert_eq "$(tail -n 300 "$events")" "$(for n in {1..300}; do echo "{\"n\": $n}"; done)"
assert_eq "$(wc -l <"$events")" $((lines + 300))
python3 - "$events" <<'END'
import os, sys
with open(sys.argv[1], "a") as file:
	for n in range(1000):
		file.write('{"m": %d}\n' % n)
		file.flush()
		if n % 100 == 0:
			os.fsync(file.fileno())
assert open(sys.argv[1]).read().endswith("".join('{"m": %d}\n' % n for n in range(1000)))
END
assert_eq "$(wc -l <"$events")" $((lines + 1300))

note "readers that have it open"
has() { grep -qs "$1" "$2"; }
tail -n +1 -s 0.05 -f "$events" >"$TEST_DIR/seen" &
follower=$!
wait_for 10 has '"m": 999' "$TEST_DIR/seen"
for n in {1..100}; do echo "{\"line\": $n}" >>"$events"; done
echo failed >"$control/status"
wait_for 10 has '"to": "failed"' "$TEST_DIR/seen"
kill $follower
wait $follower || :
cmp "$events" "$TEST_DIR/seen"
python3 - "$events" <<'END'
import os, sys, time
path = sys.argv[1]
seen = b""
with open(path, "rb", 0) as file:
	seen += file.readall()
	for n in range(2000):
		line = '{"n": %d, "pad": "%s"}\n' % (n, "x" * (n % 89))
		with open(path, "a") as program:
			program.write(line)
		end = time.monotonic() + 10
		new = b""
		while len(new) < len(line):
			new += file.readall()
			assert time.monotonic() < end, (n, new)
		assert new == line.encode(), (n, new)
		seen += new
	file.seek(0)
	assert file.readall() == seen
assert open(path, "rb").read() == seen
END

ln -sfn s "$MNT/.sessfs/current"
assert_eq "$(readlink "$MNT/.sessfs/current")" ../s
umount_store
