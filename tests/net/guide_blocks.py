# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes the commands out of a chapter of the guide.

usage: guide_blocks.py CHAPTER DIRECTORY

Before each fenced block stands where and by what it is run:
    <!-- on ctl: sh -->  <!-- on pe1, pe2: vtysh -->  <!-- on ctl for pe1, pe2: savsh -->
or that it is no command: <!-- shown: REASON -->. What is for pe1 is written for pe1; PE2 below makes it
one for pe2. DIRECTORY gets one file per run, in order: NUMBER.PLACE.ROUTER.KIND; "all" has their
names. Exit status 1 if a block has no such line.
"""

import os
import re
import sys
import textwrap

MARK = re.compile(r"^\s*<!-- on ([\w, ]+?)(?: for ([\w, ]+))?: (sh|savsh|vtysh) -->$")
SHOWN = re.compile(r"^\s*<!-- shown: .+ -->$")
FENCE = re.compile(r"^\s*```")
# The second router's names and addresses in the guide's network.
PE2 = [(r"\bpe1\b", "pe2"), (r"\beth1\b", "eth4"), (r"\b192\.0\.2\.66\b", "192.0.2.78"), (r"\b192\.0\.2\.1\b", "192.0.2.2"),
       (r"\b2001:db8:0:a::2", "2001:db8:0:b::2")]


def blocks(text):
    """(line, mark, lines) of each fence."""
    before, inside = "", None
    for number, line in enumerate(text.split("\n"), 1):
        if FENCE.match(line):
            if inside is None:
                inside = (number, before, [])
            else:
                yield inside
                inside = None
        elif inside:
            inside[2].append(line)
        before = line if line.strip() else before


def for_pe2(text):
    for pattern, value in PE2:
        text = re.sub(pattern, value, text)
    return text


def names(text):
    return [n.strip() for n in text.split(",")]


def main(chapter, directory):
    with open(chapter, encoding="utf-8") as file:
        found = list(blocks(file.read()))
    bad, runs = 0, []
    for line, mark, lines in found:
        match = MARK.match(mark)
        if not match:
            if not SHOWN.match(mark):
                print(f"{chapter}:{line}: says nowhere on which machine it is run: <!-- on ctl: savsh -->", file=sys.stderr)
                bad += 1
            continue
        places, routers, kind = names(match.group(1)), match.group(2), match.group(3)
        pairs = [(places[0], r) for r in names(routers)] if routers else [(p, p) for p in places]
        for place, router in pairs:
            text = textwrap.dedent("\n".join(lines)) + "\n"
            name = f"{len(runs):02}.{place}.{router}.{kind}"
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(for_pe2(text) if router == "pe2" else text)
            runs.append(f"{name} {os.path.basename(chapter)}:{line}")
    with open(os.path.join(directory, "all"), "w", encoding="utf-8") as file:
        file.write("".join(f"{run}\n" for run in runs))
    return 1 if bad or not found else 0


sys.exit(main(*sys.argv[1:]))
