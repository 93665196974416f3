"""The figures of a run as Markdown tables, beside the budgets they are held to."""
import statistics

NAMED = ["ext4", "btrfs", "tmpfs", "nullfs", "sessfs"]
SCALE = {"ns": (1000, "µs"), "MB/s": (1, "MB/s")}

# (work, as good as which share of whom); several works may begin with the same words.
BUDGETS = [
	("create+write+close", {"nullfs": 0.9, "ext4": 0.8, "btrfs": 1.0}),
	("unlink", {"nullfs": 0.9, "btrfs": 1.0}),
	("rm -rf", {"nullfs": 0.9, "btrfs": 1.0}),
	("append 200 bytes", {"nullfs": 0.85}),
	("stat, cached", {"nullfs": 0.95}),
	("open+read+close, cached", {"nullfs": 0.95}),
	("write 1 MiB json", {"nullfs": 0.8}),
	("write 128 KiB json", {"nullfs": 0.8}),
	("cold read 1 MiB json", {"nullfs": 0.7}),
	("cold read 128 KiB json", {"nullfs": 0.7}),
	("SQLite transaction", {"ext4": 1.0}),
]
STALL_MS, RESIDENT, MOUNT_MS, GROWTH = 20, 64 << 20, 50, 1.3
SPACE = {"JSON": 4, "logs": 4.5, "C source": 5}
SMALL_SHARE = 0.1
TRASH_MS = 5
DROP_RATES = {"drop": 1000000, "in the background": 500000}


def speed(row, unit, ours, theirs):
	"""How fast ours is, theirs being 1; None if one was not measured."""
	if not row.get(ours) or not row.get(theirs):
		return None
	a, b = statistics.median(row[ours]), statistics.median(row[theirs])
	return b / a if unit == "ns" else a / b


def number(value):
	return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values, unit):
	if not values:
		return ""
	scale = SCALE[unit][0]
	text = number(statistics.median(values) / scale)
	if len(values) > 1:
		text += f" ({number(min(values) / scale)}–{number(max(values) / scale)})"
	return text


def ratio(value):
	return "" if value is None else f"{value:.2f}"


def table(head, rows):
	print("| " + " | ".join(head) + " |")
	print("|" + "---|" * len(head))
	for row in rows:
		print("| " + " | ".join(row) + " |")
	print()


def works_table(results, names):
	names = [n for n in NAMED if n in names]
	others = [n for n in names if n != "sessfs"] if "sessfs" in names else []
	rows = [[f"{work}, {SCALE[unit][1]}", *(cell(row.get(n), unit) for n in names),
		*(ratio(speed(row, unit, "sessfs", n)) for n in others)] for (work, unit), row in results.items()]
	table(["work", *names, *(f"sessfs / {n}" for n in others)], rows)


def others_table(results, names):
	names = [n for n in names if n not in NAMED]
	rows = [[f"{work}, {SCALE[unit][1]}", *(cell(row.get(n), unit) for n in names)]
		for (work, unit), row in results.items() if any(row.get(n) for n in names)]
	if rows:
		table(["work", *names], rows)


def verdict(met):
	return "met" if met else "**missed**"


def work_budgets(results):
	rows = []
	for (work, unit), row in results.items():
		for name, shares in BUDGETS:
			if not work.startswith(name) or ", fsync" in work:
				continue
			for other, share in shares.items():
				value = speed(row, unit, "sessfs", other)
				if value is not None:
					rows.append([work, f"≥ {share} × {other}", f"{value:.2f}",
						verdict(value >= share)])
		if work.startswith("append") and speed(row, unit, "sessfs-wb", "tmpfs") is not None:
			value = speed(row, unit, "sessfs-wb", "tmpfs")
			rows.append([f"{work}, writeback", "≥ 0.5 × tmpfs", f"{value:.2f}", verdict(value >= 0.5)])
		if "longest call" in work and row.get("sessfs"):
			value = statistics.median(row["sessfs"]) / 1e6
			rows.append([work, f"≤ {STALL_MS} ms", f"{value:.1f} ms", verdict(value <= STALL_MS)])
	return rows


