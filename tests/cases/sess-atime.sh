# What reading leaves: an access time once a day, with noatime and nodiratime none.
. "$TEST_ROOT/tests/lib.sh"

# look - prints for which of a file and a directory reading is noted.
look() {
	mkdir "$MNT/s"
	mkdir "$MNT/s/dir"
	echo text >"$MNT/s/dir/file"
	touch -d 2001-01-01 "$MNT/s/dir/file" "$MNT/s/dir"
	cat "$MNT/s/dir/file" >/dev/null
	ls "$MNT/s/dir" >/dev/null
	(cd "$MNT/s" && find dir -newerat 2002-01-01 | sort | tr '\n' ' ')
	rm -r "$MNT/s"
}

mount_store
assert_eq "$(look)" "dir dir/file "
note "nothing is noted in a session that is read-only"
mkdir "$MNT/s"
echo text >"$MNT/s/logs/file"
touch -d 2001-01-01 "$MNT/s/logs/file" "$MNT/s/logs"
echo paused >"$MNT/s/.session/status"
cat "$MNT/s/logs/file" >/dev/null
ls "$MNT/s/logs" >/dev/null
remount
assert_eq "$(find "$MNT/s/logs" -newerat 2002-01-01)" ""
echo active >"$MNT/s/.session/status"
rm -r "$MNT/s"
remount -o nodiratime
assert_eq "$(look)" "dir/file "
remount -o noatime
assert_eq "$(look)" ""
umount_store

note "once a day"
with_clock
mount_store -o ttl=0
mkdir "$MNT/s"
echo text >"$MNT/s/logs/file"
# look_again SECONDS - reads the file so much later, when the kernel does not know it; sets ACCESSED.
look_again() {
	remount
	pass "$1"
	cat "$MNT/s/logs/file" >/dev/null
	ACCESSED=$(stat -c %X "$MNT/s/logs/file")
}
look_again 60
first=$ACCESSED
look_again $((23 * 3600))
assert_eq "$ACCESSED" "$first"
look_again $((2 * 3600))
[ "$ACCESSED" -gt "$first" ] || fail "a day later it was not noted"
umount_store
