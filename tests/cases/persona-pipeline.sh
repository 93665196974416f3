# A research pipeline: eight agents in one session, paused, resumed, completed, then found by search and in the history.
# timeout: 300
. "$TEST_ROOT/tests/lib.sh"

need python3
mount_store
session=$MNT/glaciers
mkdir "$session" "$MNT/other"
note "it runs"
python3 "$TEST_ROOT/tests/personas/pipeline.py" "$session" | tee pipeline.out
diff - pipeline.out <<'END'
paused: EROFS
agents that saw it: 8
resumed: done
agents that ended: 8
exit: {0}
completed: EROFS
END

note "no line is lost or torn, no result is short"
python3 - "$session" <<'PYTHON'
import collections, json, os, sys
session = sys.argv[1]
with open(f"{session}/logs/events.jsonl") as file:
	lines = [json.loads(line) for line in file]
assert collections.Counter(line["agent"] for line in lines) == {n: 120 for n in range(8)}
for number in range(8):
	assert [line["step"] for line in lines if line["agent"] == number] == list(range(120))
	with open(f"{session}/logs/agent_{number}.jsonl") as file:
		assert sum(1 for _ in file) == 120
	for step in 0, 40, 80:
		assert os.path.getsize(f"{session}/intermediate_results/agent_{number}_{step}.jsonl") == 2 << 20
PYTHON
check_counts "$session"
assert_eq "$(json "$session/.session/info.json" \
	'j["status"], j["progress"], j["phase"], sorted(j["tags"]), j["file_counts"]["intermediate_results"]')" \
	"('completed', 1.0, 'gathering', ['climate', 'ice'], 24)"
python3 - "$session/.session/events.jsonl" <<'PYTHON'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
words = [event.get("to", event.get("status")) for event in events if event["event"] == "status"]
assert words == ["paused", "active", "completed"], events
PYTHON
refused "invalid argument" bash -c "echo active >'$session/.session/status'"

note "it is found: by what it asked, by tag, by status"
for where in search/glaciers search/CALVE search/climate by-tag/ice by-status/completed; do
	assert_eq "$(ls "$MNT/.sessfs/$where")" glaciers "$where"
	assert_eq "$(stat -c %i "$(readlink -f "$MNT/.sessfs/$where/glaciers")")" "$(stat -c %i "$session")" "$where"
done
assert_eq "$(ls "$MNT/.sessfs/search/nothing-like-it")" ""

note "it is removed, and the history tells of it"
mv "$session" "$MNT/.sessfs/trash/glaciers"
assert_absent "$session"
remount
python3 - "$MNT/.sessfs/history.json" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1]))
sessions = document["sessions"] if isinstance(document, dict) else document
(ended,) = [session for session in sessions if "glaciers" in session.values()]
print(ended)
assert ended["files_created"] == 8 * (1 + 3) + 1, ended
PYTHON
umount_store
