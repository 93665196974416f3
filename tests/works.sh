# works.sh - what programs do in a directory, for on_all and run_in of lib.sh: prints what must be the same everywhere.

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

make_work() {
	local i
	mkdir src obj
	echo 'int total(void);' >src/all.h
	for i in {1..40}; do
		printf '#include <stdio.h>\nint part%d(int x) { return x * %d; }\n' "$i" "$i" >"src/$i.c"
	done
	echo '#include "all.h"
	#include <stdio.h>
	int part40(int);
	int total(void) { return 2; }
	int main(void) { printf("%d\n", part40(total())); return 0; }' >src/main.c
	printf '%s\n' 'SRC := $(wildcard src/*.c)' 'OBJ := $(SRC:src/%.c=obj/%.o)' 'prog: $(OBJ)' \
		$'\t''cc -o $@ $^' 'obj/%.o: src/%.c' $'\t''cc -O0 -MMD -c -o $@ $<' '-include $(OBJ:.o=.d)' >Makefile
	make -j2 2>&1 | grep -c 'cc -O0'
	./prog
	make -q && echo up to date
	echo '/* changed */' >>src/7.c
	make -j2 | grep -c 'cc -O0'
	touch src/all.h
	make -j2 | grep -c 'cc -O0'
	make -q && echo up to date
	ar rcs lib.a obj/*.o
	ar t lib.a | wc -l
	strip prog
	./prog
	rm -rf obj
}
