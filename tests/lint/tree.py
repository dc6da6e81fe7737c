# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a checkout, each read once."""

import collections
import os
import re
import subprocess

Finding = collections.namedtuple("Finding", "path line text")


class Skip(Exception):
    """A check cannot run here; the text says why."""


# For a tree without git (a release archive): what is not part of it.
NOT_OURS = re.compile(r"(^|/)(\.git|\.deps|\.libs|autom4te\.cache|build[^/]*|fuzz-build|m4/aux|__pycache__)(/|$)"
                      r"|\.(o|a|log|trs|pb-c\.[ch])$")


class Tree:
    def __init__(self, root):
        self.root = root
        self.paths = [p for p in self._list() if os.path.isfile(os.path.join(root, p))]
        self.known = set(self.paths)
        self._texts = {}

    def _list(self):
        git = subprocess.run(["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
        if git.returncode == 0:
            return sorted(set(git.stdout.decode().split("\0")) - {""})
        found = []
        for folder, _, names in os.walk(self.root):
            inside = os.path.relpath(folder, self.root)
            found += [os.path.normpath(os.path.join(inside, n)) for n in names]
        return sorted(p for p in found if not NOT_OURS.search(p))

    def full(self, path):
        return os.path.join(self.root, path)

    def bytes(self, path):
        if path not in self._texts:
            with open(self.full(path), "rb") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def is_text(self, path):
        # an empty file and a symbolic link to nowhere are neither
        return b"\0" not in self.bytes(path)[:8192] and "/corpus/" not in path

    def text(self, path):
        return self.bytes(path).decode("utf-8", "replace")

    def lines(self, path):
        """(number, line) from 1."""
        return list(enumerate(self.text(path).split("\n"), 1))

    def ending(self, *ends):
        return [p for p in self.paths if p.endswith(ends)]

    def c_files(self):
        return self.ending(".c", ".h")

    def scripts(self, word=b""):
        """Files whose first line names an interpreter, of that name."""
        return [p for p in self.paths
                if self.bytes(p)[:2] == b"#!" and word in self.bytes(p).split(b"\n", 1)[0]]
