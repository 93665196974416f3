# Expiry of many sessions takes no longer because their control files were read.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

with_clock
mount_store -o ttl=1h,grace=1h

# expire FILE - makes sessions, reads that file of each, lets them expire; `took` is the seconds until none is listed.
expire() {
	python3 - "$MNT" "$1" <<'END'
import os, sys
for n in range(5000):
	session = "%s/s%d" % (sys.argv[1], n)
	os.mkdir(session)
	if sys.argv[2]:
		open(session + sys.argv[2]).read()
END
	pass 7200
	python3 -c 'import os, sys, time
begun = time.monotonic()
while os.listdir(sys.argv[1]): # what was used a moment ago may take a second look
	assert time.monotonic() - begun < 20
print(time.monotonic() - begun)' "$MNT" >"$TEST_DIR/took"
	took=$(cat "$TEST_DIR/took")
	pass 7200
}
expire ""
without=$took
expire /.session/info.json
with=$took
echo "without: $without, with: $with"
python3 -c "assert $with < 2 * $without + 1"
umount_store
