# contrib/run, what `make run` runs: a store and a mount of one's own, found again the second time.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
export HOME=$TEST_DIR/home XDG_DATA_HOME=$TEST_DIR/data SESSFS
unset SESSFS_MOUNT
mkdir home
"$TEST_ROOT/contrib/run" >first
grep -q "umount $HOME/sessfs" first
is_mounted "$HOME/sessfs"
[ -f "$XDG_DATA_HOME/sessfs/data.mdb" ]
session=$(ls "$HOME/sessfs")
assert_match "$session" '^session_[0-9]{8}_[0-9]{6}$'
"$TEST_ROOT/contrib/run" >second
assert_eq "$(ls "$HOME/sessfs")" "$session" "sessions after the second time"
grep -q "is mounted already" second
"$SESSFS" umount "$HOME/sessfs"
STORE=$XDG_DATA_HOME/sessfs check_store
