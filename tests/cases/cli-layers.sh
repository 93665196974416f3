# Who may include what, and how long it may be.
. "$TEST_ROOT/tests/lib.sh"

"$TEST_ROOT/contrib/check-layers"
note "and it can fail"
mkdir -p copy/contrib copy/fs copy/store copy/mount
touch copy/fs/right.c
cp "$TEST_ROOT/contrib/check-layers" copy/contrib/
echo '#include "fs/fs.h"' >copy/store/wrong.c
refused "knows nothing of fs" copy/contrib/check-layers
rm copy/store/wrong.c
copy/contrib/check-layers

(
	cd copy
	git init -q
	touch trial.py
	contrib/check-layers
	git add .
	refused "top level:.*" contrib/check-layers
	rm -rf .git trial.py
)

# too WORDS - what is read is refused with those words.
too() {
	cat >copy/fs/wrong.c
	refused "$1" copy/contrib/check-layers
}
printf '%*s\n' 121 | too "121 columns"
printf '%*s\tx \n' 119 | too "122 columns"
seq 601 | too "more than 600 lines"
{ printf '%s\n' 'int g(int a,' '	int b)' '{' && seq -f '	work(%g);' 57 && echo '}'; } | too "61 lines"
