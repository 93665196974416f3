# history.json tells which sessions ended; expiring.json what would go next, by which rule, and what stays and why.
. "$TEST_ROOT/tests/lib.sh"

history() { json "$MNT/.sessfs/history.json" "$1"; }
expiring() { json "$MNT/.sessfs/expiring.json" "$1"; }

mount_store -o ttl=1h,retain=2h,grace=1h
cd "$MNT"
valid .sessfs/history.json .sessfs/expiring.json .sessfs/sessions.json
assert_eq "$(history 'j["sessions"]')" "[]"

note "what ended"
mkdir first
seq 100 >first/logs/a
seq 100 >first/cache/b
echo completed >first/.session/status
mv first .sessfs/trash/first
valid .sessfs/history.json
assert_eq "$(history '[(s["id"], s["status"], s["rule"], s["files"], s["files_created"], s["size_bytes"],
	s["can_be_taken_back"]) for s in j["sessions"]]')" "[('first', 'completed', 'removed', 2, 2, 584, True)]"
assert_eq "$(history 'j["sessions"][0]["until"] > j["sessions"][0]["ended_at"]')" True
mv .sessfs/trash/first first
assert_eq "$(history 'j["sessions"]')" "[]"
mkdir empty
rmdir empty
valid .sessfs/history.json
assert_eq "$(history 'j["sessions"][0]["id"], j["sessions"][0]["until"], j["sessions"][0]["can_be_taken_back"]')" \
	"('empty', None, False)"
mkdir empty
seq 9 | tee empty/logs/{1,2,3} >empty/cache/1
rm -r empty
assert_eq "$(history '[j["sessions"][0][k] for k in ("files", "size_bytes", "stored_bytes", "files_created")]')" \
	"[0, 0, 0, 4]"

note "the last twenty, the last one first"
for i in {1..25}; do
	mkdir "run$i"
	mv "run$i" ".sessfs/trash/run$i"
done
assert_eq "$(history '[s["id"] for s in j["sessions"]] == ["run%d" % i for i in range(25, 5, -1)]')" True

note "all that are kept, the last one last"
valid .sessfs/endings.jsonl
python3 - .sessfs <<'END'
import json, sys
lines = [json.loads(line) for line in open(f"{sys.argv[1]}/endings.jsonl")]
assert [s["id"] for s in lines] == ["empty"] * 2 + ["run%d" % i for i in range(1, 26)], lines
assert lines[:-21:-1] == json.load(open(f"{sys.argv[1]}/history.json"))["sessions"]
END
"$SESSFS" history -m "$MNT" >"$TEST_DIR/said"
assert_eq "$(awk 'NR > 1 { print $1 }' "$TEST_DIR/said" | xargs)" "$(echo run{25..6})"
assert_eq "$("$SESSFS" history -m "$MNT" -n 23 | awk 'NR > 1 { print $1 }' | xargs)" "$(echo run{25..3})"
assert_eq "$("$SESSFS" history -m "$MNT" -n 1000 | awk 'END { print NR - 1, $1 }')" "27 empty"

note "what would go, the next one first"
mkdir old new pinned held failed
touch -d '30 minutes ago' old
echo 1 >pinned/.session/pin
echo paused >held/.session/status
echo failed >failed/.session/status
echo +10m >new/.session/expires_at
valid .sessfs/expiring.json .sessfs/sessions.json
assert_eq "$(expiring '[(s["id"], s["rule"]) for s in j["expiring"]]')" \
	"[('new', 'expires_at'), ('old', 'ttl'), ('failed', 'ttl'), ('first', 'retain')]"
assert_eq "$(expiring '{s["id"]: s["protected_by"] for s in j["staying"]} == {"pinned": "pinned", "held": "paused"}')" \
	True
assert_eq "$(expiring '[(s["limit_seconds"], 1790 < s["age_seconds"] < 1900)
	for s in j["expiring"] if s["id"] == "old"]')" \
	"[(3600, True)]"
assert_eq "$(expiring '[s["due"] for s in j["expiring"]]')" "[False, False, False, False]"
expires() { json .sessfs/sessions.json "{s['id']: s['expires_at'] for s in j['sessions']}['$1']"; }
assert_eq "$(expires pinned)" None
assert_eq "$(expires old)" "$(expiring '[s["expires_at"] for s in j["expiring"] if s["id"] == "old"][0]')"
assert_eq "$(expires old)" "$(json old/.session/info.json 'j["expires_at"]')"

note "it survives"
cd "$TEST_DIR"
history 'j["sessions"]' >"$TEST_DIR/before"
kill_daemon
remount
history 'j["sessions"]' | diff - "$TEST_DIR/before" || fail "the history changed"
umount_store

note "a file that is changed again and again was modified once; one that is still being made was not"
with_clock
mount_store
mkdir "$MNT/s"
echo a | tee "$MNT/s/logs/"{one,two} >"$MNT/s/logs/three"
echo b >>"$MNT/s/logs/one"
pass 10
for word in c d e; do echo $word | tee -a "$MNT/s/logs/one" >>"$MNT/s/logs/two"; done
mv "$MNT/s" "$MNT/.sessfs/trash/"
assert_eq "$(history '[j["sessions"][0][k] for k in ("files_created", "files_modified")]')" "[3, 2]"
umount_store
