# SPDX-License-Identifier: GPL-2.0-or-later
"""Linters of others, where they are installed."""

import concurrent.futures
import os
import re
import shutil
import subprocess

from tree import Finding, Skip

MESSAGE = re.compile(r"^(?:mandoc: )?(\S+?):(\d+):(?:\d+:)?\s*(.*)$")
# The date is that of the change, and the name of the system is ours.
MDOC_FINE = re.compile(r"(operating system explicitly specified|missing date|Mdocdate|referenced manual not found|"
                       r"no such manual|skipping blank line in line scope)")


def run_each(tree, paths, command):
    """The command's messages about each path, in parallel."""
    def one(path):
        done = subprocess.run(command + [path], cwd=tree.root, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(one, paths):
            for line in text.splitlines():
                match = MESSAGE.match(line)
                if match:
                    yield Finding(match.group(1), int(match.group(2)), match.group(3))


def check_mdoc(tree):
    """manual pages are clean mdoc"""
    pages = [p for p in tree.paths if re.match(r"doc/[^/]+\.[1-9]$", p)]
    if shutil.which("mandoc"):
        found = run_each(tree, pages, ["mandoc", "-T", "lint", "-W", "base"])
    elif shutil.which("groff"):
        found = run_each(tree, pages, ["groff", "-mandoc", "-Tutf8", "-wall", "-z"])
    else:
        raise Skip("neither mandoc nor groff is installed: apt-get install mandoc")
    yield from (f for f in found if not MDOC_FINE.search(f.text))


def check_shell(tree):
    """shell scripts are clean by shellcheck (warnings and errors)"""
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not installed: contrib/deps.sh test")
    paths = [p for p in tree.scripts(b"sh") if b"python" not in tree.bytes(p).split(b"\n", 1)[0]]
    paths += [p for p in tree.ending(".sh") if p not in paths]
    yield from run_each(tree, paths, ["shellcheck", "-S", "warning", "-f", "gcc"])
