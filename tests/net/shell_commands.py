# SPDX-License-Identifier: GPL-2.0-or-later
"""Every show command that a running daemon has can be asked for JSON, and its names are in the manual.

usage: shell_commands.py DAEMON PAGE... -- SAVSH-COMMAND...    e.g. savd doc/savd.8 -- savsh -d savd

The list of commands is the daemon's own. One line per command, "ok: ..." or "FAILED: ..."; exit
status 1 if one failed.
"""

import itertools
import json
import re
import subprocess
import sys
import time

# What libfrr brings along, for its developers; "show running-config" is a configuration.
LIBFRR = re.compile(r"show (startup-config|commandtree|running-config|thread|event|work-queues|debugging|logging|history$|"
                    r"memory|modules|error|configuration running|yang|cpu)\b")
# Arguments by their name in the grammar; "at TIME": now.
ARGUMENTS = {"ROUTER": ["pe1"], "INTERFACE": ["cust-a"], "IFNAME": ["cust-a"], "CUSTOMER": ["B"], "NAME": ["B"],
             "ADDRESS": ["198.51.100.10"], "A.B.C.D": ["198.51.100.10"], "X:X::X:X": ["2001:db8:b1::10"],
             "A.B.C.D/M": ["198.51.100.0/24"], "X:X::X:X/M": ["2001:db8:b1::/48"],
             "TIME": [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())], "NAS": ["bng1"], "SESSION": ["s1"]}
# "at DATE CLOCK" is another way to write one time.
NEVER = ("CLOCK",)


def savsh(command, line):
    done = subprocess.run(command + ["-c", line], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def tokens_of(text):
    return re.findall(r"[\[\]<>{}|]|\([^)]*\)|[^\s\[\]<>{}|()]+", text)


def parse(tokens, ends):
    """Alternatives of a sequence up to one of ends: a list of lists of words."""
    rows = [[]]
    while tokens and tokens[0] not in ends:
        token = tokens.pop(0)
        if token in "[<{":
            closing = {"[": "]", "<": ">", "{": "}"}[token]
            choices = []
            while True:
                choices += parse(tokens, ("|", closing))
                if tokens.pop(0) == closing:
                    break
            if token != "<":
                choices.append([])
        else:
            choices = [[value] for value in values_of(token)]
        rows = [row + choice for row, choice in itertools.product(rows, choices)]
    return rows


def values_of(token):
    """What may be typed for a word of the grammar."""
    if re.match(r"[a-z]", token):
        return [token]
    number = re.match(r"\((\d+)-(\d+)\)$", token)
    if number:
        return [max("1", number.group(1), key=int)]
    if token in NEVER:
        return []
    if token not in ARGUMENTS:
        raise LookupError(f"no value for {token}: add one to ARGUMENTS")
    return ARGUMENTS[token]


def lines_of(grammar):
    """All ways to type a command that ask for JSON."""
    rows = parse(tokens_of(grammar.replace("[CLOCK]", "")), ())
    return sorted({" ".join(row) for row in rows if row[-1] == "json"})


def names_in(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def described_names(pages):
    found = set()
    for page in pages:
        with open(page, encoding="utf-8") as file:
            for line in file:
                if line.startswith((".It Va ", ".Va ")):
                    found.update(re.findall(r"[A-Za-z]\w*", line.split("Va ", 1)[1]))
    return found


def problem_of(command, line, known):
    status, out, err = savsh(command, line)
    if status != 0:
        return f"exit status {status}: {(err or out).strip()[:200]}"
    try:
        names = set(names_in(json.loads(out)))
    except ValueError as error:
        return f"no JSON: {error}: {out[:200]}"
    missing = sorted(names - known)
    return f"not in the manual: {', '.join(missing)}" if missing else ""


def check(grammar, command, known):
    if "[json]" not in grammar:
        return "cannot be asked for JSON"
    try:
        lines = lines_of(grammar)
    except LookupError as error:
        return str(error)
    problems = [f"{line}: {p}" for line, p in ((line, problem_of(command, line, known)) for line in lines) if p]
    return "; ".join(problems)


def main():
    at = sys.argv.index("--")
    daemon, pages, command = sys.argv[1], sys.argv[2:at], sys.argv[at + 1:]
    known = described_names(pages)
    status, out, err = savsh(command, "list")
    commands = [line.strip() for line in out.splitlines()]
    commands = [c for c in commands if re.match(r"(show|explain)\b", c) and not LIBFRR.match(c)]
    failures = 0
    if status != 0 or len(commands) < 3:
        print(f"FAILED: {daemon}: only {len(commands)} commands: {err}")
        failures += 1
    for grammar in commands:
        problem = check(grammar, command, known)
        print(f"FAILED: {daemon}: {grammar}: {problem}" if problem else f"ok: {daemon}: {grammar}")
        failures += bool(problem)
    return 1 if failures else 0


sys.exit(main())
