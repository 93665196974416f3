# What the first screen of the README tells to type works as it stands there.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
mkdir bin home
ln -s "$SESSFS" bin/sessfs
awk '/^```$/ { inside = !inside; next } inside' "$TEST_ROOT/README.md" |
	sed -n '/^mkdir -p ~\/sessions/,/sessfs umount/p' >typed
[ "$(grep -c sessfs typed)" -ge 9 ]
grep -q '^sessfs undelete' typed
[ "$(grep -n 'sessfs umount ~/sessions' "$TEST_ROOT/README.md" | cut -d: -f1)" -le 45 ] ||
	fail "that is no first screen"
env -u SESSFS_MOUNT HOME="$PWD/home" PATH="$PWD/bin:$PATH" bash -Eeuo pipefail -x typed
[ -d home/.sessfs ]
assert_eq "$(ls home/sessions)" ""
"$SESSFS" check home/.sessfs
