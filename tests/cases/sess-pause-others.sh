# Who pauses a session waits for what the kernel holds of its files, and not of the files of others.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/large" "$MNT/small"
timeout 100 python3 - "$MNT" <<'END'
import os, sys, threading, time

mnt = sys.argv[1]
for name, count in ("large", 20000), ("small", 1):
	for i in range(count):
		with open(f"{mnt}/{name}/logs/{i}", "w") as file:
			file.write("some bytes")

def set_status(name, word):
	with open(f"{mnt}/{name}/.session/status", "w") as file:
		file.write(word)

def status(name):
	return open(f"{mnt}/{name}/.session/status").read().strip()

def pause_both():
	"""How long, from when the large one is paused by its record, it takes until each has waited for its files."""
	ended = []

	def pause_large():
		set_status("large", "paused")
		ended.append(time.monotonic())

	thread = threading.Thread(target=pause_large)
	thread.start()
	while status("large") != "paused":
		pass
	begun = time.monotonic()
	set_status("small", "paused")
	small = time.monotonic() - begun
	thread.join()
	for name in "large", "small":
		set_status(name, "active")
	return small, ended[0] - begun

# With others at work on the machine a moment may be missed, but it is not missed each time.
times = []
while len(times) < 20:
	times.append(pause_both())
	if 2 * times[-1][0] < times[-1][1]:
		sys.exit()
sys.exit(f"the small one waited for the large one: {times}")
END
umount_store
