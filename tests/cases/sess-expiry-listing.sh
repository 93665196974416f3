# A listing never shows a session that is over, only because the kernel still remembers something of it: names that were
# found absent, or files and directories that nobody has open. One in use it shows.
. "$TEST_ROOT/tests/lib.sh"

# known SESSION - the kernel remembers names of it, those that are there and those that are not.
known() {
	mkdir -p "$MNT/$1/logs/deep/er"
	echo x >"$MNT/$1/logs/deep/er/f"
	ls -lR "$MNT/$1" >/dev/null
	! stat "$MNT/$1/nothing" "$MNT/$1/logs/nothing" "$MNT/$1/logs/deep/er/nothing" 2>/dev/null
}

with_clock
mount_store -o ttl=24h,grace=24h
for n in {100..249}; do known "s$n"; done
note "all are over at once"
pass 90000
assert_eq "$(sessions)" "*"

note "one is in use, which decides nothing about the rest"
for n in {10..49}; do known "t$n"; done
exec 3<"$MNT/t20"
pass 90000
assert_eq "$(sessions)" "t20"
assert_eq "$(ls "$MNT")" "t20"
exec 3<&-

note "each goes when it is excess"
remount -o keep=1
for n in {10..29}; do
	known "u$n"
	assert_eq "$(sessions)" "u$n"
done
assert_eq "$(json "$MNT/.sessfs/stats.json" 'j["errors"]')" 0
umount_store
