# timeout: 300
# The power is cut a few times while the logs grow; `make check-burst` does it hundreds of times.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
bash "$TEST_ROOT/tests/long/burst" 10
