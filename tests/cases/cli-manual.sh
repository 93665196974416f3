# The manual is as the program: every verb with every option, every mount option, every control file.
. "$TEST_ROOT/tests/lib.sh"

need scdoc python3
for page in "$TEST_ROOT"/mount/*.scd; do
	scdoc <"$page" >page.out
	grep -q '^\.TH' page.out
done

note "sessfs(1): verbs and options"
"$SESSFS" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' >verbs
[ "$(wc -l <verbs)" -ge 20 ]
while read -r verb; do
	"$SESSFS" "$verb" --help >"help.$verb"
done < <(cat verbs; echo completion)
python3 - "$TEST_ROOT/mount/sessfs.1.scd" <<'PYTHON'
import glob, re, sys
page = open(sys.argv[1]).read()
everywhere = {"-h", "--help", "-m", "--mount", "--json"}
wrong = []
# A verb's part begins with its synopsis, at the margin, and goes to the next verb's or heading.
parts = {}
for part in re.split(r"\n(?=\*sessfs [a-z]+\*|# )", page):
	if found := re.match(r"\*sessfs ([a-z]+)\*", part):
		parts.setdefault(found.group(1), part)
named = set()
for path in glob.glob("help.*"):
	verb = path.removeprefix("help.")
	named.add(verb)
	if verb not in parts:
		wrong.append(f"no {verb}")
		continue
	options = re.findall(r"^  (-[a-zA-Z])?,? *(--[a-z-]+)?", open(path).read().split("\n\n", 2)[2], re.M)
	for option in {name for pair in options for name in pair if name} - everywhere:
		if not re.search(rf"^\t(\*-\w\*, )?\*{option}\*", parts[verb], re.M):
			wrong.append(f"{verb}: no {option}")
wrong += [f"{verb} is no verb" for verb in set(parts) - named]
if wrong:
	sys.exit("\n".join(wrong))
PYTHON

note "mount.sessfs(8): options"
ln -s "$SESSFS" mount.sessfs
./mount.sessfs --help | sed '/^Mount options/q' |
	sed -nE 's/^  (-[a-zA-Z])(, --[a-z]+)? .*/*\1\2*/; s/^\*(.*), /*\1*, */; /^\*/p' >letters
[ "$(wc -l <letters)" = 9 ]
while read -r letters; do
	grep -qF -- "$letters" "$TEST_ROOT/mount/mount.sessfs.8.scd" || fail "not in mount.sessfs(8): $letters"
done <letters
"$SESSFS" mount --help | sed -n '/^Mount options/,$s/^  \([a-z_][a-z_]*=\{0,1\}\) .*/\1/p' >options
[ "$(wc -l <options)" -ge 10 ]
missing=
while read -r option; do
	grep -qF "*$option*" "$TEST_ROOT/mount/mount.sessfs.8.scd" || missing="$missing $option"
done <options
[ -z "$missing" ] || fail "not in mount.sessfs(8):$missing"

need_fuse
note "sessfs(7): control files, and what is in them"
mount_store
mkdir "$MNT/one"
echo x >"$MNT/one/file"
page=$TEST_ROOT/mount/sessfs.7.scd
for dir in "$MNT/.sessfs" "$MNT/one/.session"; do
	for file in $(ls "$dir"); do
		grep -qE "_$file(/[A-Z/]*)?_" "$page" || missing="$missing $file"
	done
done
for document in "$MNT/.sessfs/sessions.json" "$MNT/.sessfs/history.json" "$MNT/one/.session/info.json"; do
	for member in $(json "$document" '" ".join(set(j) | {key for one in j.get("sessions", []) for key in one})'); do
		grep -qF "_${member}_" "$page" || missing="$missing $member"
	done
done
for member in $(head -1 "$MNT/one/.session/files.jsonl" | json /dev/stdin '" ".join(j)'); do
	grep -qF "_${member}_" "$page" || missing="$missing $member"
done
[ -z "$missing" ] || fail "not in sessfs(7):$missing"
umount_store

note "the examples, typed one after the other as they stand there"
mkdir bin home home/project
ln -s "$SESSFS" bin/sessfs
printf 'check:\n\techo checked\n' >home/project/Makefile
examples() { sed -n '/^# EXAMPLES/,/^# SEE/p' "$TEST_ROOT/mount/$1" | sed -n '/^```$/,/^```$/{/^```$/!p}'; }
type() { env -u SESSFS_MOUNT HOME="$PWD/home" PATH="$PWD/bin:$PATH" bash -Eeuo pipefail -x "$@"; }
examples sessfs.1.scd >typed
[ "$(grep -c sessfs typed)" -ge 8 ]
type typed
assert_eq "$(ls home/sessions)" ""
mount_store
"$SESSFS" new -m "$MNT" --query glaciers first >/dev/null
"$SESSFS" rm -m "$MNT" first >/dev/null
{ echo "cd '$MNT/one'"; examples sessfs.7.scd | sed "s|DIR|$MNT|g; s|FILE|file|"; } >typed
[ "$(grep -c "$MNT" typed)" -ge 3 ]
type typed
umount_store
