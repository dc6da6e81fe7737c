# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics: what the programs export, the guide describes, and dashboard, rules and alerts use."""

import json
import re

from tree import Finding

GUIDE = "doc/guide/05-monitoring.md"
RULES = "contrib/prometheus/opensav.rules.yml"
BOARD = "contrib/grafana/opensav.json"

PREFIX = r"(?:savd|sav_agent|sav_iked|sav_metrics|process)_"
DEFINED = re.compile(rf'"({PREFIX}[a-z0-9_]+)",\s*"')
NAME = re.compile(rf"\b{PREFIX}[a-z0-9_]+")
COUNTER = re.compile(r"COUNTER\(\s*\w+,\s*\Z")
RECORDED = re.compile(r"^\s*- record: (\S+)", re.M)
ALERT = re.compile(r"^\s*- alert: (\S+)", re.M)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def exported(tree):
    """(path, line, name, is counter) of the programs' sources."""
    for path in tree.ending(".c"):
        if not path.startswith(("controller/", "agents/", "lib/", "ipsec/")):
            continue
        text = tree.text(path)
        for match in DEFINED.finditer(text):
            counter = COUNTER.search(text, 0, match.start()) or "METRIC_COUNTER" in text[match.end():].split(";")[0]
            yield path, line_of(text, match.start()), match.group(1), bool(counter)


def described(tree):
    """(line, name) of the guide's tables."""
    for number, line in tree.lines(GUIDE):
        if line.startswith("| `"):
            for name in re.findall(rf"`({PREFIX}[a-z0-9_]+)`", line.split("|")[1]):
                yield number, name


def used(tree):
    """(path, line, name) in rules, dashboard, and the rest of the guide."""
    for path in (RULES, BOARD):
        for number, line in tree.lines(path):
            for name in NAME.findall(line):
                yield path, number, name


def check_names(tree):
    """every metric is in the guide's tables, and dashboard and rules use no other"""
    programs = list(exported(tree))
    known = {name for _, _, name, _ in programs}
    pages = dict((name, number) for number, name in described(tree))
    for path, line, name, counter in programs:
        if name not in pages:
            yield Finding(path, line, f"metric {name} is not in a table of {GUIDE}: describe it there")
        if counter != name.endswith("_total"):
            yield Finding(path, line, f"{name}: counters end in _total, and nothing else does")
    for name, number in pages.items():
        if name not in known:
            yield Finding(GUIDE, number, f"no program exports {name}: remove or correct it")
    for path, number, name in used(tree):
        if name not in known:
            yield Finding(path, number, f"no program exports {name}: remove or correct it")


def check_alerts(tree):
    """every alert is in the guide, and the guide has no other"""
    text, guide = tree.text(RULES), tree.text(GUIDE)
    alerts = {m.group(1): line_of(text, m.start(1)) for m in ALERT.finditer(text)}
    for name, line in alerts.items():
        if f"`{name}`" not in guide:
            yield Finding(RULES, line, f"alert {name} is not in {GUIDE}: say there what to do about it")
    for match in re.finditer(r"`(OpenSAV\w+)`", guide):
        if match.group(1) not in alerts:
            yield Finding(GUIDE, line_of(guide, match.start()), f"no rule has the alert {match.group(1)}")
    recorded = set(RECORDED.findall(text))
    for path in (RULES, BOARD):
        for number, line in tree.lines(path):
            for name in re.findall(r"\bopensav:[\w:]+", line):
                if name not in recorded:
                    yield Finding(path, number, f"no rule records {name}")
    json.loads(tree.text(BOARD))
