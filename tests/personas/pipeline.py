#!/usr/bin/env python3
"""A research pipeline: eight agents work in one session at once; a coordinator pauses, resumes and completes it.

usage: pipeline.py SESSION

Each agent appends JSON lines to a log that all share and to one of its own, and writes results of 2 MiB. A read-only
filesystem under their hands means to them that the session is paused: they tell the coordinator and wait to be resumed.
"""
import errno
import json
import multiprocessing
import os
import sys

AGENTS = 8
STEPS = 120
RESULT_BYTES = 2 << 20


class Agent:
	def __init__(self, session, number, reports, halfway, resumed):
		self.session, self.number, self.reports = session, number, reports
		self.halfway, self.resumed = halfway, resumed
		self.shared = open(f"{session}/logs/events.jsonl", "a", encoding="utf-8")
		self.own = open(f"{session}/logs/agent_{number}.jsonl", "a", encoding="utf-8")

	def persist(self, act):
		"""Does it; when the session is paused, as soon as it no longer is."""
		while True:
			try:
				return act()
			except OSError as error:
				if error.errno != errno.EROFS:
					raise
			self.reports.put(("paused", self.number))
			self.resumed.wait()

	def append(self, file, step, text):
		line = json.dumps({"agent": self.number, "step": step, "text": text}) + "\n"
		self.persist(lambda: os.write(file.fileno(), line.encode()))

	def write_result(self, step):
		unit = json.dumps({"agent": self.number, "step": step, "finding": "the same as before"}) + "\n"
		text = (unit * (RESULT_BYTES // len(unit) + 1))[:RESULT_BYTES]

		def write():
			with open(f"{self.session}/intermediate_results/agent_{self.number}_{step}.jsonl", "w") as file:
				file.write(text)
		self.persist(write)

	def run(self):
		for step in range(STEPS):
			self.append(self.shared, step, "looked into it")
			self.append(self.own, step, "x" * (step % 50))
			if step % 40 == 0:
				self.write_result(step)
			if step == STEPS // 2:
				self.reports.put(("half", self.number))
				self.halfway.wait()
		self.reports.put(("done", self.number))


def work(*args):
	Agent(*args).run()


class Coordinator:
	def __init__(self, session):
		self.session = session
		self.reports = multiprocessing.Queue()
		self.halfway, self.resumed = multiprocessing.Event(), multiprocessing.Event()
		self.agents = [multiprocessing.Process(target=work,
			args=(session, number, self.reports, self.halfway, self.resumed)) for number in range(AGENTS)]

	def tell(self, name, text):
		with open(f"{self.session}/.session/{name}", "w", encoding="utf-8") as file:
			file.write(text + "\n")

	def wait_for_all(self, *what):
		seen = {}
		while len(seen) < AGENTS:
			report, number = self.reports.get(timeout=60)
			if report in what:
				seen[number] = report
		return seen

	def probe(self):
		"""What a change answers now."""
		try:
			os.mkdir(f"{self.session}/research_data/probe")
			os.rmdir(f"{self.session}/research_data/probe")
		except OSError as error:
			return errno.errorcode[error.errno]
		return "done"

	def run(self):
		self.tell("query", "How do Glaciers calve?")
		self.tell("tags", "climate\nice")
		self.tell("phase", "gathering")
		for agent in self.agents:
			agent.start()
		self.wait_for_all("half")
		self.tell("progress", "0.5")
		self.tell("status", "paused")
		print("paused:", self.probe())
		self.halfway.set()  # they go on, and find it read-only
		print("agents that saw it:", len(self.wait_for_all("paused")))
		self.tell("status", "active")
		print("resumed:", self.probe())
		self.resumed.set()
		print("agents that ended:", len(self.wait_for_all("done")))
		for agent in self.agents:
			agent.join()
		print("exit:", {agent.exitcode for agent in self.agents})
		self.tell("progress", "1")
		self.tell("status", "completed")
		print("completed:", self.probe())


if __name__ == "__main__":
	Coordinator(sys.argv[1]).run()
