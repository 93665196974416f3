# timeout: 240
# max_store_size is a full disk of its own, and df shows it.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

mount_store -o commit=1,max_store_size=40M
total=$(stat -f -c '%b * %S' "$MNT")
[ $((total)) -le $((40 << 20)) ] || fail "df shows $((total)) bytes of 40 MiB"
brim one
[ "$(stat -c %s "$STORE/data.mdb")" -le $((48 << 20)) ] || fail "data.mdb has outgrown the limit: $(ls -l "$STORE")"
room one
settled one
