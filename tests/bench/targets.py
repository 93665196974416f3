"""The filesystems that are measured: how each is made afresh, cooled down (nothing of it in memory) and taken away."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

PIN = os.environ.get("PIN", "0")
BUILD = os.path.abspath(os.environ.get("BUILD", f"{os.path.dirname(__file__)}/../../build"))
SESSFS = os.environ.get("SESSFS", f"{BUILD}/sessfs")
ROOM = 10 << 30


class Failed(Exception):
	pass


def command(*words, check=True):
	done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
		text=True, timeout=120)
	if check and done.returncode:
		raise Failed(f"{' '.join(words)}: {done.stdout.strip() or done.returncode}")
	return done.stdout


def drop_caches():
	with open("/proc/sys/vm/drop_caches", "w") as file:
		file.write("3")


def mounted(path):
	with open("/proc/self/mountinfo") as file:
		return any(line.split()[4] == path for line in file)


def wait_until(condition, seconds, what):
	end = time.monotonic() + seconds
	while not condition():
		if time.monotonic() > end:
			raise Failed(f"{what}: not within {seconds} s")
		time.sleep(0.0005)


def unmount(path):
	if mounted(path) and subprocess.run(["umount", path], stderr=subprocess.DEVNULL).returncode:
		subprocess.run(["umount", "-l", path])


@contextlib.contextmanager
def scratch():
	"""A directory for loop files and stores, in memory if there is enough: a slow disk blurs the figures."""
	directory = tempfile.mkdtemp(prefix="bench.", dir=os.environ.get("BENCH_DIR"))
	with open("/proc/meminfo") as file:
		available = int(re.search(r"MemAvailable: *(\d+)", file.read()).group(1)) << 10
	in_memory = "BENCH_DIR" not in os.environ and available > ROOM
	try:
		if in_memory:
			command("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "bench", directory)
		yield directory
	finally:
		if in_memory:
			unmount(directory)
		shutil.rmtree(directory, ignore_errors=True)


class Target:
	"""up() makes it and its dir; down() undoes all of it, also half done. peer: measured in fewer rounds."""
	name, peer = "", False

	def __init__(self, directory):
		self.base = f"{directory}/{self.name}"
		self.point, self.image, self.store = f"{self.base}/mount", f"{self.base}/image", f"{self.base}/store"
		self.dir = f"{self.point}/bench/research_data"
		self.pin = int(PIN) if PIN else None
		self.pid = None

	def up(self):
		os.makedirs(self.point)
		os.makedirs(self.store)
		self.make()
		self.mount()
		os.makedirs(self.dir, exist_ok=True)

	def down(self):
		self.unmount()
		self.unmake()
		shutil.rmtree(self.base, ignore_errors=True)

	def make(self):
		pass

	def unmake(self):
		pass

	def unmount(self):
		unmount(self.point)

	def settle(self):
		"""What was written before is not to be paid for by what is measured next."""
		command("sync", "-f", self.dir)
		command("sync", self.dir)

	def cool(self):
		self.settle()
		self.unmount()
		drop_caches()
		self.mount()

	def make_image(self, size=6 << 30):
		with open(self.image, "wb") as file:
			file.truncate(size)

	def make_ext4(self, *options):
		self.make_image()
		command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", *options, self.image)


class Ext4(Target):
	name = "ext4"

	def make(self):
		self.make_ext4("-i", "4096")

	def mount(self):
		command("mount", "-o", "loop", self.image, self.point)


class Btrfs(Target):
	name = "btrfs"

	def make(self):
		self.make_image()
		command("mkfs.btrfs", "-q", self.image)

	def mount(self):
		command("mount", "-o", "loop,compress=zstd:3", self.image, self.point)


class Tmpfs(Target):
	name = "tmpfs"

	def mount(self):
		command("mount", "-t", "tmpfs", "-o", "size=6g", "bench", self.point)

	def cool(self):
		drop_caches()


class Daemon(Target):
	"""A FUSE filesystem: a process in the foreground, on the client's CPU as far as it serves requests."""
	words = ()

	def mount(self):
		self.log = open(f"{self.base}/log", "ab")
		start = time.monotonic()
		self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=subprocess.STDOUT)
		self.pid = self.process.pid
		running = self.process.poll
		wait_until(lambda: mounted(self.point) or running() is not None, 20, f"{self.name}: the mount")
		if self.process.poll() is not None:
			with open(f"{self.base}/log", errors="replace") as file:
				raise Failed(f"{self.name}: {file.read().strip()}")
		os.stat(self.point)
		self.mount_ms = (time.monotonic() - start) * 1000
		self.pin_threads()

	def serves(self, tid):
		"""Whether the thread is named for it, or waits in a read of /dev/fuse."""
		try:
			with open(f"/proc/{self.pid}/task/{tid}/comm") as file:
				if file.read().strip() == "serve":
					return True
			with open(f"/proc/{self.pid}/task/{tid}/syscall") as file:
				fd = int(file.read().split()[1], 16)
			return os.readlink(f"/proc/{self.pid}/fd/{fd}") == "/dev/fuse"
		except (IndexError, ValueError, OSError):
			return False

	def pin_threads(self):
		if self.pin is None:
			return
		threads = os.listdir(f"/proc/{self.pid}/task")
		wait_until(lambda: any(map(self.serves, threads)), 5, f"{self.name}: a thread that serves")
		for tid in filter(self.serves, threads):
			os.sched_setaffinity(int(tid), {self.pin})

	def unmount(self):
		unmount(self.point)
		if self.pid:
			try:
				self.process.wait(60)
			except subprocess.TimeoutExpired:
				self.process.kill()
				self.process.wait()
			self.log.close()
			self.pid = None


