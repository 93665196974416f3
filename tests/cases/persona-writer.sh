# A writing assistant is killed together with the daemon, and learns at its next start that it was, and what is saved.
. "$TEST_ROOT/tests/lib.sh"

need python3
assistant() { exec python3 "$TEST_ROOT/tests/personas/writing_assistant.py" "$@"; }
said() { grep -q "$@" assistant.out; }

# start SECONDS - the assistant, its input on descriptor 8.
start() {
	mkfifo input
	assistant "$MNT/novel" "$1" <input >assistant.out 2>assistant.err &
	WRITER=$!
	exec 8>input
	rm input
}

mount_store
mkdir "$MNT/novel"
note "it writes, and saves after each action and by the clock"
start 0.05
wait_for 10 said '^paragraphs 0'
said '^interrupted False'
for n in 1 2 3 4 5; do
	echo "Paragraph $n of many." >&8
	wait_for 10 said "^saved after an action $n"
done
wait_for 10 said '^saved by the clock 5'

note "both die"
kill -STOP "$WRITER"
kill_daemon
kill -KILL "$WRITER"
wait "$WRITER" 2>/dev/null || :
exec 8>&-
died=$(date +%s.%N)

note "at the next start it knows"
remount
assert_eq "$(json "$MNT/novel/.session/info.json" 'j["interrupted"], j["status"]')" "(True, 'active')"
python3 - "$MNT/novel" "$died" <<'PYTHON'
import json, os, sys
from datetime import datetime
session, died = sys.argv[1], float(sys.argv[2])
with open(f"{session}/.session/info.json") as file:
	info = json.load(file)
with open(f"{session}/current.json") as file:
	saved = datetime.fromisoformat(json.load(file)["saved_at"]).timestamp()
at = {name: datetime.fromisoformat(info[name].replace("Z", "+00:00")).timestamp()
	for name in ("last_saved_at", "last_write_at")}
assert saved - 0.01 <= at["last_write_at"] <= died, (saved, at, died)  # rounded down to milliseconds
assert at["last_saved_at"] >= at["last_write_at"] - 0.01, (at, "something was not saved")
assert info["unsaved_bytes"] == 0, info
PYTHON
grep -q '"interrupted"' "$MNT/novel/.session/events.jsonl"
start 30
wait_for 10 said '^paragraphs 5'
said '^interrupted True saved [0-9]'
assert_eq "$(json "$MNT/novel/.session/info.json" 'j["interrupted"]')" False
echo 'The end.' >&8
wait_for 10 said '^saved after an action 6'
exec 8>&-
wait "$WRITER"
assert_eq "$(json "$MNT/novel/current.json" 'j["document"]["paragraphs"][0], j["document"]["paragraphs"][5]')" \
	"('Paragraph 1 of many.', 'The end.')"

note "an orderly end interrupts nothing"
remount
assert_eq "$(json "$MNT/novel/.session/info.json" 'j["interrupted"]')" False
umount_store
