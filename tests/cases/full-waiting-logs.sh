# Data that waits in the logs is counted twice until it is compressed; that refuses nobody, nor costs the trash its
# sessions: who would not fit waits for the flush. df shows one size all the while.
. "$TEST_ROOT/tests/lib.sh"

total_of() { stat -f -c '%b' "$MNT"; }

mount_store -o commit=1h,max_store_size=64M
total=$(total_of)
mkdir "$MNT/s" "$MNT/kept"
head -c 8M /dev/urandom >"$MNT/kept/logs/data"
mv "$MNT/kept" "$MNT/.sessfs/trash/kept"

note "more random data than half of what is free"
head -c 40M /dev/urandom >"$NATIVE/random"
cp "$NATIVE/random" "$MNT/s/random"
assert_eq "$(total_of)" "$total" "the size that df shows"

note "more compressible data than all that is free"
seq 5500000 >"$NATIVE/numbers"
cp "$NATIVE/numbers" "$MNT/s/numbers"
assert_eq "$(total_of)" "$total" "the size that df shows"
cmp "$NATIVE/random" "$MNT/s/random"
cmp "$NATIVE/numbers" "$MNT/s/numbers"
[ -d "$MNT/.sessfs/trash/kept" ] || fail "the trash went, though there was room"
umount_store
