# Expiry of many sessions costs no more because their control files were read.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

with_clock
mount_store -o ttl=1h,grace=1h

# Of the daemon, in clock ticks.
cpu_time() { awk '{ print $14 + $15 }' "/proc/$DAEMON/stat"; }

nothing_listed() { [ -z "$(ls "$MNT")" ]; }

# expire FILE - makes sessions, reads that file of each, lets them expire; `took` is what that costs.
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
	took=$(cpu_time)
	wait_for 60 nothing_listed # what was used a moment ago may take a second look
	took=$(($(cpu_time) - took))
	pass 7200
}
expire ""
without=$took
expire /.session/info.json
with=$took
echo "without: $without, with: $with"
[ "$with" -lt $((2 * without + 50)) ]
umount_store
