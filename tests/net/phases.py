# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened to the packets of a phase (traffic.sh).

usage: phases.py DIRECTORY PHASE honest=all|forged=none|forged=all...

DIRECTORY has one folder a phase: "flows" (tab-separated: number, kind, sender, edge, source,
destination, what), "sent-*" and "recv-*" (JSON from pkt), "explain/EDGE,SOURCE" (JSON from savd).
Prints what is not as demanded. Exit status 0 if nothing.
"""
import ipaddress
import json
import os
import sys

# Sources that no router's kernel has an opinion of its own about.
ORDINARY = [ipaddress.ip_network(n) for n in (
    "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32")]


def load(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


class Flow:
    def __init__(self, line):
        number, self.kind, self.sender, self.edge, self.source, self.destination, self.what = line.split("\t")
        self.number = int(number)
        self.sent = self.received = self.answers = 0
        self.gap_ms = self.answer_gap_ms = 0.0
        self.why = self.verdict = ""
        self.ask = False

    @property
    def honest(self):
        return self.kind == "honest"

    @property
    def ordinary(self):
        address = ipaddress.ip_address(self.source)
        return any(address in n for n in ORDINARY)

    def fared(self, arrives):
        """Whether all of it arrived, or nothing of it."""
        if self.sent == 0:
            return False
        if self.ask and arrives and self.answers != self.sent:
            return False
        return self.received == (self.sent if arrives else 0)


class Phase:
    def __init__(self, directory, name, translated=None):
        """translated: as what address the receiver sees a source, where that is another one."""
        self.name = name
        self.translated = translated or {}
        self.directory = os.path.join(directory, name)
        with open(os.path.join(self.directory, "flows")) as f:
            self.flows = [Flow(line) for line in f.read().splitlines()]
        self.by_number = {f.number: f for f in self.flows}
        self.read_counts()
        self.read_explanations()

    def read_counts(self):
        for name in os.listdir(self.directory):
            doc = load(os.path.join(self.directory, name)) if name[:5] in ("sent-", "recv-") else None
            for entry in (doc or {}).get("flows", []):
                flow = self.by_number[entry["flow"]]
                if name.startswith("sent-"):
                    flow.sent = entry["sent"]
                elif entry["answers"]:
                    flow.answers = entry["received"]
                    flow.answer_gap_ms = entry["longest_gap_ms"]
                elif entry["source"] == self.translated.get(flow.source, flow.source):
                    flow.received = entry["received"]
                    flow.gap_ms = entry["longest_gap_ms"]
        for name in os.listdir(self.directory):
            if name.endswith(".flows"):
                with open(os.path.join(self.directory, name)) as f:
                    for line in f:
                        words = line.split()
                        self.by_number[int(words[0])].ask = len(words) > 3

    def read_explanations(self):
        for flow in self.flows:
            path = os.path.join(self.directory, "explain", "%s,%s" % (flow.edge.replace("/", ","), flow.source))
            doc = load(path)
            if doc:
                flow.verdict = doc.get("verdict", "")
                flow.why = doc.get("reason", "").strip()


def main():
    phase = Phase(sys.argv[1], sys.argv[2])
    bad = []
    for demand in sys.argv[3:]:
        kind, what = demand.split("=")
        flows = [f for f in phase.flows if f.kind == kind and (what == "none" or f.ordinary)]
        bad += [f for f in flows if not f.fared(what == "all")]
        if not flows:
            print("phase %s has no %s flows" % (phase.name, kind))
            return 1
    for f in bad:
        print("    %s %s (%s) by %s: %d sent, %d arrived, %d answers%s" % (
            f.kind, f.source, f.what, f.edge, f.sent, f.received, f.answers,
            ", longest silence %.0f ms" % f.gap_ms if f.received else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
