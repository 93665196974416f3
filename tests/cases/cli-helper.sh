# mount(8) and fstab, through mount.sessfs; mount.fuse3, which runs `sessfs STORE DIR -o ...`.
. "$TEST_ROOT/tests/lib.sh"

need_root
need_fuse
need unshare mount.fuse3

note "mount.fuse3"
PATH=$(dirname "$SESSFS"):$PATH mount.fuse3 "$STORE" "$MNT" -t fuse.sessfs -o noatime
grep -q " $MNT .*noatime.* - fuse.sessfs $STORE " /proc/self/mountinfo
mkdir "$MNT/one"
"$SESSFS" umount "$MNT"

note "mount.fuse3 with drop_privileges, which hands over /dev/fd/N"
PATH=$(dirname "$SESSFS"):$PATH mount.fuse3 "$STORE" "$MNT" -t fuse.sessfs \
	-o "drop_privileges,default_permissions,fsname=$STORE"
[ -d "$MNT/one" ]
"$SESSFS" umount "$MNT"

# /sbin of a mount namespace of its own, with the helper in it.
cat >inside.sh <<'INSIDE'
set -eu
mkdir upper work
mount -t tmpfs none upper
mkdir upper/up upper/work
sbin=$(realpath /sbin)
mount -t overlay -o "lowerdir=$sbin,upperdir=upper/up,workdir=upper/work" none "$sbin" || exit 77
ln -s "$SESSFS" /sbin/mount.sessfs
echo "== mount -t sessfs"
mount -t sessfs "$STORE" "$MNT" -o commit=2,noexec,nofail
grep -q " $MNT .*noexec.* - fuse.sessfs $STORE " /proc/self/mountinfo
[ -d "$MNT/one" ]
"$SESSFS" umount "$MNT"
echo "== a line in fstab"
printf '%s %s sessfs noauto,user,ro,x-systemd.automount,comment=test 0 0\n' "$STORE" "$MNT" >fstab
mount --fstab fstab "$MNT"
grep -q " $MNT ro" /proc/self/mountinfo
[ -d "$MNT/one" ]
umount "$MNT"
echo "== each line of contrib/fstab.example, at other places"
mkdir lines
awk -v here="$PWD/lines" '!/^#/ && NF { print here "/store" NR, here "/mnt" NR, $3, $4, $5, $6 }' \
	"$TEST_ROOT/contrib/fstab.example" >fstab
[ "$(wc -l <fstab)" -ge 4 ]
while read -r store dir rest; do
	mkdir "$dir"
	mount --fstab fstab "$dir"
	grep -q " $dir .* - fuse.sessfs $store " /proc/self/mountinfo
	mkdir "$dir/one"
	"$SESSFS" umount "$dir"
done <fstab
echo "== the exit status is passed on"
status=0
mount -t sessfs "$STORE" "$MNT" -o frobnicate || status=$?
[ $status = 1 ]
status=0
mount -t sessfs "$STORE" "$PWD/absent" 2>&1 || status=$?
[ $status = 32 ]
INSIDE
status=0
SESSFS=$SESSFS STORE=$STORE MNT=$MNT TEST_ROOT=$TEST_ROOT unshare -m sh inside.sh || status=$?
[ $status != 77 ] || skip "no overlay filesystem for a /sbin of its own"
assert_eq $status 0 "status inside the namespace"
check_store
