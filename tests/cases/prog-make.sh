# A C project built with make -j2, and again after changes.
. "$TEST_ROOT/tests/lib.sh"

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

need make cc
mount_for_programs
on_all make_work
umount_store
