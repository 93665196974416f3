# Counters are exact after random changes, a crash and a remount.
. "$TEST_ROOT/tests/lib.sh"

cat >"$TEST_DIR/change.py" <<'END'
import os, random, sys
top, seed = sys.argv[1], int(sys.argv[2])
r = random.Random(seed)
dirs = [f"{top}/{v}" for v in ("research_data", "intermediate_results", "cache", "logs")] + [top]
for d in dirs[:4]:
	os.makedirs(f"{d}/sub/deep", exist_ok=True)
dirs += [f"{d}/sub" for d in dirs[:4]] + [f"{d}/sub/deep" for d in dirs[:4]]
names = lambda: f"{r.choice(dirs)}/{r.choice('abcdefgh')}"
kept = []
def write():
	with open(names(), r.choice(["wb", "ab", "r+b"])) as f:
		f.seek(r.randrange(300000))
		f.write(os.urandom(r.randrange(200000)))
def hold():
	path = names()
	f = open(path, "r+b")
	os.unlink(path)
	f.truncate(r.randrange(100000))
	kept.append(f)
steps = [write, write, write, hold,
	lambda: os.truncate(names(), r.randrange(500000)),
	lambda: os.rename(names(), names()), lambda: os.rename(names(), names()),
	lambda: os.link(names(), names()), lambda: os.unlink(names()),
	lambda: os.symlink("target", names()), lambda: os.mknod(names(), 0o140644),
	lambda: os.rename(f"{r.choice(dirs[5:9])}", f"{r.choice(dirs[:4])}/moved{r.randrange(3)}"),
	lambda: os.rename(f"{r.choice(dirs[:4])}/moved{r.randrange(3)}", f"{r.choice(dirs[:4])}/sub"),
	lambda: os.rename(f"{top}/cache", f"{top}/aside"), lambda: os.rename(f"{top}/aside", f"{top}/cache"),
	lambda: kept.pop(0).close()]
done = 0
for _ in range(1500):
	try:
		r.choice(steps)()
		done += 1
	except (OSError, IndexError):
		pass
assert done > 300, done
for f in kept:
	f.close()
END
mount_store -o commit=1,hot_size=4M
mkdir "$MNT/s"
for seed in 1 2 3; do
	python3 "$TEST_DIR/change.py" "$MNT/s" $seed
	check_counts "$MNT/s"
	kill_daemon
	remount
	check_counts "$MNT/s"
done
remount
check_counts "$MNT/s"
rm -rf "$MNT/s"/*
check_counts "$MNT/s"
umount_store
