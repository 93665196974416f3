# tail -F follows a log that rotates; inotifywait sees what happens.
. "$TEST_ROOT/tests/lib.sh"

need inotifywait

has() { grep -qs "$1" "$2"; }
wait_until() {
	local n
	for ((n = 0; n < 1500; n++)); do
		"$@" && return
		read -rt 0.02 <>"$NEVER" || :
	done
	return 1
}
follow_work() {
	: >log
	tail -n +1 -s 0.1 -F log >seen 2>/dev/null &
	local follower=$!
	echo first >>log
	wait_until has first seen
	mv log log.1
	echo rotated >log
	wait_until has rotated seen
	echo second >>log
	wait_until has second seen
	: >log
	echo truncated >>log
	wait_until has truncated seen
	kill $follower
	wait $follower || :
	cat seen
}
watch_work() {
	mkdir -p top/sub
	inotifywait -m -r --format '%w%f %e' -e create,delete,move,close_write,attrib top >seen 2>started &
	local watcher=$!
	wait_until has established started
	echo x >top/sub/f
	mv top/sub/f top/g
	chmod 600 top/g
	mkdir top/new
	wait_until has 'top/new CREATE' seen
	rm top/g
	rmdir top/sub
	rmdir top/new
	touch top/last
	wait_until has 'top/last CLOSE_WRITE' seen
	kill $watcher
	wait $watcher || :
	grep -v DELETE_SELF seen
}

mount_for_programs
on_all follow_work
on_all watch_work
umount_store
