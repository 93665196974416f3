# A C project built with make -j2, and again after changes.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/works.sh"

need make cc
mount_for_programs
on_all make_work
umount_store
