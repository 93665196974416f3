# Files that are open without a name live on, in every view, and are collected when the daemon was killed.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
before=$(stat -f -c %f "$MNT")
cat >hold.py <<'END'
import os, sys
top = sys.argv[1]
views = "research_data", "intermediate_results", "cache", "logs"
held = []
for i, view in enumerate(views):
	f = open(f"{top}/{view}/f", "w+b", buffering=0)
	f.write(os.urandom(3000000))
	os.rename(f"{top}/{view}/f", f"{top}/{views[i - 1]}/moved")
	os.unlink(f"{top}/{views[i - 1]}/moved")
	held.append(f)
for f in held:
	f.write(b"more")
	assert os.fstat(f.fileno()).st_nlink == 0 and os.fstat(f.fileno()).st_size == 3000004
	assert os.pread(f.fileno(), 4, 3000000) == b"more"
print("ready", flush=True)
sys.stdin.read()
END
total() { json "$MNT/s/.session/info.json" 'j["total_size_bytes"]'; }

mkfifo go
python3 hold.py "$MNT/s" <go >said &
holder=$!
exec 7>go
wait_for 20 grep -q ready said
assert_eq "$(total)" 12000016
assert_eq "$(find "$MNT/s" -type f)" ""
exec 7>&-
wait $holder
wait_for 5 eval '[ "$(total)" = 0 ]'

python3 hold.py "$MNT/s" <go >said2 &
holder=$!
exec 7>go
wait_for 20 grep -q ready said2
kill_daemon
exec 7>&-
wait $holder || :
remount
assert_eq "$(total)" 0
check_counts "$MNT/s"
umount_store
