# Mount options: what is known, what is refused and how, and that the manual says the same as the table.
. "$TEST_ROOT/tests/lib.sh"

# With these arguments the mount point is refused, after the options were taken in.
try() { "$SESSFS" mount "$STORE" "$TEST_DIR/absent" -o "$1"; }
taken() { refused "no mount point|no store .* to be mounted read-only" try "$1"; }

note "taken"
for o in ro rw commit=1 commit=5s commit=1h writeback compress=0 compress=19 max_file_size=2G max_store_size=1T \
	hot_size=0 hot_size=4M max_threads=64 max_write=4K max_readahead=0 max_background=1 default_permissions \
	nosuid,nodev,noexec,sync,dirsync,noatime \
	defaults,auto,noauto,user,users,nofail,_netdev,x-systemd.automount,comment=fstab,relatime,, ; do
	taken "$o"
done

note "refused by name, with value, range and example"
refused "'frobnicate' is not known" try ro,frobnicate
refused "'commi' is not known" try commi=5
refused "'commit' wants a duration from 1s to 1h, as in commit=5s, but was given '0'" try commit=0
refused "was given '2h'" try commit=2h
refused "was given ''" try commit
refused "was given '5x'" try commit=5x
for option in ttl retain cache_ttl grace; do
	wants="a duration with its unit from 0 to 36500d, as in $option=[0-9]+[dh]"
	refused "'$option' wants $wants, but was given '24'" try $option=24
	taken $option=0
	taken $option=24s
done
refused "'compress' wants a number from 0 to 19" try compress=20
refused "'compress' wants" try compress=-1
refused "'compress' wants" try compress=3K
refused "'max_file_size' wants a size" try max_file_size=2X
refused "'max_file_size' wants a size" try max_file_size=99999999999999999999
refused "'max_store_size' wants a size" try max_store_size=17179869184G
refused "'hot_size' wants a size from 4M to 4G" try hot_size=1M
refused "'max_threads' wants" try max_threads=65
refused "'ro' takes no value" try ro=1
refused "remounted" try remount,ro
assert_eq "$(status_of try frobnicate)" 1
assert_absent "$STORE"

note "the helper of mount(8): -s ignores what is not known"
ln -s "$SESSFS" mount.sessfs
refused "not known" ./mount.sessfs "$STORE" "$TEST_DIR/absent" -o frobnicate
refused "no mount point" ./mount.sessfs "$STORE" "$TEST_DIR/absent" -s -o frobnicate -n -v -t sessfs
assert_eq "$(status_of ./mount.sessfs "$STORE" "$MNT" -f -o rw)" 0 "a fake mount"
assert_absent "$STORE"

note "the manual names the options of the table, and no others"
"$SESSFS" mount --help | sed -n 's/^  \([a-z_][a-z_]*\)=\{0,1\}  *.*/\1/p' | sort -u >table
sed -n '/^# OPTIONS/,/^# EXIT/s/^\*\([a-z_]*\)=\{0,1\}\*.*/\1/p' "$TEST_ROOT/mount/mount.sessfs.8.scd" | sort -u >manual
diff table manual || fail "the option table and mount.sessfs(8) differ"
[ "$(wc -l <table)" -ge 13 ] || fail "the table is not read"
