# The current session: the one that was set, which then cannot be removed, else the newest.
. "$TEST_ROOT/tests/lib.sh"

CURRENT=$MNT/.sessfs/current
current() { basename "$(readlink "$CURRENT")"; }
# marks - the sessions that say of themselves that they are current.
marks() {
	local name
	for name in $(ls "$MNT"); do
		[ "$(json "$MNT/$name/.session/info.json" 'j["is_current"]')" = False ] || echo "$name"
	done
}

mount_store
assert_absent "$CURRENT"
mkdir "$MNT/one" "$MNT/two" "$MNT/three"
assert_eq "$(current)" three
rmdir "$MNT/three"
assert_eq "$(current) $(marks)" "two two"
mv "$MNT/two" "$MNT/.sessfs/trash/"
assert_eq "$(current) $(marks)" "one one"
mv "$MNT/.sessfs/trash/two" "$MNT/two"
assert_eq "$(current)" two

note "one that was set"
ln -sfn one "$CURRENT"
assert_eq "$(current) $(marks)" "one one"
echo x >"$CURRENT/logs/file" 2>/dev/null || echo x >"$MNT/one/logs/file"
rm "$MNT/one/logs/file"
refused "busy" rmdir "$MNT/one"
refused "busy" mv "$MNT/one" "$MNT/.sessfs/trash/"
refused "busy" mv -T "$MNT/two" "$MNT/one"
mkdir "$MNT/newer"
assert_eq "$(current)" one
kill_daemon
remount
assert_eq "$(current) $(marks)" "one one"
mv "$MNT/one" "$MNT/renamed"
assert_eq "$(current) $(marks)" "renamed renamed"
refused "no such file|invalid" ln -sfn nobody "$CURRENT"
assert_eq "$(current)" renamed

note "none is set any more"
rm "$CURRENT"
assert_eq "$(current)" newer
rmdir "$MNT/renamed"
remount
assert_eq "$(current) $(marks)" "newer newer"
mv "$MNT/newer" "$MNT/.sessfs/trash/"
refused "no such file|invalid" ln -sfn newer "$CURRENT"
umount_store
