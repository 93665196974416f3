"""seeds.py DATA LOG CORPUS - takes records out of a log and content out of data.mdb, as seeds for the fuzzers."""
import struct
import sys

PAGE = 4096
CHOICES = {1: 3, 3: 1, 4: 6, 5: 4, 8: 0, 9: 5, 10: 2}  # kind of a key -> what the fuzzer `record` makes of the bytes
# An ending: {1: "gone", 2: created, 3: ended - created, 4: until, 5: rule, 6: status, 7: files}
ENDING = b"\x87\x01\xc4\x04gone\x02\xd3" + struct.pack(">q", 1 << 60) + b"\x03\xce\x3b\x9a\xca\x00\x04\xd3" + \
	struct.pack(">q", -1) + b"\x05\x03\x06\x04\x07\xcd\x01\x00"


def save(corpus, name, number, data):
	with open(f"{corpus}/{name}/seed{number}", "wb") as file:
		file.write(data)


def batches(log):
	at = PAGE
	while at + 16 <= len(log):
		_, length, count = struct.unpack_from("<QII", log, at)
		if length < 16:
			return
		yield log[at:at + length], count
		at += length


def records(batch, count):
	at = 16
	for _ in range(count):
		words = struct.unpack_from("<QQQ", batch, at)
		length, op = struct.unpack_from("<IB", batch, at + 36)
		yield words[1] >> 32 & 0xff, op, batch[at + 48:at + 48 + length]
		at += 48 + ((length + 7) // 8 * 8 if op in (1, 3) else 0)


def main(data, log, corpus):
	number = 0
	for batch, count in batches(log):
		number += 1
		save(corpus, "log", number, batch[:300000])
		for kind, op, body in records(batch, count):
			if op == 1 and kind in CHOICES:
				number += 1
				save(corpus, "record", number, bytes([CHOICES[kind]]) + body)
	for page in range(0, len(data), PAGE):
		if struct.unpack_from("<H", data, page + 10)[0] == 4:
			number += 1
			save(corpus, "chunk", number, data[page + 16:page + 16 + struct.unpack_from("<I", data, page + 12)[0] * PAGE])
	save(corpus, "record", 0, bytes([CHOICES[5]]) + ENDING)
	save(corpus, "chunk", 0, struct.pack("<IBII", 0, 0, 0, 5) + b"hello")
	save(corpus, "warm", 0, data + bytes(range(8)))
	save(corpus, "warm", 1, data + b"\xff" * 8)


with open(sys.argv[1], "rb") as first, open(sys.argv[2], "rb") as second:
	main(first.read(), second.read(), sys.argv[3])
