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
refused "read-only" touch "$MNT/one/file"
refused "read-only" mkdir "$MNT/two"
refused "read-only" rm "$MNT/one/file"
"$SESSFS" umount "$MNT"
wait "$DAEMON"
picture | diff before - || fail "the store changed"

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
