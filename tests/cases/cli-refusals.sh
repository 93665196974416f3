# What keeps a mount from working: each has its own sentence and exit bit, and nothing is changed.
. "$TEST_ROOT/tests/lib.sh"

mount_it() { "$SESSFS" mount "$@"; }
# refusal STATUS WORDS COMMAND... - refused with this status and these words, and no store came of it.
refusal() {
	local status=$1 words=$2
	shift 2
	refused "$words" "$@"
	assert_eq "$(status_of "$@" 2>/dev/null)" "$status" "status of $*"
	assert_absent "$STORE"
	! is_mounted || fail "mounted after all"
}

note "mount points"
refusal 32 "no mount point .*absent; make it with .mkdir" mount_it "$STORE" absent
touch plain
refusal 32 "plain is not a directory" mount_it "$STORE" plain
refusal 32 "plain is not a directory" mount_it plain "$MNT"
refusal 1 "name of a directory is empty" mount_it "" "$MNT"
refusal 1 "name of a directory is empty" mount_it "$STORE" ""
refusal 1 "name of a directory is empty" "$SESSFS" umount ""
refusal 2 "name of a directory is empty" "$SESSFS" init ""
refusal 2 "name of a directory is empty" "$SESSFS" list -m ""
refusal 16 "name of a directory is empty" "$SESSFS" check ""
mkdir -p "$MNT/inner" outer/mnt
refusal 32 "store .* lies inside the mount point" mount_it "$MNT/inner" "$MNT"
refusal 32 "lies inside the store" mount_it outer outer/mnt
refusal 32 "lies inside the store" mount_it outer outer
ln -s outer/mnt link
refusal 32 "lies inside the store" mount_it outer link

note "stores"
refusal 32 "what stands before its last part" mount_it absent/deeper/store "$MNT"
mkdir full && touch full/file
refusal 32 "not a store, and not an empty directory" mount_it full "$MNT"
assert_eq "$(ls -A full)" file
refusal 32 "no store .* read-only" mount_it -o ro "$STORE" "$MNT"
refusal 32 "no store in the directory .* read-only" mount_it -o ro outer "$MNT"
mkdir damaged && head -c 20000 /dev/urandom >damaged/data.mdb
refused "damaged|cannot be used|not a store" mount_it damaged "$MNT"

need_fuse
if [ "$(id -u)" = 0 ]; then
	note "the machine"
	refusal 2 "no CAP_SYS_ADMIN" \
		setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$SESSFS" mount "$STORE" "$MNT"
	if unshare -m true 2>/dev/null; then
		hidden() { unshare -m sh -c 'mount -t tmpfs none /dev && exec "$0" mount "$@"' "$SESSFS" "$@"; }
		refusal 2 "no /dev/fuse; load the module" hidden "$STORE" "$MNT"
		read_only() {
			unshare -m sh -c 'mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" &&
				exec "$1" mount "$2/store" "$3"' sh "$SESSFS" "$1" "$MNT"
		}
		refusal 32 "new store .*read-only filesystem; name another directory" read_only outer
		mkdir kept
		"$SESSFS" init kept/store
		refusal 32 "read-only filesystem; mount it with -o ro" read_only kept
	fi
fi

note "an ordinary user"
user_mount() { as_user "$SESSFS" mount "$@"; }
mkdir home home/mnt
own_by_user home
if [ "$(id -u)" = 0 ]; then
	refusal 1 "may not write to the mount point" user_mount home/store "$NATIVE"
	mkdir locked
	refusal 1 "may not write to the directory for a new store" user_mount locked/store home/mnt
	refusal 1 "may not write to the store" user_mount locked home/mnt
fi
refusal 2 "no fusermount3, which lets users mount" as_user env PATH=/nowhere "$SESSFS" mount home/store home/mnt
refusal 2 "no_new_privs" setpriv --nnp "${AS_USER[@]:-env}" "$SESSFS" mount home/store home/mnt
if ! grep -qx user_allow_other /etc/fuse.conf 2>/dev/null; then
	refusal 1 "user_allow_other" user_mount home/store home/mnt -o allow_other
	refusal 1 "user_allow_other" user_mount home/store home/mnt -o allow_root
fi
refusal 1 "exclude each other" mount_it home/store home/mnt -o allow_other,allow_root
assert_eq "$(ls -A home)" mnt
