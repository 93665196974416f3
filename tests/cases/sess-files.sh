# files.jsonl is the registry of a session: every file, of what kind, of what size, made when and by whom.
# timeout: 180
. "$TEST_ROOT/tests/lib.sh"

# files SESSION EXPRESSION - of f, the lines by their path
files() {
	python3 -c 'import json, sys
f = {j["path"]: j for j in map(json.loads, open(sys.argv[1], encoding="utf-8"))}
print(eval(sys.argv[2]))' "$MNT/$1/.session/files.jsonl" "$2"
}

mount_store -o allow_other
mkdir "$MNT/s"
cd "$MNT/s"
assert_eq "$(wc -l <.session/files.jsonl)" 0
mkdir -p cache/a/b own
echo data >research_data/data
echo x >cache/a/b/deep
echo y >own/mine
echo z >top
ln -s data research_data/link
ln research_data/data logs/hard
mkfifo intermediate_results/pipe
printf '' >logs/empty
valid .session/files.jsonl
assert_eq "$(files s 'sorted((p, j["file_type"]) for p, j in f.items())')" "$(python3 -c "print(sorted([
	('research_data/data', 'research_data'), ('research_data/link', 'research_data'), ('logs/hard', 'logs'),
	('cache/a/b/deep', 'cache'), ('own/mine', 'other'), ('top', 'other'), ('logs/empty', 'logs'),
	('intermediate_results/pipe', 'intermediate_results')]))")"
assert_eq "$(files s '[f[p]["size_bytes"]
	for p in ("research_data/data", "logs/hard", "logs/empty", "research_data/link")]')" \
	"[5, 5, 0, 4]"
assert_eq "$(files s 'f["logs/empty"]["stored_bytes"]')" 0

note "times of long ago are times"
touch -d @0 logs/epoch
touch -d 1969-12-31T23:59:59.25Z logs/before
assert_eq "$(files s 'f["logs/epoch"]["modified_at"], f["logs/before"]["modified_at"]')" \
	"('1970-01-01T00:00:00.000Z', '1969-12-31T23:59:59.250Z')"
valid .session/files.jsonl

note "who made it"
python3 -c 'import os, sys; open(sys.argv[1], "w").close(); print(os.getpid())' logs/python >"$TEST_DIR/pid"
assert_eq "$(files s 'f["logs/python"]["created_by"]["pid"], f["logs/python"]["created_by"]["command"][:6]')" \
	"($(cat "$TEST_DIR/pid"), 'python')"
bash -c 'exec -a other touch logs/touched'
assert_eq "$(files s 'f["logs/touched"]["created_by"]["command"]')" touch
assert_eq "$(files s 'f["logs/touched"]["created_by"]["uid"]')" "$(id -u)"
if [ "$(id -u)" = 0 ]; then
	chmod 777 logs
	as_user touch logs/theirs
	assert_eq "$(files s 'f["logs/theirs"]["created_by"]["uid"]')" "$USER_ID"
fi

note "changes show, makers stay"
made=$(files s 'f["logs/python"]["created_at"], f["logs/python"]["created_by"]')
head -c 100000 /dev/zero | tr '\0' a >>logs/python
mv logs/python cache/renamed
assert_eq "$(files s 'f["cache/renamed"]["created_at"], f["cache/renamed"]["created_by"]')" "$made"
assert_eq "$(files s '"logs/python" in f')" False
assert_eq "$(files s 'f["cache/renamed"]["file_type"], f["cache/renamed"]["size_bytes"]')" "('cache', 100000)"
sync .
cd "$TEST_DIR"
remount -o allow_other
cd "$MNT/s"
assert_eq "$(files s 'f["cache/renamed"]["created_at"], f["cache/renamed"]["created_by"]')" "$made"
assert_eq "$(files s '0 < f["cache/renamed"]["stored_bytes"] < 10000')" True

note "any name"
touch $'logs/\xff\xfe' $'logs/q"\n\\' 'logs/ä'
valid .session/files.jsonl
assert_eq "$(files s '"logs/ä" in f and "logs/q\"\n\\" in f')" True

note "thousands, in many directories, while others come and go"
mkdir research_data/many
(cd research_data/many && for d in {1..40}; do mkdir $d && (cd $d && touch {1..100}); done)
find . -not -type d | sed 's,^\./,,' | LC_ALL=C sort >"$TEST_DIR/found"
python3 -c 'import json, sys
for line in open(sys.argv[1], encoding="utf-8"): print(json.loads(line)["path"])' .session/files.jsonl |
	LC_ALL=C sort >"$TEST_DIR/told"
assert_eq "$(wc -l <"$TEST_DIR/told")" "$(tr -cd '\n' <"$TEST_DIR/found" | wc -c)"
grep -c '^research_data/many/' "$TEST_DIR/told" | says -x 4000 || fail "not all of the 4000 are told"
(while [ ! -e "$TEST_DIR/done" ]; do touch logs/come && rm logs/come; done) &
for _ in 1 2 3; do
	valid .session/files.jsonl
	grep -c research_data/many .session/files.jsonl | says -x 4000 || fail "some of the 4000 are missing"
done
touch "$TEST_DIR/done"
wait $!

note "what is read of one open file is of one time"
exec 5<.session/files.jsonl
read -r first <&5
rm -r research_data/many
cat <&5 >"$TEST_DIR/rest"
exec 5<&-
[ "$(wc -l <"$TEST_DIR/rest")" -gt 4000 ] || fail "the file changed while it was open"
assert_match "$first" '^\{"path'
cd "$TEST_DIR"
umount_store
