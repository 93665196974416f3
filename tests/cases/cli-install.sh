# make install puts everything below DESTDIR, and uninstall takes all of it away.
. "$TEST_ROOT/tests/lib.sh"

need scdoc make
quiet_make() {
	make -C "$TEST_ROOT" --no-print-directory DESTDIR="$TEST_DIR/root" PREFIX=/usr SANITIZE="${SANITIZE-}" "$@" \
		>said 2>&1 || fail "$(cat said)"
}
quiet_make install
cd root
find . ! -type d | sort >../found
diff - ../found <<'END'
./sbin/mount.sessfs
./usr/bin/sessfs
./usr/lib/systemd/system/sessfs@.service
./usr/lib/systemd/user/sessfs@.service
./usr/share/bash-completion/completions/sessfs
./usr/share/fish/vendor_completions.d/sessfs.fish
./usr/share/man/man1/sessfs.1
./usr/share/man/man5/sessfs.5
./usr/share/man/man7/sessfs.7
./usr/share/man/man8/mount.sessfs.8
./usr/share/zsh/site-functions/_sessfs
END
usr/bin/sessfs --version
assert_eq "$(readlink sbin/mount.sessfs)" /usr/bin/sessfs
grep -q '^\.TH "sessfs" "1"' usr/share/man/man1/sessfs.1
cd ..
quiet_make uninstall
assert_eq "$(find root ! -type d)" ""
