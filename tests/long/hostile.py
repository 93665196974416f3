"""hostile.py PROGRAM DIRECTORY ROUNDS SEED - see the file hostile."""
import errno
import glob
import hashlib
import os
import random
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys

PROGRAM, DIRECTORY, ROUNDS, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
MOUNT = f"{DIRECTORY}/mnt"
PAGE = 4096
BRANCH, LEAF, META = 1, 2, 8
LIMIT = 60


def fail(text):
	sys.exit(f"round of seed {seed}, {how}: {text}")


# ---- the mount ------------------------------------------------------------------------------------------------------

def is_mounted():
	with open("/proc/self/mounts") as file:
		return any(line.split()[1] == MOUNT for line in file)


def mount(store, *options):
	"""The daemon, once it serves; or its exit status."""
	log = open(f"{DIRECTORY}/daemon.log", "ab")
	command = [PROGRAM, "mount", "-f", store, MOUNT, "-o", ",".join(("hot_size=4M", "commit=1") + options)]
	daemon = subprocess.Popen(command, stdout=log, stderr=log)
	log.close()
	pidfd = os.pidfd_open(daemon.pid)
	try:
		for _ in range(LIMIT * 50):
			if daemon.poll() is not None:
				return check_status("mount", daemon.returncode)
			if is_mounted():
				os.statvfs(MOUNT)
				return daemon
			select.select([pidfd], [], [], 0.02)
	finally:
		os.close(pidfd)
	fail("the daemon neither serves nor ends")


def check_status(what, status):
	if status < 0:
		fail(f"{what} died of {signal.Signals(-status).name}")
	return status


def run(*command):
	try:
		done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT,
			check=False)
	except subprocess.TimeoutExpired:
		fail(f"{' '.join(command)} hangs")
	check_status(" ".join(command[1:3]), done.returncode)
	return done.returncode, done.stdout.decode(errors="replace")


def unmount(daemon):
	run(PROGRAM, "umount", MOUNT)
	try:
		return check_status("the daemon", daemon.wait(LIMIT))
	except subprocess.TimeoutExpired:
		daemon.kill()
		fail("the daemon does not end")


# ---- content --------------------------------------------------------------------------------------------------------

def fill(rng):
	words = [bytes(rng.choices(b"abcdefghij", k=rng.randrange(2, 9))) for _ in range(200)]
	for session in "one", "two":
		top = f"{MOUNT}/{session}"
		os.mkdir(top)
		for number in range(60):
			with open(f"{top}/cache/small{number}", "wb") as file:
				file.write(b" ".join(rng.choices(words, k=rng.randrange(1, 80))))
		os.makedirs(f"{top}/logs/deep/er/still")
		for number in range(6):
			with open(f"{top}/logs/deep/er/large{number}", "wb") as file:
				file.write(
					rng.randbytes(300000) if number % 2 else b" ".join(rng.choices(words, k=60000)))
		os.link(f"{top}/cache/small1", f"{top}/logs/link")
		os.symlink("../cache/small2", f"{top}/logs/symlink")
		os.setxattr(f"{top}/cache/small3", "user.note", rng.randbytes(3000))


def fill_trash(rng):
	"""A session in the trash, with texts and events."""
	os.mkdir(f"{MOUNT}/three")
	for number in range(100):
		with open(f"{MOUNT}/three/cache/file{number}", "wb") as file:
			file.write(rng.randbytes(rng.randrange(1, 3000)))
	with open(f"{MOUNT}/three/.session/query", "w") as file:
		file.write("what for\n")
	with open(f"{MOUNT}/one/.session/events.jsonl", "a") as file:
		file.write('{"event": "something"}\n' * 50)
	os.rename(f"{MOUNT}/three", f"{MOUNT}/.sessfs/trash/three")


def describe(path):
	st = os.lstat(path)
	if stat.S_ISLNK(st.st_mode):
		return "link", os.readlink(path)
	if stat.S_ISDIR(st.st_mode):
		return "directory", sorted(os.listdir(path))
	with open(path, "rb") as file:
		data = file.read()
	names = os.listxattr(path)
	return "file", len(data), hashlib.sha1(data).hexdigest(), [(name, os.getxattr(path, name)) for name in names]


def paths():
	yield ""
	for where, directories, files in os.walk(MOUNT):
		for name in directories + files:
			yield os.path.relpath(os.path.join(where, name), MOUNT)


def remember():
	return {path: describe(f"{MOUNT}/{path}") for path in paths()}


def compare(model, intact=False):
	"""Every path is what it was or EIO. Returns how many are EIO."""
	hurt = 0
	for path, expected in model.items():
		try:
			found = describe(f"{MOUNT}/{path}")
		except OSError as error:
			if error.errno != errno.EIO or intact:
				fail(f"{path}: {error}")
			hurt += 1
			continue
		if found != expected:
			fail(f"{path} is {str(found)[:200]}, was {str(expected)[:200]}")
	return hurt


def read_all():
	for where, directories, files in os.walk(MOUNT):
		for name in directories + files:
			try:
				describe(os.path.join(where, name))
			except OSError:
				pass


def write(rng, model):
	"""Changes all over the tree; each may fail, but only with an errno."""
	for path in rng.sample(sorted(model), 20) + [""]:
		for change in (
			lambda at: os.truncate(at, 100), os.unlink, os.rmdir, lambda at: os.mkdir(at + "/new"),
			lambda at: os.chmod(at, 0o700), lambda at: os.rename(at, at + ".moved"),
			lambda at: open(at + ".made", "wb").write(b"x" * 200000),
		):
			if rng.random() < 0.5:
				try:
					change(f"{MOUNT}/{path}")
				except OSError:
					pass
	try:
		os.sync()
	except OSError:
		pass


