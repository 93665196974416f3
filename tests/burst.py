#!/usr/bin/env python3
"""One file of numbered pieces, for the cases in which the logs grow.

usage: burst.py write FILE COUNT [SYNC]         writes so many pieces, with an fsync after every SYNC of them; prints
                                                "TIME PIECES" (ns of CLOCK_MONOTONIC) after each, and at the end, or
                                                where the mount went away, "end PIECES": so many were acknowledged
       burst.py verify FILE LEAST MOST          it holds so many pieces, and the right ones
"""
import os
import random
import sys
import time

PIECE = 128 << 10
TEXT = random.Random(1).randbytes(1 << 20).hex().encode()


def content(number):
	"""What compresses to a half, slowly at high levels."""
	at = number * 4099 % (len(TEXT) - PIECE)
	return (b"%08d" % number + TEXT[at:at + PIECE])[:PIECE]


def write(path, count, sync=0):
	done = 0
	try:
		fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
		while done < count:
			if os.write(fd, content(done)) != PIECE:
				break
			done += 1
			if sync and done % sync == 0:
				os.fsync(fd)
				print(time.monotonic_ns(), done, flush=True)
	except OSError as error:
		print(error, file=sys.stderr)
	print("end", done)


def verify(path, least, most):
	with open(path, "rb") as file:
		data = file.read()
	count, rest = divmod(len(data), PIECE)
	if rest or not least <= count <= most:
		sys.exit(f"{path}: {len(data)} bytes, that is {count} pieces, expected {least} to {most}")
	for number in range(count):
		if data[number * PIECE:(number + 1) * PIECE] != content(number):
			sys.exit(f"{path}: piece {number} of {count} is wrong")


if __name__ == "__main__":
	{"write": write, "verify": verify}[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))
