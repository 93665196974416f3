#!/usr/bin/env python3
"""poll.py MOUNT SESSION [writeback] - follows the session's events by poll(2), select(2), epoll(7), and removes it."""

import json
import os
import select
import sys
import threading

mount, name = sys.argv[1:3]
writeback = sys.argv[3:] == ["writeback"]
session = f"{mount}/{name}"
events = f"{session}/.session/events.jsonl"
PRI = select.POLLPRI
LATE = 30000  # milliseconds: by then it is told, or never


def polls():
	"""How often the filesystem was asked, as it counts itself."""
	operations = json.load(open(f"{mount}/.sessfs/stats.json"))["operations"]
	return operations.get("poll", {"count": 0})["count"]


def woken_by(change, wait):
	"""What `wait` returns, which waits in the kernel when the change is made."""
	before = polls()

	def make():
		while polls() == before:
			os.sched_yield()
		change()

	thread = threading.Thread(target=make)
	thread.start()
	found = wait()
	thread.join()
	return found


def poller(*fds, mask=PRI):
	poll = select.poll()
	for fd in fds:
		poll.register(fd, mask)
	return poll


def add(line):
	with open(events, "ab", 0) as file:
		file.write(line)


def drain(fd):
	text = b""
	while piece := os.read(fd, 65536):
		text += piece
	return text


def opened(path):
	fd = os.open(path, os.O_RDONLY)
	drain(fd)
	return fd


def expect(what, found, wanted):
	if found != wanted:
		sys.exit(f"{what}: {found}, not {wanted}")


def one_follows():
	fd = opened(events)
	poll = poller(fd)
	expect("nothing new", poll.poll(0), [])
	add(b'{"number": 1}\n')
	expect("new", poll.poll(LATE), [(fd, PRI)])
	if not writeback:
		expect("not read yet", poll.poll(0), [(fd, PRI)])
	assert b'"number": 1' in drain(fd)
	expect("read", poll.poll(0), [])
	expect("woken", woken_by(lambda: add(b'{"number": 2}\n'), lambda: poll.poll(LATE)), [(fd, PRI)])
	assert b'"number": 2' in drain(fd)
	os.close(fd)


def filesystem_tells():
	fd = opened(events)
	poll = poller(fd)

	def pause():
		with open(f"{session}/.session/status", "w") as file:
			file.write("paused")

	expect("status", woken_by(pause, lambda: poll.poll(LATE)), [(fd, PRI)])
	assert b"paused" in drain(fd)
	with open(f"{session}/.session/status", "w") as file:
		file.write("active")
	expect("status again", poll.poll(LATE), [(fd, PRI)])
	os.close(fd)


def other_calls():
	fd = opened(events)
	found = woken_by(lambda: add(b'{"number": 3}\n'), lambda: select.select([], [], [fd], LATE / 1000))
	expect("select", found, ([], [], [fd]))
	drain(fd)
	epoll = select.epoll()
	epoll.register(fd, select.EPOLLPRI)
	expect("epoll, nothing new", epoll.poll(0), [])
	add(b'{"number": 4}\n')
	expect("epoll", epoll.poll(LATE / 1000), [(fd, select.EPOLLPRI)])
	drain(fd)
	expect("epoll, read", epoll.poll(0), [])
	epoll.close()
	os.close(fd)


def many_follow():
	"""Each is told, with writeback one of those that are of one lookup."""
	fd = opened(events)
	fds = [opened(events) for _ in range(100)]
	if not writeback:
		fds += [opened(f"/proc/self/fd/{fd}") for _ in range(100)]
	everyone = poller(*fds)
	for _ in range(3):
		expect("nothing for anyone", everyone.poll(1), [])
	left, found = set(fds), woken_by(lambda: add(b'{"number": 5}\n'), lambda: everyone.poll(LATE))
	while left and found:
		left -= {fd for fd, _ in found}
		found = poller(*left).poll(LATE) if left else []
	expect("not told", left, set())
	for other in fds + [fd]:
		assert b'"number": 5' in drain(other)
		os.close(other)


def the_rest_is_ready():
	mask = select.POLLIN | select.POLLOUT
	for path in events, f"{session}/.session/info.json", f"{session}/logs/file":
		fd = os.open(path, os.O_RDONLY | os.O_CREAT)
		expect(path, poller(fd, mask=mask | PRI).poll(0), [(fd, mask)])
		os.close(fd)


def gone():
	fd = opened(events)
	os.unlink(f"{session}/logs/file")

	def remove():
		for view in "research_data", "intermediate_results", "cache", "logs":
			os.rmdir(f"{session}/{view}")
		os.rmdir(session)

	expect("gone", woken_by(remove, lambda: poller(fd).poll(LATE)), [(fd, PRI | select.POLLERR)])
	os.close(fd)


for step in one_follows, filesystem_tells, other_calls, many_follow, the_rest_is_ready, gone:
	step()
