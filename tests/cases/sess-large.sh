# Thousands of sessions, tens of thousands of files in one: made, listed, ended, freed. make check-large takes more.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"
. "$TEST_ROOT/tests/large.sh"

note "files"
many_files 20000 20000
rm -r "$STORE"
note "cache"
full_cache 5000
rm -r "$STORE"
note "sessions"
many_sessions 2000
