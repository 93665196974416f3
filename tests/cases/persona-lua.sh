# A Lua test suite's temp-file module: 5,000 files by names as os.tmpname makes them, nested directories, ls, rm -rf.
# timeout: 300
. "$TEST_ROOT/tests/lib.sh"

lua=$(command -v lua5.4 || command -v lua) || skip "needs lua"
suite() { "$lua" "$TEST_ROOT/tests/personas/temp_files.lua" "$1" 5000; }
mount_store
mkdir "$MNT/suite"
note "native"
suite "$NATIVE" >native.out
note "in a view"
suite "$MNT/suite/intermediate_results" >mount.out
cat mount.out
diff native.out mount.out
assert_eq "$(sed -n 1p mount.out)" "$(printf 'created\t5000\tlisted\t5000')"
assert_eq "$(sed -n 3p mount.out)" "$(printf 'removed\t5000\tlisted\t0')"
check_counts "$MNT/suite"
assert_eq "$(json "$MNT/suite/.session/info.json" 'sum(j["file_counts"].values()), j["total_size_bytes"]')" "(0, 0)"
note "the module's directory is a session of its own, and rm -rf takes it away"
mkdir "$MNT/own"
suite "$MNT/own" >own.out
assert_eq "$(sed -n 2p own.out)" "$(printf 'read\t5000')"
rm -rf "$MNT/own"
assert_absent "$MNT/own"
umount_store
