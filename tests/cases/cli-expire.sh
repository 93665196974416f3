# expire, with and without --dry-run, history, the trash in list, undelete of what expired; what mount and umount say.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
unset SESSFS_SESSION
export SESSFS_MOUNT=$MNT
# row NAME FILE - the table's line of a session, without the name.
row() { sed -n "s/^$1 *//p" "$2"; }
ended() { ls "$MNT" >/dev/null; [ -d "$MNT/.sessfs/trash/$1" ] && "$SESSFS" expire >>went; }

mount_store -o ttl=2h,retain=30d,grace=5h
for name in fresh done pinned paused used old; do "$SESSFS" new $name; done >/dev/null
head -c 100000 /dev/zero >"$MNT/old/logs/file"
"$SESSFS" complete done >/dev/null
"$SESSFS" pin pinned >/dev/null
"$SESSFS" pause paused >/dev/null
exec 5<"$MNT/used/logs"
touch -d '3 hours ago' "$MNT/pinned" "$MNT/used"
used_is_known() { [ -d "$MNT/used" ] && "$SESSFS" list | says '^used .*in use'; }
wait_for 5 used_is_known

note "the dry run: what goes when, and what stays, with the numbers"
"$SESSFS" expire --dry-run >dry
assert_match "$(row NAME dry)" '^GOES BY +SIZE WHY$'
assert_match "$(row fresh dry)" '^in 2h ttl +0 no write for [0-9]+ s, ttl is 2 h$'
assert_match "$(row done dry)" '^in 30d retain +0 no write for [0-9]+ s, retain is 30 days$'
assert_match "$(row pinned dry)" '^stays ttl +0 it is pinned$'
assert_match "$(row paused dry)" '^stays ttl +0 it is paused$'
assert_match "$(row used dry)" '^stays ttl +0 it is in use$'
assert_match "$(row old dry)" '^in 2h ttl +98K no write'
assert_eq "$(ls "$MNT" | wc -l)" 6
"$SESSFS" list >said
assert_match "$(row used said)" 'never.* in use'
assert_match "$(row pinned said)" 'never.* pinned'
"$SESSFS" status pinned | says '^expires *not while it is pinned$'
"$SESSFS" status used | says '^expires *not while it is in use$'
"$SESSFS" status fresh | says '^expires *in 2 h (20'

note "what is due goes, and is told"
touch -d '4 hours ago' "$MNT/old"
wait_for 10 ended old
grep -q '^old expired [0-9]* s ago (ttl, 98 KiB); `sessfs undelete old` takes it back within 5 h$' went
! grep -v '^old expired\|^nothing expired' went || fail "others went"
assert_eq "$(ls "$MNT" | xargs)" "done fresh paused pinned used"

note "once more there is nothing, when that is a while ago"
assert_eq "$("$SESSFS" expire --json | json /dev/stdin "[s['name'] for s in j['expired']]")" "['old']"

note "in history, and in the trash"
"$SESSFS" history >said
assert_match "$(row old said)" '^[0-9]+s ago ttl +active +[0-9]+s +1 +98K +5h$'
"$SESSFS" list --trash >said
assert_match "$(row old said)" '^trash +4h +5h +1 +98K .* ttl$'
"$SESSFS" list -a >said
assert_eq "$(wc -l <said)" 7
refused "no session old any more, but it is in the trash" "$SESSFS" status old

note "taken back, it is not too old once more"
"$SESSFS" undelete old | says '^old is back$'
"$SESSFS" expire >/dev/null
[ -s "$MNT/old/logs/file" ]
refused "no session .* has ended yet" eval '"$SESSFS" history && false'

note "what was in use goes when it is not any more"
exec 5<&-
wait_for 10 ended used

