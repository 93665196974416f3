# make install puts everything below DESTDIR, and uninstall takes all of it away.
. "$TEST_ROOT/tests/lib.sh"

need scdoc make
quiet_make() {
	make -C "$TEST_ROOT" --no-print-directory DESTDIR="$TEST_DIR/root" PREFIX=/usr SANITIZE="${SANITIZE-}" "$@" \
		>said 2>&1 || fail "$(cat said)"
}
quiet_make install
cd root
assert_eq "$(find . ! -type d | sort | xargs)" \
	"./sbin/mount.sessfs ./usr/bin/sessfs ./usr/share/man/man1/sessfs.1 ./usr/share/man/man8/mount.sessfs.8"
usr/bin/sessfs --version
assert_eq "$(readlink sbin/mount.sessfs)" /usr/bin/sessfs
grep -q '^\.TH "sessfs" "1"' usr/share/man/man1/sessfs.1
cd ..
quiet_make uninstall
assert_eq "$(find root ! -type d)" ""
