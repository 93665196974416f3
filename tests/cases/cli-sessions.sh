# The verbs that change sessions: new, pause, resume, complete, fail, archive, pin, unpin, rm, undelete; as an ordinary
# user too.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
unset SESSFS_MOUNT SESSFS_SESSION
info() { json "$MNT/$1/.session/info.json" "j['$2']"; }
state_of() { cat "$MNT/$1/.session/status"; }

sessfs() { "$SESSFS" "$@"; }

mount_store
note "new"
assert_eq "$(sessfs new first -m "$MNT")" "$MNT/first"
assert_eq "$(ls "$MNT/first" | xargs)" "cache intermediate_results logs research_data"
assert_eq "$(sessfs new second --query 'how deep?' --tag sea --tag 'deep blue' --project whales -m "$MNT")" \
	"$MNT/second"
assert_file "$MNT/second/.session/query" 'how deep?'
assert_file "$MNT/second/.session/tags" "sea"$'\n'"deep blue"
assert_file "$MNT/second/.session/project" whales
made=$(sessfs new -m "$MNT")
assert_match "$made" "^$MNT/session_[0-9]{8}_[0-9]{6}$"
again=$(cd "$MNT/first" && sessfs new)
[ "$made" != "$again" ] && [ -d "$again" ]
rmdir "$made" "$again"
assert_eq "$(status_of sessfs new first -m "$MNT")" 1
refused "a session first already" sessfs new first -m "$MNT"
assert_eq "$(status_of sessfs new .hidden -m "$MNT")" 2
assert_eq "$(status_of sessfs new a/b -m "$MNT")" 2
assert_eq "$(status_of sessfs new '' -m "$MNT")" 2

note "what is refused leaves nothing"
refused "slash" sessfs new third --tag a/b -m "$MNT"
assert_absent "$MNT/third"

note "pause, resume"
sessfs pause first -m "$MNT" | says '^first is paused, and does not expire'
assert_eq "$(state_of first)" paused
refused "read-only" touch "$MNT/first/logs/x"
sessfs resume first -m "$MNT" | says '^first is active, and expires in '
touch "$MNT/first/logs/x"
(cd "$MNT/first/logs" && sessfs pause && sessfs resume) >/dev/null
(cd "$MNT" && SESSFS_SESSION=second sessfs pause) | says '^second is paused'
assert_eq "$(status_of sessfs pause first second -m "$MNT")" 1 "one of two"
assert_eq "$(state_of first) $(state_of second)" "paused paused"
sessfs resume first second -m "$MNT" >/dev/null
assert_eq "$(state_of first) $(state_of second)" "active active"
assert_eq "$(status_of sessfs resume nobody first -m "$MNT")" 3

note "complete; a completed session cannot be resumed, and is told why"
sessfs complete first -m "$MNT" | says '^first is completed, and expires in 90 days'
assert_eq "$(status_of sessfs resume first -m "$MNT")" 1
refused "status of first not changed: .*completed session cannot be resumed" sessfs resume first -m "$MNT"
sessfs archive first -m "$MNT" | says '^first is archived'
refused "archived" sessfs resume first -m "$MNT"

note "fail, with a reason"
sessfs fail second 'out of cheese' -m "$MNT" | says '^second is failed'
assert_eq "$(state_of second)" failed
tail -n 1 "$MNT/second/.session/events.jsonl" | says 'out of cheese'
sessfs status second -m "$MNT" | says '^reason  *out of cheese$'
assert_eq "$(info second reason)" "out of cheese"
sessfs resume second -m "$MNT" >/dev/null
assert_eq "$(info second reason)" ""

note "pin, unpin"
sessfs pin second -m "$MNT" | says '^second is pinned'
assert_eq "$(info second pinned)" True
sessfs unpin second -m "$MNT" >/dev/null
assert_eq "$(info second pinned)" False

