#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes doc/rfc3715.md of the table beside it (rfc3715.txt), or compares what it names with what ran.

usage: tests/conformance/rfc3715.py [FILE]              default: doc/rfc3715.md
       tests/conformance/rfc3715.py --passed LOG...     each test of the table must be "ok" in one of the logs

The table has a block of "key: value" for each clause of the RFC, and a line that begins with a blank goes on
with the one before:

  clause   as in CLAUSES       title   a few words         level   MUST, SHOULD ... of the RFC, where it has one
  rfc      what it asks        here    what answers it
  test     SUITE: CASE         as often as there are tests; SUITE is below tests/, and CASE has " / " between
                               words that stand apart in a shell script
  limit    what is documented not to work               missing  what no test shows yet
"""

import os
import re
import sys

TABLE = "tests/conformance/rfc3715.txt"
PAGE = "doc/rfc3715.md"
KEYS = ("clause", "title", "level", "rfc", "here", "test", "limit", "missing")
SECTIONS = (
    ("2.1", "Intrinsic to NAT", "abcdefghi"),
    ("2.2", "Weaknesses of NATs", "jklm"),
    ("2.3", "Helpers in NATs", "nop"),
    ("3", "Requirements", None),
    ("5", "Security considerations", None),
)
# Section 3 has no letters: so many clauses begin with each of its headings.
HEADINGS = {"Deployment": 3, "Protocol compatibility": 1, "Directionality": 1, "Telecommuter": 5, "Gateway to gateway": 1,
            "End to end": 3, "Firewall": 1, "Scaling": 2, "Mode": 3, "Compatibility": 3, "Security": 3}
CLAUSES = [f"{number} {letter}" for number, _, letters in SECTIONS[:3] for letter in letters] + [
    f"3 {heading}" + (f" {n}" if count > 1 else "") for heading, count in HEADINGS.items() for n in range(1, count + 1)] + ["5"]

INTRODUCTION = """# IPsec through NATs: RFC 3715, clause by clause

Made by `tests/conformance/rfc3715.py` of `tests/conformance/rfc3715.txt`; `make lint` fails when a test named here is
not there any more. Suites are files below `tests/`: what is in `ladder`, `unit` and `fuzz` runs with `make check`, what is
in `net` with `make check-net`, what is in `uml` with `make check-uml`. With whom it was tried is in
[interop.md](interop.md).
"""
STATES = {"shown": "shown", "bounded": "shown, with a limit", "limit": "documented limit", "partly": "shown in part", "missing": "not shown yet"}


class Bad(Exception):
    """The table is wrong: line and reason."""


def read_table(text):
    """[{key: value, "test": [...], "line": N}]"""
    blocks, block, key = [], None, None
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#") or not line.strip():
            block = None if not line.strip() else block
            continue
        if line[0] == " " and block and key:
            if key == "test":
                block["test"][-1] += " " + line.strip()
            else:
                block[key] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in KEYS:
            raise Bad(number, f"'{key}' is none of {', '.join(KEYS)}")
        if block is None:
            block = {"line": number, "test": []}
            blocks.append(block)
        if key == "test":
            block["test"].append(value.strip())
        elif key in block:
            raise Bad(number, f"a second '{key}'")
        else:
            block[key] = value.strip()
    return blocks


def sources(suite, read):
    """The suite's text, and that of the shell libraries that it reads; None: there is no such suite."""
    for path in (f"tests/{suite}.c", f"tests/{suite}"):
        text = read(path)
        if text is not None:
            break
    else:
        return None
    for library in re.findall(r"^\. \"\$\(dirname \"\$0\"\)/(\S+\.sh)\"", text, re.M):
        text += read(os.path.normpath(os.path.join("tests", os.path.dirname(suite), library))) or ""
    return text


def parts(case):
    return case.split(" / ")


def missing_tests(blocks, read):
    """(line, what is wrong) for each test that is not there."""
    for block in blocks:
        for test in block["test"]:
            suite, colon, case = test.partition(": ")
            text = sources(suite, read) if colon else None
            if text is None:
                yield block["line"], f"{block['clause']}: there is no suite tests/{suite}"
                continue
            if read(f"tests/{suite}.c") is not None and not re.search(rf"(unit_test\w*|CASE)\({re.escape(case)}\b", text):
                yield block["line"], f"{block['clause']}: {suite} runs no case {case}"
            for part in parts(case):
                if part not in text:
                    yield block["line"], f"{block['clause']}: {suite} has no test \"{part}\""


