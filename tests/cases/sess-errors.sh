# errors.jsonl tells the last errors that were answered, with cause and advice; what programs ask for is none.
. "$TEST_ROOT/tests/lib.sh"

errors() { python3 -c 'import json, sys
e = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print(eval(sys.argv[2]))' "$MNT/$1/.session/errors.jsonl" "$2"; }

mount_store -o max_file_size=1M
mkdir "$MNT/s" "$MNT/other"
cd "$MNT/s"
note "what programs ask for is no error"
[ ! -e nothing ] && [ ! -e logs/nothing ]
cp -a "$TEST_ROOT/tests/lib.sh" logs/copy
python3 -c 'import os
try: os.getxattr("logs", "user.none")
except OSError as e: assert e.errno == 61'
mkdir -p logs/a logs/a
ls -la logs >/dev/null
assert_eq "$(wc -l <.session/errors.jsonl)" 0

note "a bad value: its reason is the last line"
refused "invalid argument" bash -c 'echo 7 >.session/progress'
valid .session/errors.jsonl
assert_eq "$(errors s 'e[-1]["error"], e[-1]["errno"], e[-1]["operation"], e[-1]["name"]')" \
	"('EINVAL', 22, 'write', 'progress')"
assert_match "$(errors s 'e[-1]["cause"]')" "progress|0 to 1|between"
refused "invalid argument" bash -c 'echo a/b >.session/tags'
assert_match "$(errors s 'e[-1]["cause"]')" "tag"

note "errnos have a cause and advice"
refused "too large" truncate -s 2M logs/copy
assert_eq "$(errors s 'e[-1]["error"]')" EFBIG
assert_match "$(errors s 'e[-1]["advice"]')" max_file_size
refused "cross-device" ln logs/copy ../other/copy
assert_eq "$(errors other 'e[-1]["error"], e[-1]["name"]') $(errors s 'e[-1]["error"]')" "('EXDEV', 'copy') EFBIG"
echo paused >.session/status
refused "read-only" touch logs/new
assert_eq "$(errors s 'e[-1]["error"]')" EROFS
assert_match "$(errors s 'e[-1]["cause"]')" paused
echo active >.session/status
refused "permitted" mkdir ../.hidden
assert_eq "$(errors s 'e[-1]["error"]')" EROFS
note "of a long name there is the beginning, whatever its letters"
for name in $(printf 'é%.0s' {1..100}) x$(printf '日%.0s' {1..80}) $(printf '😀%.0s' {1..60}); do
	mkdir -p "logs/$name/below"
	refused "not empty" rmdir "logs/$name"
	assert_eq "$(errors s '59 < len(e[-1]["name"].encode()) < 64')" True
	assert_match "$name" "^$(errors s 'e[-1]["name"]')"
done

note "each tells its own cause, and what to do"
# says ERRNO CAUSE ADVICE COMMAND... - the command fails; that is what the last line of s says then.
says_why() {
	local error=$1 cause=$2 advice=$3
	shift 3
	if "$@" 2>/dev/null; then fail "should be refused: $*"; fi
	assert_eq "$(errors s 'e[-1]["error"]')" "$error"
	assert_match "$(errors s 'e[-1]["cause"]')" "$cause"
	assert_match "$(errors s 'e[-1]["advice"]')" "$advice"
}
touch ../other/logs/file
says_why EPERM 'control files stay' 'write into them' rm -f .session/notes
says_why EPERM 'info.json is only read' 'can be written' bash -c 'echo x >.session/info.json'
says_why EPERM 'only appended to' '>>' truncate -s 0 .session/events.jsonl
says_why EPERM 'follow their session' "session's directory" chmod 644 .session/notes
says_why EPERM "filesystem's own" 'can be set' python3 -c 'import os; os.setxattr("logs", "user.sessfs.mine", b"x")'
says_why EINVAL 'zero bytes' text python3 -c 'open(".session/notes", "wb", 0).write(b"a\0b")'
says_why EFBIG 'notes takes at most 65536' 'file of the session' truncate -s 70000 .session/notes
says_why EINVAL 'longer by truncating' 'write what' truncate -s 7000 .session/notes
# a write that is so long that another thread serves it
says_why EINVAL 'zero bytes' text python3 -c 'open(".session/notes", "wb", 0).write(bytes(20000))'
assert_eq "$(errors s 'e[-1]["name"]')" notes
says_why EINVAL 'from 0 to 1' None bash -c 'echo 7 >.session/progress'
says_why EINVAL 'one of active' None bash -c 'echo dead >.session/status'
says_why EXDEV 'into another' copy ln ../other/logs/file logs/link
says_why ENOTEMPTY 'not empty' 'rm -r' rmdir logs
ln -sfn nope ../.sessfs/current 2>/dev/null && fail "nope is current"
mkdir ../.hidden 2>/dev/null && fail "a hidden session"
valid ../.sessfs/errors.jsonl
assert_match "$(tail -n 2 ../.sessfs/errors.jsonl | head -n 1)" 'ENOENT.*leads to a session of this mount'
assert_match "$(tail -n 1 ../.sessfs/errors.jsonl)" '"name": ".hidden", .*EPERM'
echo paused >.session/status
says_why EROFS 'is paused' resume touch logs/new
echo active >.session/status
echo completed >.session/status
says_why EROFS 'completed' 'another session' touch logs/new
cd ..
mv s .sessfs/trash/s
cd .sessfs/trash/s
refused read-only bash -c 'echo x >.session/notes'
assert_match "$(tail -n 1 .session/errors.jsonl)" 'in the trash.*undelete'
cd "$MNT"
mkdir s
cd s
cp -a "$TEST_ROOT/tests/lib.sh" logs/copy

note "the last hundred"
for i in {1..150}; do
	truncate -s 2M "logs/$i" 2>/dev/null || :
done
valid .session/errors.jsonl
assert_eq "$(wc -l <.session/errors.jsonl)" 100
assert_eq "$(errors s '[x["time"] for x in e] == sorted(x["time"] for x in e)')" True
assert_eq "$(json ../.sessfs/stats.json 'j["errors"] >= 150')" True
cd "$TEST_DIR"
umount_store

note "an error of the store is an event"
STORE=$TEST_DIR/small
mount_store -o max_store_size=8M
mkdir "$MNT/s"
! head -c 20M /dev/urandom >"$MNT/s/logs/random" 2>/dev/null || fail "20 MiB fit 8"
assert_eq "$(errors s 'e[-1]["error"]')" ENOSPC
assert_match "$(errors s 'e[-1]["advice"]')" max_store_size
grep -q '"event": "error"' "$MNT/s/.session/events.jsonl" || fail "no event of it"
valid "$MNT/s/.session/events.jsonl"
assert_eq "$(grep -c '"event": "error"' "$MNT/s/.session/events.jsonl")" 1
umount_store

note "an fsync that failed is told where the file is, whichever thread answered"
if [ -z "${SANITIZE-}" ]; then # they have their own place among the libraries that are loaded first
	STORE=$TEST_DIR/failing CONTROL=$TEST_DIR/control
	# fail ARMED - as tests/src/fault.h has it: all system calls on files, with EIO, from the first on
	calls_fail() { python3 -c 'import struct, sys
open(sys.argv[1], "r+b").write(struct.pack("=IIiIQQQ", int(sys.argv[2]), 2, 5, 1, 1, 0, 0))' "$CONTROL" "$1"; }
	truncate -s 4096 "$CONTROL"
	MOUNT_AS=(env "LD_PRELOAD=$BUILD/tests/preload_fault.so" "FAULT_CONTROL=$CONTROL")
	mount_store -o commit=60
	mkdir "$MNT/s"
	echo x >"$MNT/s/logs/file"
	calls_fail 1
	refused "input/output error" sync "$MNT/s/logs/file"
	calls_fail 0
	assert_eq "$(errors s '[(x["error"], x["operation"]) for x in e]')" "[('EIO', 'fsync')]"
	assert_eq "$(wc -l <"$MNT/.sessfs/errors.jsonl")" 0
	grep -q '"event": "error", "operation": "fsync"' "$MNT/s/.session/events.jsonl" || fail "no event of it"
	for n in 1 2 3; do refused "no space" fallocate -l 100T "$MNT/s/logs/file"; done
	assert_eq "$(errors s '[x["error"] for x in e[1:]]')" "['ENOSPC', 'ENOSPC', 'ENOSPC']"
	assert_eq "$(grep -c '"event": "error"' "$MNT/s/.session/events.jsonl")" 1 "events of errors, within a minute"
	sync "$MNT/s/logs/file"
	umount_store

	note "nor does an end of which not all could be saved pass for a good one"
	mount_store -o commit=60
	echo y >"$MNT/s/logs/file"
	calls_fail 1
	assert_eq "$(status_of "$SESSFS" umount "$MNT")" 64 "exit status of umount"
	assert_eq "$(status_of wait "$DAEMON")" 2 "exit status of the daemon"
	calls_fail 0
	mount_store
	assert_file "$MNT/s/logs/file" y
	umount_store
fi
