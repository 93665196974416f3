# -o ro: everything can be read, nothing changes, not even in the store's directory.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mount_store
mkdir "$MNT/one"
echo kept >"$MNT/one/file"
umount_store
picture() { (cd "$STORE" && find . -type f ! -name lock.mdb -printf '%p %s %T@\n' | sort && md5sum data.mdb); }
picture >before
mount_store -o ro
assert_file "$MNT/one/file" kept
assert_eq "$(json "$MNT/.sessfs/stats.json" 'j["hot_bytes"]')" 0 "bytes in logs that are void"
refused "read-only" touch "$MNT/one/file"
refused "read-only" mkdir "$MNT/two"
refused "read-only" rm "$MNT/one/file"
refused "status of one not changed: .*; the mount is read-only" "$SESSFS" pause one -m "$MNT"
refused "one is not removed: .*; the mount is read-only" "$SESSFS" rm one -m "$MNT"
refused "session two is not made: .*; the mount is read-only" "$SESSFS" new two -m "$MNT"
"$SESSFS" umount "$MNT"
wait "$DAEMON"
picture | diff before - || fail "the store changed"

note "nothing expires, and all say so"
mount_store -o ro,ttl=1s
is_old() { [ "$(json "$MNT/.sessfs/expiring.json" 'j["staying"][0]["age_seconds"]')" -gt 1 ]; }
wait_for 5 is_old
assert_eq "$(json "$MNT/.sessfs/expiring.json" 'j["expiring"], [(s["due"], s["reason"]) for s in j["staying"]]')" \
	"([], [(False, 'protected: mounted read-only')])"
assert_eq "$(json "$MNT/one/.session/info.json" 'j["expires_at"], j["protected_by"]')" "(None, 'mounted read-only')"
assert_file "$MNT/one/.session/expires_at" never
valid "$MNT/.sessfs/expiring.json" "$MNT/.sessfs/sessions.json" "$MNT/one/.session/info.json"
"$SESSFS" status one -m "$MNT" | says '^expires  *not while it is mounted read-only$'
"$SESSFS" expire --dry-run -m "$MNT" | says '^one  *stays .* it is mounted read-only$'
"$SESSFS" list -m "$MNT" >said
! grep -q 'now' said || fail "$(cat said)"
"$SESSFS" umount "$MNT" | says '^1 session, none protected; none expires while they are mounted read-only$'
wait "$DAEMON"
DAEMON=

note "what a killed daemon acknowledged is seen"
mount_store
echo newer >"$MNT/one/file"
kill_daemon
picture >before
mount_store -o ro
assert_file "$MNT/one/file" newer
"$SESSFS" umount "$MNT"
wait "$DAEMON"
picture | diff before - || fail "the store changed"
"$SESSFS" check "$STORE" | says '^1 session, [0-9]* inodes, '
