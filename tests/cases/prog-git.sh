# git: commits, merge, gc, fsck, clones.
. "$TEST_ROOT/tests/lib.sh"

git_work() {
	export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	export GIT_AUTHOR_DATE=@1000000000+0000 GIT_COMMITTER_DATE=@1000000000+0000 HOME=$PWD
	git init -q -b main repo
	cd repo
	mkdir -p src/{a,b,c}
	for i in {1..150}; do seq "$i" $((i * 7)) >"src/a/$i"; done
	cp -r src/a/. src/b
	ln -s a/1 src/link
	git add .
	git commit -qm one
	git checkout -q -b side
	for i in {1..50}; do echo changed >>"src/a/$i"; done
	git mv src/b src/moved
	git commit -qam two
	git checkout -q main
	rm src/a/{100..120}
	git commit -qam three
	git merge -q -m four side
	git stash list
	git gc -q
	git fsck --full --strict 2>/dev/null
	git status --porcelain
	git clone -q . ../clone
	git clone -q --no-hardlinks --bare . ../bare
	git -C ../clone fsck --full 2>/dev/null
	git -C ../clone worktree add -q ../tree side 2>/dev/null || git -C ../clone worktree add -q ../tree
	git -C ../bare rev-parse HEAD HEAD^{tree}
	git -C ../clone diff --stat HEAD
	(cd ../clone && find . -name .git -prune -o -type f -print | sort | xargs cat | cksum)
	git count-objects -v | grep -E 'count|in-pack|packs|garbage'
	rm -rf ../clone ../bare ../tree
}

need git
mount_for_programs
on_all git_work
umount_store
