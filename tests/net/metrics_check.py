# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks a Prometheus what the dashboard and the rules ask.

usage: metrics_check.py dashboard URL FILE [--data TITLE]...   each --data panel must have data
       metrics_check.py rules URL
       metrics_check.py alert URL NAME LABEL=VALUE...   exit status 0 once it fires
       metrics_check.py firing URL                      lists what fires
       metrics_check.py value URL EXPRESSION            its value; nothing if there is none

One line per test, "ok: ..." or "FAILED: ..."; exit status 1 if one failed.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import board_shape  # noqa: E402

GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/guide/05-monitoring.md")
VARIABLES = {"$__rate_interval": "10s", "$router": ".*", "$interface": ".*"}
OURS = re.compile(r"\b(?:savd|sav_agent|sav_iked|sav_metrics|process|opensav:\w+?)[_:][\w:]+")
LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
LABEL_VALUES = re.compile(r"label_values\((.*), (\w+)\)$")


def ask(url, path, **query):
    full = f"{url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(full, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def names_of(url):
    """What is exported here, and what the guide's tables say is exported elsewhere (a lint holds them against the
    sources): not every lab has two feeds of one router."""
    with open(GUIDE, encoding="utf-8") as file:
        described = {name for line in file if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    return set(ask(url, "label/__name__/values")["data"]) | described


def expand(expr):
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


class Report:
    failures = 0

    def tell(self, what, problem):
        print(f"FAILED: {what}: {problem}" if problem else f"ok: {what}")
        self.failures += bool(problem)


def problem_of(url, expr, known, data_wanted):
    """"" if Prometheus takes the expression, all of its names are metrics, and there is data if wanted."""
    if re.search(r"\$(?!\d)", expr):  # $1 is a part of what label_replace() has found
        return f"a variable that is not known here: {expr}"
    missing = sorted(set(OURS.findall(expr)) - known)
    if missing:
        return "nobody exports " + ", ".join(missing)
    answer = ask(url, "query", query=expr)
    if answer["status"] != "success":
        return answer["error"]
    if data_wanted and not answer["data"]["result"]:
        return f"no data: {expr}"
    return ""


def boxes_problem(panels):
    """Panels with one id, or on top of each other."""
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if taken & cells or at["x"] + at["w"] > 24:
            return f"panel {panel['title']} lies on another one"
        taken |= cells
    if len({p["id"] for p in panels}) != len(panels):
        return "two panels have one id"
    return ""


def legend_problem(url, target):
    """A label of the legend that no series has."""
    answer = ask(url, "query", query=expand(target["expr"]))
    series = answer.get("data", {}).get("result", [])
    for label in LEGEND_LABEL.findall(target.get("legendFormat", "")):
        if series and not any(label in s["metric"] for s in series):
            return f"no series has the label {label} of the legend"
    return ""


def check_dashboard(url, path, with_data):
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    report, known = Report(), names_of(url)
    report.tell("the dashboard has the shape that Grafana wants", board_shape.problem_of(board))
    report.tell("the dashboard's panels have their places", boxes_problem(board["panels"]))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = LABEL_VALUES.match(variable["definition"]).groups()
            values = ask(url, f"label/{label}/values", **{"match[]": expand(selector)})
            report.tell(f"variable {variable['name']}", "" if values["data"] else "it has no values")
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            problem = problem_of(url, expand(target["expr"]), known, panel["title"] in with_data)
            report.tell(f"panel {panel['title']} {target['refId']}", problem or legend_problem(url, target))
    for title in with_data - {p["title"] for p in board["panels"]}:
        report.tell(f"panel {title}", "there is none")
    return report.failures == 0


def check_rules(url):
    report, known = Report(), names_of(url)
    for group in ask(url, "rules")["data"]["groups"]:
        for rule in group["rules"]:
            problem = rule.get("lastError") or problem_of(url, rule["query"], known | {"up"}, False)
            if not problem and rule["health"] != "ok":
                problem = "its health is " + rule["health"]
            report.tell(f"rule {rule['name']}", problem)
    return report.failures == 0


def firing(url):
    return [alert["labels"] for alert in ask(url, "alerts")["data"]["alerts"] if alert["state"] == "firing"]


def fires(url, name, labels):
    return any(a["alertname"] == name and labels.items() <= a.items() for a in firing(url))


def main(what, url, *rest):
    if what == "firing":
        print("\n".join(map(str, firing(url))))
        return True
    if what == "dashboard":
        return check_dashboard(url, rest[0], set(rest[2::2]))
    if what == "rules":
        return check_rules(url)
    if what == "alert":
        return fires(url, rest[0], dict(label.split("=", 1) for label in rest[1:]))
    for sample in ask(url, "query", query=rest[0])["data"]["result"]:
        print(sample["value"][1])
    return True


sys.exit(0 if main(*sys.argv[1:]) else 1)
