# contrib/run, what `make run` runs: a store and a mount of one's own, found again the second time.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
export HOME=$TEST_DIR/home XDG_DATA_HOME="$TEST_DIR/my data" SESSFS
unset SESSFS_MOUNT
store=$XDG_DATA_HOME/sessfs
mkdir home

run() { "$TEST_ROOT/contrib/run"; }
# do_what_is_said WORDS - runs the lines of `first` that begin so.
do_what_is_said() { grep "^  $1" first | sed 's/ #.*//' >line && bash -ec "$(cat line)"; }

run >first
is_mounted "$HOME/sessions"
[ -f "$store/data.mdb" ]
assert_eq "$(stat -c %a "$XDG_DATA_HOME")" 700 "the mode of directories that are made, as XDG has it"
session=$(ls "$HOME/sessions")
assert_match "$session" '^session_[0-9]{8}_[0-9]{6}$'
do_what_is_said cd | says logs
do_what_is_said 'cat .*sessions.json' | says "$session"

note "what is there is used"
run >second
assert_eq "$(ls "$HOME/sessions")" "$session" "sessions after the second time"
grep -q "is mounted already" second
do_what_is_said '.*umount'
! is_mounted "$HOME/sessions"

note "wherever it is mounted"
mkdir -p "other place"
"$SESSFS" mount "$store" "other place"
run >first
grep -q "Your sessions are in $TEST_DIR/other place" first
grep -q "is mounted already" first
do_what_is_said '.*umount'

note "nothing is mounted over files, such as those of a clone"
touch "$HOME/sessions/file"
refused "$HOME/sessions is not empty.*SESSFS_MOUNT" run
rm "$HOME/sessions/file"

note "what is no whole path counts for nothing, as XDG has it"
XDG_DATA_HOME=relative run >first
[ -f "$HOME/.local/share/sessfs/data.mdb" ]
"$SESSFS" umount "$HOME/sessions"
refused "HOME.*is not set" env -u HOME -u XDG_DATA_HOME "$TEST_ROOT/contrib/run"
STORE=$store check_store
