# Every fuzzer for a moment; `make fuzz` runs them for an hour each. Builds them first.
# timeout: 400
. "$TEST_ROOT/tests/lib.sh"

need_fuse
need python3
FUZZ_SECONDS=4 bash "$TEST_ROOT/tests/long/fuzz"
