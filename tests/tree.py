#!/usr/bin/env python3
"""What a tree holds.

tree.py list DIR [WORD...]     a line for everything in DIR, sorted; no-inodes: without their numbers and ctimes;
                               no-file-times: without mtimes and ctimes of regular files
tree.py counts SESSION         compares SESSION/.session/info.json with a walk; says what differs and exits 1
"""
import hashlib
import json
import os
import stat
import sys

VIEWS = "research_data", "intermediate_results", "cache", "logs"


def walk(top):
	for here, dirs, files in os.walk(os.fsencode(top)):
		for name in dirs + files:
			yield os.path.join(here, name)


def content(path, st):
	if stat.S_ISLNK(st.st_mode):
		return os.readlink(path)
	if not stat.S_ISREG(st.st_mode):
		return st.st_rdev if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode) else None
	digest = hashlib.blake2b(digest_size=16)
	with open(path, "rb") as file:
		while piece := file.read(1 << 20):
			digest.update(piece)
	return digest.hexdigest()


def attributes(path):
	return sorted((name, os.getxattr(path, name, follow_symlinks=False))
		for name in os.listxattr(path, follow_symlinks=False) if not name.startswith("user.sessfs."))


def describe(path, top, first, without):
	"""One line; hard links by the first name of their file."""
	st = os.lstat(path)
	is_dir = stat.S_ISDIR(st.st_mode)
	link = first.setdefault(st.st_ino, os.path.relpath(path, top)) if st.st_nlink > 1 and not is_dir else None
	with_times = "no-file-times" not in without or not stat.S_ISREG(st.st_mode)
	fields = [os.path.relpath(path, top), oct(st.st_mode), st.st_uid, st.st_gid, with_times and st.st_mtime_ns,
		attributes(path)]
	if not is_dir:
		fields += [st.st_size, st.st_nlink, link, content(path, st)]
	if "no-inodes" not in without:
		fields += [st.st_ino, with_times and st.st_ctime_ns]
	return repr(fields)


def list_tree(top, without):
	top, first = os.fsencode(top), {}
	print("\n".join(describe(path, top, first, without) for path in sorted(walk(top))))
	return 0


def counted(session):
	files, sizes = dict.fromkeys((*VIEWS, "other"), 0), {}
	for path in walk(session):
		st = os.lstat(path)
		if stat.S_ISDIR(st.st_mode):
			continue
		view, _, below = os.fsdecode(os.path.relpath(path, os.fsencode(session))).partition("/")
		files[view if below and view in VIEWS else "other"] += 1
		if stat.S_ISREG(st.st_mode):
			sizes[st.st_ino] = st.st_size
	return {"file_counts": files, "total_size_bytes": sum(sizes.values())}


def compare_counts(session):
	found = counted(session)
	with open(f"{session}/.session/info.json") as file:
		said = json.load(file)
	differ = [key for key, value in found.items() if said[key] != value]
	for key in differ:
		print(f"{session}: {key} should be {found[key]}, is {said[key]}")
	return 1 if differ else 0


if __name__ == "__main__":
	if sys.argv[1] == "list":
		sys.exit(list_tree(sys.argv[2], sys.argv[3:]))
	sys.exit(compare_counts(sys.argv[2]))
