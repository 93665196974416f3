# What a session occupies is one number wherever it is shown, at any moment: the sum of what its files say, whether they
# were flushed, or only written a moment ago.
# timeout: 120
. "$TEST_ROOT/tests/lib.sh"

# all_say SESSION - everything that tells it agrees with the sum over files.jsonl, which is not nothing.
all_say() {
	python3 - "$MNT" "$1" <<'END'
import json, os, sys
mount, name = sys.argv[1:]
top = f"{mount}/{name}"
def read(path):
	with open(path, encoding="utf-8") as file:
		return json.load(file)
def figures():
	with open(f"{top}/.session/files.jsonl", encoding="utf-8") as lines:
		files = {line["path"]: line["stored_bytes"] for line in map(json.loads, lines)}
	total = sum(files.values())
	session = next(s for s in read(f"{mount}/.sessfs/sessions.json")["sessions"] if s["id"] == name)
	expiring = read(f"{mount}/.sessfs/expiring.json")
	prospect = next(s for s in expiring["expiring"] + expiring["staying"] if s["id"] == name)
	info = read(f"{top}/.session/info.json")
	told = {"info.json": info["stored_bytes"], "sessions.json": session["stored_bytes"],
		"expiring.json": prospect["stored_bytes"],
		"attribute": int(os.getxattr(top, "user.sessfs.stored_bytes")),
		"of files": sum(int(os.getxattr(f"{top}/{path}", "user.sessfs.stored_bytes")) for path in files)}
	ratio = info["total_size_bytes"] / total
	assert total and abs(info["compression_ratio"] - ratio) < 0.01 * ratio, (info, total)
	return total, told
# A flush in between changes what is stored.
for attempt in range(20):
	flushes = read(f"{mount}/.sessfs/stats.json")["flushes"]
	total, told = figures()
	if read(f"{mount}/.sessfs/stats.json")["flushes"] == flushes:
		break
else:
	sys.exit("flushes all the time")
wrong = {who: figure for who, figure in told.items() if figure != total}
assert not wrong, (total, wrong)
print(total)
END
}

mount_store -o commit=2
mkdir "$MNT/s" "$MNT/none"
note "just written"
for n in {1..300}; do seq "$n" 500 >"$MNT/s/logs/$n"; done
head -c 3000000 /dev/urandom >"$MNT/s/research_data/noise"
all_say s
note "flushed"
sync "$MNT/s"
remount
flushed=$(all_say s)
note "blocks are the same"
blocks=$(find "$MNT/s" -type f -printf '%b\n' | awk '{ sum += $1 } END { print sum }')
[ $((blocks * 512)) -ge "$flushed" ] && [ $((blocks * 512)) -le $((flushed + 301 * 512)) ] || fail "$blocks blocks"
note "changed, partly"
for n in {1..50}; do echo more >>"$MNT/s/logs/$n"; done
truncate -s 100000 "$MNT/s/research_data/noise"
rm "$MNT/s/logs"/1??
seq 100000 >"$MNT/s/logs/60"
all_say s
mv "$MNT/s/logs/61" "$MNT/s/cache"
: >"$MNT/s/logs/62"
all_say s
assert_eq "$(json "$MNT/none/.session/info.json" 'j["stored_bytes"], j["compression_ratio"]')" "(0, 1.0)"
note "its end tells the same"
echo last >"$MNT/s/logs/last"
last=$(all_say s)
"$SESSFS" rm -m "$MNT" s
assert_eq "$(json "$MNT/.sessfs/history.json" 'j["sessions"][0]["stored_bytes"]')" "$last"
umount_store
