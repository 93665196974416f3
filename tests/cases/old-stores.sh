# Stores that older programs wrote open, are sound, and hold what was put there.
#
# tests/stores/format-1-begin.tar.gz: by the first program of format 1, which knew nothing of status, trash, texts and
# events; its daemon was killed, and what had been fsynced lies in a log.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir -m 700 "$STORE"
tar -xzf "$TEST_ROOT/tests/stores/format-1-begin.tar.gz" -C "$STORE" --no-same-owner
cp -r --sparse=always "$STORE" "$TEST_DIR/copy"
check_store
"$SESSFS" doctor "$STORE" | says 'store .* has format 1, which this sessfs knows'
said=$("$SESSFS" check --repair "$TEST_DIR/copy") || fail "repair: $said"
assert_match "$said" "clean"

mount_store -o commit=1,ttl=0,cache_ttl=0
[ "$(id -u)" = 0 ] || skip "the files of the store are root's"
assert_eq "$(ls "$MNT")" "other"$'\n'"session_20251101_093000"
cd "$MNT/session_20251101_093000"
assert_file research_data/result.json '{"data": 1}'
assert_eq "$(stat -c '%i %h' research_data/result.json)" "$(stat -c '%i 2' logs/same.json)"
assert_eq "$(readlink intermediate_results/link)" ../research_data/result.json
assert_eq "$(wc -l <logs/run.log) $(tail -1 logs/run.log) $(stat -c %a logs/run.log)" "61 more 640"
cmp - intermediate_results/numbers < <(yes "a line of numbers 1234567890" | head -c 300000 || :)
assert_eq "$(stat -c %s cache/hole) $(tail -c 4 cache/hole)" "1000004 end"
assert_eq "$(getfattr --only-values -n user.note research_data/result.json)" kept
assert_eq "$(getfattr --only-values -n user.large research_data/result.json | wc -c)" 3000
assert_file research_data/deep/er/file deep
assert_eq "$(stat -c %a research_data/deep)" 2750
assert_file research_data/$'odd \377 name' named
assert_file logs/late "in the log"
assert_file logs/moved "file 4"
assert_absent cache/small3
assert_eq "$(stat -c %Y cache/small7)" 1580608922
assert_eq "$(json .session/info.json 'j.get("status", "active"), j["total_size_bytes"] > 1300000')" "('active', True)"
echo new >logs/new
mkdir "$MNT/new"
cd "$TEST_DIR"
check_counts "$MNT/session_20251101_093000"
remount
assert_file "$MNT/session_20251101_093000/logs/new" new
umount_store
