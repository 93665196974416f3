# The logs of a killed daemon, damaged before the next mount: what can be read of them counts, and that something is
# lost is said by check and by the mount.
. "$TEST_ROOT/tests/lib.sh"

WORDS='logs .*what was done last .*is lost'

# with_damage COMMAND - the store anew, as the kill left it, with the command run in it.
with_damage() {
	rm -rf "$STORE"
	cp -a kept "$STORE"
	(cd "$STORE" && eval "$1")
}

# found DAMAGE NAMES WHOLE... - check and mount tell of it; the session holds the names, and of these some whole.
found() {
	local damage=$1 names=$2 name
	shift 2
	with_damage "$damage"
	assert_eq "$(status_of "$SESSFS" check "$STORE" 2>said)" 4 "check of damaged logs"
	grep -qE "$WORDS" said || fail "check does not tell of it"
	assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 1 "repair of damaged logs"
	check_store
	with_damage "$damage"
	: >"$LOG"
	mount_store
	grep -qE "$WORDS" "$LOG" || fail "the mount does not tell of it"
	assert_eq "$(cd "$MNT/s/logs" && echo *)" "$names" "files after: $damage"
	for name; do cmp "$MNT/s/logs/$name" "$NATIVE/random"; done
	umount_store
}

head -c 2M /dev/urandom >"$NATIVE/random"
mount_store -o commit=1h
mkdir "$MNT/s"
cp "$NATIVE/random" "$MNT/s/logs/1"
sync "$MNT/s/logs/1"
for name in 2 3 4; do cp "$NATIVE/random" "$MNT/s/logs/$name"; done
kill_daemon
cp -a "$STORE" kept

note "not damaged: nothing is said"
with_damage true
check_store
: >"$LOG"
mount_store
assert_eq "$(cd "$MNT/s/logs" && echo *)" "1 2 3 4"
! grep -q damaged "$LOG" || fail "the mount tells of damage: $(cat "$LOG")"
umount_store

note "overwritten from the third file on"
found 'head -c 5M /dev/zero | tr "\0" "\377" | dd of=hot.0 bs=4096 seek=1200 conv=notrunc status=none' '1 2 3' 1 2

note "cut: what has a checksum can be told from what an earlier life left there"
found 'truncate -s 5M hot.0' '1 2' 1

note "deleted, or cut off before its first batch"
WORDS='did not end in order, and the log .*gone.* what was done last may be lost'
for damage in 'rm hot.0' 'rm hot.0 hot.1' 'truncate -s 4000 hot.0'; do
	with_damage "$damage"
	assert_eq "$(status_of "$SESSFS" check "$STORE" 2>said)" 4 "check of logs after: $damage"
	grep -qE "invariant 25: .*$WORDS" said || fail "check does not tell of it: $(cat said)"
	: >"$LOG"
	mount_store
	grep -qE "$WORDS" "$LOG" || fail "the mount does not tell of it"
	assert_eq "$(sessions)" '*' "sessions after: $damage"
	umount_store
	with_damage "$damage"
	assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 1 "repair of logs after: $damage"
	check_store
done
with_damage 'rm hot.0'
refused 'daemon of .*died, and its logs .*are damaged or gone: put them back' "$SESSFS" doctor "$STORE"
cp kept/hot.0 "$STORE/"
"$SESSFS" doctor "$STORE" | says 'the next mount takes up what it had acknowledged'

note "also by a mount that fails, after which the logs may be new ones"
with_damage 'rm hot.0'
limited() { (ulimit -f 1024 && exec "$SESSFS" "$@"); }
refused "$WORDS" limited mount "$STORE" "$MNT"

note "cut shorter than a log ever is: what was synced is there"
WORDS='logs .*what was done last .*is lost'
found 'truncate -s 3M hot.0' '1 2' 1

note "deleted after a clean end: nothing is missed"
with_damage true
mount_store
umount_store
rm "$STORE"/hot.?
: >"$LOG"
check_store
mount_store
! grep -q 'what was done last' "$LOG" || fail "the mount tells of a loss: $(cat "$LOG")"
umount_store
