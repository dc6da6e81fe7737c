# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of tests/net/story: what was sent, which way it went, where it was dropped, how long the gap was.

usage: story_report.py DIRECTORY MILLISECONDS

DIRECTORY has the phases as phases.py describes them, with "before" and "after" (what filters had
dropped, JSON), and "link-NAME" (story_links.py). Exit status 0 if every line is as it must be.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from demo_report import Report  # noqa: E402
from phases import Phase, load  # noqa: E402

NAT_ADDRESS = {"10.9.0.10": "198.51.100.1"}  # private source: as what the server sees it
LINKS = (("direct", "edge -> pe-a, ISP A's direct link"), ("tunnel", "edge => pop-a, in the tunnel over ISP B"),
         ("nat", "edge -> nat, encrypted packets too"), ("b", "nat -> pe-b, ISP B's link"),
         ("core-a", "pe-a -> core"), ("core-b", "pe-b -> core"), ("core-p", "pop-a -> core"))
PLACES = {"edge": "edge, as of no provider", "pe-a": "pe-a, ISP A's filter", "pe-b": "pe-b, ISP B's filter",
          "pop-a": "pop-a, ISP A's filter"}
WAYS = ("direct", "tunnel", "b")
BOUND_MS = float(os.environ.get("STORY_BOUND_MS", "1000"))
INTERVAL_MS = 1000 / float(os.environ.get("STORY_RATE", "100"))


class Story(Report):
    def __init__(self, directory):
        super().__init__(directory)
        self.links = {name: load(os.path.join(directory, "link-" + name)) for name, _ in LINKS}

    def phase(self, name):
        if name not in self.phases:
            self.phases[name] = Phase(self.directory, name, NAT_ADDRESS)
            with open(os.path.join(self.directory, name, "port")) as f:
                self.phases[name].port = int(f.read())
        return self.phases[name]

    def ways(self, phase, flow):
        """How many of its packets took each way."""
        key = "%d/%d" % (phase.port, flow.number)
        taken = {w: (self.links[w] or {}).get("flows", {}).get(key, 0) for w in WAYS}
        return {w: n for w, n in taken.items() if n}

    def dropped(self, name):
        """What each filter dropped during a phase."""
        before = load(os.path.join(self.directory, name, "before")) or {}
        after = load(os.path.join(self.directory, name, "after")) or {}
        return {where: n - before.get(where, 0) for where, n in after.items() if n > before.get(where, 0)}

    def heading(self):
        print("  %-30s %-20s %-26s %5s %8s %8s  " % ("what", "source", "way", "sent", "arrived", "answers"))

    def line(self, flow, way, good, why=""):
        print("  %-30s %-20s %-26s %5d %8d %8s  %s %s" % (
            flow.what, flow.source, way, flow.sent, flow.received, flow.answers if flow.honest else "",
            self.verdict(good), why))

    def way_text(self, taken):
        return ", ".join("%s %d" % (w if w != "b" else "link B", n) for w, n in taken.items()) or "did not leave"

    def without(self):
        self.title("Without steering: one default route, by ISP B, whose filter does its work")
        self.heading()
        phase = self.phase("none")
        for flow in phase.flows:
            self.line(flow, "link B", flow.sent > 0 and flow.received == 0)
        self.where("none", phase, "pe-b")

    def where(self, name, phase, expected):
        """All that was forged was dropped in one place, and nothing anywhere else."""
        forged = sum(f.sent for f in phase.flows if not f.honest)
        dropped = self.dropped(name)
        print("  %-98s  %s" % (
            "dropped by " + (", by ".join("%s: %d" % (PLACES[w], n) for w, n in sorted(dropped.items())) or "nobody"),
            self.verdict(forged > 0 and dropped == {expected: forged})))

    def forged(self, phase):
        """One line for all, and one for each that is not as it must be."""
        forged = [f for f in phase.flows if not f.honest]
        bad = [f for f in forged if not f.fared(False) or self.ways(phase, f)]
        print("  %-30s %-20s %-26s %5d %8d %8s  %s" % (
            "forged", "%d sources" % len(forged), "did not leave" if not bad else "LEFT", sum(f.sent for f in forged),
            sum(f.received for f in forged), "", self.verdict(forged and not bad)))
        for flow in bad:
            self.line(flow, self.way_text(self.ways(phase, flow)), False)

    def steady(self, name, title):
        self.title(title)
        self.heading()
        phase = self.phase(name)
        for flow in (f for f in phase.flows if f.honest):
            taken = self.ways(phase, flow)
            self.line(flow, self.way_text(taken), flow.fared(True) and taken == {flow.edge: flow.sent})
        self.forged(phase)
        self.where(name, phase, "edge")

    def change(self, name, title, both):
        """Traffic flowed while a link broke or came back; both: ways that A's packets took."""
        self.title(title)
        self.heading()
        phase = self.phase(name)
        for flow in (f for f in phase.flows if f.honest):
            taken = self.ways(phase, flow)
            # what is lost at an end of the flow leaves no gap between packets
            gap = max(flow.gap_ms, (flow.sent - flow.received) * INTERVAL_MS)
            back = max(flow.answer_gap_ms, (flow.sent - flow.answers) * INTERVAL_MS)
            ways_are_right = set(taken) == set(both if flow.edge != "b" else ("b",))
            good = flow.sent > 0 and max(gap, back) < BOUND_MS and ways_are_right
            self.line(flow, self.way_text(taken), good, "gap %.0f ms, there and back %.0f ms" % (gap, back))
        self.forged(phase)

    def foreign(self):
        self.title("Sources of anybody else on each link, all the while that sav-agent steered")
        for name, what in LINKS:
            link = self.links[name] or {"packets": 0, "foreign": {}, "lost": 0}
            foreign = sum(link["foreign"].values())
            print("  %-42s %7d packets, %d foreign  %s %s" % (
                what, link["packets"], foreign,
                self.verdict(link["packets"] > 0 and foreign == 0 and link["lost"] == 0),
                ", ".join("%s %d" % item for item in link["foreign"].items())))
        held = load(os.path.join(self.directory, "held-back"))
        print("  edge's last filter, behind all that chooses a way: %s packets held back  %s"
              % (held, self.verdict(held == 0)))

    def run(self, milliseconds):
        self.without()
        self.steady("links", "sav-agent steers, both links live")
        self.change("break", "ISP A's direct link dies without a word, all the while packets flow",
                    ("direct", "tunnel"))
        self.steady("tunnel", "The direct link is dead")
        self.change("mend", "The link comes back, all the while packets flow", ("direct", "tunnel"))
        self.steady("again", "As before")
        self.foreign()
        print()
        if self.wrong:
            print("%d lines are WRONG. (%.0f s)" % (self.wrong, milliseconds / 1000))
        else:
            print("Every line is as it must be: all of A's packets went by A, and nothing foreign left. (%.0f s)"
                  % (milliseconds / 1000))
        return 1 if self.wrong else 0


if __name__ == "__main__":
    sys.exit(Story(sys.argv[1]).run(int(sys.argv[2])))
