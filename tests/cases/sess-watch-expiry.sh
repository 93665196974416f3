# What expires is told: a watcher of the root sees it deleted, and so does one of the session; nobody has to look.
. "$TEST_ROOT/tests/lib.sh"

need inotifywait
shopt -s nullglob

saw() { grep -qs "$1" "$TEST_DIR/events"; }
# watch [WORD...] - its own watches must not keep a session in use: only the root is watched.
watch() {
	: >"$TEST_DIR/events"
	"$@" inotifywait -m --format '%e %f' -e create,delete,move "$MNT" >"$TEST_DIR/events" 2>&1 &
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
