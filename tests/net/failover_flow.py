#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One way of a flow, for tests/net/failover.

failover_flow.py send SOURCE TARGET PORT FILE     a numbered packet every 2 ms; FILE: "ms" of each
failover_flow.py receive TARGET PORT FILE         FILE: "number ms" of each that came
failover_flow.py count SENT RECEIVED FROM         of the packets sent since then (ms of the monotonic
                                                  clock): "sent lost longest-gap-ms"
The gap is the longest row of lost packets. count waits until a packet has arrived that was sent after it
began, for then nothing from before is under way; when none does, all since FROM were in vain.
"""

import socket
import struct
import sys
import time

INTERVAL_S = 0.002
NO_MORE_S = 30
SO_RCVBUFFORCE = 33


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
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind((target, int(port)))
    with open(name, "w", buffering=1, encoding="ascii") as f:
        while True:
            f.write(f"{struct.unpack('!I', sock.recv(16))[0]} {now_ms():.1f}\n")


def lines_of(name):
    with open(name, encoding="ascii") as f:
        return [line for line in f if line.endswith("\n")]


def count(sent_name, received_name, begin):
    asked, limit = now_ms(), time.monotonic() + NO_MORE_S
    while True:
        sent = [float(line) for line in lines_of(sent_name)]
        got = {int(line.split()[0]) for line in lines_of(received_name)}
        latest = max(n for n in got if n < len(sent))
        if sent[latest] > asked or time.monotonic() > limit:
            break
        time.sleep(0.1)
    end = latest if sent[latest] > asked else len(sent)
    numbers = [n for n, ms in enumerate(sent[:end]) if ms >= float(begin)]
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
