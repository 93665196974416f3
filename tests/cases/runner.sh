# The runner itself: what it must notice, it notices.
. "$TEST_ROOT/tests/lib.sh"

unset SANITIZE
mkdir -p tests/cases
cp "$TEST_ROOT/tests/run" "$TEST_ROOT/tests/lib.sh" tests
case_of() { { echo '. "$TEST_ROOT/tests/lib.sh"'; cat; } >"tests/cases/$1.sh"; }

case_of good <<<'assert_eq 1 1'
case_of skipped <<<'skip "no such thing here"'
case_of wrong <<<'assert_eq 1 2'
case_of inner <<<'f() { false; }; f; true'
case_of crashed <<<'echo "x.c:1:2: runtime error: shift" >"$TEST_DIR/daemon.log"'
case_of left <<<'setsid sh -c "echo started >&2; exec tail -f /dev/null" & wait_for 5 pgrep -g $! tail >/dev/null'
case_of endless <<<'tail -f /dev/null'
sed -i '1i # timeout: 1' tests/cases/endless.sh

status=0
tests/run -j4 >said 2>&1 || status=$?
cat said
assert_eq $status 1
assert_eq "$(tail -1 said)" "1 passed, 5 failed, 1 skipped"
assert_eq "$(grep -c '^FAIL' said)" 5
for words in 'skip  skipped .*no such thing' "got '1', expected '2'" 'runtime error: shift' 'left running: .*tail' \
	'no end after 1 s' 'repro: tests/run inner'; do
	grep -q "$words" said || fail "the runner did not say '$words'"
done
SANITIZE=thread tests/run endless >said || :
says 'no end after 5 s' <said || fail "a sanitizer is given no more time"
assert_eq "$(tests/run 'g*d' | tail -1)" "1 passed, 0 failed, 0 skipped"
assert_eq "$(tests/run -l)" "$(printf '%s\n' crashed endless good inner left skipped wrong)"
refused 'no test' tests/run nothing-like-it
