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


def content(data):
	"""(lowest byte of the key, value) of small content, leaf by leaf."""
	for page in range(2 * PAGE, len(data), PAGE):
		flags, lower = struct.unpack_from("<HH", data, page + 10)
		for at in struct.unpack_from(f"<{(lower - 16) // 2}H", data, page + 16) if flags == 2 else ():
			low, high, big, key = struct.unpack_from("<HHHH", data, page + at)
			if key == 24 and not big and data[page + at + 8 + 11] == 11:
				start = page + at + 8 + key
				yield data[page + at + 8 + 23], data[start:start + (low | high << 16)]


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
			pages = struct.unpack_from("<I", data, page + 12)[0]
			save(corpus, "chunk", number, data[page + 16:page + 16 + pages * PAGE])
	save(corpus, "record", 0, bytes([CHOICES[5]]) + ENDING)
	save(corpus, "chunk", 0, struct.pack("<IBII", 0, 0, 0, 5) + b"hello")
	pieces = b"".join(bytes([key & 3]) + struct.pack("<H", len(value)) + value for key, value in content(data))
	save(corpus, "pieces", 0, pieces)
	main_piece = struct.pack("<IBBI", 0, 2, 2, 18) + b"-" * 16
	save(corpus, "pieces", 1, b"\x02\x06\x00....ab" + b"\x03\x1a\x00" + main_piece)
	save(corpus, "warm", 0, data + bytes(range(8)))
	save(corpus, "warm", 1, data + b"\xff" * 8)


with open(sys.argv[1], "rb") as first, open(sys.argv[2], "rb") as second:
	main(first.read(), second.read(), sys.argv[3])
