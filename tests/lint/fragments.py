# SPDX-License-Identifier: GPL-2.0-or-later
"""The makefile fragments: what they name is there, and what is there is named."""

import os
import re

from tree import Finding

ASSIGN = re.compile(r"^\s*([A-Za-z0-9_]+)\s*(\+?=)\s*(.*)$")
VARIABLE = re.compile(r"^\$\((\w+)\)$")
FILES = re.compile(r"(_SOURCES|^EXTRA_DIST|^man_MANS|^dist_\w+|^noinst_HEADERS|_DATA|_SCRIPTS)$")
PROGRAMS = re.compile(r"^(EXTRA|check|bin|sbin|noinst|pkglibexec|libexec)_PROGRAMS$")


class Makefile:
    """Top makefile and all fragments as variables: name -> [(path, line, word)]."""

    def __init__(self, tree):
        self.tree = tree
        self.variables = {}
        self.fragments = set()
        self.missing = []
        self._read("Makefile.am")

    def _read(self, path):
        self.fragments.add(path)
        for number, line in self._logical_lines(path):
            words = line.split()
            if words[:1] == ["include"]:
                target = words[1].replace("$(srcdir)/", "").replace("$(top_srcdir)/", "")
                if target not in self.tree.known:
                    self.missing.append(Finding(path, number, f"includes {target}, which is not there"))
                elif target not in self.fragments:
                    self._read(target)
                continue
            match = ASSIGN.match(line)
            if match and not line.startswith("\t"):
                self.variables.setdefault(match.group(1), []).extend(
                    (path, number, word) for word in match.group(3).split("#")[0].split())

    def _logical_lines(self, path):
        begun, text = 0, ""
        for number, line in self.tree.lines(path):
            begun = begun or number
            if line.endswith("\\"):
                text += line[:-1] + " "
                continue
            text += line
            if text.strip() and not text.lstrip().startswith("#"):
                yield begun, text
            begun, text = 0, ""

    def words(self, name, depth=0):
        """The words of a variable, variables in them replaced."""
        for path, number, word in self.variables.get(name, []):
            match = VARIABLE.match(word)
            if match and depth < 8:
                for _, _, inner in self.words(match.group(1), depth + 1):
                    yield path, number, inner
            elif "$(" not in word and "@" not in word:
                yield path, number, word

    def programs(self):
        """name -> (path, line)"""
        found = {}
        for name in self.variables:
            if PROGRAMS.match(name) or name == "FUZZ_TARGETS":
                for path, number, word in self.words(name):
                    found.setdefault(word, (path, number))
        return found

    def sources_of(self, program):
        """Explicit sources, or the one that Automake assumes."""
        name = re.sub(r"[^A-Za-z0-9_@]", "_", program) + "_SOURCES"
        if name in self.variables or "nodist_" + name in self.variables:
            return [w for _, _, w in self.words(name)]
        return [program + ".c"]

    def files(self):
        """All words that are names of files in the checkout, with their places."""
        for name in self.variables:
            if FILES.search(name) and not name.startswith(("nodist_", "BUILT_")):
                yield from self.words(name)
        for program, (path, number) in self.programs().items():
            for word in self.sources_of(program):
                yield path, number, word


def check_listed(tree):
    """every file and test that a makefile fragment names is there"""
    make = Makefile(tree)
    programs = make.programs()
    yield from make.missing
    for path, number, word in make.files():
        if word not in tree.known and not os.path.exists(tree.full(word)):
            yield Finding(path, number, f"names {word}, which is not there: correct or remove it")
    for path, number, word in make.words("CHECKS"):
        if word in programs:
            continue
        if word not in tree.known:
            yield Finding(path, number, f"CHECKS names {word}, which is neither a script nor in check_PROGRAMS")
        elif not os.access(tree.full(word), os.X_OK):
            yield Finding(path, number, f"CHECKS names {word}, which is not executable: chmod +x {word}")


def check_unlisted(tree):
    """every source and every unit test is in a fragment, every fragment is included"""
    make = Makefile(tree)
    named = {word for _, _, word in make.files()}
    checks = {word for _, _, word in make.words("CHECKS")}
    for path in tree.ending(".am"):
        if path not in make.fragments:
            yield Finding(path, 1, "no makefile includes this fragment: add \"include\" to that of the folder above")
    for path in tree.c_files():
        if path.startswith("m4/"):
            continue
        if path not in named:
            yield Finding(path, 1, "no makefile fragment names this file: add it to _SOURCES, it would be missing "
                                   "from releases")
        if re.search(r"^tests/unit/.*/test_\w+\.c$", path) and path in named and path[:-2] not in checks:
            yield Finding(path, 1, "this test is built and never run: add it to CHECKS")
