# `sessfs doctor` on this machine: stores in every state, stale mounts; each line is ok or says what to do.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
# doctor WORDS... - prints what it says; its exit status is in STATUS.
doctor() {
	STATUS=0
	"$SESSFS" doctor "$@" >said 2>&1 || STATUS=$?
	cat said
}
told() { grep -qE -- "$1" said || fail "no '$1' in: $(cat said)"; }

note "a store that is not there, one never mounted, one in use, one closed"
doctor "$STORE"
assert_eq $STATUS 1
told "^fix +store +there is no store $STORE; .sessfs init $STORE. makes one"
"$SESSFS" init "$STORE" >/dev/null
doctor "$STORE"
told "^ok +store +$STORE has format 3, which this sessfs knows; everything in it is saved"
told "^ok +space +.* is free on the disk of $STORE"
told "^ok +device"
mount_store
doctor "$STORE"
told "^ok +store +$STORE is open in process $DAEMON, mounted on $MNT"
told "^ok +mounts +$STORE is mounted on $MNT and answers"
doctor
told "^ok +store +$STORE is open"
umount_store
doctor "$STORE"
told "^ok +store +$STORE has format 3.*everything in it is saved"

note "a dead daemon: a stale mount, a store that was not closed"
mount_store
mkdir "$MNT/one"
kill -9 "$DAEMON"
wait "$DAEMON" 2>/dev/null || :
doctor "$STORE"
assert_eq $STATUS 1
told "^fix +mounts +on $MNT lies a dead mount of $STORE; .sessfs mount $STORE $MNT. replaces it"
told "^note +store +$STORE has format 3.*its last daemon died: .*sessfs check $STORE. verifies"
"$SESSFS" mount "$STORE" "$MNT"
doctor "$STORE"
told "^ok +mounts +$STORE is mounted on $MNT"
"$SESSFS" umount "$MNT"

note "not a store, and a damaged one"
mkdir full && touch full/file
doctor full
told "^fix +store +$PWD/full is not a store"
cp -r "$STORE" damaged
head -c 20000 /dev/urandom >damaged/data.mdb
doctor damaged
assert_eq $STATUS 1
told "^fix +store +(the store )?$PWD/damaged"

note "the same as JSON"
"$SESSFS" doctor --json "$STORE" >document.json || :
assert_eq "$(json document.json 'sorted({c["state"] for c in j["checks"]} - {"ok", "note", "fix"})')" "[]"
assert_eq "$(json document.json '[c["check"] for c in j["checks"] if c["text"].startswith("/dev/fuse")]')" "['device']"
assert_eq "$(json document.json 'j["ok"] == all(c["state"] != "fix" for c in j["checks"])')" True

if [ "$(id -u)" = 0 ]; then
	note "a machine that lacks something"
	setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$SESSFS" doctor "$STORE" >said || :
	told "^fix +rights +this container may not mount .*--cap-add SYS_ADMIN"
	as_user env PATH=/nowhere "$SESSFS" doctor >said || :
	told "^fix +fusermount3 +there is no fusermount3"

	note "a store that another user has mounted"
	mount_store
	as_user "$SESSFS" doctor >said || :
	told "^ok +mounts +$STORE is mounted on $MNT"
	! grep -E "^[a-z]+ +(store|space) .*$STORE" said || fail "what one may not open is not one's own"
	doctor
	told "^ok +store +$STORE is open in process $DAEMON, mounted on $MNT"
	unshare -m sh -c 'umount -l "$1" && exec "$2" doctor "$3"' - "$MNT" "$SESSFS" "$STORE" >said || :
	told "^ok +store +$STORE is open in process $DAEMON, mounted on $MNT in another mount namespace"
	umount_store
fi
