# timeout: 320
# Some of the daemon's calls fail; `make check-fault` tries each.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
bash "$TEST_ROOT/tests/long/fault" -q