note "rm, undelete"
echo kept >"$MNT/second/logs/file"
sessfs rm first second -m "$MNT" >said
grep -q '^first is in the trash; `sessfs undelete first` takes it back within 24 h, until 20' said
grep -q '^second is in the trash' said
assert_eq "$(ls "$MNT")" ""
assert_file "$MNT/.sessfs/trash/second/logs/file" kept
assert_eq "$(status_of sessfs rm second -m "$MNT")" 3
refused "no session second any more, but it is in the trash: .sessfs undelete second" sessfs rm second -m "$MNT"
refused "in the trash" sessfs status second -m "$MNT"
mkdir "$MNT/second"
assert_eq "$(status_of sessfs undelete second -m "$MNT")" 1
refused "a session second already; .sessfs undelete second OTHER" sessfs undelete second -m "$MNT"
sessfs undelete second third -m "$MNT" | says '^third is back'
assert_file "$MNT/third/logs/file" kept
assert_file "$MNT/third/.session/query" 'how deep?'
sessfs undelete first -m "$MNT" | says '^first is back'
assert_eq "$(state_of first)" archived
assert_eq "$(status_of sessfs undelete first -m "$MNT")" 3
refused "no first in the trash" sessfs undelete first -m "$MNT"
assert_eq "$(status_of sessfs undelete . -m "$MNT")" 2

note "what cannot be undone wants the session itself, not what lies in it"
for verb in rm complete archive; do
	refused 'logs is not a session, but lies in first: name that' sessfs $verb "$MNT/first/logs"
	assert_eq "$(cd "$MNT/first/logs" && status_of sessfs $verb .)" 3
	assert_eq "$(cd "$MNT" && status_of sessfs $verb first/logs)" 3
done
assert_eq "$(state_of first)" archived
(cd "$MNT/third/logs" && sessfs pause . && sessfs resume "$MNT/third/logs") >/dev/null
(cd "$MNT/third" && sessfs rm .) >/dev/null
sessfs undelete third -m "$MNT" >/dev/null

note "two of one name in the trash"
sessfs rm second -m "$MNT" >/dev/null
sessfs new second --query later -m "$MNT" >/dev/null
sessfs rm second -m "$MNT" >said
name=$(sed -n 's/^second is in the trash; `sessfs undelete \(second~[0-9]*\)` .*/\1/p' said)
sessfs undelete "$name" -m "$MNT" | says '^second is back'
assert_file "$MNT/second/.session/query" later
sessfs rm second first third -m "$MNT" >/dev/null

note "what is advised can be done as it is written, whatever the name"
for odd in 'my own' "it's" -x '*' '~' '$HOME' $'a\e[2J\xff\\\'b\n' $'\u00fc \u00df'; do
	sessfs new -m "$MNT" -- "$odd" >/dev/null
	sessfs rm -m "$MNT" -- "$odd" >said
	advice=$(sed -n 's/.*; `\(sessfs undelete .*\)` takes it back within .*/\1/p' said)
	(cd "$MNT" && eval "$advice") >/dev/null
	[ -d "$MNT/$odd/logs" ] || fail "not undone by: $advice"
	sessfs rm -m "$MNT" -- "$odd" >/dev/null
done
refused "make it with .mkdir -p -- '-a b'\`" sessfs mount store -- '-a b'

