# A line of events.jsonl that was begun is kept as any write: it survives the daemon, and becomes a line in the end.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
events=$MNT/s/.session/events.jsonl
text() { tail -n 1 "$events" | python3 -c 'import json, sys; print(json.load(sys.stdin)["text"])'; }
count() { wc -l <"$events"; }

note "it survives an unmount"
printf 'begun %s' one >>"$events"
remount
assert_eq "$(text)" "begun one"
assert_eq $(count) 2

note "... and the daemon, closed or open, with fsync or without"
printf 'closed' >>"$events"
wait_for 10 eval '[ "$(text)" = closed ]' # the kernel forgets the file
exec 5>>"$events"
printf 'open' >&5
kill_daemon
exec 5>&-
remount
assert_eq "$(text)" open
python3 - "$events" <<'END'
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(fd, b"first ")
os.write(fd, b"second")
os.fsync(fd)
os.close(fd)
END
kill_daemon
remount
assert_eq "$(text)" "first second"

note "a line in several writes is one line, also of programs that write at once"
python3 - "$events" <<'END'
import os, sys
def line(writer, n): return '{"writer": %d, "n": %d, "pad": "%s"}\n' % (writer, n, "x" * (n * 37 % 5000))
def lines(writer): return "".join(line(writer, n) for n in range(100))
fds = [os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND) for _ in range(3)]
texts = [lines(writer).encode() for writer in range(3)]
for at in range(0, max(map(len, texts)), 4096): # as stdio does
	for fd, text in zip(fds, texts):
		assert os.write(fd, text[at:at + 4096]) == len(text[at:at + 4096])
END
for writer in 0 1 2; do
	assert_eq "$(grep -c "^{\"writer\": $writer, .*x*\"}$" "$events")" 100 "whole lines of $writer"
done
remount -o ro
assert_eq "$(grep -c '^{"writer"' "$events")" 300 "what is read"
umount_store
