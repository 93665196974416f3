# Copies of a real store are damaged, mounted, read, written, checked and repaired; `make check-hostile` does it
# thousands of times.
# timeout: 300
. "$TEST_ROOT/tests/lib.sh"

need_root
need_fuse
bash "$TEST_ROOT/tests/long/hostile" 32 1
