# The trash: a session ends in one step, can be browsed and taken back, and leaves a tombstone; its space comes back.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

TRASH=$MNT/.sessfs/trash
drops() { json "$MNT/.sessfs/stats.json" 'j["drops"] if "drops" in j else 0'; }
history() { json "$MNT/.sessfs/history.json" "$1"; }
fill() {
	mkdir "$MNT/$1"
	echo "of $1" >"$MNT/$1/logs/file"
	ln "$MNT/$1/logs/file" "$MNT/$1/logs/link"
	mkdir -p "$MNT/$1/cache/a/b"
	head -c 300000 /dev/urandom >"$MNT/$1/cache/a/b/random"
	echo notes >"$MNT/$1/.session/notes"
}

mount_store -o commit=1
note "there and back"
fill one
tree_of "$MNT/one" >before
mv "$MNT/one" "$TRASH/"
assert_absent "$MNT/one"
assert_eq "$(ls "$MNT")" ""
assert_eq "$(ls "$TRASH")" one
tree_of "$TRASH/one" >trashed
assert_eq "$(sed 1d before)" "$(sed 1d trashed)" "the tree in the trash"
assert_eq "$(history '[(s["id"], s["rule"], s["can_be_taken_back"]) for s in j["sessions"]]')" \
	"[('one', 'removed', True)]"
assert_eq "$(history 'j["sessions"][0]["files"]')" 3
refused "read-only" touch "$TRASH/one/logs/x"
refused "read-only" rm "$TRASH/one/logs/file"
refused "read-only" dd if=/dev/zero of="$TRASH/one/logs/file" conv=notrunc status=none
refused "read-only" sh -c "echo other >'$TRASH/one/.session/notes'"
refused "read-only" sh -c "echo completed >'$TRASH/one/.session/status'"
refused "read-only" setfattr -n user.sessfs.pin -v 1 "$TRASH/one"
assert_eq "$(cat "$TRASH/one/.session/notes" "$TRASH/one/.session/status")" "notes"$'\n'"active"
kill_daemon
remount
assert_eq "$(ls "$TRASH")" one
mv "$TRASH/one" "$MNT/two"
assert_eq "$(ls "$MNT") $(ls "$TRASH")" "two "
tree_of "$MNT/two" >after
assert_eq "$(sed 1d before)" "$(sed 1d after)" "the tree that came back"
assert_file "$MNT/two/.session/notes" notes
assert_eq "$(history 'j["sessions"]')" "[]"
echo more >>"$MNT/two/logs/file"
check_counts "$MNT/two"
assert_match "$(cat "$MNT/two/.session/events.jsonl")" '"ended", "rule": "removed".*"taken back"'
kill_daemon
remount
assert_eq "$(ls "$MNT") $(ls "$TRASH")" "two "

note "what is not allowed"
mkdir "$MNT/three"
python3 - "$MNT" <<'END'
import ctypes, errno, os, sys
mnt = sys.argv[1]
trash = mnt + "/.sessfs/trash/"
libc = ctypes.CDLL(None, use_errno=True)
def rename(a, b, flags, *expected):
	r = libc.renameat2(-100, a.encode(), -100, b.encode(), flags)
	error = ctypes.get_errno() if r else 0
	assert error in expected, (a, b, flags, errno.errorcode.get(error))