def extra_budgets(extras):
	rows = []
	for name, row in extras.get("space", {}).items():
		if "store" not in row:
			continue
		if name in SPACE:
			value = row["du ext4"] / row["store"]
			least = SPACE[name]
			rows.append([f"space, {name}", f"≥ {least} : 1", f"{value:.2f} : 1", verdict(value >= least)])
		else:
			value = row["store"] / row["du ext4"]
			met = verdict(value <= SMALL_SHARE)
			rows.append([f"space, {name}", f"≤ {SMALL_SHARE} × ext4", f"{value:.3f}", met])
	for name, row in extras.get("memory", {}).items():
		value = row["VmRSS"]
		rows.append([f"resident {name}", "< 64 MiB", f"{value / 2**20:.1f} MiB", verdict(value < RESIDENT)])
	life = extras.get("life", {})
	for size in [max(life)] if life else []:
		row = life[size]
		took = row["to the trash"] * 1000
		rows.append([f"a session of {size:,} files to the trash", f"< {TRASH_MS} ms", f"{took:.2f} ms",
			verdict(took < TRASH_MS)])
		for label, least in DROP_RATES.items():
			rate = size / row[label]
			rows.append([f"the same, {label}", f"≥ {least:,} files/s", f"{rate:,.0f} files/s",
				verdict(rate >= least)])
	growth = extras.get("growth", {})
	if len(growth) > 1:
		first, last = growth[min(growth)], growth[max(growth)]
		for label in first:
			if label.startswith("mount"):
				rows.append([f"mount, {max(growth):,} files", f"< {MOUNT_MS} ms",
					f"{last[label]:.1f} ms", verdict(last[label] < MOUNT_MS)])
			else:
				value = last[label] / first[label]
				rows.append([f"growth of {label}, to {max(growth):,} files", f"≤ {GROWTH} ×",
					f"{value:.2f}", verdict(value <= GROWTH)])
	return rows


def extras_tables(extras):
	mib = 2**20
	if extras.get("space"):
		columns = ["logical", "du ext4", "du sessfs", "store"]
		rows = [[name, *(f"{row.get(c, 0) / mib:.2f}" for c in columns),
			f"{row['du ext4'] / row['store']:.2f}" if row.get("store") else ""]
			for name, row in extras["space"].items()]
		table(["space at rest, MiB", *columns, "du ext4 : store"], rows)
	if extras.get("memory"):
		columns = ["VmRSS", "RssAnon", "RssFile"]
		table(["resident memory of the daemon, MiB", *columns],
			[[name, *(f"{row[c] / mib:.1f}" for c in columns)] for name, row in extras["memory"].items()])
	if extras.get("life"):
		labels = next(iter(extras["life"].values()))
		table(["the end of a session, ms", *labels],
			[[f"{size:,} files", *(number(row[label] * 1000) for label in labels)]
			for size, row in extras["life"].items()])
	if extras.get("growth"):
		growth = extras["growth"]
		labels = next(iter(growth.values()))
		table(["files in the store", *labels],
			[[f"{size:,}", *(number(row[label]) for label in labels)]
			for size, row in growth.items() if row])


def report(results, extras, names):
	"""results: {(work, unit): {target: [value, ...]}}; extras: what the measure_ functions of run filled in."""
	if results:
		print("Medians, with minimum and maximum; µs: less is better, MB/s: more is.")
		print("Ratios are of speed: above 1 sessfs is faster.\n")
		works_table(results, names)
		others_table(results, names)
	extras_tables(extras)
	budgets = work_budgets(results) + extra_budgets(extras)
	if budgets:
		table(["budget of", "at least", "measured", ""], budgets)