note "history: the last ones first, as many as asked for"
"$SESSFS" rm fresh >/dev/null
assert_eq "$("$SESSFS" history | awk 'NR > 1 { print $1 }' | xargs)" "fresh used"
assert_eq "$("$SESSFS" history -n 1 | awk 'NR > 1 { print $1 }')" fresh
assert_match "$(row fresh <("$SESSFS" history))" ' removed +active '
assert_eq "$(status_of "$SESSFS" history -n many)" 2

umount_store

note "a read-only mount, in which nothing goes; no trash: by the tombstones"
mount_store -o ttl=0,keep=0
touch -d '20 hours ago' "$MNT/old"
umount_store
mount_store -o ro,ttl=2h
"$SESSFS" expire -n >dry
assert_match "$(row old dry)" '^stays ttl +98K it is mounted read-only$'
assert_match "$(row done dry)" '^stays retain +0 it is mounted read-only$'
umount_store
mount_store -o ttl=2h,grace=0
gone() { [ ! -d "$MNT/old" ] && "$SESSFS" expire >went; }
wait_for 10 gone
grep -q '^old expired [0-9]* s ago (ttl, 98 KiB)$' went
umount_store

note "what is due goes by the command, whether the keeper has noticed or not"
with_clock
kept=$STORE STORE=$TEST_DIR/due
mount_store
"$SESSFS" new due >/dev/null
remount
pass $((25 * 3600))
"$SESSFS" expire | says '^due expired'
umount_store
MOUNT_AS=() STORE=$kept

note "mount and umount say in a line what is protected and what goes next; mount(8)'s helper is silent"
ln -s "$SESSFS" mount.sessfs
./mount.sessfs "$STORE" "$MNT" -o ttl=3h >said 2>&1
assert_file said ''
for name in $(ls "$MNT"); do
	"$SESSFS" rm "$name"
done >/dev/null
"$SESSFS" umount "$MNT" >said
assert_file said ''
"$SESSFS" mount "$STORE" "$MNT" -o ttl=3h >said
assert_file said ''
"$SESSFS" new later >/dev/null
"$SESSFS" umount "$MNT" >said
assert_file said '1 session, none protected; later expires next, in 3 h (ttl)'
"$SESSFS" mount "$STORE" "$MNT" >said
assert_file said '1 session, none protected; later expires next, in 24 h (ttl)'
for name in a b c; do "$SESSFS" new $name; done >/dev/null
"$SESSFS" pin a b later >/dev/null
"$SESSFS" pause c >/dev/null
"$SESSFS" umount "$MNT" >said
assert_file said '4 sessions, 4 protected (3 pinned, 1 paused); none expires'
"$SESSFS" mount "$STORE" "$MNT" >said
"$SESSFS" unpin a b later >/dev/null
"$SESSFS" rm b >/dev/null
"$SESSFS" umount "$MNT" >/dev/null
"$SESSFS" mount "$STORE" "$MNT" -o keep=1 >said
assert_file said "2 sessions, 1 protected (1 paused); later expires next, in 24 h (ttl)
1 session just expired; \`sessfs list --trash\` shows what can be taken back"
"$SESSFS" umount "$MNT" >said
assert_file said "2 sessions, 1 protected (1 paused); later expires next, in 24 h (ttl)"
check_store

note "of more than can be told of, those are counted that are seen"
"$SESSFS" mount "$STORE" "$MNT" -o ttl=0 >/dev/null
(cd "$MNT" && seq -f m%g 12000 | xargs mkdir && seq -f m%g 12000 | xargs touch -d '2 hours ago')
"$SESSFS" umount "$MNT" >said
assert_match "$(cat said)" '^12002 sessions; .sessfs expire --dry-run. tells what expires next$'
"$SESSFS" mount "$STORE" "$MNT" -o ttl=1h >said
assert_match "$(cat said)" '^2 sessions, 1 protected \(1 paused\); later expires next, in (1 h|[0-9]* min) \(ttl\)'
"$SESSFS" umount "$MNT" >said
assert_match "$(cat said)" '^2 sessions, 1 protected \(1 paused\); later expires next, in (1 h|[0-9]* min) \(ttl\)$'
