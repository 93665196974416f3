# What expires is told: a watcher of the root sees it deleted, and so does one of the session; nobody has to look.
. "$TEST_ROOT/tests/lib.sh"

need inotifywait
shopt -s nullglob

is_gone() { [ ! -e "$1" ]; }
saw() { grep -qs "$1" "$TEST_DIR/events"; }
# watch [AS [OPTION...]] - its own watches must not keep a session in use: without -r only the root is watched.
watch() {
	: >"$TEST_DIR/events"
	${1:-} inotifywait "${@:2}" -m --format '%e %f' -e create,delete,move "$MNT" >"$TEST_DIR/events" 2>&1 &
	WATCHER=$!
	wait_for 10 saw established
}
unwatch() {
	kill $WATCHER
	wait $WATCHER || :
}

note "with nobody looking"
mount_store -o ttl=1s
watch
mkdir "$MNT/quiet"
wait_for 10 saw "DELETE,ISDIR quiet"
assert_eq "$(sessions)" ""

note "a name of which the kernel remembers that things are not there"
mkdir "$MNT/looked"
[ ! -e "$MNT/looked/logs/none" ]
[ ! -e "$MNT/looked/none" ]
wait_for 10 saw "DELETE,ISDIR looked"

note "found by a lookup, then made anew under the same name"
mkdir "$MNT/again"
made_anew() { ! saw "CREATE,ISDIR anew" && mkdir "$MNT/again" 2>/dev/null; }
wait_for 10 made_anew
[ -d "$MNT/again/logs" ]
unwatch
umount_store

note "found by an access, not by the keeper"
mount_store -o ttl=24h,cache_ttl=2s
watch
mkdir "$MNT/found"
rm -rf "$MNT/again"
touch -d '2 days ago' "$MNT/found"
assert_eq "$(sessions)" ""
wait_for 2 is_gone "$MNT/found"
wait_for 10 saw "DELETE,ISDIR found"
unwatch

note "files of cache/: with nobody looking, and found by an access"
mkdir -p "$MNT/s/cache/deep/er"
watch "" -r
echo x >"$MNT/s/cache/quiet"
echo x >"$MNT/s/cache/deep/er/quieter"
ln -s x "$MNT/s/cache/deep/link"
wait_for 10 saw "DELETE quiet"
wait_for 10 saw "DELETE quieter"
wait_for 10 saw "DELETE link"
echo x >"$MNT/s/cache/looked"
touch -d '2 days ago' "$MNT/s/cache/looked"
wait_for 2 is_gone "$MNT/s/cache/looked"
wait_for 10 saw "DELETE looked"
echo y >"$MNT/s/cache/looked"
assert_file "$MNT/s/cache/looked" y
wait_for 10 saw "CREATE looked"
check_counts "$MNT/s"
unwatch

note "each of many, though they are asked for again before they are told"
mkdir "$MNT/s/cache/many"
watch "" -r
touch "$MNT"/s/cache/many/{1..300}
touch -d '2 days ago' "$MNT"/s/cache/many/{1..300}
all_gone() {
	local left=0
	for file in {1..300}; do
		is_gone "$MNT/s/cache/many/$file" || left=1
	done
	[ $left = 0 ]
}
wait_for 10 all_gone
told() { [ "$(grep -c '^DELETE [0-9]*$' "$TEST_DIR/events")" = 300 ]; }
wait_for 10 told
unwatch
umount_store

note "one that an ordinary user mounted"
if [ "$(id -u)" = 0 ] && command -v fusermount3 >/dev/null; then
	rm -rf "$STORE"
	own_by_user "$MNT" "$TEST_DIR"
	chmod 755 "$TEST_DIR"
	MOUNT_AS=("${AS_USER[@]}")
	mount_store -o ttl=1s
	watch as_user
	as_user mkdir "$MNT/theirs"
	wait_for 10 saw "DELETE,ISDIR theirs"
	unwatch
	umount_store
fi

note "a session made meanwhile under such a name is let alone"
(
	STORE=$TEST_DIR/many
	with_clock
	mount_store
	watch
	(cd "$MNT" && mkdir {1..2000})
	pass 90000
	timeout 60 python3 - "$MNT" "$TEST_DIR/events" <<'END'
import os, sys, time

mnt, events = sys.argv[1:]
while os.path.exists(f"{mnt}/1"): # the kernel remembers it for a second
	time.sleep(0.01)
os.mkdir(f"{mnt}/1")
os.chdir(f"{mnt}/1")
while open(events).read().count("DELETE") < 1999:
	time.sleep(0.01)
assert os.getcwd() == f"{mnt}/1"
END
	assert_eq "$(sessions)" 1
	unwatch
	umount_store
)
