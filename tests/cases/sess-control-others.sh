# Who may read and write control files: the owner of the session; others read what the session's directory lets them.
. "$TEST_ROOT/tests/lib.sh"

need_root
mount_store -o allow_other
cd "$MNT"
chmod 1777 .
mkdir mine
as_user mkdir theirs private
chmod 700 private
own_by_user private
assert_eq "$(stat -c '%U %a' mine/.session mine/.session/info.json mine/.session/status | sort -u | tr '\n' ' ')" \
	"root 444 root 555 root 600 "
assert_eq "$(stat -c '%u %a' theirs/.session/status private/.session/info.json | tr '\n' ' ')" \
	"$USER_ID 600 $USER_ID 400 "
as_user cat mine/.session/info.json >/dev/null
refused 'denied' as_user cat mine/.session/status
refused 'denied' as_user sh -c 'echo paused >mine/.session/status'
refused 'denied' as_user sh -c 'echo x >>mine/.session/events.jsonl'
refused 'not permitted|denied' as_user setfattr -n user.sessfs.pin -v 1 mine
as_user sh -c 'echo paused >theirs/.session/status'
assert_file theirs/.session/status paused
as_user sh -c 'echo active >theirs/.session/status'
as_user sh -c 'echo "{}" >>theirs/.session/events.jsonl'
as_user setfattr -n user.sessfs.pin -v 1 theirs
as_user cat private/.session/info.json >/dev/null
chmod 750 mine
refused 'denied' as_user cat mine/.session/info.json
chmod 755 mine

note "whoever may write in a session's directory has not its control files, nor the attributes that stand for them"
mkdir shared
chmod 777 shared
as_user mkdir shared/own
for value in status=archived pin=1 expires_at=2030-01-01T00:00:00Z; do
	refused 'denied' as_user setfattr -n "user.sessfs.${value%=*}" -v "${value#*=}" shared
done
refused 'denied' as_user setfattr -x user.sessfs.expires_at shared
assert_eq "$(json shared/.session/info.json 'j["status"], j["pinned"]')" "('active', False)"
tail -n 1 shared/.session/errors.jsonl | says "owner's to set"
own_by_user shared
as_user setfattr -n user.sessfs.pin -v 1 shared
setfattr -n user.sessfs.pin -v 0 shared

note ".sessfs is root's, the trash as free as the root"
refused 'denied' as_user ln -sfn theirs .sessfs/current
ln -sfn mine .sessfs/current
assert_eq "$(as_user readlink .sessfs/current)" ../mine
as_user mkdir old
as_user mv old .sessfs/trash/old
assert_absent old
refused 'not permitted|denied' as_user mv mine .sessfs/trash/mine
as_user mv .sessfs/trash/old back
as_user ls back/logs
mkdir another
mv another .sessfs/trash/another
refused 'not permitted|denied' as_user mv .sessfs/trash/another taken
refused 'not permitted|denied' as_user rmdir .sessfs/trash/another
chmod 777 . # others may rename a session then, but not take away what is in it, neither here nor in the trash
refused 'not permitted|denied' as_user rmdir .sessfs/trash/another
refused 'not permitted|denied' as_user mv .sessfs/trash/another taken
as_user mkdir given
as_user mv given .sessfs/trash/given
as_user rmdir .sessfs/trash/given
chmod 1777 .
chmod 755 .
refused 'denied' as_user mv back .sessfs/trash/back
cd "$TEST_DIR"
umount_store
