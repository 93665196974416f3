# What --json prints is of the shape that tests/schema/verb-*.json says, for a store with all there can be, and none.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
unset SESSFS_SESSION
export SESSFS_MOUNT=$MNT
SCHEMAS=$TEST_ROOT/tests/schema

# fits SCHEMA COMMAND... - its output, which stays in `said`, is to be of that shape: validate_all sees to it.
fits() {
	local schema=$1 number
	shift
	"$@" >said
	number=$(wc -l <documents)
	cp said "said.$number"
	printf '%s\t%s\t%q\n' "$schema" "said.$number" "$*" >>documents
}
>documents

validate_all() {
	python3 - "$SCHEMAS" documents <<'PYTHON'
import json, jsonschema, sys
for line in open(sys.argv[2]):
	name, path, command = line.rstrip("\n").split("\t")
	schema, document = json.load(open(f"{sys.argv[1]}/{name}.json")), json.load(open(path))
	jsonschema.Draft202012Validator.check_schema(schema)
	for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
		sys.exit(f"{command} does not fit {name}: {error.json_path}: {error.message}")
PYTHON
}

everything() {
	fits verb-list "$SESSFS" list --json
	fits verb-list "$SESSFS" list --json --all
	fits verb-list "$SESSFS" list --json --trash
	fits verb-history "$SESSFS" history --json
	fits verb-expire-dry-run "$SESSFS" expire --dry-run --json
	fits verb-expire "$SESSFS" expire --json
	fits verb-stats "$SESSFS" stats --json
	fits verb-check "$SESSFS" check --json "$STORE"
	fits verb-doctor sh -c '"$0" doctor --json "$1" || :' "$SESSFS" "$STORE"
}

mount_store -o commit=1
note "an empty store"
everything
assert_eq "$(status_of "$SESSFS" search --json nothing)" 3
"$SESSFS" search --json nothing >said || :
assert_eq "$(json said j)" "{'text': 'nothing', 'sessions': []}"

note "a session of each kind"
for name in active paused completed failed archived pinned used removed expired $'odd \e"\nname'; do
	"$SESSFS" new "$name" --tag "tag of $name" --query 'what?'
done >/dev/null
for name in "$MNT"/*; do echo data >"$name/logs/file"; done
"$SESSFS" pause paused >/dev/null
"$SESSFS" complete completed >/dev/null
"$SESSFS" fail failed reason >/dev/null
"$SESSFS" archive archived >/dev/null
"$SESSFS" pin pinned >/dev/null
exec 5<"$MNT/used/logs/file"
echo 2020-01-01T00:00:00Z >"$MNT/used/.session/expires_at"
echo never >"$MNT/active/.session/expires_at"
echo 2020-01-01T00:00:00Z >"$MNT/expired/.session/expires_at"
has_expired() { ls "$MNT" >/dev/null; [ -d "$MNT/.sessfs/trash/expired" ]; }
wait_for 10 has_expired
"$SESSFS" rm removed >/dev/null
used_is_known() { [ -d "$MNT/used" ] && "$SESSFS" list | says '^used .*in use'; }
wait_for 10 used_is_known
ln -sfn failed "$MNT/.sessfs/current"
everything
fits verb-list "$SESSFS" list --json --all
assert_eq "$(json said "sorted(s['name'] for s in j['trash'])")" "['expired', 'removed']"
assert_eq "$(json said "[s['rule'] for s in sorted(j['trash'], key=lambda s: s['name'])]")" "['expires_at', 'removed']"
assert_eq "$(json said "sorted(s['status'] for s in j['sessions'])")" \
	"['active', 'active', 'active', 'active', 'archived', 'completed', 'failed', 'paused']"
assert_eq "$(json said "sorted(str(s['protected_by']) for s in j['sessions'])")" \
	"['None', 'None', 'None', 'None', 'current', 'in use', 'paused', 'pinned']"
assert_eq "$(json said "[s['name'] for s in j['sessions'] if s['in_use']]")" "['used']"
assert_eq "$(json said "[s['expires_at'] for s in j['sessions'] if s['name'] == 'active']")" "[None]"
assert_eq "$(json said "j['current_session_id'], [s['name'] for s in j['sessions'] if s['is_current']]")" \
	"('failed', ['failed'])"
assert_eq "$(json said "j['sessions'][0]['name']")" $'odd \e"\nname'
for name in "$MNT"/*; do
	fits verb-status "$SESSFS" status --json "$name"
	assert_eq "$(json said "j['session_id'] + '.'")" "${name##*/}."
done
fits verb-search "$SESSFS" search --json 'TAG OF P'
assert_eq "$(json said "sorted(s['name'] for s in j['sessions'])")" "['paused', 'pinned']"
fits verb-history "$SESSFS" history --json -n 1
assert_eq "$(json said "[s['name'] for s in j['sessions']]")" "['removed']"

note "a name that is not UTF-8, two of one name in the trash"
odd=$'\xff \xc3'
mkdir "$MNT/$odd"
fits verb-status "$SESSFS" status --json "$odd"
fits verb-search "$SESSFS" search --json "$odd"
assert_eq "$(json said "ascii((j['text'], [s['name'] for s in j['sessions']]))")" \
	"('\\ufffd \\ufffd', ['\\ufffd \\ufffd'])"
"$SESSFS" new removed >/dev/null
"$SESSFS" rm removed "$odd" >/dev/null
everything
"$SESSFS" list --json --trash >said
assert_match "$(json said "sorted(s['name'] for s in j['trash'])")" \
	"^\['expired', 'removed', 'removed~[0-9]+', '[^']+'\]$"
exec 5<&-
validate_all
[ "$(wc -l <documents)" -gt 25 ]

note "check --json: findings"
umount_store
assert_eq "$("$SESSFS" check --json "$STORE" | json /dev/stdin "j['clean'], j['findings']")" "(True, [])"
