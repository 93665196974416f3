#!/usr/bin/env python3
"""A writing assistant that loses nothing: current.json is saved after each action and by the clock.

usage: writing_assistant.py SESSION [SECONDS]

Each line of its input is a paragraph. It saves by writing a temporary file, fsync and rename. SECONDS between saves by
the clock, 30 unless told. At its start it tells whether it was interrupted, and what it finds saved.
"""
import json
import os
import sys
import threading
from datetime import datetime, timezone

SAVE_SECONDS = 30


class Assistant:
	def __init__(self, session, seconds):
		self.session, self.seconds = session, seconds
		self.path = f"{session}/current.json"
		self.lock, self.stopped = threading.Lock(), threading.Event()
		self.document = {"paragraphs": [], "cursor": 0}

	def find_interruption(self):
		with open(f"{self.session}/.session/info.json", encoding="utf-8") as file:
			info = json.load(file)
		print("interrupted", info["interrupted"], "saved", info["last_saved_at"])
		if info["interrupted"]:
			with open(f"{self.session}/.session/status", "w", encoding="utf-8") as file:
				file.write("active\n")

	def load(self):
		try:
			with open(self.path, encoding="utf-8") as file:
				self.document = json.load(file)["document"]
		except FileNotFoundError:
			pass
		print("paragraphs", len(self.document["paragraphs"]))

	def save(self, why):
		saved = {"saved_at": datetime.now(timezone.utc).isoformat(), "document": self.document}
		with self.lock:
			with open(self.path + ".tmp", "w", encoding="utf-8") as file:
				json.dump(saved, file, indent=2)
				file.flush()
				os.fsync(file.fileno())
			os.rename(self.path + ".tmp", self.path)
		print("saved", why, len(self.document["paragraphs"]))

	def save_by_the_clock(self):
		while not self.stopped.wait(self.seconds):
			self.save("by the clock")

	def run(self):
		self.find_interruption()
		self.load()
		clock = threading.Thread(target=self.save_by_the_clock)
		clock.start()
		for line in sys.stdin:
			self.document["paragraphs"].append(line.rstrip("\n"))
			self.document["cursor"] += len(line)
			self.save("after an action")
		self.stopped.set()
		clock.join()


if __name__ == "__main__":
	sys.stdout.reconfigure(line_buffering=True)
	Assistant(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else SAVE_SECONDS).run()
