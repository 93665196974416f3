# git: commits, merge, gc, fsck, clones.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/works.sh"

need git
mount_for_programs
on_all git_work
umount_store
