#!/usr/bin/env python3
"""Compares `cbamail check mime --lines` with Python's email package over many messages.

    compare.py --program CBAMAIL --list FILE [--write] PATH...

PATH is a folder with *.eml files, a .tar.xz of them, or "samples": those of samples.py. Every difference from compat32 or from the default policy must have a reason
in classes.py and stand in FILE; --write writes FILE anew. Exit code 0 only if nothing is unexplained, missing or listed for nothing.
"""
import argparse
import base64
import collections
import concurrent.futures
import email
import email.policy
import json
import pathlib
import re
import subprocess
import sys
import tarfile

import classes
import oracle
import samples

POLICIES = {"compat32": email.policy.compat32, "default": email.policy.default}


def messages(paths):
    """Name and bytes of each message, in a fixed order."""
    found = {}
    for path in map(pathlib.Path, paths):
        if str(path) == "samples":
            found.update(samples.messages())
            continue
        if path.is_dir():
            found.update((file.stem, file.read_bytes()) for file in sorted(path.rglob("*.eml")))
            continue
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".eml"):
                    found[pathlib.PurePath(member.name).stem] = archive.extractfile(member).read()
    return dict(sorted(found.items()))


def ours(program, found):
    lines = "".join(json.dumps({"id": name, "message": base64.b64encode(message).decode()}) + "\n" for name, message in found.items())
    ran = subprocess.run([program, "check", "mime", "--lines"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return {line["id"]: line for line in map(json.loads, ran.stdout.decode().splitlines())}


class Difference:
    """One field of one part that ours and one policy do not agree on, with all that a rule may want to know."""

    def __init__(self, comparison, path, field, ours, python, ours_part, header_index=None):
        self.comparison, self.path, self.field, self.ours, self.python = comparison, path, field, ours, python
        self.ours_part, self.header_index = ours_part, header_index
        self.policy, self.whole = comparison.policy, comparison.message
        self.type = f"{ours_part['type']}/{ours_part['subtype']}"
        self.encoding, self.parameters = ours_part["encoding"], ours_part["parameters"]

    @property
    def part(self):
        """Python's part, parsed again."""
        part = self.comparison.parsed
        for number in self.path.split(".")[1:]:
            part = part.get_payload()[int(number) - 1]
        return part

    @property
    def payload(self):
        payload = self.part._payload
        return payload.encode("ascii", "surrogateescape") if isinstance(payload, str) else b""

    @property
    def python_content(self):
        return self.part.get_payload(decode=True)

    def header(self, name):
        for key, value in self.part.raw_items():
            if key.lower() == name:
                return value
        return None

    def stated(self, name):
        """The field's value as text, each byte above 127 as one character that is no letter of ASCII."""
        for key, value in self.part._headers:
            if key.lower() == name:
                return str(value).encode("ascii", "surrogateescape").decode("latin-1")
        return ""

    @property
    def header_bytes(self):
        """The bytes of the field that differs, or of those that say what the part is."""
        items = list(self.part.raw_items())
        if self.header_index is not None:
            chosen = [items[self.header_index][1]]
        else:
            chosen = [value for key, value in items if key.lower() in ("content-type", "content-disposition")]
        return "\n".join(map(str, chosen)).encode("utf-8", "surrogateescape")

    def other(self, policy):
        """What the other policy says of the same field."""
        part = self.comparison.both[policy]
        for number in self.path.split(".")[1:]:
            if len(part["children"]) < int(number):
                return None
            part = part["children"][int(number) - 1]
        if self.header_index is not None:
            return part["headers"][self.header_index]["value"]
        return part.get(self.field)

    @property
    def default_value(self):
        value = self.other("default")
        # structured fields are written anew by the default policy: the decoded words are what counts
        return self.ours if self.field.startswith("header") and classes.tight(value) == classes.tight(self.ours) else value

    @property
    def compat_value(self):
        return self.other("compat32")


class Comparison:
    def __init__(self, name, message, mine, both, policy):
        self.name, self.message, self.mine, self.both, self.policy = name, message, mine, both, policy
        self.found, self.fields = [], 0
        self.cached = None

    @property
    def parsed(self):
        self.cached = self.cached or email.message_from_bytes(self.message, policy=email.policy.compat32)
        return self.cached

    def run(self):
        python = self.both[self.policy]
        if "failed" in python:
            self.found.append((self.policy, self.name, "0", "whole", "python-fails", "read", python["failed"]))
        else:
            self.compare("0", self.mine, python)
        return self

    def check(self, path, field, mine, python, part, header_index=None):
        self.fields += 1
        if mine == python:
            return
        difference = Difference(self, path, field, mine, python, part, header_index)
        self.found.append((self.policy, self.name, path, field, classes.classify(difference) or "UNEXPLAINED", short(mine), short(python)))

    def compare(self, path, mine, python):
        for field in ("type", "subtype", "parameters", "disposition", "filename"):
            self.check(path, field, mine[field], python[field], mine)
        self.check(path, "encoding", mine["encoding"], python["encoding"] or "7bit", mine)
        names = [[header["name"] for header in part["headers"]] for part in (mine, python)]
        if names[0] != names[1]:
            self.check(path, "names", *names, mine)
        else:
            self.headers(path, mine, python)
        shapes = [[f"{child['type']}/{child['subtype']}" for child in part["children"]] for part in (mine, python)]
        if len(shapes[0]) != len(shapes[1]):
            self.check(path, "children", *shapes, mine)
            return
        if not mine["children"] and mine["type"] != "multipart":
            self.check(path, "content", mine["sha256"], python["sha256"], mine)
        for number, (a, b) in enumerate(zip(mine["children"], python["children"]), 1):
            self.compare(f"{path}.{number}", a, b)

    def headers(self, path, mine, python):
        for index, (a, b) in enumerate(zip(mine["headers"], python["headers"])):
            # fields with a grammar are written anew by the default policy: what it made of them is compared instead
            if not b.get("structured"):
                self.check(path, f"header:{a['name']}", a["value"], b["value"], mine, index)
            if isinstance(b.get("addresses"), list):
                self.check(path, f"addresses:{a['name']}", [[x["name"], x["address"]] for x in a.get("addresses", [])], b["addresses"], mine, index)
            if "date" in b:
                self.check(path, f"date:{a['name']}", a.get("date"), b["date"], mine, index)


def short(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    if re.fullmatch("[0-9a-f]{64}", text):
        return text[:16]
    # nobody's address needs to stand in a list of differences
    text = re.sub(r"[\w.+-]+@[\w.-]*\w", lambda m: re.sub("[A-Za-z0-9]", "x", m[0]), text)
    return text if len(text) <= 64 else text[:30] + "…" + text[-30:]


def compare(work):
    name, message, mine = work
    both = oracle.read(message)
    runs = [Comparison(name, message, mine, both, policy).run() for policy in POLICIES]
    return [found for run in runs for found in run.found], sum(run.fields for run in runs)


def write(path, differences):
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Where `cbamail check mime` and Python's email package differ over the corpus, and why ours is right. Written by\n")
        out.write("# tests/Formats/Mime/Oracle/compare.py --write, whose rules (classes.py) prove each reason anew for every line.\n")
        out.write(f"# Python {sys.version.split()[0]}\n#\n")
        counts = collections.Counter(d[4] for d in differences)
        for name, (_, why, _) in classes.CLASSES.items():
            if counts[name]:
                out.write(f"# {name} ({counts[name]}): {why}\n")
        out.write("#\n# policy\tmessage\tpart\tfield\treason\tours\tPython's\n")
        out.writelines("\t".join(d) + "\n" for d in differences)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--list", required=True)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()
    sys.setrecursionlimit(10_000)
    found = messages(options.paths)
    mine = ours(options.program, found)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        results = list(pool.map(compare, ((name, message, mine[name]) for name, message in found.items()), chunksize=50))
    differences = [d for result, _ in results for d in result]
    if options.write:
        write(options.list, differences)
    with open(options.list, encoding="utf-8") as lines:
        text = [line.rstrip("\n") for line in lines]
    listed = {tuple(line.split("\t")[:5]) for line in text if line and not line.startswith("#")}
    version = next(line.split()[-1] for line in text if line.startswith("# Python "))
    now = {d[:5] for d in differences}
    bad = [f"unexplained: {d}" for d in differences if d[4] == "UNEXPLAINED"]
    bad += [f"not listed in {options.list}: {d}" for d in differences if d[:5] not in listed and d[4] != "UNEXPLAINED"]
    gone = [f"listed in {options.list}, but agrees now: {d}" for d in sorted(listed - now)]
    # another Python may be right where the one that the list was made with was not
    same = version.rsplit(".", 1)[0] == sys.version.split()[0].rsplit(".", 1)[0]
    bad += gone if same else []
    for line in bad[:40]:
        print(line)
    counts = collections.Counter(d[4] for d in differences)
    print(f"Python {sys.version.split()[0]}: {len(found)} messages, {sum(n for _, n in results)} fields compared, {len(differences)} differ in "
          f"{len({d[1] for d in differences})} messages: " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))
    if gone and not same:
        print(f"(the list was made with Python {version}; {len(gone)} of its lines agree with this one)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
