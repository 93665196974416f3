# Who may include what.
. "$TEST_ROOT/tests/lib.sh"

"$TEST_ROOT/contrib/check-layers"
note "and it can fail"
mkdir -p copy/contrib copy/fs copy/store copy/mount
cp "$TEST_ROOT/contrib/check-layers" copy/contrib/
echo '#include "fs/fs.h"' >copy/store/wrong.c
refused "knows nothing of fs" copy/contrib/check-layers
