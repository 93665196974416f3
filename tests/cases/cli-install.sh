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

note "paths with spaces"
quiet_make install DESTDIR="$TEST_DIR/a b" PREFIX="/opt/my own"
"a b/opt/my own/bin/sessfs" --version
assert_eq "$(readlink "a b/sbin/mount.sessfs")" "/opt/my own/bin/sessfs"
assert_eq "$(find "a b" ! -type d | wc -l)" "$(wc -l <found)"
assert_eq "$(grep -h '^ExecStart=' "a b/opt/my own/lib/systemd/system/sessfs@.service" | cut -d' ' -f1)" \
	'ExecStart=/opt/my\x20own/bin/sessfs'
quiet_make uninstall DESTDIR="$TEST_DIR/a b" PREFIX="/opt/my own"
assert_eq "$(find "a b" ! -type d)" ""

note "a manual is as old as its source, whenever it is made; one that could not be made is not left in parts"
unset SOURCE_DATE_EPOCH
mkdir source
cp -r "$TEST_ROOT"/{Makefile,contrib,mount} source
touch -d 2020-02-02T12:00 source/mount/*.scd
made() { make -C source SANITIZE= -n "$1" | grep -E 'scdoc|sessfs completion' || :; }
assert_match "$(made all)" 'scdoc.*sessfs completion'
assert_eq "$(made all)" "$(made install)" "what make makes, so that nothing in build/ becomes root's"
make -C source SANITIZE= man >said 2>&1 || fail "$(cat said)"
grep -q '^\.TH "sessfs" "1" "2020-02-02"' source/build/man/sessfs.1
make -C source SANITIZE= V=1 CPPFLAGS=-DMINE -n build/mount/main.o | grep -- -DMINE | says -e ' -I\. ' ||
	fail "flags of the command line take the place of what is needed"
mkdir bin
printf '#!/bin/sh\necho cut-off\nexit 1\n' >bin/scdoc
chmod +x bin/scdoc
! PATH=$PWD/bin:$PATH make -C source SANITIZE= -B man >said 2>&1 || fail "$(cat said)"
! grep -rqs cut-off source/build/man || fail "half a manual"
