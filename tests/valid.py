#!/usr/bin/python3
"""Holds control files against their schemas: tests/valid.py FILE...

The schema of NAME.json, and of each line of NAME.jsonl, is tests/schema/NAME.json.
"""
import json
import os
import sys

import jsonschema

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema")


def validator(name):
	with open(os.path.join(SCHEMAS, name + ".json")) as f:
		schema = json.load(f)
	jsonschema.Draft7Validator.check_schema(schema)
	return jsonschema.Draft7Validator(schema)


def documents(path):
	with open(path, encoding="utf-8", newline="\n") as f:
		text = f.read()
	if not path.endswith(".jsonl"):
		return [json.loads(text)]
	assert not text or text.endswith("\n"), f"{path}: the last line has no end"
	return [json.loads(line) for line in text.split("\n")[:-1]]


def main(paths):
	failed = False
	for path in paths:
		check = validator(os.path.basename(path).partition(".")[0])
		for document in documents(path):
			for error in check.iter_errors(document):
				print(f"{path}: {'/'.join(map(str, error.path))}: {error.message}", file=sys.stderr)
				failed = True
	return failed


sys.exit(main(sys.argv[1:]))
