# `sessfs top`: frames to a file, and a live view on a terminal of 80x24 that gives the terminal back whatever ends it.
# timeout: 60
. "$TEST_ROOT/tests/lib.sh"

need python3
mount_store
for n in {01..30}; do
	mkdir "$MNT/session_$n"
	echo "$n" >"$MNT/session_$n/logs/file"
done
mkdir "$MNT/"$'n\033[31mame' "$MNT/ein-sehr-langer-Name-für-eine-Sitzung-der-in-keine-Spalte-passt"
echo paused >"$MNT/session_07/.session/status"

note "frames to a file"
"$SESSFS" top -m "$MNT" --once >once
grep -q "^sessions *32: 31 active, 1 paused; 0 in the trash" once
grep -qE '^operations +[0-9]+/s, .* each \(since the daemon started\)' once
grep -qE '^hot +\[#* *\] .* of .* +warm .* +free ' once
grep -qE '^saved +[0-9]+ .* ago, .* not saved +flushes' once
assert_eq "$(grep -c '^session_' once)" 30
! grep -q $'\033' once || fail "bytes that act on a terminal"
"$SESSFS" top -m "$MNT" -n 3 -d 1s >three
assert_eq "$(grep -c '^operations' three)" 3
assert_eq "$(grep -c 'since the daemon started' three)" 1
"$SESSFS" top -m "$MNT" >piped
assert_eq "$(grep -c '^operations' piped)" 1
for bad in '-n 0' '-n x' '-d 0' 'word'; do
	assert_eq "$(status_of "$SESSFS" top -m "$MNT" $bad)" 2
done

note "on a terminal"
export TERM=xterm
python3 - "$SESSFS" "$MNT" <<'PYTHON'
import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time, unicodedata
program, mnt = sys.argv[1:]

class Terminal:
	def __init__(self, rows, columns, *shell):
		self.master, self.slave = pty.openpty()
		self.resize(rows, columns)
		self.before = termios.tcgetattr(self.slave)
		self.seen = b""
		self.process = subprocess.Popen([*shell, program, "top", "-m", mnt], stdin=self.slave,
			stdout=self.slave, stderr=self.slave, start_new_session=True,
			preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

	def resize(self, rows, columns):
		fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

	def read_until(self, done):
		deadline = time.monotonic() + 20
		while not done():
			ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
			assert ready, self.seen
			self.seen += os.read(self.master, 65536)

	def frames(self):
		"""The whole frames so far, each a list of lines."""
		parts = [part for part in self.seen.split(b"\033[H")[1:] if b"q quits" in part]
		return [re.sub(rb"\033\[[0-9?]*[a-zA-Z]", b"", part).decode().split("\r\n") for part in parts]

	def check(self, rows, columns):
		frame = self.frames()[-1]
		assert len(frame) <= rows, frame
		for line in frame:
			width = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)
			assert width <= columns, (width, line)
		return frame

	def end(self, status):
		assert self.process.wait(20) == status, self.process.returncode
		self.read_until(lambda: self.seen.endswith(b"\033[?25h\033[?1049l"))
		assert termios.tcgetattr(self.slave) == self.before

t = Terminal(24, 80)
t.read_until(lambda: len(t.frames()) >= 2)
frame = t.check(24, 80)
assert frame[0].startswith("sessfs on "), frame
assert frame[-2].startswith("... and ") and frame[-1] == "q quits", frame
head = next(n for n, line in enumerate(frame) if line.startswith("NAME"))
assert all(re.search(r" (active|paused) .* [0-9]+ +[0-9.K]+ +[0-9.K]+$", line) for line in frame[head + 1:-2]), frame
assert len({len(line) for line in frame[head:-2]}) == 1, frame
assert not any("\033" in line for line in frame)
assert termios.tcgetattr(t.slave) != t.before
count = len(t.frames())
t.resize(12, 50)
t.process.send_signal(signal.SIGWINCH)
t.read_until(lambda: len(t.frames()) > count + 1)
t.check(12, 50)
os.write(t.master, b"x")
os.write(t.master, b"q")
t.end(0)

t = Terminal(1, 80)
t.read_until(lambda: t.frames())
assert len(t.frames()[0]) <= 2, t.frames()[0]
os.write(t.master, b"q")
t.end(0)

for term in "dumb", "":
	os.environ["TERM"] = term
	t = Terminal(24, 80)
	t.read_until(lambda: b"session_01" in t.seen and b"session_30" in t.seen)
	assert t.process.wait(20) == 0
	assert b"\033" not in t.seen, t.seen
	assert termios.tcgetattr(t.slave) == t.before
os.environ["TERM"] = "xterm"

for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT:
	t = Terminal(24, 80)
	t.read_until(lambda: t.frames())
	t.process.send_signal(number)
	t.end(0)

# Stopped without being asked it cannot give the terminal back; going on it takes it again.
t = Terminal(24, 80)
t.read_until(lambda: t.frames())
t.process.send_signal(signal.SIGSTOP)
os.waitid(os.P_PID, t.process.pid, os.WSTOPPED)
termios.tcsetattr(t.slave, termios.TCSANOW, t.before)
t.process.send_signal(signal.SIGCONT)
t.read_until(lambda: t.seen.count(b"\033[?1049h") == 2)
assert termios.tcgetattr(t.slave) != t.before
os.write(t.master, b"q")
t.end(0)

# Stopped, it gives the terminal back, and takes it again when it goes on. Only a shell with jobs makes that happen.
t = Terminal(24, 80, "bash", "-c", 'set -m; "$@"; echo "stopped: $?"; fg', "bash")
t.read_until(lambda: t.frames())
os.kill(os.tcgetpgrp(t.master), signal.SIGTSTP)
t.read_until(lambda: b"\033[?25h\033[?1049l" in t.seen and b"stopped: 148" in t.seen)
t.seen = t.seen[t.seen.index(b"stopped: 148"):]
t.read_until(lambda: b"\033[?1049h" in t.seen and t.frames())
os.write(t.master, b"q")
t.end(0)

t = Terminal(24, 80)
t.read_until(lambda: t.frames())
subprocess.run([program, "umount", mnt], check=True)
assert t.process.wait(20) == 1
t.read_until(lambda: b"does not answer any more" in t.seen)
assert termios.tcgetattr(t.slave) == t.before
PYTHON
wait "$DAEMON"
check_store
