# A session's status: which may follow which, what is refused while it is read-only, what survives kill -9.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

status() { cat "$MNT/$1/.session/status"; }
set_status() { echo "$2" >"$MNT/$1/.session/status"; }
events() { grep -o '"event": "status".*' "$MNT/$1/.session/events.jsonl" | tail -1; }
why() { tail -n 1 "$MNT/$1/.session/errors.jsonl"; }

# session_in STATUS - makes a session of that name that has it.
session_in() {
	mkdir "$MNT/$1"
	case $1 in
	active) ;;
	*) set_status "$1" "$1" ;;
	esac
}

mount_store
note "what may follow"
for from in active paused completed failed archived; do
	for to in active paused completed failed archived; do
		case $from-$to in
		active-paused | active-completed | active-failed | active-archived) expected=$to ;;
		paused-active | failed-active | completed-archived | failed-archived) expected=$to ;;
		*) expected=$from ;;
		esac
		session_in $from
		if [ $expected = $from ]; then
			refused "invalid argument" set_status $from $to
			assert_match "$(why $from)" '"errno": 22'
		else
			set_status $from $to
		fi
		assert_eq "$(status $from)" $expected "from $from to $to"
		mv -T "$MNT/$from" "$MNT/.sessfs/trash/$from"
	done
done
session_in completed
refused "invalid" set_status completed active
assert_match "$(why completed)" 'cannot be resumed'
assert_match "$(events completed)" '"from": "active", "to": "completed"'
for word in "" Active "paused completed" gone active2; do
	refused "invalid" set_status completed "$word"
done
assert_eq "$(status completed)" completed
assert_eq "$(json "$MNT/completed/.session/info.json" 'j["status"]')" completed

note "all of it is there after kill -9"
for word in active paused failed archived; do session_in $word; done
at=$(json "$MNT/failed/.session/info.json" 'j["modified_at"]')
set_status failed active
set_status failed failed
kill_daemon
remount
for word in active paused failed archived completed; do assert_eq "$(status $word)" $word; done
assert_match "$(events failed)" '"from": "active", "to": "failed"'
[ "$(json "$MNT/failed/.session/info.json" 'j["modified_at"]')" \> "$at" ] || fail "a status is no change"
umount_store
rm -r "$STORE"

# holds FILE - a program holds it open and mapped; tell COMMAND asks it for something.
holds() {
	coproc HOLDER { "$BUILD/tests/holder" "$1"; }
	read -r answer <&"${HOLDER[0]}"
	assert_eq "$answer" ready
}
tell() {
	echo "$*" >&"${HOLDER[1]}"
	read -r answer <&"${HOLDER[0]}"
	echo "$answer"
}
lets_go() {
	local pid=$HOLDER_PID
	exec {HOLDER[1]}>&-
	wait "$pid"
}

# refuses_all TOP COMMAND... - nothing below TOP can be changed; the command's words come before each.
refuses_all() {
	local top=$1
	shift
	local ro="read-only file system"
	refused "$ro" "$@" touch "$top/logs/new"
	refused "$ro" "$@" touch "$top/logs/file"
	refused "$ro" "$@" mkdir "$top/logs/new"
	refused "$ro" "$@" ln -s x "$top/logs/new"
	refused "$ro" "$@" ln "$top/logs/file" "$top/logs/new"
	refused "$ro" "$@" mkfifo "$top/logs/new"
	refused "$ro" "$@" mv "$top/logs/file" "$top/logs/new"
	refused "$ro" "$@" rm -f "$top/logs/file"
	refused "$ro" "$@" rmdir "$top/logs/empty"
	refused "$ro" "$@" chmod 600 "$top/logs/file"
	refused "$ro" "$@" truncate -s 1 "$top/logs/file"
	refused "$ro" "$@" cp /etc/passwd "$top/logs/file"
	refused "$ro" "$@" dd if=/etc/hostname of="$top/logs/file" oflag=append conv=notrunc,fsync status=none
	refused "$ro" "$@" touch "$top"
	refused "$ro" "$@" chmod 700 "$top"
	refused "$ro" "$@" rmdir "$top/cache"
	refused "$ro" "$@" setfattr -n user.x -v y "$top/logs/file"
	refused "$ro" "$@" setfattr -x user.had "$top/logs/file"
	refused "$ro" "$@" setfacl -m "u:$USER_ID:r" "$top/logs/file"
	refused "$ro" "$@" setfacl -k "$top/logs/empty"
	refused "$ro" "$@" chown "$(id -u):$(id -g)" "$top/logs/file"
	"$@" cat "$top/logs/file" | head -c 1 >/dev/null
	for what in write append truncate allocate punch copy xattr chmod times; do
		assert_match "$what $(tell $what z)" "^$what ($errors)\$"
	done
}