class Nullfs(Daemon):
	name = "nullfs"
	options = ()

	def command(self):
		return [f"{BUILD}/bench/nullfs", *self.options, self.point]

	def cool(self):
		drop_caches()


class NullfsWriteback(Nullfs):
	name, peer = "nullfs-wb", True
	options = ("-o", "writeback")


class Sessfs(Daemon):
	name = "sessfs"
	options = ()
	device = None

	def make(self):
		self.make_ext4()
		command("mount", "-o", "loop", self.image, self.store)
		os.mkdir(f"{self.store}/s")

	def unmake(self):
		unmount(self.store)

	def mount(self):
		super().mount()
		if not os.path.isdir(f"{self.point}/bench"):
			os.mkdir(f"{self.point}/bench")

	def command(self):
		return [SESSFS, "mount", "-f", f"{self.store}/s", self.point, *self.options]

	def cool(self):
		self.settle()
		self.unmount()
		unmount(self.store)
		drop_caches()
		command("mount", "-o", "loop", self.image, self.store)
		self.mount()


class SessfsWriteback(Sessfs):
	name, peer = "sessfs-wb", True
	options = ("-o", "writeback")


class Peer(Daemon):
	peer = True
	program = ""

	def serves(self, tid):
		return True


class Bindfs(Peer):
	name = program = "bindfs"

	def command(self):
		return ["bindfs", "-f", self.store, self.point]


class Gocryptfs(Peer):
	name = program = "gocryptfs"

	def make(self):
		command("gocryptfs", "-q", "-init", "-scryptn", "10", "-extpass", "echo bench", self.store)

	def command(self):
		return ["gocryptfs", "-q", "-fg", "-extpass", "echo bench", self.store, self.point]


class Ntfs3g(Peer):
	name = program = "ntfs-3g"

	def make(self):
		self.make_image()
		command("mkntfs", "-q", "-F", "-Q", self.image)

	def command(self):
		return ["ntfs-3g", "-o", "no_detach,big_writes", self.image, self.point]


class Fuse2fs(Peer):
	name = program = "fuse2fs"

	def make(self):
		self.make_ext4("-i", "4096")

	def command(self):
		return ["fuse2fs", "-f", "-o", "rw", self.image, self.point]


TARGETS = [Ext4, Btrfs, Tmpfs, Nullfs, Sessfs, NullfsWriteback, SessfsWriteback, Gocryptfs, Ntfs3g, Fuse2fs, Bindfs]


def find_targets(directory):
	wanted = os.environ.get("TARGETS", "").split()
	programs = {Btrfs: "mkfs.btrfs", **{t: t.program for t in TARGETS if issubclass(t, Peer)}}
	found = []
	for target in TARGETS:
		there = shutil.which(programs[target]) if target in programs else True
		if issubclass(target, Sessfs):
			there = os.access(SESSFS, os.X_OK)
		if wanted and target.name not in wanted:
			continue
		if there:
			found.append(target(directory))
		else:
			print(f"{target.name} is not installed: not measured", file=sys.stderr)
	return found


def resident(pid):
	"""{VmRSS, RssAnon, RssFile}: bytes."""
	with open(f"/proc/{pid}/status") as file:
		found = re.findall(r"^(VmRSS|RssAnon|RssFile):\s*(\d+)", file.read(), re.M)
	return {key: int(value) << 10 for key, value in found}


def space_of_store(sessfs):
	"""Bytes in use in the store's data file; what LMDB has freed inside is not counted."""
	text = command("mdb_stat", "-ef", f"{sessfs.store}/s")
	page, used, free = (int(re.search(rf"{label}: (\d+)", text).group(1)) for label in
		("Page size", "Number of pages used", "Free pages"))
	return page * (used - free)
