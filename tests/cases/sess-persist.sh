# A tree of everything comes back the same, after an unmount and after a kill.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
cd "$MNT/s/research_data"
python3 - <<'END'
import os, socket
for i in range(40):
	with open(f"file{i}", "wb") as f:
		f.write(os.urandom(i * 997) + b"text " * i * 300)
	os.utime(f"file{i}", ns=(i * 10**9 + 1, 10**18 + i))
	os.setxattr(f"file{i}", "user.number", bytes([i, 0, 255]))
os.link("file3", "link3")
os.link("file3", "../logs/link3")
os.symlink("file3", "symlink")
os.symlink("nowhere", b"\xff odd \n")
os.mkfifo("pipe", 0o640)
socket.socket(socket.AF_UNIX).bind("socket")
os.makedirs("a/b/c")
os.chmod("a", 0o2750)
os.chmod("file5", 0o4711)
with open("sparse", "wb") as f:
	f.write(b"start")
	f.seek(1 << 30)
	f.write(b"end")
	f.truncate(1 << 31)
os.setxattr("sparse", "user.large", os.urandom(60000))
END
if [ "$(id -u)" = 0 ]; then
	mknod null c 1 3
	chown 12:34 file7 a/b
	setfattr -n trusted.t -v secret file8
fi
truncate -s 0 sparse && truncate -s 3000000 sparse && echo end >>sparse
setfacl -m u:$USER_ID:rwx,d:u:$USER_ID:rx a
cd "$TEST_DIR"

tree_of "$MNT/s" >before
remount
tree_of "$MNT/s" >after
cmp before after || fail "after a remount: $(diff before after | head -5)"
touch "$MNT/s/logs/late"
tree_of "$MNT/s" >before
kill_daemon
remount
tree_of "$MNT/s" >after
cmp before after || fail "after a kill: $(diff before after | head -5)"
umount_store