# refuses_to_go STATUS - nor can a session that has it be removed or renamed.
refuses_to_go() {
	refused "not empty" rmdir "$MNT/s"
	mkdir "$MNT/nothing"
	set_status nothing "$1"
	refused "read-only" rmdir "$MNT/nothing"
	refused "read-only" mv -T "$MNT/nothing" "$MNT/t"
}

# seen [OPTION...] - the tree of s. With writeback the kernel keeps the times of a file: those of the last write that it
# was told before the session was read-only are lost where it is asked for one that is refused.
seen() {
	if [ $# = 0 ]; then tree_of "$MNT/s"; else tree_of "$MNT/s" no-file-times; fi
}

# read_only STATUS OPTION... - a mount on which a session gets that status while its files are open.
read_only() {
	local status=$1 errors=EROFS
	shift
	[ $# = 0 ] || errors="EROFS|EIO" # the kernel tells it when it writes
	mount_store "$@"
	mkdir "$MNT/s"
	head -c 16384 /dev/zero | tr '\0' a >"$MNT/s/logs/file"
	setfattr -n user.had -v it "$MNT/s/logs/file"
	mkdir "$MNT/s/logs/empty"
	setfacl -m "d:u:$USER_ID:r" "$MNT/s/logs/empty"
	holds "$MNT/s/logs/file"
	assert_eq "$(tell poke b)" ok
	set_status s $status
	seen "$@" >"$TEST_DIR/tree.before"
	refuses_all "$MNT/s"
	refused "read-only" mv "$MNT/s" "$MNT/t"
	refuses_to_go $status
	assert_eq "$(tell peek)" b "what was in the mapping before"
	assert_match "$(why s)" "$status"

	note "$status $*: a page that is changed later"
	assert_eq "$(tell poke c)" ok
	assert_match "$(tell msync)" 'EROFS|EIO'
	later() { [ "$(head -c 1 "$MNT/s/logs/file")" = b ] && [ "$(tell peek)" = b ]; }
	wait_for 5 later

	note "$status $*: settings"
	echo text >"$MNT/s/.session/notes"
	echo 0.5 >"$MNT/s/.session/progress"
	echo 1 >"$MNT/s/.session/pin"
	assert_file "$MNT/s/.session/notes" text
	echo '{"a": 1}' >"$TEST_DIR/line"
	refused "read-only|input/output" dd if="$TEST_DIR/line" of="$MNT/s/.session/events.jsonl" oflag=append \
		conv=notrunc status=none
	! grep -q '"a": 1' "$MNT/s/.session/events.jsonl" || fail "a program's line was taken"

	kill_daemon
	lets_go
	remount
	assert_eq "$(status s)" $status
	assert_eq "$(head -c 2 "$MNT/s/logs/file")" ba
	seen "$@" >"$TEST_DIR/tree.after"
	diff "$TEST_DIR/tree.before" "$TEST_DIR/tree.after" >&2 || fail "a read-only session changed"
	holds "$MNT/s/logs/file"
	if [ $status = paused ]; then
		set_status s active
		assert_eq "$(tell write z)" ok
		assert_eq "$(tell poke y)" ok
		assert_eq "$(tell msync)" ok
		assert_eq "$(head -c 3 "$MNT/s/logs/file")" yza
		rm -r "$MNT/s/logs/file"
	else
		refuses_all "$MNT/s"
	fi
	lets_go
	umount_store
	rm -r "$STORE"
}

for status in paused completed archived; do
	note "$status"
	read_only $status
	read_only $status -o writeback
done
note "an ordinary user"
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$TEST_DIR"
	MOUNT_AS=("${AS_USER[@]}")
	own_by_user "$TEST_DIR" "$MNT"
	"${AS_USER[@]}" env TEST_ROOT="$TEST_ROOT" true
	mount_store
	as_user mkdir "$MNT/s"
	as_user sh -c "echo completed >'$MNT/s/.session/status'"
	refused "read-only" as_user touch "$MNT/s/logs/x"
	assert_match "$(as_user cat "$MNT/s/.session/status")" completed
	umount_store
fi
