# A session in use does not expire: an open file, a mapping, a working directory, each for reading only and for writing,
# of root and of an ordinary user; and it goes soon after it is not used any more. What
# the kernel only caches is no use.
. "$TEST_ROOT/tests/lib.sh"

HOUR=3600
shopt -s nullglob
HOLD=$BUILD/tests/in_use

# hold NUMBER HOW MODE PATH [WORD...] - holds it until release NUMBER.
declare -A HOLDERS
holding() { grep -qs holding "$TEST_DIR/out.$1"; }
hold() {
	local n=$1 how=$2 mode=$3 path=$4
	shift 4
	: >"$TEST_DIR/out.$n"
	"$@" "$HOLD" "$how" "$mode" "$path" </dev/null >"$TEST_DIR/out.$n" &
	HOLDERS[$n]=$!
	wait_for 10 holding "$n"
}
release() {
	kill "${HOLDERS[$1]}"
	wait "${HOLDERS[$1]}" || :
}
renewed() { [ "$(od -An -N1 -tu1 "$MNT/$1/logs/f" | tr -d ' ')" = 1 ] && pass $((25 * HOUR)); }
is_gone() { [ ! -e "$MNT/$1" ]; }

# six WORD... - the six ways, by a program that runs with these words before it.
six() {
	local n how mode ways=("open read" "open write" "map read" "map write" "cd read" "cd write")
	mkdir "$MNT/idle"
	for n in {0..5}; do
		mkdir "$MNT/s$n"
		head -c 5000 /dev/zero >"$MNT/s$n/logs/f"
		ls -lR "$MNT/s$n" >/dev/null
		[ ! -e "$MNT/s$n/logs/none" ]
		[ $# = 0 ] || own_by_user "$MNT/s$n"
	done
	for n in {0..5}; do
		read -r how mode <<<"${ways[n]}"
		if [ "$how" = cd ]; then
			hold $n "$how" "$mode" "$MNT/s$n/logs" "$@"
		else
			hold $n "$how" "$mode" "$MNT/s$n/logs/f" "$@"
		fi
	done
	pass $((25 * HOUR))
	assert_eq "$(sessions)" "s0 s1 s2 s3 s4 s5"
	assert_absent "$MNT/idle"
	# Also when the daemon decides again, and with what a name's lookup decides.
	pass 120
	for n in {0..5}; do [ -d "$MNT/s$n" ] || fail "s$n is gone while in use: ${ways[n]}"; done
	assert_eq "$(sessions)" "s0 s1 s2 s3 s4 s5"
	assert_eq "$(json "$MNT/s0/.session/info.json" 'j["protected_by"]' 2>/dev/null || echo 'in use')" "in use"
	assert_eq "$(readlink "/proc/${HOLDERS[4]}/cwd")" "$MNT/s4/logs" "the working directory"
	for n in {0..5}; do
		release $n
		# What was written through the mapping reaches the file now, which is a write.
		[ "${ways[n]}" != "map write" ] || wait_for 10 renewed s$n
		wait_for 20 is_gone s$n
	done
	assert_eq "$(sessions)" ""
}

with_clock
if [ "$(id -u)" = 0 ]; then
	mount_store -o allow_other
	note "by root"
	six
	note "by an ordinary user"
	six "${AS_USER[@]}"
else
	mount_store
	six
fi

note "it goes also when nobody looks any more"
mkdir "$MNT/left"
exec 7<"$MNT/left/logs"
pass $((25 * HOUR))
for n in 1 2; do assert_eq "$(sessions)" "left"; done
exec 7<&-
ended() { [ "$(json "$MNT/.sessfs/history.json" 'j["sessions"][0]["id"]')" = left ]; }
wait_for 20 ended

note "with writeback"
remount -o writeback
six
umount_store
