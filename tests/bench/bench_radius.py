# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of bench-radius that sends and watches.

usage: bench_radius.py SERVER SECRET SAVD-PID EDGES SESSIONS...

For each number of sessions: brings up as many, measures how many Starts and Stops of further ones are
answered in a second, and how long single Starts take until the change is among the notifications of
pe's nftables: with nothing else to do, and while LOAD Starts and Stops of others come each second. Prints
a JSON list.
"""
import json
import os
import select
import socket
import statistics
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "net"))
sys.dont_write_bytecode = True
import radius_nas as nas  # noqa: E402
import speakers  # noqa: E402

SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_NO_ENOBUFS = 270, 1, 5
NETLINK_NETFILTER, NFNLGRP_NFTABLES = 12, 7
WINDOW = 256
CHURN = 5000
PROBES = 100
LOAD, LOAD_S = 5000, 4
LIMIT_S = 5.0


def in_namespace(name, make):
    speakers.enter_namespace(name)
    return make()


def watch_nftables():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    s.bind((0, 0))
    s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
    return s


def address(n):
    return struct.pack("!I", (10 << 24) + 2 * n)


class Sender:
    """Many requests at once: each socket has 256 identifiers."""

    def __init__(self, server, secret, edges):
        self.secret, self.edges = secret.encode(), edges
        self.sockets = [nas.client(server, 1813) for _ in range(16)]
        self.numbers = 0

    def packet(self, number, status, n):
        edge = n % self.edges
        router = "pe" if edge < 100 else "pe%d" % (edge // 100)
        attrs = nas.attributes(["status=%d" % status, "session=%08x" % n, "nas=" + router,
                                "port-id=sub%d" % (edge % 100 + 1), "user=user%d" % n])[1]
        return nas.request(nas.ACCOUNTING, number % 256, attrs + nas.attribute(8, address(n)),
                           self.secret)

    def run(self, requests, rate=None):
        """requests: (status, session), so many a second or as many as get answers. Seconds, and milliseconds to
        each answer."""
        packets = [self.packet(i // 16, status, n) for i, (status, n) in enumerate(requests)]
        sent, times, outstanding, at = {}, [], 0, 0
        start = time.monotonic()
        look, again = start + 1, 0
        poller = select.poll()
        by_fd = {s.fileno(): k for k, s in enumerate(self.sockets)}
        for s in self.sockets:
            s.setblocking(False)
            poller.register(s, select.POLLIN)
        while len(times) < len(packets):
            due = len(packets) if rate is None else min(len(packets), int((time.monotonic() - start) * rate))
            while outstanding < WINDOW and at < due and (at % 16, at // 16 % 256) not in sent:
                self.sockets[at % 16].send(packets[at])
                sent[at % 16, at // 16 % 256] = (time.monotonic(), at)
                at, outstanding = at + 1, outstanding + 1
            if time.monotonic() > look:
                # lost by the socket's buffer: send again, as a NAS does
                for (k, _), (began, i) in sent.items():
                    if began < look - 1:
                        self.sockets[k].send(packets[i])
                        again += 1
                look = time.monotonic() + 1
            for fd, _ in poller.poll(1000 if rate is None else 1):
                k = by_fd[fd]
                while True:
                    try:
                        data = self.sockets[k].recv(4096)
                    except BlockingIOError:
                        break
                    asked = sent.pop((k, data[1]), None)
                    if asked:
                        times.append(1000 * (time.monotonic() - asked[0]))
                        outstanding -= 1
        self.again = again
        return time.monotonic() - start, times


def to_kernel(sender, nft, first):
    """Milliseconds from Starts, one at a time, to the kernel's notification."""
    times = []
    for i in range(PROBES):
        n = first + sender.edges * i  # all on pe sub1, the interface that is there
        packet, wire = sender.packet(i, 1, n), address(n)
        while select.select([nft], [], [], 0)[0]:
            nft.recv(1 << 20)
        start = time.monotonic()
        sender.sockets[0].send(packet)
        while wire not in (nft.recv(1 << 20) if select.select([nft], [], [], LIMIT_S)[0] else wire):
            pass
        times.append(1000 * (time.monotonic() - start))
        time.sleep(0.005)
    for i in range(PROBES):
        sender.sockets[0].send(sender.packet(i, 2, first + sender.edges * i))
        time.sleep(0.002)
    time.sleep(0.5)
    try:
        while True:
            sender.sockets[0].recv(4096)
    except BlockingIOError:
        pass
    return times


class Load:
    """Starts and Stops at a steady pace, by a process of its own."""

    def __init__(self, sender, base):
        requests = [(1 + i % 2, base + i // 2) for i in range(LOAD * LOAD_S)]
        self.results, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            seconds, times = sender.run(requests, LOAD)
            os.write(write, json.dumps({"answered_per_second": round(len(requests) / seconds), "answer_ms": summary(times),
                                        "sent_again": sender.again}).encode())
            os._exit(0)
        os.close(write)

    def result(self):
        text = os.read(self.results, 65536)
        os.close(self.results)
        os.waitpid(self.pid, 0)
        return json.loads(text)


def summary(values):
    values = sorted(values)
    return {"median": round(statistics.median(values), 2),
            "p99": round(values[int(len(values) * 0.99) - 1], 2), "worst": round(values[-1], 2)}


def cpu_us(pid):
    """CPU time of a process so far, which no other work on the machine makes longer."""
    with open("/proc/%s/stat" % pid, encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000000 // os.sysconf("SC_CLK_TCK")


def main(server, secret, pid, edges, *sizes):
    edges = int(edges)
    sender = in_namespace("bng", lambda: Sender(server, secret, edges))
    other = in_namespace("bng", lambda: Sender(server, secret, edges))
    nft = in_namespace("pe", watch_nftables)
    present, out = 0, []
    for turn, size in enumerate(map(int, sizes)):
        seconds, _ = sender.run([(1, n) for n in range(present, size)]) if size > present else (0, [])
        grown, present = size - present, size
        # of sessions that come and go: an ended one cannot begin again
        base = 2000000 + CHURN * turn
        began_us = cpu_us(pid)
        seconds_churn, times = sender.run([(1, base + n) for n in range(CHURN)] +
                                          [(2, base + n) for n in range(CHURN)])
        time.sleep(1)
        used_us = cpu_us(pid) - began_us
        out.append({
            "sessions": size,
            "starts_per_second": round(grown / seconds) if grown > 1000 else None,
            "answered_per_second": round(2 * CHURN / seconds_churn),
            "savd_cpu_us_per_request": round(used_us / CHURN / 2, 1),
            "sent_again": sender.again,
            "answer_ms": summary(times),
            "kernel_ms": summary(to_kernel(sender, nft, 2100000 + edges * PROBES * turn)),
        })
        load = Load(other, 1000000 + LOAD * LOAD_S * turn)
        time.sleep(0.5)
        busy = summary(to_kernel(sender, nft, 2100000 + edges * PROBES * (len(sizes) + turn)))
        out[-1]["under_load"] = {"kernel_ms": busy, **load.result()}
        print(out[-1], file=sys.stderr)
    print(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
