# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of files: licence line, guards, white space, length, traces of where they were written."""

import os
import re

from tree import Finding

LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"
SOURCES = (".c", ".h", ".proto", ".sql", ".awk", ".py", ".sh", ".am", ".8", ".5", ".1")
LENGTH = 900

# A path of somebody's machine. [a] instead of a, so that this file is not a finding.
TRACES = re.compile(r"(?<![\w.$}>/-])/([w]ork|[h]ome|[U]sers|workspace|[r]oot)/[\w.-]+")
HOST = re.compile(r"\b(?:https?|ftp|git|ssh|rsync)://(?:[^/\s@]+@)?([A-Za-z0-9.-]+)")
# Hosts that everybody can reach, and names that are kept for examples (RFC 2606).
PUBLIC = re.compile(r"(^|\.)(example\.(com|net|org)|example|invalid|localhost|rfc-editor\.org|ietf\.org|iana\.org|"
                    r"debian\.org|frrouting\.org|github\.com|gnu\.org|sqlite\.org|openssl\.org|kernel\.org|"
                    r"netfilter\.org|strongswan\.org|spdx\.org|shellcheck\.net|openbsd\.org)$")
# Files that hold secrets, and names of what is compared with one; a constant is none.
SECRET_FILES = re.compile(r"ipsec/(crypto(_cipher|_dh|_import|_locked)?|signer(_main)?|ike/(cookie|fragment|keys|message|sa_auth)|"
                          r"esp/esp_(in|out|sa))\.c$")
COMPARED = re.compile(r"\b(?:memcmp|bcmp|strcmp|strncmp)\(([^;]*)")
SECRET_NAMES = re.compile(r"\b(?:icv|mac|tag|auth|cookie2?|secret|psk|hmac)\b")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def is_source(tree, path):
    return path.endswith(SOURCES) or path in tree.scripts()


def check_spdx(tree):
    """every source says its licence in the first three lines"""
    for path in tree.paths:
        if not path.startswith("m4/") and is_source(tree, path) and tree.is_text(path) and \
                LICENCE not in "\n".join(tree.text(path).split("\n", 3)[:3]):
            yield Finding(path, 1, f"no licence: add a comment with \"{LICENCE}\" at the top")


def check_guards(tree):
    """every header has a guard of its own"""
    owners = {}
    for path in tree.ending(".h"):
        if path.startswith("m4/"):
            continue
        base = re.sub(r"\W", "_", os.path.basename(path)).upper()
        directives = [(n, l.split()) for n, l in tree.lines(path) if l.startswith("#")]
        if len(directives) < 3:
            yield Finding(path, 1, f"no header guard: begin with #ifndef SAV_{base}")
            continue
        (line, first), (_, second), (_, last) = directives[0], directives[1], directives[-1]
        guard = first[1] if first[0] == "#ifndef" and len(first) > 1 else ""
        if not guard.startswith("SAV") or not guard.endswith("_" + base) or second[:2] != ["#define", guard]:
            yield Finding(path, line, f"the first directives are no header guard: #ifndef SAV_{base}, #define SAV_{base}")
        elif last[0] != "#endif":
            yield Finding(path, directives[-1][0], "the header guard does not reach to the end: #endif comes last")
        elif guard in owners:
            yield Finding(path, line, f"{owners[guard]} has the same header guard: put the folder into the name")
        owners[guard] = path


def whitespace_of(path, line):
    if line.endswith((" ", "\t")):
        return "white space at the end of the line: remove it"
    if "\r" in line:
        return "a carriage return: end lines with a newline alone"
    indent = line[:len(line) - len(line.lstrip(" \t"))]
    if " \t" in indent:
        return "a blank before a tab: indent with tabs"
    if path.endswith((".c", ".h")) and "        " in indent and line.strip() != "\\":
        return "eight blanks of indentation: use a tab"
    if path.endswith(".py") and "\t" in indent:
        return "a tab in the indentation of Python: use blanks"
    return None


def check_whitespace(tree):
    """tabs and blanks do not mix, lines end where their text ends"""
    for path in tree.paths:
        if not tree.is_text(path) or path == "COPYING" or path.startswith(("m4/aux", "tests/golden/")):
            continue
        text = tree.text(path)
        if text and not text.endswith("\n"):
            yield Finding(path, text.count("\n") + 1, "no newline at the end of the file: add one")
        if text.endswith("\n\n"):
            yield Finding(path, text.count("\n"), "an empty line at the end of the file: remove it")
        if "\ufffd" in text:
            yield Finding(path, 1, "is not UTF-8: convert it")
        for number, line in tree.lines(path):
            what = whitespace_of(path, line)
            if what and not (path.endswith(".md") and "end of the line" in what and line.endswith("  ")):
                yield Finding(path, number, what)


def check_length(tree):
    """a file of more than 900 lines is two (a warning)"""
    for path in tree.c_files():
        length = tree.text(path).count("\n")
        if length > LENGTH:
            yield Finding(path, length, f"warning: {length} lines: divide it, {LENGTH} are plenty")


def check_traces(tree):
    """nothing names a directory of the machine it was written on"""
    for path in tree.paths:
        if not tree.is_text(path):
            continue
        for number, line in tree.lines(path):
            match = TRACES.search(line)
            if match:
                yield Finding(path, number, f"names {match.group(0)}: use a relative path, a variable or /tmp")


def check_hosts(tree):
    """URLs lead to hosts that everybody can reach"""
    for path in tree.paths:
        if not tree.is_text(path):
            continue
        for number, line in tree.lines(path):
            for host in HOST.findall(line):
                if not PUBLIC.search(host.lower()):
                    yield Finding(path, number, f"names the host {host}: if it is public, add it to PUBLIC in "
                                                "tests/lint/sources.py, else remove it")


def check_secrets(tree):
    """what is secret, or proves something, is compared in a time that does not depend on it"""
    for path in tree.c_files():
        for number, line in tree.lines(path):
            match = COMPARED.search(line)
            if match is None or '"' in match.group(1) or path.startswith("tests/"):
                continue
            named = SECRET_NAMES.search(match.group(1)) and path.startswith(("ipsec/", "lib/", "controller/radius"))
            if named or (SECRET_FILES.match(path) and "memcmp" in match.group(0)):
                yield Finding(path, number, "compares byte by byte: crypto_equal() takes as long for all")


def check_links(tree):
    """links between Markdown files lead somewhere"""
    for path in tree.ending(".md"):
        for number, line in tree.lines(path):
            for target in LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                goal = os.path.normpath(os.path.join(os.path.dirname(path), target))
                if not os.path.exists(tree.full(goal)):
                    yield Finding(path, number, f"links to {target}, which is not there: correct the path")
