# A session belongs to its maker; others see what its modes let them.
. "$TEST_ROOT/tests/lib.sh"

need_root

mount_store -o allow_other
chmod 1777 "$MNT"
as_user mkdir -m 750 "$MNT/theirs"
assert_eq "$(stat -c '%u %g %a' "$MNT/theirs")" "$USER_ID $USER_ID 750"
assert_eq "$(stat -c '%u %g' "$MNT/theirs/cache")" "$USER_ID $USER_ID"
assert_eq "$(stat -c %u "$MNT/theirs/.session/info.json")" $USER_ID
as_user sh -c "echo x >$MNT/theirs/logs/f"
mkdir -m 700 "$MNT/mine"
mkdir "$MNT/shown"
echo y >"$MNT/shown/logs/f"
refused 'denied' as_user ls "$MNT/mine"
refused 'denied' as_user cat "$MNT/mine/.session/info.json"
refused 'denied' as_user touch "$MNT/shown/logs/g"
refused 'denied' as_user mkdir "$MNT/shown/new"
refused 'not permitted' as_user rmdir "$MNT/mine"
assert_eq "$(as_user cat "$MNT/shown/logs/f")" y
as_user cat "$MNT/shown/.session/info.json" "$MNT/.sessfs/sessions.json" >/dev/null
as_user rm -rf "$MNT/theirs"
assert_absent "$MNT/theirs"
umount_store

mount_store
refused 'denied' as_user ls "$MNT"
umount_store
