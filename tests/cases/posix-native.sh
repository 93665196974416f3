# The POSIX programs on the native filesystem: what they ask of sessfs, others give.
. "$TEST_ROOT/tests/lib.sh"

chmod 777 "$NATIVE"
posix_suite "$NATIVE"
posix_suite "$NATIVE" "${AS_USER[@]}"
