# timeout: 240
# A store on a tmpfs of 48 MiB is filled to the brim: there a hole in a mapped file would be a SIGBUS.
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/full.sh"

need_root
mkdir "$TEST_DIR/disk"
mount -t tmpfs -o size=48M full "$TEST_DIR/disk"
STORE=$TEST_DIR/disk/store
mount_store -o commit=1
brim one
room one
settled one
umount "$TEST_DIR/disk"
