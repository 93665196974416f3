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
assert_eq "$(errors s 'e[-1]["error"], e[-1]["errno"], e[-1]["operation"], e[-1]["name"]')" "('EINVAL', 22, 'write', 'progress')"
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
grep -q '"event": "error"' "$MNT/s/.session/events.jsonl" || fail "no event of it"
valid "$MNT/s/.session/events.jsonl"
assert_eq "$(grep -c '"event": "error"' "$MNT/s/.session/events.jsonl")" 1
umount_store
