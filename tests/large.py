#!/usr/bin/env python3
"""Works on many sessions and on sessions of many files. Each prints what it took; what must be so is asserted.

usage: large.py WORK MOUNT [COUNT]
  make-sessions    makes COUNT sessions, named s0, s1, ...
  list-sessions    lists them, with and without what they are
  expire-sessions  their time is over: a listing shows none, and all COUNT come to the trash
  drop-sessions    the grace of all is over: their space comes back
  make-files       makes COUNT small files in a new session "big"
  know-files       looks at each of them
  pause            makes "big" read-only, and active again
  trash            moves "big" to the trash, back, and to the trash again
  drop             drops it there, which frees COUNT files
  fill-cache       makes COUNT small files of different ages in cache/ of a new session "full"
  cut-cache        waits until `cache_size` has made half of them go

Meanwhile another client works in the session "other", where it is there: the longest that it waited is told.
"""
import json
import os
import subprocess
import sys
import time

PER_DIRECTORY = 1000


class Meanwhile:
	"""Prints what was done in its block, how long it took, and how long the other client had to wait."""

	def __init__(self, mount, what, count=0, asked=""):
		self.mount, self.what, self.count, self.asked = mount, what, count, asked

	def __enter__(self):
		self.client = None
		if os.path.isdir(f"{self.mount}/other"):
			words = [sys.executable, __file__, "client", self.mount]
			self.client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
			assert self.client.stdout.readline() == "ready\n"
		self.begin = time.monotonic()
		return self

	def __exit__(self, kind, value, traceback):
		took = time.monotonic() - self.begin
		said = self.client.communicate()[0] if self.client else ""
		if kind:
			return
		figure = f"{took * 1000:.1f} ms"
		if self.count:
			figure += f", {self.count / took:,.0f} a second"
		if said:
			calls, longest = said.split()
			figure += f"; of {int(calls):,} calls of another client"
			figure += f" the longest took {float(longest):.1f} ms"
		print(f"{self.what}: {figure}{self.asked and f' (asked: {self.asked})'}", flush=True)


def client(mount):
	"""Calls that each are a request, until its input ends."""
	name, calls, longest = f"{mount}/other/logs/file", 0, 0
	os.set_blocking(0, False)
	while not calls or not has_ended(0):
		begin = time.monotonic()
		os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
		made = time.monotonic()
		os.unlink(name)
		gone = time.monotonic()
		if not calls:
			print("ready", flush=True)
		longest = max(longest, made - begin, gone - made)
		calls += 2
	print(calls, longest * 1000)


def has_ended(fd):
	try:
		return not os.read(fd, 1)
	except BlockingIOError:
		return False


def stats(mount):
	with open(f"{mount}/.sessfs/stats.json") as file:
		return json.load(file)


def wait_until(condition):
	"""The runner's time limit ends it."""
	while not condition():
		time.sleep(0.2)


def own_sessions(mount):
	return sum(1 for name in os.listdir(mount) if name != "other")


# ---- sessions --------------------------------------------------------------------------------------------------------

def make_sessions(mount, count):
	with Meanwhile(mount, f"{count:,} sessions made", count):
		for i in range(count):
			os.mkdir(f"{mount}/s{i}")


def list_sessions(mount, count):
	with Meanwhile(mount, f"{count:,} sessions listed", count):
		assert own_sessions(mount) == count
	with Meanwhile(mount, f"{count:,} sessions listed with their attributes", count):
		with os.scandir(mount) as entries:
			assert all(entry.stat(follow_symlinks=False).st_nlink for entry in entries)


def expire_sessions(mount, count):
	with Meanwhile(mount, f"{count:,} sessions that are over, listed", count, "nobody waits 20 ms"):
		assert own_sessions(mount) == 0
	with Meanwhile(mount, f"{count:,} sessions into the trash", 0, "nobody waits 20 ms"):
		wait_until(lambda: stats(mount)["trash"] == count)
	assert own_sessions(mount) == 0
	assert len(os.listdir(f"{mount}/.sessfs/trash")) == count


def drop_sessions(mount, count):
	os.mkdir(f"{mount}/last")
	with open(f"{mount}/last/.session/expires_at", "w") as file:
		file.write("2001-01-01T00:00:00Z\n")
	with Meanwhile(mount, f"{count:,} sessions out of the trash", 0, "nobody waits 20 ms"):
		assert own_sessions(mount) == 0 # has the daemon look at its clock, which is not the kernel's
		wait_until(lambda: stats(mount)["trash"] == 1 and not stats(mount)["drops"])
	assert os.listdir(f"{mount}/.sessfs/trash") == ["last"]


# ---- files -----------------------------------------------------------------------------------------------------------

