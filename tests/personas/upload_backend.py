#!/usr/bin/env python3
"""The backend of an upload form: each upload is a session with its files and a database; one of them is current.

usage: upload_backend.py MOUNT upload ZIP TIME    makes session_YYYYMMDD_HHMMSS for TIME (seconds since 1970)
       upload_backend.py MOUNT list               all sessions: name, size, "*" at the current one
       upload_backend.py MOUNT current NAME       sets the current one
       upload_backend.py MOUNT delete NAME        deletes one, unless it is the current one
       upload_backend.py MOUNT query NAME         what its database knows

Sessions are directories made and removed as anywhere; the overview is read from .sessfs/sessions.json and the current
one is the symlink .sessfs/current, as `ln -sfn` sets it.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timezone


class Backend:
	def __init__(self, mount):
		self.mount = mount

	def overview(self):
		with open(f"{self.mount}/.sessfs/sessions.json", encoding="utf-8") as file:
			return json.load(file)

	def upload(self, archive, seconds):
		name = datetime.fromtimestamp(int(seconds), timezone.utc).strftime("session_%Y%m%d_%H%M%S")
		session = f"{self.mount}/{name}"
		os.mkdir(session)
		subprocess.run(["unzip", "-q", archive, "-d", f"{session}/upload"], check=True)
		self.index(session)
		print(name)

	def index(self, session):
		database = sqlite3.connect(f"{session}/upload.db")
		database.execute("CREATE TABLE file (path TEXT PRIMARY KEY, bytes INTEGER, text TEXT)")
		with database:
			for directory, _, names in os.walk(f"{session}/upload"):
				for name in names:
					path = os.path.join(directory, name)
					with open(path, encoding="utf-8", errors="replace") as file:
						below = os.path.relpath(path, session)
						row = (below, os.path.getsize(path), file.read())
					database.execute("INSERT INTO file VALUES (?, ?, ?)", row)
		database.close()

	def list(self):
		for session in self.overview()["sessions"]:
			print(session["id"], session["size_bytes"], "*" if session["is_current"] else "-")

	def current(self, name):
		subprocess.run(["ln", "-sfn", name, f"{self.mount}/.sessfs/current"], check=True)

	def delete(self, name):
		if self.overview()["current_session_id"] == name:
			sys.exit(f"{name} is the current session")
		shutil.rmtree(f"{self.mount}/{name}")

	def query(self, name):
		database = sqlite3.connect(f"{self.mount}/{name}/upload.db")
		print(*database.execute("SELECT count(*), sum(bytes) FROM file").fetchone())
		print(database.execute("PRAGMA integrity_check").fetchone()[0])
		database.close()


if __name__ == "__main__":
	getattr(Backend(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
