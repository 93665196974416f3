# The daemon is killed a few times at random moments; `make check-crash` does it hundreds of times.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
bash "$TEST_ROOT/tests/long/crash" 6
