# Who made a file, and the counters of what was done in a session.
. "$TEST_ROOT/tests/lib.sh"

maker() { # PATH - pid uid command
	python3 - "$MNT/s/.session/files.jsonl" "$1" <<'END'
import json, sys
for line in open(sys.argv[1]):
	entry = json.loads(line)
	if entry["path"] == sys.argv[2]:
		by = entry["created_by"]
		print(by["pid"], by["uid"], by["command"])
END
}

if [ "$(id -u)" = 0 ]; then mount_store -o allow_other; else mount_store; fi
mkdir -m 777 "$MNT/s"
chmod 777 "$MNT"/s/*
note "process, user, command"
cat >make.py <<'END'
import os, sys, threading
top = sys.argv[1]
open(top + "/logs/main", "w").close()
os.symlink("x", top + "/logs/symlink")
os.mkfifo(top + "/logs/fifo")
def work():
	with open("/proc/thread-self/comm", "w") as comm:
		comm.write("a-thread")
	open(top + "/logs/thread", "w").close()
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(os.getpid())
END
pid=$(as_user python3 make.py "$MNT/s")
uid=$(as_user id -u)
for name in main symlink fifo thread; do
	assert_match "$(maker logs/$name)" "^$pid $uid python3(\.[0-9]+)?$" $name
done
cp /bin/sh "$TEST_DIR/a name of 20 bytes"
"$TEST_DIR/a name of 20 bytes" -c 'echo >"$1"; echo $$' - "$MNT/s/logs/long" >said
assert_eq "$(maker logs/long)" "$(cat said) $(id -u) a name of 20 by"

note "it stays with the file"
echo more >>"$MNT/s/logs/main"
mv "$MNT/s/logs/main" "$MNT/s/cache/moved"
kill_daemon
remount
assert_match "$(maker cache/moved)" "^$pid $uid python3"
rm "$MNT"/s/logs/* "$MNT/s/cache/moved"

note "bursts of several processes"
for i in 1 2 3 4; do
	sh -c 'for n in 1 2 3 4 5 6 7 8 9; do echo >"$1.$n"; done; echo $$' - "$MNT/s/logs/$i" >said.$i &
	shells[i]=$!
done
wait "${shells[@]}"
for i in 1 2 3 4; do
	for n in 1 5 9; do
		assert_match "$(maker logs/$i.$n)" "^$(cat said.$i) $(id -u) sh$"
	done
done

note "counters"
counter() { json "$MNT/.sessfs/history.json" "[s for s in j['sessions'] if s['id'] == '$1'][0]['$2']"; }
mkdir "$MNT/c"
echo a >"$MNT/c/logs/a"
echo b >"$MNT/c/logs/b"
echo again >>"$MNT/c/logs/b"
mkdir "$MNT/c/logs/dir"
ln -s a "$MNT/c/logs/symlink"
ln "$MNT/c/logs/a" "$MNT/c/logs/link"
is_old() { [ "$(($(date +%s%N) - $(date -r "$MNT/c/logs/b" +%s%N)))" -gt 1100000000 ]; }
wait_for 5 is_old
echo more >>"$MNT/c/logs/b"
echo more >>"$MNT/c/logs/b"
truncate -s 1 "$MNT/c/logs/b"
chmod 600 "$MNT/c/logs/a"
kill_daemon
remount
echo more >>"$MNT/c/logs/b"
mv "$MNT/c" "$MNT/.sessfs/trash/"
assert_eq "$(counter c files_created) $(counter c files_modified) $(counter c files)" "3 1 4"
[ "$(counter c operations)" -ge 13 ] || fail "$(counter c operations) operations"
umount_store
