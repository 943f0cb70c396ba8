# SPDX-License-Identifier: GPL-3.0-or-later
"""schema.py - does what -j printed fit the schema that the program gives?

    schema.py SCHEMA <LINES

A line is the name of a command (or `failure`), a tab, and a document. Prints a
line `ok - ` or `not ok - ` for each name, and which commands never came.
"""
import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
Draft202012Validator.check_schema(schema)


def validator(name):
    part = name if name in schema["$defs"] else "command-" + name
    return Draft202012Validator(
        {"$ref": "#/$defs/" + part, "$defs": schema["$defs"]}
    )


def verdict(good, text):
    print(("ok - " if good else "not ok - ") + text)


def strange(document):
    """The same document with something in it that nobody promised."""
    for key, value in document.items():
        yield {**document, "surprise": 1}
        yield {**document, key: {"surprise": value}}


seen, bad = {}, {}
for line in sys.stdin:
    name, _, text = line.rstrip("\n").partition("\t")
    seen.setdefault(name, [])
    try:
        document = json.loads(text)
    except ValueError:
        bad[name] = "no JSON: " + text[:200]
        continue
    seen[name].append(document)
    for error in validator(name).iter_errors(document):
        bad[name] = f"{error.json_path}: {error.message[:300]}"

whole = Draft202012Validator(schema)
for name, documents in sorted(seen.items()):
    if name in bad:
        print("  " + bad[name])
    verdict(name not in bad, f"schema: {name} ({len(documents)} documents)")
    for document in documents[:1]:
        wrong = [x for x in strange(document) if validator(name).is_valid(x)]
        verdict(not wrong, f"schema: {name} with something else is refused")
        verdict(whole.is_valid(document), f"schema: {name} is one of them all")

def has_own(part):
    return set(part.get("properties", {"any": 1})) - {"findings", "path"}


commands = {k: v for k, v in schema["$defs"].items() if k.startswith("command-")}
names = {key[8:] for key, part in commands.items() if has_own(part)} | {"pwd"}
missing = names - set(seen)
verdict(not missing, "schema: every command's document was looked at")
if missing:
    print("  not: " + " ".join(sorted(missing)))