# ---- damage ---------------------------------------------------------------------------------------------------------

def flip(file, at, rng):
	file.seek(at)
	byte = file.read(1)[0]
	file.seek(at)
	file.write(bytes([byte ^ 1 << rng.randrange(8)]))


def tree_pages(file):
	size = file.seek(0, 2)
	found = []
	for page in range(size // PAGE):
		file.seek(page * PAGE)
		number, _, flags = struct.unpack("<QHH", file.read(12))
		if number == page and flags in (BRANCH, LEAF, META):
			found.append(page)
	return found


def damage_bits(file, rng):
	size = file.seek(0, 2)
	for _ in range(rng.randrange(1, 30)):
		flip(file, rng.randrange(size), rng)


def damage_pages(file, rng):
	found = tree_pages(file)
	for _ in range(rng.randrange(1, 12)):
		flip(file, rng.choice(found) * PAGE + rng.randrange(PAGE), rng)


def damage_heads_of_pages(file, rng):
	found = tree_pages(file)
	for _ in range(rng.randrange(1, 6)):
		flip(file, rng.choice(found) * PAGE + rng.randrange(160), rng)


def damage_one_head(file, rng):
	flip(file, rng.randrange(2) * PAGE + rng.randrange(160), rng)


def damage_bytes(file, rng):
	found = tree_pages(file)
	for _ in range(rng.randrange(1, 4)):
		file.seek(rng.choice(found) * PAGE + rng.randrange(PAGE - 64))
		file.write(rng.randbytes(rng.randrange(1, 64)))


def damage_whole_page(file, rng):
	page = rng.choice(tree_pages(file)[2:])
	file.seek(page * PAGE)
	file.write(rng.choice([bytes(PAGE), b"\xff" * PAGE, rng.randbytes(PAGE)]))


def damage_truncate(file, rng):
	file.truncate(rng.randrange(file.seek(0, 2)))


DAMAGES = [damage_bits, damage_pages, damage_pages, damage_heads_of_pages, damage_one_head, damage_bytes,
	damage_whole_page, damage_truncate]


def damage_log(store, rng):
	for log in glob.glob(f"{store}/hot.*"):
		with open(log, "r+b") as file:
			for _ in range(rng.randrange(0, 8)):
				places = [rng.randrange(64), 4096 + rng.randrange(200), 4096 + rng.randrange(100000)]
				flip(file, rng.choice(places), rng)


# ---- rounds ---------------------------------------------------------------------------------------------------------

def prepare(rng):
	"""A store that was unmounted, its tree, and one that was killed with its logs full, a session just dropped."""
	clean, killed = f"{DIRECTORY}/clean", f"{DIRECTORY}/killed"
	run(PROGRAM, "init", clean)
	daemon = mount(clean)
	fill(rng)
	fill_trash(rng)
	unmount(daemon)
	daemon = mount(clean)
	model = remember()
	unmount(daemon)
	shutil.copytree(clean, killed)
	daemon = mount(killed, "commit=3600")
	for number in range(20):
		with open(f"{MOUNT}/one/logs/late{number}", "wb") as file:
			file.write(b"late %d " % number * 1000)
	os.unlink(f"{MOUNT}/two/cache/small7")
	os.rmdir(f"{MOUNT}/.sessfs/trash/three")
	daemon.kill()
	daemon.wait()
	subprocess.run(["umount", "-l", MOUNT], check=True)
	return clean, killed, model


def verify_repair(store):
	status, said = run(PROGRAM, "check", store)
	repair, words = run(PROGRAM, "check", "--repair", store)
	if repair not in (0, 1):
		if status not in (4, 8):
			fail(f"check says {status}, but repair {repair}: {words[-600:]}")
		return 0
	again, left = run(PROGRAM, "check", store)
	if again != 0:
		fail(f"not clean after repair: {said[-1000:]}\n{words[-1000:]}\n{left[-1000:]}")
	daemon = mount(store)
	if isinstance(daemon, int):
		fail("cannot be mounted after repair")
	read_all()
	if unmount(daemon) != 0:
		fail("cannot be saved after repair")
	return 1


def round_of_data(clean, model, rng):
	store = f"{DIRECTORY}/store"
	shutil.copytree(clean, store)
	with open(f"{store}/data.mdb", "r+b") as file:
		damage(file, rng)
	hurt = -1
	daemon = mount(store)
	if not isinstance(daemon, int):
		hurt = compare(model)
		write(rng, model)
		read_all()
		unmount(daemon)
	return store, hurt


def round_of_log(killed, rng):
	store = f"{DIRECTORY}/store"
	shutil.copytree(killed, store)
	damage_log(store, rng)
	if rng.random() < 0.5:
		with open(f"{store}/data.mdb", "r+b") as file:
			damage(file, rng)
	daemon = mount(store)
	if not isinstance(daemon, int):
		read_all()
		unmount(daemon)
	return store, 0


seed, how = SEED, "preparing"
clean, killed, model = prepare(random.Random(4711))
refused = hurt = mended = 0
for seed in range(SEED, SEED + ROUNDS):
	rng = random.Random(seed)
	damage = rng.choice(DAMAGES)
	logs = rng.random() < 0.15
	how = "damage_log" if logs else damage.__name__
	store, eio = round_of_log(killed, rng) if logs else round_of_data(clean, model, rng)
	refused += eio < 0
	hurt += max(eio, 0)
	mended += verify_repair(store)
	shutil.rmtree(store)
print(f"{ROUNDS} rounds: {refused} refused to be mounted, {hurt} of {ROUNDS * len(model)} paths with EIO,"
	f" {mended} mended")
