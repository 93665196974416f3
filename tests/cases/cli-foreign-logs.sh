# The logs of one store beside the data.mdb of another: they are not taken in, the mount says why and what to do, and
# what they hold is not lost.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mount_store -o commit=1h
mkdir "$MNT/ours"
echo kept >"$MNT/ours/logs/kept"
kill_daemon
cp -a "$STORE" ours
OURS=$STORE
STORE=other
mount_store
mkdir "$MNT/theirs"
umount_store

# told COMMAND... - it is refused, with the cause and what to do, and nothing changes.
told() {
	refused "log of another store: hot.0 belongs to .*check --repair $OURS. keep it" "$@"
	assert_eq "$(md5sum "$OURS"/{data.mdb,hot.?})" "$before" "files of the store"
}

cp other/data.mdb "$OURS/"
before=$(md5sum "$OURS"/{data.mdb,hot.?})
told "$SESSFS" mount "$OURS" "$MNT"
told "$SESSFS" mount -o ro "$OURS" "$MNT"
told "$SESSFS" doctor "$OURS"
! is_mounted || fail "mounted after all"

note "nor is one that a newer sessfs wrote"
cp "$OURS/hot.0" written
printf '\2' | dd of="$OURS/hot.0" bs=1 seek=8 conv=notrunc status=none
for command in "mount $OURS $MNT" "check $OURS" "check --repair $OURS" "doctor $OURS"; do
	refused "log hot.0 of the store $OURS has format 2, which a newer sessfs wrote" "$SESSFS" $command
done
mv written "$OURS/hot.0"

note "check tells of it, a repair keeps the log"
assert_eq "$(status_of "$SESSFS" check "$OURS" 2>said)" 4
grep -q 'invariant 24: hot.0: .*hot.0.foreign' said || fail "check does not say it: $(cat said)"
assert_eq "$(status_of "$SESSFS" check --repair "$OURS")" 1
cmp "$OURS/hot.0.foreign" ours/hot.0
STORE=$OURS
mount_store
assert_eq "$(sessions)" theirs
umount_store

note "back beside its own data.mdb it counts"
cp ours/data.mdb "$STORE/"
mv "$STORE/hot.0.foreign" "$STORE/hot.0"
mount_store
assert_file "$MNT/ours/logs/kept" kept
umount_store
