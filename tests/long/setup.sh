# setup.sh - for the programs of tests/long: a private directory of their own when no runner gave them one, which goes
# away with them, with what they left mounted or running; tests/lib.sh; and a last line, from REPRO, that says how to
# see a failure again.

TEST_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TEST_ROOT/build}
OWN_DIR=
REPRO=

clean_up() {
	local pid point
	for pid in $(jobs -p); do kill -9 "$pid" 2>/dev/null || :; done
	while read -r _ point kind _; do
		[[ $point/$kind != "$TEST_DIR"/*/fuse* ]] || umount -l "$point" 2>/dev/null ||
			fusermount3 -u -z "$point"
	done </proc/self/mounts
	rm -rf "$TEST_DIR"
}

finish() {
	local status=$?
	trap - ERR
	set +e
	[ $status = 0 ] || [ $status = 77 ] || echo "repro: ${0##*/} $REPRO" >&2
	[ -z "$OWN_DIR" ] || [ -n "${KEEP-}" ] || clean_up
	exit $status
}

if [ -z "${TEST_DIR-}" ]; then
	TEST_DIR=$(mktemp -d "${TMPDIR:-/tmp}/sessfs-${0##*/}.XXXXXX")
	OWN_DIR=1
fi
trap finish EXIT
trap 'exit 130' INT TERM HUP
. "$TEST_ROOT/tests/lib.sh"
