# The command line without a mount: help, version, usage, init, check.
. "$TEST_ROOT/tests/lib.sh"

note "help and version"
"$SESSFS" --help | says '^  umount '
"$SESSFS" --version | says '^sessfs [0-9]'
for verb in init mount umount check; do
	"$SESSFS" $verb --help | says "^usage: sessfs $verb"
done
for verb in $("$SESSFS" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	"$SESSFS" "$verb" --help >help
	grep -q "^usage: sessfs $verb" help
	! grep -E '.{81}|[[:space:]]$' help | grep -v '^usage: ' || fail "$verb --help: lines too long"
	case $verb in mount | umount) status=1 ;; check) status=16 ;; *) status=2 ;; esac
	assert_eq "$(status_of "$SESSFS" "$verb" --frobnicate)" $status "$verb with an unknown option"
	refused "^usage: sessfs $verb" "$SESSFS" "$verb" --frobnicate
done
refused 'the verb comes first' "$SESSFS" -m "$PWD" list
for verb in status list stats history expire; do
	assert_eq "$(status_of "$SESSFS" $verb one two three)" 2 "$verb with too many words"
done
for verb in rm undelete search; do
	assert_eq "$(status_of "$SESSFS" $verb)" 2 "$verb without a word"
done
assert_eq "$(status_of "$SESSFS")" 2 "no verb"
assert_eq "$(status_of "$SESSFS" frobnicate)" 2 "unknown verb"
assert_eq "$(status_of "$SESSFS" init)" 2 "init without a store"
assert_eq "$(status_of "$SESSFS" mount "$STORE")" 1 "mount without a directory"
assert_eq "$(status_of "$SESSFS" umount)" 1 "umount without a directory"
assert_eq "$(status_of "$SESSFS" check)" 16 "check without a store"
refused "frobnicate" "$SESSFS" frobnicate

note "init"
"$SESSFS" init "$STORE" | says "new store in $STORE"
assert_eq "$(stat -c %a "$STORE")" 700
refused "a store in $STORE already" "$SESSFS" init "$STORE"
assert_eq "$(status_of "$SESSFS" init "$STORE")" 1
mkdir full && touch full/file
refused "not a store, and not an empty directory" "$SESSFS" init full
assert_eq "$(ls -A full)" file
assert_eq "$(status_of "$SESSFS" init nowhere/store)" 3
refused "what stands before its last part" "$SESSFS" init nowhere/store
mkdir empty && "$SESSFS" init empty/ >/dev/null
touch plain
assert_eq "$(status_of "$SESSFS" init plain)" 1

note "check"
"$SESSFS" check "$STORE" | says 'clean$'
assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 0
assert_eq "$(status_of "$SESSFS" check nowhere)" 8
assert_eq "$(status_of "$SESSFS" check full)" 8
assert_eq "$(status_of "$SESSFS" check --frobnicate "$STORE")" 16
refused "no store .*nowhere" "$SESSFS" check nowhere

note "umount of what is no sessfs"
assert_eq "$(status_of "$SESSFS" umount "$MNT")" 32
refused "nothing is mounted on" "$SESSFS" umount "$MNT"
refused "not sessfs" "$SESSFS" umount /proc

note "what was wrong, by the program's name"
refused "^sessfs: -d takes .*, which 'x' cannot be" "$SESSFS" top -d x
refused "^sessfs: -d takes .*, which '0.1' cannot be" "$SESSFS" top -d 0.1
refused "^sessfs: -n takes NUMBER, which '0' cannot be" "$SESSFS" top -n 0
refused "^sessfs: -n takes COUNT, which 'x' cannot be" "$SESSFS" history -n x
refused "^sessfs: new: unrecognized option '--frob'" "$SESSFS" new --frob
refused "^sessfs: list: invalid option -- 'Z'" "$SESSFS" list -Z
