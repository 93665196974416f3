# A mount with -o ro shows everything and changes nothing.
. "$TEST_ROOT/tests/lib.sh"

mount_store
mkdir "$MNT/s"
echo content >"$MNT/s/logs/f"
kill_daemon
mount_store -o ro
cd "$MNT"
assert_file s/logs/f content
check_counts s
refused 'read-only' mkdir t
refused 'read-only' touch s/logs/g
refused 'read-only' rm s/logs/f
refused 'read-only' sh -c 'echo x >>s/logs/f'
refused 'read-only' chmod 600 s/logs/f
refused 'read-only' mv s t
refused 'read-only' rmdir s/cache
refused 'read-only' setfattr -n user.a -v b s/logs/f
refused 'read-only' truncate -s 0 s/logs/f
cd "$TEST_DIR"
"$SESSFS" umount "$MNT"
wait "$DAEMON"
DAEMON=
mount_store
assert_file "$MNT/s/logs/f" content
umount_store
