#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One way of a flow, for tests/net/failover.

failover_flow.py send SOURCE TARGET PORT FILE     a numbered packet every 2 ms; FILE: "ms" of each
failover_flow.py receive TARGET PORT FILE         FILE: "number ms" of each that came
failover_flow.py count SENT RECEIVED FROM TO      of the packets sent between two times (ms of the
                                                  monotonic clock): "sent lost longest-gap-ms"
The gap is the longest row of lost packets.
"""

import socket
import struct
import sys
import time

INTERVAL_S = 0.002


def now_ms():
    return time.monotonic() * 1000


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(source, target, port, name):
    sock = socket.socket(family(target), socket.SOCK_DGRAM)
    sock.bind((source, 0))
    number, due = 0, time.monotonic()
    with open(name, "w", buffering=1, encoding="ascii") as f:
        while True:
            f.write(f"{now_ms():.1f}\n")
            try:
                sock.sendto(struct.pack("!I", number), (target, int(port)))
            except OSError:
                pass  # rejected: counted as lost, which it is
            number += 1
            due = max(due + INTERVAL_S, time.monotonic())
            time.sleep(max(0, due - time.monotonic()))


def receive(target, port, name):
    sock = socket.socket(family(target), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((target, int(port)))
    with open(name, "w", buffering=1, encoding="ascii") as f:
        while True:
            f.write(f"{struct.unpack('!I', sock.recv(16))[0]} {now_ms():.1f}\n")


def count(sent_name, received_name, begin, end):
    with open(sent_name, encoding="ascii") as f:
        sent = [float(line) for line in f if line.endswith("\n")]
    with open(received_name, encoding="ascii") as f:
        got = {int(line.split()[0]) for line in f if line.endswith("\n")}
    numbers = [n for n, ms in enumerate(sent) if float(begin) <= ms < float(end)]
    lost = [n for n in numbers if n not in got]
    gap, first = 0.0, None
    for n in numbers:
        if n in got:
            first = None
            continue
        first = n if first is None else first
        gap = max(gap, sent[min(n + 1, len(sent) - 1)] - sent[first])
    print(len(numbers), len(lost), round(gap))


def main():
    commands = {"send": send, "receive": receive, "count": count}
    commands[sys.argv[1]](*sys.argv[2:])


main()
