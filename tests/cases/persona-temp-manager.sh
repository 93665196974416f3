# A Python temp-file manager that cleans up by age itself, on a mount that does it too, or does not.
. "$TEST_ROOT/tests/lib.sh"

need python3
manage() { python3 "$TEST_ROOT/tests/personas/temp_manager.py" "$1"; }
manage "$NATIVE" >native.out
cat native.out

note "where nothing expires, the program does it all"
mount_store -o ttl=0,cache_ttl=0
manage "$MNT" >mount.out
diff native.out mount.out
check_counts "$MNT/research_1"
umount_store

note "where sessions expire by the same rules, it finds its work done, and can take back what went"
STORE=$TEST_DIR/store2
mount_store
manage "$MNT" >mount.out
diff native.out mount.out
check_counts "$MNT/research_1"
assert_eq "$(ls "$MNT/.sessfs/trash" | sort | xargs)" "research_2 research_4"
assert_eq "$(json "$MNT/.sessfs/trash/research_2/logs/last.json" 'j["data"]["words"]')" old
mv "$MNT/.sessfs/trash/research_2" "$MNT/research_2"
touch "$MNT/research_2"
assert_eq "$(json "$MNT/research_2/logs/last.json" 'j["data"]["words"]')" old
umount_store
