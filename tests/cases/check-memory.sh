# A repair that runs out of memory says so: it takes nothing for damaged that it had no memory to look at.
# timeout: 200
. "$TEST_ROOT/tests/lib.sh"

[ -z "${SANITIZE-}" ] || skip "sanitizers have an allocator of their own, which does not fail"
need_fuse
need python3
mount_store
mkdir "$MNT/s"
note "so many small files that they get a dictionary, and a tree of some pages"
python3 - "$MNT/s/logs" <<'END'
import random, sys
random.seed(7)
for i in range(3000):
    words = " ".join("word%d" % random.randrange(3000) for _ in range(40))
    with open("%s/%d.json" % (sys.argv[1], i), "w") as file:
        file.write('{"id": "%d", "type": "tool_result", "content": "%s"}\n' % (i, words))
END
umount_store

python3 - "$SESSFS" "$BUILD/tests/preload_fault.so" "$STORE/data.mdb" "$TEST_DIR" <<'END'
import errno, json, os, shutil, struct, subprocess, sys
program, preload, original, scratch = sys.argv[1:]
store, control, page = scratch + "/copy", scratch + "/control", 4096
FIRED = struct.calcsize("=IIiIQQ")

def put(data):
    shutil.rmtree(store, ignore_errors=True)
    os.mkdir(store)
    with open(store + "/data.mdb", "wb") as file:
        file.write(data)

def look():
    said = json.loads(subprocess.run([program, "check", "--json", store], stdout=subprocess.PIPE).stdout)
    return [said[key] for key in ("clean", "sessions", "inodes", "names", "chunks")]

def repair(nth):
    with open(control, "wb") as file:
        file.write(struct.pack("=IIiIQQ", 1, 0, errno.ENOMEM, 0, nth, 0).ljust(4096, b"\0"))
    status = subprocess.run([program, "check", "--repair", store], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=dict(os.environ, LD_PRELOAD=preload, FAULT_CONTROL=control)).returncode
    with open(control, "rb") as file:
        return status, struct.unpack_from("=Q", file.read(), FIRED)[0]

def leaf_with_wrong_number(data):
    """The first leaf in use gets a wrong number, which hides nothing of what is in it."""
    for at in range(2 * page, len(data), page):
        if struct.unpack_from("=QHH", data, at) == (at // page, 0, 2):
            damaged = bytearray(data)
            damaged[at + 4] ^= 1
            put(damaged)
            if not look()[0]:
                return damaged
    sys.exit("there is no leaf to be damaged")

with open(original, "rb") as file:
    sound = file.read()
put(sound)
wanted = look()
if not wanted[0] or wanted[2] < 3000:
    sys.exit("the store is not as it should be: %s" % wanted)
for name, data in ("sound", sound), ("damaged", leaf_with_wrong_number(sound)):
    nth, fired, refused = 1, 1, 0
    while fired:
        put(data)
        status, fired = repair(nth)
        refused += status == 8
        if name == "sound" and os.path.exists(store + "/data.mdb.damaged"):
            sys.exit("allocation %d fails: a sound store was written anew" % nth)
        if status not in (0, 1):
            repair(0)
        if look() != wanted:
            sys.exit("%s, allocation %d fails (status %d): %s, expected %s" % (name, nth, status, look(), wanted))
        nth += 1 if nth < 60 else nth // 6
    print("%s: to allocation %d, %d times refused" % (name, nth, refused))
    if not refused:
        sys.exit("no allocation failed")
END
