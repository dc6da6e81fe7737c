# SPDX-License-Identifier: GPL-2.0-or-later
"""The guide's blocks of commands say where they are run, so that tests can do it."""

import re

from tree import Finding

# As tests/net/guide_blocks.py reads them.
MARK = re.compile(r"\s*<!-- (on [\w, ]+: (sh|savsh|vtysh)|shown: .+) -->$")


def check_blocks(tree):
    """each block of the guide says where it is run, or that it is only shown"""
    for path in (p for p in tree.ending(".md") if p.startswith("doc/guide/")):
        inside, before = False, ""
        for number, line in tree.lines(path):
            if line.lstrip().startswith("```"):
                if not inside and not MARK.match(before):
                    yield Finding(path, number, 'put "<!-- on ctl: savsh -->" before it (sh, savsh or vtysh, on ctl, pe1 or '
                                                'pe2), or "<!-- shown: WHY -->"')
                inside = not inside
            before = line if line.strip() else before
