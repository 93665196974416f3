# One damaged file is EIO and named by check; the others stay readable; repair leaves a clean store that can be used.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
need python3
mount_store
mkdir "$MNT/s"
head -c 500000 /dev/urandom >"$NATIVE/noise"
cp "$NATIVE/noise" "$MNT/s/cache/hurt"
cp "$NATIVE/noise" "$MNT/s/cache/well"
echo small >"$MNT/s/logs/small"
umount_store

note "a byte in the middle of the first file's content, which lies in data.mdb as it is"
python3 - "$STORE/data.mdb" "$NATIVE/noise" <<'END'
import sys
noise = open(sys.argv[2], "rb").read()
with open(sys.argv[1], "r+b") as file:
    at = file.read().index(noise[140000:140100])
    file.seek(at)
    file.write(bytes([noise[140000] ^ 1]))
END
mount_store
refused 'Input/output error' cat "$MNT/s/cache/hurt" "$MNT/s/cache/well"
intact=0
for name in hurt well; do
	! cmp -s "$NATIVE/noise" "$MNT/s/cache/$name" || intact=$((intact + 1))
done
assert_eq "$intact" 1 "files intact"
assert_file "$MNT/s/logs/small" small
echo more >"$MNT/s/logs/more"
"$SESSFS" umount "$MNT"
wait "$DAEMON"
DAEMON=

assert_eq "$(status_of "$SESSFS" check "$STORE")" 4
refused 'invariant 3: session 1, inode [0-9]+' "$SESSFS" check "$STORE"
lost='session 1 \(s\), inode [0-9]+ \(cache/(hurt|well)\): content of it is lost'
refused "$lost" "$SESSFS" check "$STORE"
"$SESSFS" check --repair "$STORE" >"$TEST_DIR/said" || assert_eq $? 1
grep -Eq "$lost" "$TEST_DIR/said" || fail "the repair does not name the file"
[ -e "$STORE/data.mdb.damaged" ] || fail "the damaged file was not kept"
assert_eq "$(status_of "$SESSFS" check "$STORE")" 0
mount_store
cat "$MNT/s/cache/hurt" >"$NATIVE/hurt"
cat "$MNT/s/cache/well" >"$NATIVE/well"
assert_eq "$(stat -c %s "$NATIVE/hurt" "$NATIVE/well" | sort -u)" 500000
assert_file "$MNT/s/logs/more" more
umount_store
