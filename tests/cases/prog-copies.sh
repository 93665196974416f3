# tar, rsync -aHAX and cp there and back: everything arrives.
. "$TEST_ROOT/tests/lib.sh"

need tar rsync setfacl setfattr

# A tree with one of everything.
make_tree() {
	mkdir "$1"
	(
		cd "$1"
		python3 - <<'END'
import os
for i in range(200):
	os.makedirs(f"dir{i % 9}/sub{i % 4}", exist_ok=True)
	path = f"dir{i % 9}/sub{i % 4}/file{i}"
	with open(path, "wb") as f:
		f.write(os.urandom(i * 13) + b"line of text\n" * (i * i // 7))
	os.chmod(path, (0o644, 0o600, 0o755, 0o4755, 0o400)[i % 5])
	os.utime(path, ns=(10**18 + i, 10**18 + i * 1001))
	if i % 10 == 0:
		os.setxattr(path, "user.binary", bytes(range(256)))
	if i % 20 == 0:
		os.link(path, f"hard{i}")
		os.symlink(path, f"soft{i}")
os.symlink("to nowhere", b"\xff\xfe odd")
os.mkfifo("pipe")
with open("sparse", "wb") as f:
	f.write(b"x")
	f.truncate(50 << 20)
END
		setfacl -m "u:$USER_ID:rw" hard20 -m "g:$USER_ID:r" hard40
		setfacl -m "d:u:$USER_ID:rwx,u:$USER_ID:rx" dir1
		chmod 2755 dir2
		if [ "$(id -u)" = 0 ]; then
			mknod null c 1 3
			chown -h 1234:567 hard20 soft20 dir3
			setfattr -n trusted.secret -v t dir4
		fi
	)
}
unchanged() {
	local said
	said=$(rsync -aHAXni --delete "$1/" "$2/")
	[ -z "$said" ] || fail "rsync still wants: $(head -5 <<<"$said")"
}

mount_for_programs
there=$MNT/s/research_data
make_tree "$NATIVE/tree"

note tar
mkdir "$there/tar" "$NATIVE/tar"
all=(--xattrs '--xattrs-include=*' --acls)
tar -C "$NATIVE/tree" "${all[@]}" -cf - . | tar -C "$there/tar" "${all[@]}" -xpf -
same_trees "$NATIVE/tree" "$there/tar"
tar -C "$there/tar" "${all[@]}" -cSf "$there/archive.tar" .
tar -C "$NATIVE/tar" "${all[@]}" -xpf "$there/archive.tar"
same_trees "$NATIVE/tree" "$NATIVE/tar"

note rsync
rsync -aHAX "$NATIVE/tree/" "$there/rsync"
same_trees "$NATIVE/tree" "$there/rsync"
unchanged "$NATIVE/tree" "$there/rsync"
rsync -aHAXS "$there/rsync/" "$NATIVE/rsync"
same_trees "$NATIVE/tree" "$NATIVE/rsync"
echo more >>"$NATIVE/tree/dir1/sub0/file64"
rm "$NATIVE/tree/hard0"
rsync -aHAX --delete "$NATIVE/tree/" "$there/rsync"
same_trees "$NATIVE/tree" "$there/rsync"
rsync -aHAX --inplace --append-verify "$NATIVE/tree/sparse" "$there/rsync/"

note cp
cp -a "$NATIVE/tree" "$there/cp"
same_trees "$NATIVE/tree" "$there/cp"
cp -a "$there/cp" "$there/cp2"
same_trees "$NATIVE/tree" "$there/cp2"
cp -a --reflink=auto --sparse=always "$there/cp2" "$NATIVE/cp"
same_trees "$NATIVE/tree" "$NATIVE/cp"
for how in auto always never; do
	cp --sparse=$how "$there/cp/sparse" "$there/sparse.$how"
	cmp "$there/cp/sparse" "$there/sparse.$how"
done
blocks=$(stat -c %b "$there/sparse.always")
[ "$blocks" -lt 300 ] || fail "the sparse copy occupies $blocks blocks"
check_counts "$MNT/s"

note "all of it again from the store"
remount -o allow_other
same_trees "$NATIVE/tree" "$there/rsync"
same_trees "$NATIVE/tree" "$there/cp2"
umount_store
