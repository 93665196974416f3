# stats.json and metrics tell the same figures; a real parser reads the metrics.
. "$TEST_ROOT/tests/lib.sh"

cat >"$TEST_DIR/metrics.py" <<'END'
import json, math, sys
from prometheus_client.parser import text_string_to_metric_families
families = {f.name: f for f in text_string_to_metric_families(open(sys.argv[1]).read())}
stats = json.load(open(sys.argv[2]))
for f in families.values():
	assert f.name.startswith("sessfs_") and f.documentation and f.type in ("gauge", "counter", "histogram"), f
	assert len({(s.name, tuple(s.labels.items())) for s in f.samples}) == len(f.samples), f
value = lambda name: families["sessfs_" + name].samples[0].value
for key, name in {"sessions": "sessions", "trash": "trash_sessions", "total_size_bytes": "logical_bytes",
	"files": "files", "flushes": "flushes", "hot_size": "hot_size_bytes"}.items():
	assert value(name) == stats[key], (key, value(name), stats[key])
by_status = families["sessfs_sessions_by_status"].samples
assert {s.labels["status"]: s.value for s in by_status} == stats["sessions_by_status"]
counts = {}
for s in families["sessfs_request_duration_seconds"].samples:
	counts.setdefault(s.labels["operation"], []).append((s.name, s.labels.get("le"), s.value))
assert {"lookup", "write", "mknod"} <= set(counts), counts.keys()
for operation, samples in counts.items():
	buckets = [(float(le), v) for name, le, v in samples if le]
	total = [v for name, le, v in samples if name.endswith("_count")][0]
	assert buckets == sorted(buckets) and [v for le, v in buckets] == sorted(v for le, v in buckets), operation
	assert buckets[-1] == (math.inf, total) and total > 0, operation
for operation, figures in stats["operations"].items():
	rising = [figures[key] for key in ("min_ns", "p50_ns", "p95_ns", "p99_ns", "max_ns")]
	assert rising == sorted(rising), operation
	assert figures["min_ns"] <= figures["avg_ns"] <= figures["max_ns"], operation
END
mount_store
cd "$MNT"
mkdir a b c gone
for i in {1..50}; do echo "$i" >"a/logs/$i"; done
echo paused >b/.session/status
echo failed >c/.session/status
mv gone .sessfs/trash/gone
valid .sessfs/stats.json .sessfs/config.json
assert_eq "$(json .sessfs/stats.json '(j["sessions_by_status"]["active"], j["sessions_by_status"]["paused"],
	j["sessions"], j["trash"])')" \
	"(1, 1, 3, 1)"
assert_eq "$(json .sessfs/stats.json 'j["files"], j["total_size_bytes"]')" "(50, 141)"
assert_eq "$(json .sessfs/stats.json 'j["operations"]["mknod"]["count"]')" 50
/usr/bin/python3 "$TEST_DIR/metrics.py" .sessfs/metrics .sessfs/stats.json

note "control files that nobody reads cost no request"
cat >"$TEST_DIR/requests.py" <<'END'
import json, os
count = lambda: {k: v["count"] for k, v in json.load(open(".sessfs/stats.json"))["operations"].items()}
before = count()
for i in range(500):
	fd = os.open(f"a/research_data/{i}", os.O_CREAT | os.O_WRONLY)
	os.write(fd, b"x")
	os.close(fd)
after = count()
grown = {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}
assert grown["mknod"] == grown["write"] == 500, grown
# one each, at most, of what the kernel asks by itself; a few of any kind come from reading stats.json
asked = ("mknod", "write", "lookup", "getattr", "getxattr")
assert all(grown.get(k, 0) < 520 for k in asked) and sum(n for k, n in grown.items() if k not in asked) < 20, grown
END
python3 "$TEST_DIR/requests.py"

note "the store's figures move"
flushes=$(json .sessfs/stats.json 'j["flushes"]')
head -c 3000000 /dev/zero | tr '\0' b >a/logs/large
sync .
assert_eq "$(json .sessfs/stats.json 'j["unsaved_bytes"]')" 0
cat a/logs/large >/dev/null
flushed() { [ "$(json .sessfs/stats.json 'j["flushes"]')" -gt "$flushes" ]; }
wait_for 20 flushed
assert_eq "$(json .sessfs/stats.json '(j["compression_ratio"] > 10 and j["warm_bytes"] > 0
	and j["flush_longest_ns"] > 0)')" True
/usr/bin/python3 "$TEST_DIR/metrics.py" .sessfs/metrics .sessfs/stats.json
cd "$TEST_DIR"
umount_store
