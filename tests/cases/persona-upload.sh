# An upload backend: a session for each upload, a zip unpacked and a database there, the newest ten kept, a current one.
# timeout: 240
. "$TEST_ROOT/tests/lib.sh"

need python3 zip unzip sqlite3
backend() { python3 "$TEST_ROOT/tests/personas/upload_backend.py" "$MNT" "$@"; }
at_most_ten() { [ "$(ls "$MNT" | wc -l)" -le 10 ]; }

mkdir -p paper/figures
seq 1 500 >paper/data.csv
echo '{"title": "On ice"}' >paper/about.json
head -c 40000 /dev/urandom >paper/figures/one.png
(cd paper && zip -qr ../paper.zip .)
bytes=$(cat paper/data.csv paper/about.json paper/figures/one.png | wc -c)

mount_store -o keep=10
note "fourteen uploads, of which ten stay"
for n in {0..13}; do
	assert_eq "$(backend upload paper.zip $((1700000000 + n * 61)))" \
		"session_$(date -u -d "@$((1700000000 + n * 61))" +%Y%m%d_%H%M%S)"
	wait_for 5 at_most_ten # a listing may show one more, until it is known that nobody uses it
done
assert_eq "$(ls "$MNT" | wc -l)" 10
assert_eq "$(ls "$MNT/.sessfs/trash" | wc -l)" 4
newest=session_$(date -u -d @$((1700000000 + 13 * 61)) +%Y%m%d_%H%M%S)
oldest=$(ls "$MNT" | head -1)

note "each is whole: files, sizes, database"
diff -r paper "$MNT/$newest/upload"
assert_eq "$(backend query "$newest")" "3 $bytes"$'\n'ok
assert_eq "$(sqlite3 "$MNT/$oldest/upload.db" 'SELECT count(*) FROM file')" 3
check_counts "$MNT/$newest"

note "all of them with sizes, and which is current: the newest, until one is set"
backend list | tee listed
assert_eq "$(wc -l <listed)" 10
assert_eq "$(awk '$3 == "*" { print $1 }' listed)" "$newest"
awk -v least="$bytes" '$2 < least { exit 1 }' listed || fail "sizes too small"
assert_eq "$(json "$MNT/.sessfs/sessions.json" 'j["current_session_id"]')" "$newest"
assert_eq "$(json "$MNT/.sessfs/sessions.json" 'j["mount_path"]')" "$MNT"

note "the current one is set, and stays whatever comes"
backend current "$oldest"
assert_eq "$(basename "$(readlink "$MNT/.sessfs/current")")" "$oldest"
assert_eq "$(backend list | awk '$3 == "*" { print $1 }')" "$oldest"
refused "is the current session" backend delete "$oldest"
refused "busy" mv "$MNT/$oldest" "$MNT/.sessfs/trash/$oldest"
for n in {14..25}; do
	backend upload paper.zip $((1700000000 + n * 61)) >/dev/null
done
assert_eq "$(backend query "$oldest")" "3 $bytes"$'\n'ok
assert_eq "$(backend list | awk '$3 == "*" { print $1 }')" "$oldest"
eleven() { [ "$(ls "$MNT" | wc -l)" = 11 ]; }
wait_for 5 eleven # the ten newest, and the current one, which does not count

note "any other can be deleted"
victim=$(ls "$MNT" | tail -1)
backend delete "$victim"
assert_absent "$MNT/$victim"
remount
assert_eq "$(basename "$(readlink "$MNT/.sessfs/current")")" "$oldest"
assert_eq "$(backend query "$oldest")" "3 $bytes"$'\n'ok
umount_store
