# timeout: 300
# The power is cut a few dozen times; `make check-power` does it thousands of times.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
bash "$TEST_ROOT/tests/long/power" 36
