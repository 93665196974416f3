#!/usr/bin/env python3
"""The temp-file manager of a research agent: sessions below a base directory, JSON envelopes, a cache, ages by mtime.

usage: temp_manager.py BASE

Knows nothing of the filesystem it works on. Prints what it found, one JSON document a line, without times, so that two
filesystems can be compared.
"""
import hashlib
import json
import os
import shutil
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

SESSION_HOURS = 24
CACHE_HOURS = 48
FILE_TYPES = ("research_data", "intermediate_results", "cache", "logs")


class TempFileManager:
	def __init__(self, base):
		self.base = Path(base)
		self.base.mkdir(parents=True, exist_ok=True)

	def create_session(self, session_id):
		session = self.base / session_id
		session.mkdir(exist_ok=True)
		for name in FILE_TYPES:
			(session / name).mkdir(exist_ok=True)
		return session

	def save(self, session_id, file_type, name, data):
		envelope = {
			"data": data,
			"metadata": {
				"session_id": session_id,
				"file_type": file_type,
				"created_at": datetime.now(timezone.utc).isoformat(),
			},
		}
		path = self.base / session_id / file_type / f"{name}.json"
		with open(path, "w", encoding="utf-8") as file:
			json.dump(envelope, file, indent=2, ensure_ascii=False)
		return path

	def load(self, session_id, file_type, name):
		with open(self.base / session_id / file_type / f"{name}.json", encoding="utf-8") as file:
			return json.load(file)["data"]

	def cache_path(self, session_id, key):
		return self.base / session_id / "cache" / (hashlib.md5(key.encode()).hexdigest() + ".json")

	def cache(self, session_id, key, result):
		with open(self.cache_path(session_id, key), "w", encoding="utf-8") as file:
			json.dump({"key": key, "result": result, "cached_at": time.time()}, file, indent=2)

	def cached(self, session_id, key):
		try:
			with open(self.cache_path(session_id, key), encoding="utf-8") as file:
				return json.load(file)["result"]
		except FileNotFoundError:
			return None

	def statistics(self, session_id):
		session = self.base / session_id
		return {
			"files": {name: len(list((session / name).glob("*.json"))) for name in FILE_TYPES},
			"bytes": sum(path.stat().st_size for path in session.rglob("*") if path.is_file()),
		}

	def sessions(self):
		return sorted(path.name for path in self.base.iterdir() if path.is_dir())

	def clean_cache(self, session_id, now):
		for path in (self.base / session_id / "cache").glob("*.json"):
			if now - path.stat().st_mtime > CACHE_HOURS * 3600:
				path.unlink()

	def clean_sessions(self, now):
		for path in self.base.iterdir():
			if path.is_dir() and now - path.stat().st_mtime > SESSION_HOURS * 3600:
				shutil.rmtree(path)


def say(what, value):
	print(json.dumps({what: value}, sort_keys=True))


def age(path, hours):
	then = time.time() - hours * 3600
	os.utime(path, (then, then))


def main(base):
	manager = TempFileManager(base)
	for number in range(6):
		manager.create_session(f"research_{number}")
	manager.create_session("research_0")  # once more: nothing happens

	for number in range(40):
		paper = {"title": f"Étude {number}", "year": 1900 + number}
		manager.save("research_1", "research_data", f"paper_{number}", paper)
	for number in range(15):
		manager.save("research_1", "intermediate_results", f"step_{number}", list(range(number)))
	manager.save("research_1", "logs", "run", {"steps": 15})
	say("loaded", manager.load("research_1", "research_data", "paper_7"))
	say("sizes add up", manager.statistics("research_1")["bytes"] > 40 * 150)

	for key in "alpha", "beta", "gamma":
		manager.cache("research_1", key, f"result of {key}")
	say("cached", [manager.cached("research_1", key) for key in ("alpha", "beta", "gamma", "delta")])
	age(manager.cache_path("research_1", "alpha"), CACHE_HOURS + 1)
	age(manager.cache_path("research_1", "beta"), CACHE_HOURS - 1)
	manager.clean_cache("research_1", time.time())
	say("still cached", [manager.cached("research_1", key) for key in ("alpha", "beta", "gamma")])
	say("files", manager.statistics("research_1")["files"])

	manager.save("research_2", "logs", "last", {"words": "old"})
	age(manager.base / "research_2", SESSION_HOURS + 2)
	age(manager.base / "research_3", SESSION_HOURS - 2)
	age(manager.base / "research_4", SESSION_HOURS + 200)
	manager.clean_sessions(time.time())
	say("after cleaning", manager.sessions())

	shutil.rmtree(manager.base / "research_5")
	say("after removing", manager.sessions())
	say("gone", not (manager.base / "research_5").exists())


if __name__ == "__main__":
	main(sys.argv[1])
