# A data.mdb of which everything, or too much, is gone: mount and check say so, with what to do, and touch nothing.
. "$TEST_ROOT/tests/lib.sh"

need_fuse
need python3
mount_store
mkdir "$MNT/s"
echo kept >"$MNT/s/logs/kept"
umount_store
cp -a "$STORE" whole

# damaged NAME COMMAND... - a copy of the store whose data.mdb the command changes.
damaged() {
	local name=$1
	shift
	cp -a whole "$name"
	"$@" "$name/data.mdb"
}
# refuses NAME WORDS - mount and check of it say WORDS, and change nothing.
refuses() {
	local before
	before=$(cd "$1" && md5sum data.mdb hot.0 hot.1)
	refused "$2" "$SESSFS" mount "$1" "$MNT"
	refused "$2" "$SESSFS" mount -o ro "$1" "$MNT"
	refused "$2" "$SESSFS" check "$1"
	! is_mounted || fail "mounted after all"
	assert_eq "$(cd "$1" && md5sum data.mdb hot.0 hot.1)" "$before" "files of the store $1"
}

note "an emptied data.mdb"
damaged emptied truncate -s 0
refuses emptied 'emptied has an empty data.mdb.*from a copy'
refused 'empty data.mdb' "$SESSFS" check --repair emptied

note "none at all"
cp -a whole headless
mv headless/data.mdb away
before=$(md5sum headless/hot.?)
for verb in mount "mount -o ro" init check "check --repair" doctor; do
	read -ra words <<<"$verb headless"
	[[ $verb != mount* ]] || words+=("$MNT")
	refused 'store .*headless has its logs .*but no data.mdb.*put data.mdb back' "$SESSFS" "${words[@]}"
done
assert_absent headless/data.mdb
assert_eq "$(md5sum headless/hot.?)" "$before" "logs without data.mdb"
mv away headless/data.mdb
assert_eq "$(status_of "$SESSFS" check headless)" 0

note "one that was made anew, with nothing in it"
damaged anew python3 -c '
import sys
with open(sys.argv[1], "r+b") as file: # heads as LMDB makes them
    for page in 0, 1:
        file.seek(4096 * page + 16)
        head = bytearray(file.read(136))
        for db in 24, 72: # of both trees: depth, pages, entries, root; then the last page and the transaction
            head[db + 6:db + 48] = bytes(34) + b"\xff" * 8
        head[120:136] = (1).to_bytes(8, "little") + bytes(8)
        file.seek(4096 * page + 16)
        file.write(head)
    file.truncate(8192)'
refuses anew 'anew has an empty data.mdb.*from a copy'

note "one that was cut off"
for size in 1 4096 6000 8192; do
	damaged "cut$size" truncate -s $size
	before=$(md5sum <"cut$size/data.mdb")
	refused 'keep a copy and try .sessfs check --repair' "$SESSFS" mount "cut$size" "$MNT"
	[ $size = 8192 ] || refused 'keep a copy and try .sessfs check --repair' "$SESSFS" check "cut$size"
	assert_eq "$(md5sum <"cut$size/data.mdb")" "$before" "data.mdb of $size bytes"
	refused 'too much of .*data.mdb is damaged.*from a copy' "$SESSFS" check --repair "cut$size"
done

note "the root directory's record"
damaged root python3 -c '
import re, sys
key = bytes(4) + (1).to_bytes(7, "big") + b"\x08" + bytes(8) + b"\xff" * 4
with open(sys.argv[1], "r+b") as file:
    data = bytearray(file.read())
    at = -1
    while (at := data.find(key, at + 1)) >= 0:
        data[at + 24 + 3] ^= 1
    file.seek(0)
    file.write(data)'
refused 'keep a copy and try .sessfs check --repair' "$SESSFS" mount root "$MNT"
assert_eq "$(status_of "$SESSFS" check --repair root)" 1
STORE=root
mount_store
assert_file "$MNT/s/logs/kept" kept
umount_store

note "a store whose making was cut off before it had anything is made"
mkdir begun && : >begun/data.mdb && : >begun/lock
refused 'making of the store .*begun was cut off' "$SESSFS" check begun
refused 'making of the store .*begun was cut off' "$SESSFS" mount -o ro begun "$MNT"
STORE=begun
mount_store
mkdir "$MNT/first"
umount_store
