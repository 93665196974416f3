# large.sh - what tests/long/large and the case sess-large share: many sessions, and a session of many files. What each
# step took is printed beside what is asked of it; asserted is what must be so however slow a machine is.

large() { "$TEST_ROOT/tests/large.py" "$1" "$MNT" "$2"; }

# mapped - KiB of the store's data file that the daemon has looked at since it was mounted, and what lies beside them.
mapped() {
	awk '/^[0-9a-f]+-/ {its = / \/.*data\.mdb$/} its && /^Rss:/ {kib += $2} END {print kib + 0}' \
		"/proc/$DAEMON/smaps"
}

# time_mount WHAT - by a daemon in the background, which returns when the mount answers.
time_mount() {
	local begin=${EPOCHREALTIME//[.,]/}
	"$SESSFS" mount "$STORE" "$MNT" >/dev/null
	note "$1: mounted in $(((${EPOCHREALTIME//[.,]/} - begin) / 1000)) ms (asked: 150)"
	"$SESSFS" umount "$MNT" >/dev/null
}

# many_sessions COUNT - from mkdir to the space given back; nobody but the clock ends them.
many_sessions() {
	local count=$1
	mount_store
	umount_store
	time_mount "an empty store"
	mount_store
	large make-sessions "$count"
	mkdir "$MNT/other"
	echo 1 >"$MNT/other/.session/pin"
	umount_store
	time_mount "$count sessions"
	with_clock
	mount_store
	large list-sessions "$count"
	pass 90000
	large expire-sessions "$count"
	kill_daemon
	remount
	assert_eq "$(json "$MNT/.sessfs/stats.json" 'j["sessions"], j["trash"]')" "(1, $count)"
	pass 90000
	large drop-sessions "$count"
	umount_store
}

# many_files COUNT KNOWN - a session of COUNT files that the kernel does not know, and one of KNOWN that it does.
many_files() {
	local count=$1 known=$2 before store
	mount_store
	mkdir "$MNT/other"
	large make-files "$count"
	remount
	large trash "$count"
	# Neither the mount nor the session's end has looked at its files.
	store=$(($(stat -c %s "$STORE/data.mdb") / 1024))
	note "the store has $store KiB; looked at: $(mapped)"
	[ "$(mapped)" -lt $((store / 2)) ] || fail "the files were looked at"
	large drop "$count"
	large make-files "$known"
	large know-files "$known"
	large pause "$known"
	large trash "$known"
	large drop "$known"
	umount_store
}

# full_cache COUNT - cache/ of so many files, of which half is too much.
full_cache() {
	mount_store
	mkdir "$MNT/other"
	large fill-cache "$1"
	remount -o "cache_size=$(($1 / 2 * 12))"
	large cut-cache "$1"
	umount_store
}