def make_files(mount, count):
	top = f"{mount}/big/research_data"
	os.mkdir(f"{mount}/big")
	with Meanwhile(mount, f"{count:,} files made", count):
		for i in range(count):
			if i % PER_DIRECTORY == 0:
				os.mkdir(f"{top}/{i // PER_DIRECTORY}")
			fd = os.open(f"{top}/{i // PER_DIRECTORY}/{i}", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644)
			os.write(fd, b"content of file number %d\n" % i)
			os.close(fd)


def look_at_files(mount, count):
	seen = 0
	for base, _, names in os.walk(f"{mount}/big"):
		seen += sum(1 for name in names if os.lstat(f"{base}/{name}"))
	assert seen == count, (seen, count)


def know_files(mount, count):
	with Meanwhile(mount, f"{count:,} files looked at", count):
		look_at_files(mount, count)
	while stats(mount)["inodes_in_memory"] < count: # the kernel forgets some when another program drops its caches
		look_at_files(mount, count)


def say(mount, word):
	with open(f"{mount}/big/.session/status", "w") as file:
		file.write(f"{word}\n")


def pause(mount, count):
	with Meanwhile(mount, f"a session of {count:,} files paused"):
		say(mount, "paused")
	say(mount, "active")


def trash(mount, count):
	place, rest = f"{mount}/big", f"{mount}/.sessfs/trash/big"
	with Meanwhile(mount, f"a session of {count:,} files moved to the trash", 0, "< 5 ms"):
		os.rename(place, rest)
	assert not os.path.exists(place) and os.path.exists(rest)
	os.rename(rest, place)
	assert not os.path.exists(rest)
	os.rename(place, rest)


def save(mount):
	"""Into the tree by two flushes: what lies in a log yet would not have to be deleted."""
	first = stats(mount)["flushes"]
	while stats(mount)["flushes"] < first + 2:
		with open(f"{mount}/other/logs/saved", "a") as file:
			file.write("now\n")
		time.sleep(0.02)


def wait_for_space(mount):
	"""For the last dropped session to be gone; how long its records took, once the log that drops it was saved."""
	first = stats(mount)["dropped_records"]
	begin = time.monotonic()
	while True:
		now, figures = time.monotonic(), stats(mount)
		if figures["dropped_records"] == first:
			begin = now
		if not figures["drops"] and figures["sessions_in_memory"] <= 2: # the root, and the other client's
			return now - begin
		time.sleep(0.005)


def drop(mount, count):
	save(mount)
	before = stats(mount)
	with Meanwhile(mount, f"a session of {count:,} files dropped, and its space back", 0, "nobody waits 20 ms"):
		begin = time.monotonic()
		os.rmdir(f"{mount}/.sessfs/trash/big")
		took = time.monotonic() - begin
		deleting = wait_for_space(mount)
	after = stats(mount)
	print(f"  seen by the caller {took * 1000:.1f} ms, {count / took:,.0f} files a second (asked: 1,000,000); "
		f"in the background {count / deleting:,.0f} files a second (asked: 500,000)", flush=True)
	assert after["dropped_records"] - before["dropped_records"] >= 2 * count
	assert after["warm_bytes"] < before["warm_bytes"], (before["warm_bytes"], after["warm_bytes"])
	assert after["trash"] == 0


# ---- files of cache/ -------------------------------------------------------------------------------------------------

def fill_cache(mount, count):
	top, now = f"{mount}/full/cache", time.time_ns()
	os.mkdir(f"{mount}/full")
	for i in range(count):
		if i % PER_DIRECTORY == 0:
			os.mkdir(f"{top}/{i // PER_DIRECTORY}")
		fd = os.open(f"{top}/{i // PER_DIRECTORY}/{i}", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o644)
		os.write(fd, b"12 bytes....")
		age = i * 7919 % count * 100_000_000
		os.utime(fd, ns=(now - age, now - age))
		os.close(fd)


def cached(mount):
	with open(f"{mount}/full/.session/info.json") as file:
		return json.load(file)["file_counts"]["cache"]


def cut_cache(mount, count):
	with Meanwhile(mount, f"{count:,} files of cache/ seen, and half of them removed", 0, "nobody waits 20 ms"):
		with open(f"{mount}/full/cache/new", "w") as file:
			file.write("12 bytes....")
		# One more where the mount's own walk was over before: the next comes some time later.
		wait_until(lambda: cached(mount) <= count // 2 + 1)
	assert cached(mount) in (count // 2, count // 2 + 1) and os.path.exists(f"{mount}/full/cache/new")


WORKS = [make_sessions, list_sessions, expire_sessions, drop_sessions, make_files, know_files, pause, trash, drop,
	fill_cache, cut_cache]


if __name__ == "__main__":
	if sys.argv[1] == "client":
		client(sys.argv[2])
	else:
		work = {work.__name__.replace("_", "-"): work for work in WORKS}[sys.argv[1]]
		work(sys.argv[2], int(sys.argv[3]))