rename(mnt + "/two/logs", trash + "logs", 0, errno.EXDEV, errno.EPERM, errno.EINVAL)
rename(mnt + "/two/logs/file", trash + "file", 0, errno.EXDEV, errno.EPERM, errno.EINVAL)
rename(mnt + "/three", trash + "three", 0, 0)
rename(trash + "three", mnt + "/two", 0, errno.EEXIST)
rename(trash + "three", mnt + "/two", 1, errno.EEXIST)
rename(trash + "three", mnt + "/two", 2, errno.EINVAL)
rename(trash + "three", mnt + "/.three", 0, errno.EPERM)
rename(trash + "three", mnt + "/two/logs/three", 0, errno.EXDEV, errno.EPERM)
rename(mnt + "/two", trash + "three", 2, errno.EINVAL)
rename(mnt + "/two", trash + "three", 1, errno.EEXIST)
rename(trash + "three", trash + "four", 0, errno.EPERM, errno.EINVAL, errno.EXDEV)
rename(trash + "three/logs", mnt + "/two/logs/logs", 0, errno.EROFS, errno.EXDEV, errno.ENOTEMPTY)
rename(trash + "none", mnt + "/none", 0, errno.ENOENT)
rename(trash + "three", mnt + "/three", 1, 0)
END
assert_eq "$(ls "$MNT" | tr '\n' ' ')$(ls "$TRASH")" "three two "

note "names that are there twice"
for i in 1 2 3; do
	mkdir -p "$MNT/same"
	echo $i >"$MNT/same/logs/number"
	mv -T "$MNT/same" "$TRASH/same"
	[ $i != 1 ] || exec 5<"$TRASH/same/logs/number"
