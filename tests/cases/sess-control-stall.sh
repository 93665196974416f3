# What one program writes to the control files of its session stalls no other.
. "$TEST_ROOT/tests/lib.sh"

mount_store -o max_threads=4
mkdir "$MNT/s" "$MNT/other"
cat >"$TEST_DIR/stall" <<'END'
import multiprocessing, os, sys, time
mount, file, text = sys.argv[1], sys.argv[2], eval(sys.argv[3])
path = mount + "/s/.session/" + file
flags = os.O_WRONLY | (os.O_APPEND if file == "events.jsonl" else os.O_TRUNC)

def write(begun, ended):
	fd = os.open(path, flags)
	begun.set()
	try:
		os.write(fd, text)
	except OSError as error:
		print(error)
	ended.set()

begun, ended = multiprocessing.Event(), multiprocessing.Event()
writer = multiprocessing.Process(target=write, args=(begun, ended))
writer.start()
begun.wait()
first = time.monotonic()
longest = looks = 0
while not ended.is_set():
	start = time.monotonic()
	os.path.exists(mount + "/other/%d" % looks)
	longest = max(longest, time.monotonic() - start)
	looks += 1
whole = time.monotonic() - first
writer.join()
print("%s %d bytes: %d looks, the longest %.1f of %.1f ms" % (file, len(text), looks, longest * 1000, whole * 1000))
# A shorter one is not to be told from a busy machine.
assert longest < max(0.3, whole / 2), (longest, whole)
END
stall() { python3 "$TEST_DIR/stall" "$MNT" "$@"; }
stall events.jsonl 'b"a\n" * (1 << 19)'
stall events.jsonl 'b"abc\n" * 20000'
stall events.jsonl 'b"{}\n" * 300000'
stall tags '"".join("%d\n" % n for n in range(11000)).encode()'
assert_eq "$(tail -n 1 "$MNT/s/.session/events.jsonl")" "{}"

note "nor with a single thread that serves"
remount -o max_threads=1
stall events.jsonl 'b"a\n" * (1 << 19)'

note "what sums up a large session is made beside the thread that serves"
# By the thread's count of turns on a CPU.
turns() {
	local task
	for task in "/proc/$DAEMON/task/"*; do
		[ "$(<"$task/comm")" != slow ] || cut -d ' ' -f 3 "$task/schedstat"
	done
}
python3 -c 'import sys
for i in range(3000): open("%s/s/logs/%d" % (sys.argv[1], i), "w").write("some bytes")' "$MNT"
for what in "cat .session/info.json" "getfattr -n user.sessfs.stored_bytes ." \
	"getfattr -n user.sessfs.compression_ratio ."; do
	before=$(turns)
	(cd "$MNT/other" && $what >/dev/null)
	assert_eq "$(turns)" "$before" "of a small one: $what"
	(cd "$MNT/s" && $what >/dev/null)
	[ "$(turns)" -gt "$before" ] || fail "the thread that serves did it: $what"
done
umount_store
