# by-status, by-tag and search name the sessions that match, as links to them.
. "$TEST_ROOT/tests/lib.sh"

names() { (cd "$MNT/.sessfs/$1" && printf '%s\n' * | LC_ALL=C sort | tr '\n' ' ' | sed 's/\*//; s/ $//'); }

mount_store
cd "$MNT"
mkdir alpha beta gamma_ALPHA delta
note "the name alone is found without any text"
assert_eq "$(names search/alpha)" "alpha gamma_ALPHA"
assert_eq "$(names search/ALPHA)" "alpha gamma_ALPHA"
assert_eq "$(names search/nobody)" ""
assert_eq "$(readlink .sessfs/search/alpha/alpha | sed 's,.*/,,')" alpha
ls .sessfs/search/alpha/alpha/logs >/dev/null

note "every text that is searched"
echo "Climate models" >beta/.session/query
echo "see the ÄRGER chapter" >gamma_ALPHA/.session/notes
echo "Thesis" >delta/.session/project
printf 'Urgent\nreview me\n' >alpha/.session/tags
echo "reading" >alpha/.session/phase
assert_eq "$(names search/CLIMATE)" beta
assert_eq "$(names search/ärger)" gamma_ALPHA
assert_eq "$(names search/thesis)" delta
assert_eq "$(names 'search/review me')" alpha
assert_eq "$(names search/reading)" ""
echo "nothing of it" >beta/.session/query
assert_eq "$(names search/climate)" ""

note "tags, exactly"
printf 'Urgent\n' >beta/.session/tags
assert_eq "$(names by-tag)" "Urgent review me"
assert_eq "$(names by-tag/Urgent)" "alpha beta"
assert_eq "$(names 'by-tag/review me')" alpha
assert_absent .sessfs/by-tag/urgent
: >beta/.session/tags
assert_eq "$(names by-tag/Urgent)" alpha

note "status"
echo paused >beta/.session/status
echo completed >delta/.session/status
assert_eq "$(names by-status)" "active archived completed failed paused"
assert_eq "$(names by-status/active)|$(names by-status/paused)|$(names by-status/completed)|$(names by-status/failed)" \
	"alpha gamma_ALPHA|beta|delta|"
assert_absent .sessfs/by-status/active/beta

note "what is in the trash is not found; what comes back is"
mv alpha .sessfs/trash/alpha
assert_eq "$(names search/alpha)|$(names by-tag)" "gamma_ALPHA|"
mv .sessfs/trash/alpha alpha
assert_eq "$(names search/urgent)" alpha
cd "$TEST_DIR"
remount
assert_eq "$(names search/urgent)|$(names by-tag/Urgent)" "alpha|alpha"

if [ "$(id -u)" = 0 ]; then
	note "where others use the mount too, a private session says nothing of itself"
	remount -o allow_other
	chmod 700 "$MNT/alpha"
	cd "$MNT"
	assert_eq "$(names search/urgent)|$(names by-tag)|$(names search/alpha)" "||alpha gamma_ALPHA"
	chmod 755 "$MNT/alpha"
	assert_eq "$(names search/urgent)" alpha
	cd "$TEST_DIR"
fi
umount_store
