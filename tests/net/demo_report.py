# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of the demonstration: what was sent, what arrived, what was dropped and why.

usage: demo_report.py DIRECTORY MILLISECONDS

DIRECTORY is as phases.py describes it. Exit status 0 if every line is as it must be.
"""
import os
import re
import shutil
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from phases import Phase, load  # noqa: E402

COLOURS = {"OK": "32", "WRONG": "1;31"}
WIDTH_WITHOUT_TTY = 200
MUST = {True: "pass", False: "drop"}
LEAST_ROOM = 40  # for the reason beside its row; else it goes below

# What explain says in every sentence of its kind.
NOISE = (r"^\S+ is (an? )?", r": never a source from outside", r" \(mode [^)]*\)", r" \(origin AS [^)]*\)",
         r"(?<=this edge) holds [0-9a-f.:]+")


class Report:
    def __init__(self, directory):
        self.directory = directory
        self.wrong = 0
        self.tty = sys.stdout.isatty()
        self.width = shutil.get_terminal_size((WIDTH_WITHOUT_TTY, 24)).columns
        if not self.tty:
            self.width = WIDTH_WITHOUT_TTY
        self.phases = {}
        self.kernel = set()

    def phase(self, name):
        if name not in self.phases:
            self.phases[name] = Phase(self.directory, name)
        return self.phases[name]

    def verdict(self, good):
        word = "OK" if good else "WRONG"
        if not good:
            self.wrong += 1
        text = "%-5s" % word
        return "\033[%sm%s\033[0m" % (COLOURS[word], text) if self.tty else text

    def title(self, text):
        print()
        print("\033[1m%s\033[0m" % text if self.tty else text)

    def row(self, what, source, edge, must, sent, arrived, good, why=""):
        line = "  %-35s %-20s %-10s %-5s %5s %7s  " % (what, source, edge, must, sent, arrived)
        for noise in NOISE:
            why = re.sub(noise, "", why)
        room = self.width - len(line) - 6
        if len(why) <= room:
            print(("%s%s %s" % (line, self.verdict(good), why)).rstrip())
            return
        print((line + self.verdict(good)).rstrip())
        for part in textwrap.wrap(why, max(self.width - 8, LEAST_ROOM)):
            print("        " + part)

    def heading(self):
        print("  %-35s %-20s %-10s %-5s %5s %7s" % ("what", "source", "edge", "must", "sent", "arrived"))

    def flow_row(self, flow, expected, why):
        note = why
        if expected and flow.ask and flow.answers == flow.sent and flow.edge.startswith("pe2"):
            note = why + "; answers came by link 1"
        elif flow.ask and expected and flow.answers != flow.sent:
            note = "%d answers; %s" % (flow.answers, why)
        self.row(flow.what, flow.source, flow.edge, MUST[expected], flow.sent, flow.received,
                 flow.fared(expected), note)

    def all_flows(self, name):
        phase = self.phase(name)
        for flow in phase.flows:
            why = flow.why
            wanted = "accept" if flow.honest else "drop"
            if not flow.honest and flow.source in self.kernel:
                why += "; the kernel drops it too" if why else "the kernel itself"
            if flow.verdict != wanted:
                why = "explain says %s, not %s: %s" % (flow.verdict or "nothing", wanted, why)
                self.row(flow.what, flow.source, flow.edge, MUST[flow.honest], flow.sent, flow.received, False, why)
            else:
                self.flow_row(flow, flow.honest, why)

    def sums(self, name, kind, what, expected, why):
        """One line for all flows of a kind, and one for each that is not as expected."""
        flows = [f for f in self.phase(name).flows if f.kind == kind]
        bad = [f for f in flows if not f.fared(expected(f))]
        sent, received = sum(f.sent for f in flows), sum(f.received for f in flows)
        must = {expected(f) for f in flows}
        self.row(what, "%d sources" % len(flows), "all", MUST[must.pop()] if len(must) == 1 else "", sent, received,
                 not bad and sent > 0, why)
        for f in bad:
            self.flow_row(f, expected(f), "")

    def without(self):
        phase = self.phase("none")
        self.kernel = {f.source for f in phase.flows if not f.honest and f.sent and not f.received}
        self.title("Without OpenSAV")
        self.heading()
        self.sums("none", "honest", "honest packets", lambda f: True, "")
        self.sums("none", "forged", "forged packets", self.passes_kernel,
                  "all but %d sources, which no Linux kernel forwards" % len(self.kernel))

    def passes_kernel(self, flow):
        return flow.source not in self.kernel

    def observe(self):
        self.title("Every edge observes: nothing is dropped, forged packets are counted")
        self.heading()
        self.sums("observe", "honest", "honest packets", lambda f: True, "")
        self.sums("observe", "forged", "forged packets", self.passes_kernel, "")
        self.counters("observe")

    def counters(self, name):
        """What the edges counted, against what was sent to them."""
        before = load(os.path.join(self.directory, name, "counters-before"))
        after = load(os.path.join(self.directory, name, "counters-after"))
        if before is None or after is None:
            return
        for edge in sorted(after):
            flows = [f for f in self.phase(name).flows if f.edge == edge]
            if all(f.honest for f in flows):
                continue
            counted = after[edge] - before.get(edge, 0)
            # those that never reach the filter need not be counted
            most = sum(f.sent for f in flows if not f.honest)
            least = sum(f.sent for f in flows if not f.honest and f.source not in self.kernel)
            self.row("counted by the filter as forged", "", edge, "count", most, counted, least <= counted <= most,
                     "" if counted == most else "the rest did not get as far as the filter")

    def restart(self, name, what):
        flows = [f for f in self.phase(name).flows if f.honest]
        gap = max([f.gap_ms for f in flows] or [0])
        self.sums(name, "honest", "%s: honest packets" % what, lambda f: True, "longest silence %.0f ms" % gap)
        self.sums(name, "forged", "%s: forged packets" % what, lambda f: False, "")

    def run(self, milliseconds):
        self.without()
        self.observe()
        self.title("Every edge enforces")
        self.heading()
        self.all_flows("enforce")
        self.counters("enforce")
        self.title("A prefix is withdrawn, and announced again")
        self.heading()
        self.all_flows("withdrawn")
        self.all_flows("announced")
        self.title("Programs are killed and started again, all the while packets flow")
        self.heading()
        for name, what in (("savd", "savd"), ("agent", "pe1's agent"), ("bgpd", "pe1's bgpd")):
            self.restart("kill-" + name, what)
        print()
        if self.wrong:
            print("%d lines are WRONG. (%.0f s)" % (self.wrong, milliseconds / 1000))
        else:
            print("Every line is as it must be: no honest packet lost, no forged one delivered. (%.0f s)"
                  % (milliseconds / 1000))
        return 1 if self.wrong else 0


if __name__ == "__main__":
    sys.exit(Report(sys.argv[1]).run(int(sys.argv[2])))