note "names in any bytes"
odd=$'\e[31m red \n\t"quoted" \\ '
sessfs new "$odd" -m "$MNT" >/dev/null
[ -d "$MNT/$odd/logs" ]
sessfs pause "$odd" -m "$MNT" >said
grep -qF '\x1b[31m red \x0a\x09"quoted" \ ' said
refused 'no session \\x1b' sessfs pin $'\e' -m "$MNT"
sessfs list -m "$MNT" >said
grep -qF '\x1b[31m red' said
assert_eq "$(wc -l <said)" 2
assert_eq "$(sessfs list --json -m "$MNT" | json /dev/stdin "j['sessions'][0]['name']")" "$odd"
sessfs rm "$odd" -m "$MNT" >/dev/null
bytes=$'\xff!'
mkdir "$MNT/$bytes"
python3 -c 'import os, sys; assert os.getxattr(sys.argv[1], "user.sessfs.name") == b"\xff!"' "$MNT/$bytes"
sessfs rm "$bytes" -m "$MNT" | says 'in the trash; `sessfs undelete $.\\xff!.` takes it back within 24 h'
sessfs undelete "$bytes" -m "$MNT" >/dev/null
assert_eq "$(sessions)" "$bytes"
sessfs rm "$bytes" -m "$MNT" >/dev/null

note "what is in use, or current"
"$SESSFS" new held -m "$MNT" >/dev/null
ln -sfn held "$MNT/.sessfs/current"
assert_eq "$(status_of "$SESSFS" rm held -m "$MNT")" 1
refused "held is not removed: .*current" "$SESSFS" rm held -m "$MNT"
umount_store

note "a read-only mount"
mount_store -o ro
assert_eq "$(status_of "$SESSFS" new other -m "$MNT")" 1
refused "read-only" "$SESSFS" new other -m "$MNT"
refused "status of held not changed: .*read-only" "$SESSFS" pause held -m "$MNT"
refused "held is not removed: .*read-only" "$SESSFS" rm held -m "$MNT"
umount_store

note "no trash: removed for good"
mount_store -o grace=0
"$SESSFS" new gone -m "$MNT" >/dev/null
assert_eq "$("$SESSFS" rm gone -m "$MNT")" "gone is removed"
assert_eq "$(ls "$MNT/.sessfs/trash" | sed -n /gone/p)" ""
umount_store

if [ "$(id -u)" = 0 ]; then
	note "another user: the reason is theirs, not that of an older error"
	mount_store -o allow_other
	"$SESSFS" new mine -m "$MNT" >/dev/null
	! echo nonsense 2>/dev/null >"$MNT/mine/.session/status" || fail "nonsense was taken"
	tail -n 1 "$MNT/mine/.session/errors.jsonl" | says 'the status is one of'
	refused "status of mine not changed: Permission denied" as_user "$SESSFS" pause mine -m "$MNT"
	refused "mine is not removed: .*another user" as_user "$SESSFS" rm mine -m "$MNT"
	refused "session theirs is not made: .*$MNT belongs to another user.*chmod 1777 $MNT" \
		as_user "$SESSFS" new theirs -m "$MNT"
	"$SESSFS" new theirs -m "$MNT" >/dev/null
	chown "$USER_ID" "$MNT/theirs"
	refused "theirs is not removed: .*the mount, belongs to another user" as_user "$SESSFS" rm theirs -m "$MNT"

	note "another user: what only its owner may look at is there all the same"
	mkdir -m 700 "$MNT/hidden"
	as_user "$SESSFS" search hidden -m "$MNT" >said 2>&1 || fail "not found: $(cat said)"
	assert_eq "$(cat said)" "sessfs: 1 more found: only their owners may look at them"
	rmdir -- "$MNT"/.sessfs/trash/*
	"$SESSFS" rm hidden -m "$MNT" >/dev/null
	assert_eq "$(as_user "$SESSFS" list -t -m "$MNT" 2>&1)" \
		"sessfs: 1 more in the trash: only their owners may look at them"
	"$SESSFS" rm theirs -m "$MNT" >/dev/null
	as_user "$SESSFS" list -t -m "$MNT" 2>said | says '^theirs '
	grep -q ' 1 more in the trash' said
	"$SESSFS" umount "$MNT" >/dev/null
	wait "$DAEMON"
	DAEMON=

	note "all of it as an ordinary user"
	mkdir user
	chown "$USER_ID" user
	(cd user && as_user env TEST_DIR="$PWD" HOME="$PWD" bash "$0")
fi
