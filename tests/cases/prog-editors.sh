# sed -i, vim, and what Python programs do to files.
. "$TEST_ROOT/tests/lib.sh"

need vim

edit_work() {
	seq 1000 >f
	chmod 640 f
	sed -i 's/7/seven/g' f
	sed -i.bak '1,10d' f
	vim -es -u NONE -c '%s/9/nine/ge' -c wq f
	vim -es -u NONE -c 'set backup writebackup backupcopy=yes' -c 'normal Goend' -c wq f
	vim -es -u NONE -c 'set backupcopy=no' -c 'normal ggObegin' -c wq f
	cksum f f.bak
	stat -c '%a %s' f
	sort -o f f
	perl -pi -e 's/seven/7/' f
	tee -a f <f.bak >/dev/null
	split -l 100 f part.
	cat part.* | cmp - f
	gzip -k f
	gunzip -c f.gz | cmp - f
	install -m 755 f installed
	patch_one
	cksum f installed
	ls -A
}
patch_one() {
	cp f g
	sed -i 's/5/five/' g
	diff -u f g >changes || :
	patch -s f changes 2>/dev/null || cp g f
	cmp f g
	rm g changes
}
python_work() {
	python3 - <<'END'
import csv, json, mmap, os, pickle, shelve, shutil, sys, tempfile, zipfile
with tempfile.TemporaryDirectory(dir=".") as d:
	for make in tempfile.NamedTemporaryFile, tempfile.TemporaryFile, tempfile.SpooledTemporaryFile:
		with make(dir=d) as f:
			f.write(b"temporary" * 1000)
			f.flush()
			f.seek(0)
			assert f.read() == b"temporary" * 1000
json.dump({str(i): list(range(i)) for i in range(100)}, open("new.json", "w"))
os.replace("new.json", "data.json")
print(len(json.load(open("data.json"))))
with open("map", "w+b") as f:
	f.truncate(1 << 20)
	with mmap.mmap(f.fileno(), 0) as m:
		m[5000:5005] = b"hello"
		m.flush()
		print(m.find(b"hello"), os.pread(f.fileno(), 5, 5000))
		m.resize(2 << 20)
		m[-3:] = b"end"
print(os.path.getsize("map"), open("map", "rb").read()[-3:])
for i in range(30):
	os.makedirs(f"tree/{i % 5}/{i}")
	open(f"tree/{i % 5}/{i}/f", "w").write(str(i))
shutil.copytree("tree", "copy", symlinks=True)
shutil.move("copy", "moved")
shutil.make_archive("archive", "zip", "moved")
print(len(zipfile.ZipFile("archive.zip").namelist()))
shutil.rmtree("tree")
shutil.copy2("data.json", "copy.json")
print(os.stat("copy.json").st_mtime_ns == os.stat("data.json").st_mtime_ns)
with shelve.open("shelf") as s:
	s["a"] = [1, 2, 3]
with shelve.open("shelf") as s:
	print(s["a"])
pickle.dump(list(range(1000)), open("pickle", "wb"))
print(sum(pickle.load(open("pickle", "rb"))))
print(sorted(e.name for e in os.scandir(".") if e.is_file() and not e.name.startswith("shelf")))
fd = os.open(".", os.O_RDONLY)
os.fsync(fd)
print(sorted(os.listdir(fd)) == sorted(os.listdir(".")))
END
}

mount_for_programs
on_all edit_work
on_all python_work
umount_store
