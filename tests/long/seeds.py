"""seeds.py DATA LOG CORPUS - takes records out of a log and content out of data.mdb, as seeds for the fuzzers."""
import struct
import sys

PAGE = 4096
HEADER, END = 80, 56 # of a log; the word at END is where the batches end
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


def small(data):
	"""(key, value) of records with small values, leaf by leaf."""
	for page in range(2 * PAGE, len(data), PAGE):
		flags, lower = struct.unpack_from("<HH", data, page + 10)
		for at in struct.unpack_from(f"<{(lower - 16) // 2}H", data, page + 16) if flags == 2 else ():
			low, high, big, key = struct.unpack_from("<HHHH", data, page + at)
			if key == 24 and not big:
				start = page + at + 8
				yield data[start:start + key], data[start + key:start + key + (low | high << 16)]


def content(data):
	"""(lowest byte of the key, value) of small content."""
	return ((key[23], value) for key, value in small(data) if key[11] == 11)


def store(data, log):
	"""The whole store, as the fuzzer `store` takes it."""
	records = b"".join(key + struct.pack("<H", len(value) - 4) + value[4:] for key, value in small(data))
	log = log[:HEADER] + log[PAGE:struct.unpack_from("<Q", log, END)[0]] if log else b""
	return struct.pack("<H", len(log[:65535])) + log[:65535] + records


# What programs write: (what, how, bytes) of the fuzzer `control`, (what, bytes) of `words`.
CONTROL = [
	(0, 1, b"paused\n"), (0, 1, b"active\n"), (0, 1, b"failed: no more\n"), (1, 1, b"1\n"), (2, 1, b"0.25\n"),
	(2, 1, b"5e-05"), (3, 1, b"2027-01-02T03:04:05.678Z\n"), (3, 1, b"+24h\n"), (3, 1, b"never"),
	(3, 0, b"default"), (4, 1, "Was gibt es für Züge?\n".encode()), (5, 1, b"two"), (6, 1, b"line\n" * 9),
	(7, 1, b"p"), (8, 1, b"red\ngreen\nred\n"), (9, 0, b'{"event": "own", "n": 1}\nsome text\n{"part'),
	(9, 0, b"\xff\xfe\n"), (11, 0, b"completed"), (12, 0, b"+7d"), (13, 0, b"1"), (16, 0, b"x"), (17, 0, b"0"),
	(18, 0, b"pip"), (19, 0, b"red"), (20, 0, b"active"), (21, 0, b"s"), (22, 0, b"s"),
]
NOBODY = 2**32 - 1
ACL = struct.pack("<I" + "HHI" * 5, 2, 1, 7, NOBODY, 2, 5, 1000, 4, 5, NOBODY, 16, 7, NOBODY, 32, 0, NOBODY)
WORDS = [
	(0, b"15m"), (0, b"1.5G"), (0, b"2026-11-22T09:30:00.5Z"),
	(1, b"ro,ttl=24h,keep=10,max_store_size=2G,compress=3"),
	(1, b"suid,x-systemd.automount,hot_size=64M,cache_ttl=0,commit=5s,max_threads=4,allow_other"),
	(2, b"36 35 0:31 / /mnt/a\\040b rw,nosuid - fuse.sessfs /store rw,user_id=0\n"), (3, ACL),
	(4, b'{"a": [1]}\ntext\n\n{"b'), (4, b"x" * 70000), (5, b'{"a": 1} \n plain'), (6, b"na\xc3\xafve \xff"),
]


def written(corpus):
	parts = [struct.pack("<BBH", what, how, len(text)) + text for what, how, text in CONTROL]
	for number, part in enumerate(parts + [b"".join(parts)]):
		save(corpus, "control", number, part)
	for what in 14, 15:
		save(corpus, "control", f"acl{what}", struct.pack("<BBH", what, 12, len(ACL)) + ACL)
	for number, (what, text) in enumerate(WORDS):
		save(corpus, "words", number, bytes([what]) + text)


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
	written(corpus)
	save(corpus, "record", 0, bytes([CHOICES[5]]) + ENDING)
	save(corpus, "chunk", 0, struct.pack("<IBII", 0, 0, 0, 5) + b"hello")
	pieces = b"".join(bytes([key & 3]) + struct.pack("<H", len(value)) + value for key, value in content(data))
	save(corpus, "pieces", 0, pieces)
	main_piece = struct.pack("<IBBI", 0, 2, 2, 18) + b"-" * 16
	save(corpus, "pieces", 1, b"\x02\x06\x00....ab" + b"\x03\x1a\x00" + main_piece)
	save(corpus, "store", 0, store(data, b""))
	save(corpus, "store", 1, store(data, log))
	save(corpus, "store", 2, store(b"", log))
	save(corpus, "warm", 0, data + bytes(range(8)))
	save(corpus, "warm", 1, data + b"\xff" * 8)


with open(sys.argv[1], "rb") as first, open(sys.argv[2], "rb") as second:
	main(first.read(), second.read(), sys.argv[3])
