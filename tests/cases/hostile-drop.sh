# A removed session that is damaged: told, not tried for ever, freed after the repair; others are freed at once.
. "$TEST_ROOT/tests/lib.sh"

cat >"$TEST_DIR/damage.py" <<'END'
import sys
page = 4096
with open(sys.argv[1], "r+b") as f:
	data = f.read()
	leaves = [at for at in range(0, len(data), page)
		if data[at + 10] & 2 and data[at:at + page].count(b"name-of-file-") > 5]
	at = leaves[len(leaves) // 2]
	f.seek(at + 12)
	f.write(bytes([data[at + 12] ^ 0x55]))
END
figure() { json "$MNT/.sessfs/stats.json" "j['$1']"; }
freed() { [ "$(figure drops)" = "$1" ]; }

mount_store
mkdir "$MNT/hurt" "$MNT/sound"
(cd "$MNT/hurt/logs" && touch name-of-file-{1..2000})
(cd "$MNT/sound/logs" && touch {1..2000})
umount_store
python3 "$TEST_DIR/damage.py" "$STORE/data.mdb"
mount_store
assert_eq "$(figure drops_damaged)" 0
for name in hurt sound; do
	mv "$MNT/$name" "$MNT/.sessfs/trash/$name"
	rmdir "$MNT/.sessfs/trash/$name"
done
wait_for 20 freed 1
assert_eq "$(figure drops_damaged)" 1
valid "$MNT/.sessfs/stats.json"
grep -q '^sessfs_drops_damaged 1$' "$MNT/.sessfs/metrics" || fail "not among the metrics"
"$SESSFS" umount "$MNT"
wait "$DAEMON" || fail "the daemon ended with $?"
DAEMON=
grep -q 'check --repair' "$LOG" || fail "the daemon does not say what to do"

note "after the repair it goes"
assert_eq "$(status_of "$SESSFS" check --repair "$STORE")" 1
mount_store
wait_for 20 freed 0
assert_eq "$(figure drops_damaged)" 0
umount_store