done
assert_eq "$(cat <&5)" 1 "what is open in the one whose name was taken"
exec 5<&-
numbers() { (cd "$TRASH" && for name; do echo "$name $(cat "$name/logs/number")"; done); }
are_three() { [[ $(numbers $(ls "$TRASH") | tr '\n' ' ') =~ ^'same 1 same~'[0-9]+' 2 same~'[0-9]+' 3 '$ ]]; }
wait_for 5 are_three # the kernel learns that the name it gave is another's
names=$(ls "$TRASH")
numbers $names >before
kill_daemon
remount
numbers $names | diff before -
mv "$TRASH/same" "$MNT/first"
assert_file "$MNT/first/logs/number" 1
assert_absent "$TRASH/same"
sed 1d before | diff <(numbers $(sed 1d <<<"$names")) -
kill_daemon
remount
sed 1d before | diff <(numbers $(sed 1d <<<"$names")) -
mv "$TRASH/${names##*$'\n'}" "$MNT/latest"
assert_file "$MNT/latest/logs/number" 3
rmdir "$TRASH"/same~*
assert_eq "$(ls "$TRASH")" ""
assert_eq "$(history '[(s["id"], s["can_be_taken_back"]) for s in j["sessions"]]')" "[('same', False)]"
mkdir "$MNT/same"
mv -T "$MNT/same" "$TRASH/same"
mv -T "$MNT/first" "$TRASH/same"
rmdir "$TRASH"/* # all of them, by the names just read
assert_eq "$(ls "$TRASH")" ""
rm -r "$MNT/latest" "$MNT/three"
assert_eq "$(history '[(s["id"], s["rule"], s["can_be_taken_back"]) for s in j["sessions"]][:2]')" \
	"[('three', 'removed', False), ('latest', 'removed', False)]"

note "what is open stays readable, also when it is dropped; then its space comes back"
fill held
exec 5<"$MNT/held/logs/file" 6<"$MNT/held/cache/a/b/random"
sum=$(md5sum <"$MNT/held/cache/a/b/random")
mv "$MNT/held" "$TRASH/"
rmdir "$TRASH/held"
assert_absent "$TRASH/held"
python3 -c 'import os; [os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED) for fd in (5, 6)]'
assert_eq "$(cat <&5)" "of held"
assert_eq "$(md5sum <&6)" "$sum"
exec 5<&- 6<&-
remount
wait_for 10 eval '[ "$(drops)" = 0 ]'
assert_eq "$(ls "$MNT") $(ls "$TRASH")" "two "
umount_store

note "files that were unlinked before, and a kill meanwhile"
mount_store -o commit=1
fill held
exec 5<"$MNT/held/cache/a/b/random"
rm "$MNT/held/cache/a/b/random"
mv "$MNT/held" "$TRASH/"
assert_eq "$(md5sum <&5 | wc -c)" 36
rmdir "$TRASH/held"
kill_daemon
exec 5<&-
remount
assert_eq "$(ls "$TRASH")" ""
umount_store

note "nor can it be seen or taken back where nothing expires yet, because the store was not mounted for long"
(
	with_clock
	mount_store
	fill held
	exec 5<"$MNT/held/logs/file"
	mv "$MNT/held" "$TRASH/"
	rmdir "$TRASH/held"
	kill_daemon
	exec 5<&-
	pass 7200
	remount
	assert_eq "$(ls "$TRASH")" ""
	! mv "$TRASH/held" "$MNT/held" 2>/dev/null || fail "it came back"
	pass 3700
	remount # the keeper sleeps by the machine's clock, and would have to be woken
	umount_store
	MOUNT_AS=() # so does the flusher
	mount_store -o commit=1
	wait_for 10 eval '[ "$(drops)" = 0 ]'
	umount_store
)

note "a page that was changed before, and one that is changed in the trash"
for option in noatime writeback; do
	mount_store -o $option
	mkdir "$MNT/mapped"
	head -c 8192 /dev/zero | tr '\0' a >"$MNT/mapped/logs/file"
	coproc HOLDER { "$BUILD/tests/holder" "$MNT/mapped/logs/file"; }
	tell() {
		[ $# = 0 ] || echo "$*" >&"${HOLDER[1]}"
		read -r answer <&"${HOLDER[0]}"
		echo "$answer"
	}
	assert_eq "$(tell)" ready
	assert_eq "$(tell poke b)" ok
	mv "$MNT/mapped" "$TRASH/"
	is_refused() { tell poke c >/dev/null && [[ $(tell msync) = E* ]]; }
	wait_for 5 is_refused
	is_back() { [[ $(head -c 1 "$TRASH/mapped/logs/file") = [bc] && $(tell peek) = [bc] ]]; }
	wait_for 5 is_back
	assert_match "$(tell write z)" '^(EROFS|EIO)$'
	kill_daemon
	pid=$HOLDER_PID
	exec {HOLDER[1]}>&-
	wait "$pid"
	remount
	assert_match "$(head -c 2 "$TRASH/mapped/logs/file")" '^[bc]a$'
	rmdir "$TRASH/mapped"
	umount_store
done

note "no grace"
mount_store -o commit=1,grace=0
fill gone
mv "$MNT/gone" "$TRASH/"
assert_eq "$(ls "$MNT") $(ls "$TRASH")" "two "
assert_eq "$(history '[(s["id"], s["can_be_taken_back"]) for s in j["sessions"]][0]')" "('gone', False)"
wait_for 10 eval '[ "$(drops)" = 0 ]'
umount_store

note "no grace, and nobody looks at what the kernel knew of it"
(
	STORE=$TEST_DIR/ungraced
	mount_store -o commit=1,grace=0
	fill gone
	find "$MNT/gone" -exec stat -c %s {} + >/dev/null
	mv -T "$MNT/gone" "$TRASH/gone"
	in_memory() { json "$MNT/.sessfs/stats.json" 'j["sessions_in_memory"]'; } # the root is
	wait_for 20 eval '[ "$(in_memory)" = 1 ]'
	umount_store
)

if [ "$(printf '%s\n' 6.18 "$(uname -r)" | sort -V | head -n 1)" = 6.18 ]; then
	note "the kernel forgets what went, so that nobody waits for that later, nor the space when its grace is over"
	(
		STORE=$TEST_DIR/browsed
		figure() { json "$MNT/.sessfs/stats.json" "j['$1']"; }
		know() { find "$1" -exec stat -c %s {} + >/dev/null; }
		with_clock
		mount_store -o commit=1,grace=1h
		fill browsed
		mkdir "$MNT/browsed/logs/"{1..600}
		know "$MNT/browsed"
		[ "$(figure inodes_in_memory)" -gt 600 ]
		mv "$MNT/browsed" "$TRASH/"
		wait_for 10 eval '[ "$(figure inodes_in_memory)" -lt 100 ]'
		know "$TRASH/browsed"
		pass 4000
		mkdir "$MNT/over"
		echo 2001-01-01T00:00:00Z >"$MNT/over/.session/expires_at"
		wait_for 20 eval '[ "$(sessions)" = "*" ] && [ "$(figure inodes_in_memory)" -lt 100 ]'
		umount_store
	)
	note "nor what was open when it was dropped, and is closed by now"
	(
		STORE=$TEST_DIR/open
		in_memory() { json "$MNT/.sessfs/stats.json" 'j["sessions_in_memory"]'; } # the root is
		mount_store -o commit=1,grace=1s
		for name in removed over asked; do
			mkdir "$MNT/$name"
			mkdir "$MNT/$name/logs/below"
			echo read >"$MNT/$name/logs/below/file"
		done
		exec 5<"$MNT/removed/logs/below/file" 6<"$MNT/over/logs/below/file"
		mv "$MNT/removed" "$MNT/over" "$MNT/asked" "$TRASH/"
		exec 7<"$TRASH/asked/.session/info.json"
		rmdir "$TRASH/removed" "$TRASH/asked"
		wait_for 10 eval '[ "$(ls "$TRASH")" = "" ]'
		assert_eq "$(cat <&5) $(cat <&6) $(in_memory)" "read read 4"
		exec 5<&- 6<&- 7<&-
		wait_for 20 eval '[ "$(in_memory)" = 1 ]'
		umount_store
	)
fi

note "nor do names that are no files keep the space when the grace is over"
(
	STORE=$TEST_DIR/looked
	mount_store -o commit=1,grace=1s
	for name in looked absent; do
		fill $name
		mv "$MNT/$name" "$TRASH/"
	done
	cat "$TRASH/looked/.session/info.json" >/dev/null
	assert_absent "$TRASH/absent/logs/none"
	in_memory() { json "$MNT/.sessfs/stats.json" 'j["sessions_in_memory"]'; } # the root is
	wait_for 20 eval '[ "$(in_memory)" = 1 ]'
	umount_store
)

note "one that its expires_at ended does not go again at once when it is taken back"
mount_store -o commit=1
fill timed
echo 2020-01-01T00:00:00Z >"$MNT/timed/.session/expires_at"
wait_for 10 test -d "$TRASH/timed"
mv "$TRASH/timed" "$MNT/timed"
for _ in 1 2; do assert_eq "$(sessions)" "timed two"; done
assert_eq "$(json "$MNT/timed/.session/info.json" 'j["rule"], j["protected_by"]')" "('ttl', None)"
remount
assert_eq "$(sessions)" "timed two"
mkdir "$MNT/empty"
echo completed >"$MNT/empty/.session/status"
remount # its events are stored, which are no files
assert_eq "$(json "$MNT/empty/.session/info.json" 'j["compression_ratio"], j["stored_bytes"]')" "(1.0, 0)"
umount_store

note "space is needed: what has been in the trash longest goes first, whatever its grace"
rm -r "$STORE"
mount_store -o commit=1,max_store_size=48M
random() { dd if=/dev/urandom of="$MNT/$1" bs=1M count="$2" status=none; }
for name in first second; do
	mkdir "$MNT/$name"
	random $name/logs/random 10
	mv "$MNT/$name" "$TRASH/"
done
mkdir "$MNT/new"
seen=
for i in $(seq 20); do
	random new/logs/$i 2
	seen+="$(ls "$TRASH" | tr '\n' ' ')|"
done
assert_match "$seen" '^(first second \|)+(second \|)+(\|)+$'
assert_eq "$(history 'sorted((s["id"], s["can_be_taken_back"]) for s in j["sessions"])')" \
	"[('first', False), ('second', False)]"
refused "no space" random new/logs/toomuch 20
rm "$MNT/new/logs/toomuch"
wait_for 10 eval 'random new/logs/some 1 2>/dev/null'
umount_store
