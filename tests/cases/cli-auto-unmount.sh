# -o auto_unmount: the mount goes with its daemon, however that ends.
. "$TEST_ROOT/tests/lib.sh"

# fusermount3 3.14 looks at the mount as root, and so cannot at that of an ordinary user.
need_root
need_fuse
need fusermount3
is_gone() { ! is_mounted; }

mount_store -o auto_unmount
mkdir "$MNT/one"
assert_eq "$(ls "$MNT/one" | xargs)" "cache intermediate_results logs research_data"
kill -9 "$DAEMON"
wait "$DAEMON" 2>/dev/null || :
DAEMON=
wait_for 20 is_gone
assert_eq "$(ls -A "$MNT")" ""

note "mounted again, it ends in order"
mount_store -o auto_unmount
assert_eq "$(ls "$MNT")" one
umount_store
