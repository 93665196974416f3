# How a verb finds its mount and its session.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
unset SESSFS_MOUNT SESSFS_SESSION
SECOND=$TEST_DIR/second
mount_of() { "$SESSFS" list --json "$@" | json /dev/stdin "j['mount']"; }
session_of() { "$SESSFS" status --json "$@" | json /dev/stdin "j['session_id']"; }

mount_store
mkdir "$MNT/one" "$MNT/two" "$SECOND"
(STORE=$TEST_DIR/store2 MNT=$SECOND DAEMON='' && "$SESSFS" mount "$STORE" "$MNT")
mkdir "$SECOND/other"

note "the mount: -m, with any path in it"
assert_eq "$(mount_of -m "$MNT")" "$MNT"
assert_eq "$(mount_of --mount="$SECOND/other/logs")" "$SECOND"
assert_eq "$(cd "$TEST_DIR" && mount_of -m second/)" "$SECOND"
assert_eq "$(status_of "$SESSFS" list -m "$NATIVE")" 3 "-m outside"
refused "native is not in a sessfs mount" "$SESSFS" list -m "$NATIVE"
refused "nowhere/at/all" "$SESSFS" list -m "$TEST_DIR/nowhere/at/all"

note "the mount: the environment, the working directory, and which of them counts"
assert_eq "$(SESSFS_MOUNT=$SECOND mount_of)" "$SECOND"
assert_eq "$(cd "$MNT/one/logs" && mount_of)" "$MNT"
assert_eq "$(cd "$MNT/one" && SESSFS_MOUNT=$SECOND mount_of)" "$SECOND"
assert_eq "$(cd "$MNT/one" && SESSFS_MOUNT=$SECOND mount_of -m "$MNT")" "$MNT"
assert_eq "$(cd "$MNT/one" && SESSFS_MOUNT='' mount_of)" "$MNT"
assert_eq "$(SESSFS_MOUNT=$NATIVE status_of "$SESSFS" list)" 3
SESSFS_MOUNT=$NATIVE refused '\$SESSFS_MOUNT: .*native is not in' "$SESSFS" list

note "several mounts: all are named"
cd "$TEST_DIR"
assert_eq "$(status_of "$SESSFS" list)" 3 "several"
refused "several stores are mounted: .*$MNT.*; choose with -m" "$SESSFS" list
refused "$SECOND" "$SESSFS" list

note "the session: a name, a path inside it"
assert_eq "$(session_of -m "$MNT" one)" one
assert_eq "$(session_of -m "$MNT" one/)" one
assert_eq "$(session_of "$SECOND/other")" other
assert_eq "$(session_of "$MNT/two/cache/")" two
assert_eq "$(session_of "$MNT/two/cache/not there yet")" two
assert_eq "$(cd "$MNT/one" && session_of ../two)" two
assert_eq "$(cd "$MNT/one" && session_of ./logs)" one
assert_eq "$(cd "$MNT/one" && session_of two)" two
assert_eq "$(status_of "$SESSFS" status -m "$MNT" three)" 3 "absent"
refused "no session three in $MNT" "$SESSFS" status -m "$MNT" three
refused "not in a session, but in the mount" "$SESSFS" status "$MNT/"
refused "not in a session, but in the mount" "$SESSFS" status "$MNT/.sessfs/version"
refused "native/ is not in a session" "$SESSFS" status "$NATIVE/"
refused "do not begin with a dot" "$SESSFS" status -m "$MNT" .sessfs
refused "do not begin with a dot" "$SESSFS" status -m "$MNT" ''

note "the session: the working directory, the environment"
assert_eq "$(cd "$MNT/two" && session_of)" two
assert_eq "$(cd "$MNT/two/intermediate_results" && SESSFS_SESSION=one session_of)" two
assert_eq "$(SESSFS_MOUNT=$MNT SESSFS_SESSION=one session_of)" one
assert_eq "$(SESSFS_SESSION=$MNT/one session_of -m "$MNT")" one
assert_eq "$(cd "$MNT/two" && SESSFS_MOUNT=$SECOND SESSFS_SESSION=other session_of)" other
assert_eq "$(cd "$MNT" && status_of "$SESSFS" status)" 2 "no session"
SESSFS_MOUNT=$MNT refused "which session" "$SESSFS" status
SESSFS_MOUNT=$MNT SESSFS_SESSION=three refused "no session three" "$SESSFS" status

note "a dead mount: the message tells how to go on"
kill -9 "$(sed -n 's/^pid //p' "$TEST_DIR/store2/daemon")"
assert_eq "$(status_of "$SESSFS" list -m "$SECOND")" 1 "dead"
refused "mount on $SECOND is dead.*sessfs mount STORE $SECOND" "$SESSFS" list -m "$SECOND"
"$SESSFS" mount "$TEST_DIR/store2" "$SECOND"
assert_eq "$(session_of "$SECOND/other")" other
"$SESSFS" umount "$SECOND"
STORE=$TEST_DIR/store2 check_store

if [ "$(id -u)" = 0 ] && command -v unshare >/dev/null; then
	note "the only mount there is; a directory of it, bound elsewhere, is none"
	cat >inside.sh <<'INSIDE'
set -eu
awk -v mnt="$MNT" '/ - fuse.sessfs / && $5 != mnt { print $5 }' /proc/self/mountinfo | xargs -r umount -l
"$SESSFS" list --json >said
grep -q "\"mount\": \"$MNT\"" said
mkdir bound
mount --bind "$MNT/one" bound
"$SESSFS" list --json >said
grep -q "\"mount\": \"$MNT\"" said
status=0
"$SESSFS" list -m bound 2>/dev/null || status=$?
[ $status = 3 ]
umount bound
umount -l "$MNT"
status=0
"$SESSFS" list 2>said || status=$?
[ $status = 3 ]
grep -q "no store is mounted here; .sessfs mount STORE DIR. mounts one" said
INSIDE
	SESSFS=$SESSFS MNT=$MNT unshare -m sh inside.sh

	note "another user: private mounts are not theirs"
	assert_eq "$(SESSFS_MOUNT='' status_of "${AS_USER[@]}" "$SESSFS" list -m "$MNT")" 1
fi
umount_store
