# user.sessfs.*: virtual attributes of sessions and files.
. "$TEST_ROOT/tests/lib.sh"

need getfattr setfattr

mount_store -o commit=1
cd "$MNT"
mkdir s
attr() { getfattr --only-values -n "user.sessfs.$1" "$2" 2>/dev/null; }
set_attr() { setfattr -n "user.sessfs.$1" -v "$2" "$3"; }

note "of a session: the control files' values and rules"
assert_eq "$(attr status s) $(attr pin s)" "active 0"
set_attr status paused s
assert_file s/.session/status paused
refused 'invalid argument' set_attr status completed s
refused 'read-only' touch s/logs/x
set_attr status active s
set_attr pin 1 s
assert_file s/.session/pin 1
refused 'invalid argument' set_attr pin 2 s
set_attr pin 0 s
set_attr expires_at 2030-01-02T03:04:05Z s
assert_eq "$(attr expires_at s) $(cat s/.session/expires_at)" "2030-01-02T03:04:05Z 2030-01-02T03:04:05Z"
setfattr -x user.sessfs.expires_at s
[ "$(attr expires_at s)" \< 2030 ] || fail "expires_at was not taken away"
refused 'invalid argument' setfattr -x user.sessfs.pin s
python3 - <<'END'
import os
for flag, errno in ((os.XATTR_CREATE, 17), (os.XATTR_REPLACE, 0)):
	try:
		os.setxattr("s", "user.sessfs.pin", b"0", flag)
		assert not errno
	except OSError as error:
		assert error.errno == errno, error
END

note "what is only read"
head -c 500000 /dev/zero | tr '\0' a >s/logs/f
is_compressed() { [ "$(attr stored_bytes s)" -lt 50000 ]; }
wait_for 20 is_compressed # by a flush, or two: one may have come between its writes
[ "$(attr stored_bytes s)" -gt 0 ] || fail "stored: $(attr stored_bytes s)"
python3 -c "assert float('$(attr compression_ratio s)') > 10"
assert_match "$(attr created_at s/logs/f)" '^20[0-9-]+T[0-9:.]+Z$'
sh -c 'echo $$ >"$TEST_DIR/pid"; exec cp "$TEST_DIR/pid" s/logs/copy'
assert_eq "$(attr created_by s/logs/copy)" "$(cat "$TEST_DIR/pid") $(id -u) cp"
for name in stored_bytes compression_ratio; do refused 'not permitted' set_attr $name 1 s; done
for name in stored_bytes created_at created_by; do refused 'not permitted' set_attr $name 1 s/logs/f; done
for path in s s/logs/f; do
	refused 'not permitted' set_attr other 1 $path
	refused 'not permitted' setfattr -x user.sessfs.other $path
	refused 'no such attribute' getfattr -n user.sessfs.other $path
done
refused 'no such attribute' getfattr -n user.sessfs.status s/logs
refused 'no such attribute' getfattr -n user.sessfs.status .
refused 'no such attribute' getfattr -n user.sessfs.status s/.session
refused 'not supported' getfattr -n sessfs.query s

note "not listed, so copies are whole"
setfattr -n user.mine -v 1 s/logs/f
assert_eq "$(getfattr -d s/logs/f | grep -v '^#' | grep .)" 'user.mine="1"'
assert_eq "$(getfattr -d s)" ""
echo question >s/.session/query
assert_eq "$(getfattr -d -m - s)" ""
setfattr -n user.mine -v 2 s
assert_eq "$(python3 -c 'import os; print(os.listxattr("s"))')" "['user.mine']"
cp -a s/logs/f s/logs/g
assert_eq "$(getfattr --only-values -n user.mine s/logs/g)" 1
cd "$TEST_DIR"
umount_store
