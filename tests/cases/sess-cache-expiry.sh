# Files of cache/ go one by one, by their own mtime, on access and by the keeper; in-use ones stay; cache_size caps it.
. "$TEST_ROOT/tests/lib.sh"

HOUR=3600
shopt -s nullglob
with_clock
mount_store -o ttl=0,cache_ttl=48h
S=$MNT/s C=$MNT/s/cache
mkdir "$S"
names() { (cd "$1" && echo *); }
is_gone() { [ ! -e "$1" ]; }

note "by mtime, at any depth, of any type but directories; nowhere else"
mkdir -p "$C/deep/er"
for f in "$C/a" "$C/deep/er/b" "$S/logs/c"; do echo x >"$f"; done
ln -s a "$C/link"
pass $((24 * HOUR))
echo x >"$C/young"
echo more >>"$C/deep/er/b"
pass $((25 * HOUR))
assert_eq "$(names "$C")" "deep young"
assert_eq "$(names "$C/deep/er")" "b"
wait_for 5 is_gone "$C/a"
[ -e "$S/logs/c" ]
pass $((24 * HOUR))
wait_for 5 is_gone "$C/young"
assert_eq "$(names "$C/deep/er")" ""
[ -d "$C/deep/er" ]
wait_for 10 check_counts "$S"

note "an event for each"
expired() { grep -c '"expired file"' "$S/.session/events.jsonl"; }
has_expired() { [ "$(expired)" = "$1" ]; }
wait_for 10 has_expired 4

grep '"expired file"' "$S/.session/events.jsonl" | says '"path": "cache/deep/er/b"'

note "touch -d ages a file, also one that comes from elsewhere"
echo x >"$C/aged"
echo x >"$C/fresh"
touch -d "@$(($(date +%s) + CLOCK_REAL - 49 * HOUR))" "$C/aged" "$S/logs/c"
assert_eq "$(names "$C")" "deep fresh"
mkdir "$S/logs/d"
mv "$S/logs/c" "$S/logs/d"
mv "$S/logs/d" "$C"
assert_eq "$(names "$C")" "d deep fresh"
assert_eq "$(names "$C/d")" ""

note "with nobody looking"
echo x >"$C/quiet"
touch -d "@$(($(date +%s) + CLOCK_REAL - 49 * HOUR))" "$C/quiet"
wait_for 10 has_expired 7

note "in use it stays, and goes afterwards"
for f in open map idle; do head -c 5000 /dev/zero >"$C/$f"; done
exec 7<"$C/open"
"$BUILD/tests/in_use" map read "$C/map" </dev/null 7<&- >"$TEST_DIR/out" &
MAPS=$!
wait_for 10 grep -qs holding "$TEST_DIR/out"
pass $((49 * HOUR))
assert_eq "$(names "$C")" "d deep map open"
cat "$C/open" "$C/map" >/dev/null
exec 7<&-
kill $MAPS
wait $MAPS || :
wait_for 10 is_gone "$C/open"
wait_for 10 is_gone "$C/map"
wait_for 10 has_expired 11

note "not while the session is read-only"
echo x >"$C/kept"
echo paused >"$S/.session/status"
pass $((49 * HOUR))
assert_eq "$(names "$C")" "d deep kept"
echo active >"$S/.session/status"
assert_eq "$(names "$C")" "d deep"

note "many are told by their number, so that programs' own lines stay"
mkdir "$MNT/many"
for n in 1 2 3; do echo "{\"mine\": $n}"; done >>"$MNT/many/.session/events.jsonl"
python3 -c 'import sys
for n in range(1200):
	with open("%s/f%d" % (sys.argv[1], n), "w") as file: file.write("12345")' "$MNT/many/cache"
pass $((49 * HOUR))
assert_eq "$(names "$MNT/many/cache")" ""
all_told() {
	python3 - "$MNT/many/.session/events.jsonl" <<-'END'
	import json, sys
	events = [json.loads(line) for line in open(sys.argv[1])]
	named = [e["path"] for e in events if e.get("event") == "expired file"]
	rest = [(int(e["count"]), int(e["size_bytes"])) for e in events if e.get("event") == "expired files"]
	assert [e["mine"] for e in events if "mine" in e] == [1, 2, 3]
	assert len(events) < 60, len(events)
	assert all(path.startswith("cache/f") for path in named), named
	assert all(size == 5 * count for count, size in rest), rest
	sys.exit(len(named) + sum(count for count, size in rest) != 1200)
	END
}
wait_for 20 all_told

note "a jump of the clock wipes no cache"
echo x >"$C/jumped"
jump $((365 * 24 * HOUR))
assert_eq "$(names "$C")" "d deep jumped"
pass $((47 * HOUR))
assert_eq "$(names "$C")" "d deep jumped"
pass $((2 * HOUR))
assert_eq "$(names "$C")" "d deep"
umount_store

note "cache_size: the oldest go"
rm -rf "$STORE"
MOUNT_AS=()
mount_store -o cache_size=64K
mkdir "$S"
for n in 1 2 3 4; do
	head -c 16384 /dev/urandom >"$C/f$n"
	touch -d "2 hours ago + $n minutes" "$C/f$n"
done
assert_eq "$(names "$C")" "f1 f2 f3 f4"
head -c 40000 /dev/urandom >"$S/logs/big"
head -c 20000 /dev/urandom >"$C/f5"
left_is() { [ "$(names "$C")" = "$1" ]; }
wait_for 10 left_is "f3 f4 f5"
[ -e "$S/logs/big" ]
check_counts "$S"

note "what comes into cache/ by a rename or a link counts at once"
mv "$S/logs/big" "$C/big"
wait_for 10 left_is "big f5"
head -c 30000 /dev/urandom >"$S/logs/linked"
ln "$S/logs/linked" "$C/linked"
wait_for 10 left_is "f5 linked"
head -c 60000 /dev/urandom >"$S/logs/there"
mv --exchange "$S/logs/there" "$C/f5" 2>/dev/null || { rm "$C/f5" && mv "$S/logs/there" "$C/f5"; }
wait_for 10 left_is "f5"
check_counts "$S"
umount_store

note "a file with two names counts once, and goes with both"
mount_store -o cache_size=100K
rm "$C"/*
head -c 60000 /dev/urandom >"$C/a"
ln "$C/a" "$C/b"
touch -d "2 hours ago" "$C/a"
head -c 10000 /dev/urandom >"$C/young"
mkdir "$MNT/other"
for n in 1 2; do head -c 60000 /dev/urandom >"$MNT/other/cache/$n"; done
is_walked() { [ "$(ls "$MNT/other/cache" | wc -l)" = 1 ]; } # after the first one, by the same keeper
wait_for 10 is_walked
left_is "a b young"
head -c 50000 /dev/urandom >"$C/more"
wait_for 10 left_is "more young"
check_counts "$S"
echo x >"$C/small"
umount_store

note "a lower limit holds from the mount on"
mount_store -o cache_size=20K
wait_for 10 left_is "small"
umount_store
