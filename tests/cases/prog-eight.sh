# Eight processes at once, in one directory.
. "$TEST_ROOT/tests/lib.sh"

work_hard() {
	python3 - "$1" <<'END'
import os, random, sys
me = int(sys.argv[1])
r = random.Random(me)
mine, log = {}, os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for step in range(400):
	name = f"{me}-{r.randrange(30)}"
	what = r.randrange(5)
	if what < 2 or name not in mine:
		data = r.randbytes(r.randrange(40000))
		with open(f".{name}.new", "wb") as f:
			f.write(data)
		os.replace(f".{name}.new", name)
		mine[name] = data
	elif what == 2:
		os.unlink(name)
		del mine[name]
	elif what == 3:
		with open(name, "ab") as f:
			f.write(b"appended")
		mine[name] += b"appended"
	else:
		assert open(name, "rb").read() == mine[name], name
	os.write(log, b"%d %6d\n" % (me, step))
	if step % 50 == 0:
		os.listdir(".")
for name, data in mine.items():
	assert open(name, "rb").read() == data, name
END
}
eight_work() {
	local i workers
	for i in {1..8}; do
		work_hard "$i" &
		workers[i]=$!
	done
	for i in {1..8}; do wait "${workers[i]}"; done
	wc -l <log
	cat [0-9]* | cksum
	ls -A | wc -l
}

mount_for_programs -o max_threads=4
on_both eight_work
check_counts "$MNT/s"
umount_store
