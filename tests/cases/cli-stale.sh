# What a killed daemon leaves: a dead mount is replaced, or unmounted with a word about it.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
die() { kill -9 "$DAEMON"; wait "$DAEMON" 2>/dev/null || :; }

note "the next mount replaces the dead one"
mount_store
mkdir "$MNT/one"
echo kept >"$MNT/one/file"
die
refused "not connected" stat -f "$MNT"
refused "the mount on $MNT is dead" "$SESSFS" status "$MNT/one"
refused "new/here lies in a mount that is dead" "$SESSFS" status "$MNT/one/new/here"
assert_eq "$(status_of "$SESSFS" status "$MNT/one/new/here")" 1
refused "the mount on $MNT is dead" "$SESSFS" list -m "$MNT"
"$SESSFS" init other >/dev/null
refused "dead mount of $STORE" "$SESSFS" mount other "$MNT"
"$SESSFS" mount "$STORE" "$MNT"
assert_file "$MNT/one/file" kept
assert_eq "$(grep -c " $MNT fuse.sessfs" /proc/self/mounts)" 1
"$SESSFS" umount "$MNT"
check_store

note "or it is unmounted"
mount_store
echo again >"$MNT/one/file"
die
assert_eq "$(status_of "$SESSFS" umount "$MNT")" 64
! is_mounted
mount_store
assert_file "$MNT/one/file" again
umount_store

note "a daemon that could not save everything says so"
mount_store
echo "closed: no space left" >>"$STORE/daemon"
assert_eq "$(status_of "$SESSFS" umount "$MNT" 2>"$TEST_DIR/said")" 64
says "not everything could be saved in $STORE: no space left" <"$TEST_DIR/said"
wait "$DAEMON"
check_store

note "a daemon that outlives its store leaves the next one in its place alone"
mount_store
rm -rf "$STORE"
old=$DAEMON other=$TEST_DIR/other-mnt
mkdir "$other"
"$SESSFS" mount "$STORE" "$other"
[ -e "$STORE/daemon" ] || fail "no file of the second daemon"
fusermount3 -u "$MNT" 2>/dev/null || umount "$MNT"
wait "$old" || : # what it had is gone
[ -e "$STORE/daemon" ] || fail "the file of the second daemon is gone"
"$SESSFS" umount "$other"
check_store
