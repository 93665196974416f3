# events.jsonl tells what happened to a session; programs add lines of their own; it is bounded, and survives.
# timeout: 180
. "$TEST_ROOT/tests/lib.sh"

events() { python3 -c 'import json, sys
e = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
print(eval(sys.argv[2]))' "$MNT/$1/.session/events.jsonl" "$2"; }

mount_store
mkdir "$MNT/s" "$MNT/quiet"
cd "$MNT/s/.session"
note "it begins with the creation"
assert_eq "$(events s '[x["event"] for x in e]')" "['created']"
assert_eq "$(events s 'e[0]["time"]')" "$(json info.json 'j["created_at"]')"
note "status"
echo paused >status
echo "active" >status
echo "failed the disk is full" >status || echo failed >status
valid events.jsonl
assert_eq "$(events s '[(x["from"], x["to"]) for x in e if x["event"] == "status"]')" \
	"[('active', 'paused'), ('paused', 'active'), ('active', 'failed')]"
refused "invalid argument" bash -c 'echo nonsense >status'
assert_eq "$(events s 'len(e)')" 4
echo active >status

note "programs append"
echo '{"step": 1,   "of": 2}' >>events.jsonl
assert_eq "$(tail -n 1 events.jsonl)" '{"step": 1,   "of": 2}'
for line in '{"id": 18446744073709551615}' '{"id": -99999999999999999999999}' '{"zero": "a\u0000b"}'; do
	echo "$line" >>events.jsonl
	assert_eq "$(tail -n 1 events.jsonl)" "$line"
done
echo 'plain words' >>events.jsonl
assert_eq "$(events s 'e[-1]["event"], e[-1]["text"]')" "('text', 'plain words')"
python3 -c 'import sys
f = open(sys.argv[1], "a")
for i in range(3000): f.write("{\"number\": %d}\n" % i)
f.close()' events.jsonl
assert_eq "$(events s '[x["number"] for x in e if "number" in x] == list(range(3000))')" True

note "tail -f follows it"
tail -n 0 -f events.jsonl >"$TEST_DIR/tail" 2>"$TEST_DIR/tail.err" &
tail=$!
is_open() { ls -l "/proc/$1/fd" | says events.jsonl; }
wait_for 10 is_open $tail
follows() { echo '{"look": 1}' >>events.jsonl; [ -s "$TEST_DIR/tail" ]; }
wait_for 20 follows
echo '{"found": true}' >>events.jsonl
wait_for 20 grep -q found "$TEST_DIR/tail"
kill $tail
wait $tail 2>/dev/null || :

note "it is bounded"
python3 -c 'import sys
for part in range(25):
	with open(sys.argv[1], "a") as f:
		for i in range(1000): f.write("{\"count\": %d}\n" % (part * 1000 + i))' events.jsonl
[ "$(wc -l <events.jsonl)" -le 10000 ] || fail "$(wc -l <events.jsonl) lines"
assert_eq "$(events s '[x["count"] for x in e] == list(range(25000 - len(e), 25000))')" True
[ "$(wc -l <events.jsonl)" -ge 8000 ] || fail "only $(wc -l <events.jsonl) lines are left"
python3 -c 'import sys
for part in range(100):
	with open(sys.argv[1], "a") as f: f.write("{\"count\": \"%s\"}\n" % ("x" * 60000))' events.jsonl
[ "$(wc -c <events.jsonl)" -le 4194304 ] || fail "$(wc -c <events.jsonl) bytes"
[ "$(wc -l <events.jsonl)" -ge 50 ] || fail "only $(wc -l <events.jsonl) lines are left"

note "while it is read-only nothing is appended but what was acknowledged before"
exec 5>>events.jsonl
printf 'begun before' >&5
echo completed >status
refused "read-only" bash -c 'printf " and later" >&5'
refused "read-only" bash -c 'echo late >>events.jsonl'
exec 5>&-
has_begun() { grep -q '"text": "begun before"' events.jsonl; }
wait_for 10 has_begun
! grep -q late events.jsonl || fail "a line was taken that was refused"
cd "$MNT"
mv s .sessfs/trash/s
refused "read-only" bash -c 'echo late >>.sessfs/trash/s/.session/events.jsonl'
mv .sessfs/trash/s s
cd s/.session

note "all of it survives a crash, and costs nothing where nothing happened"
cksum <events.jsonl >"$TEST_DIR/before"
cd "$TEST_DIR"
kill_daemon
remount
cksum <"$MNT/s/.session/events.jsonl" | diff - "$TEST_DIR/before" || fail "events changed"
assert_eq "$(events quiet 'e[0]["event"]')" created
sync "$MNT"
assert_eq "$(json "$MNT/quiet/.session/info.json" 'j["total_size_bytes"], j["stored_bytes"]')" "(0, 0)"
umount_store