def wrong_blocks(blocks):
    """(line, what is wrong) with the table itself."""
    names = [block.get("clause") for block in blocks]
    for block in blocks:
        for key in ("clause", "title", "rfc", "here"):
            if key not in block:
                yield block["line"], f"no '{key}'"
        if not block["test"] and "limit" not in block and "missing" not in block:
            yield block["line"], "neither a test nor 'limit' nor 'missing'"
    if names != CLAUSES:
        odd = next(((a, b) for a, b in zip(names + [None], CLAUSES + [None]) if a != b), (None, None))
        yield 1, f"the clauses are not those of the RFC in their order: {odd[0]} in place of {odd[1]}"


def state(block):
    if "missing" in block:
        return "partly" if block["test"] else "missing"
    if "limit" in block:
        return "bounded" if block["test"] else "limit"
    return "shown"


def page(blocks):
    out = [INTRODUCTION, "| Clause | What | Level | State |", "|---|---|---|---|"]
    for b in blocks:
        out.append(f"| {b['clause']} | {b['title']} | {b.get('level', '')} | {STATES[state(b)]} |")
    section = None
    for b in blocks:
        number = b["clause"].split()[0]
        if number != section:
            section = number
            out += ["", f"## {number} {next(title for n, title, _ in SECTIONS if n == number)}"]
        out += ["", f"### {b['clause']}: {b['title']}", "",
                b["rfc"] + (f" ({b['level']})" if "level" in b else ""), "", f"**Here:** {b['here']}"]
        for key, word in (("limit", "Limit"), ("missing", "Not shown yet")):
            if key in b:
                out += ["", f"**{word}:** {b[key]}"]
        if b["test"]:
            out.append("")
        for test in b["test"]:
            suite, _, case = test.partition(": ")
            out.append(f"- `{suite}`: " + ", ".join(f"`{p}`" if "/test_" in suite else p for p in parts(case)))
    return "\n".join(out) + "\n"


def not_passed(blocks, logs):
    """Tests of the table without an "ok" line that has all their words."""
    lines = [line for log in logs for line in log.split("\n") if line.startswith("ok")]
    for block in blocks:
        for test in block["test"]:
            suite, _, case = test.partition(": ")
            exact = re.compile(rf"^ok \d+ - {re.escape(case)}$") if "/test_" in suite else None
            if not any(exact.match(line) if exact else all(p in line for p in parts(case)) for line in lines):
                yield test


def reader(root):
    def read(path):
        full = os.path.join(root, path)
        if not os.path.isfile(full):
            return None
        with open(full, encoding="utf-8") as file:
            return file.read()
    return read


def main(words):
    if words and words[0].startswith("-") and words[0] != "--passed":
        print("usage: rfc3715.py [FILE | --passed LOG...]", file=sys.stderr)
        return 2
    root = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    read = reader(root)
    try:
        blocks = read_table(read(TABLE))
    except Bad as bad:
        print(f"{TABLE}:{bad.args[0]}: {bad.args[1]}")
        return 1
    wrong = list(wrong_blocks(blocks)) or list(missing_tests(blocks, read))
    for line, text in wrong:
        print(f"{TABLE}:{line}: {text}")
    if wrong:
        return 1
    if words[:1] == ["--passed"]:
        logs = []
        for name in words[1:]:
            with open(name, encoding="utf-8", errors="replace") as file:
                logs.append(file.read())
        failed = list(dict.fromkeys(not_passed(blocks, logs)))
        for test in failed:
            print(f"not passed: {test}")
        tests = {test for block in blocks for test in block["test"]}
        print(f"{len(tests) - len(failed)} passed, {len(failed)} failed, 0 skipped")
        return 1 if failed else 0
    with open(words[0] if words else os.path.join(root, PAGE), "w", encoding="utf-8") as file:
        file.write(page(blocks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
