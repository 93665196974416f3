"""The end of a session: what its caller waits for, how fast the space comes back, beside `rm -rf` of the same files."""
import json
import os
import time

from targets import command


def stats(mount):
	with open(f"{mount}/.sessfs/stats.json") as file:
		return json.load(file)


def timed(call):
	begin = time.monotonic()
	call()
	return time.monotonic() - begin


def time_in_background(mount, records):
	"""Seconds from the first deleted record of a dropped session to the last one."""
	begin = None
	while True:
		now, figures = time.monotonic(), stats(mount)
		if begin is None and figures["dropped_records"] > records:
			begin = before
		if begin is not None and not figures["drops"]:
			return now - begin
		before = now


def end_session(target):
	"""The session "bench", which the kernel does not know yet: figures by name, in seconds."""
	mount = target.point
	place, rest = f"{mount}/bench", f"{mount}/.sessfs/trash/bench"
	records = stats(mount)["dropped_records"]
	found = {
		"to the trash": timed(lambda: os.rename(place, rest)),
		"back": timed(lambda: os.rename(rest, place)),
	}
	os.rename(place, rest)
	found["drop"] = timed(lambda: os.rmdir(rest))
	command("sync", "-f", mount)
	found["in the background"] = time_in_background(mount, records)
	return found
