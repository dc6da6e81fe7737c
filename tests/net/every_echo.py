# SPDX-License-Identifier: GPL-2.0-or-later
"""Pings, and waits for each of the answers.

usage: every_echo.py SOURCE TARGET INTERVAL [COUNT]     IPv4; without COUNT until SIGTERM

ping(8) gives the last answers no longer than twice its slowest one (its -W is for when nothing came at
all): on a machine that stands still for a moment it would call them lost. Here each has PATIENCE_S
from the last question on. Prints "begun" at the first answer, and in the end "N sent, N answered, the
slowest after T ms"; exit status 0 if all were answered.
"""
import os
import select
import signal
import socket
import struct
import sys
import time

PATIENCE_S = 20  # lab_kill waits for longer


def echo_request(ident, number):
    data = struct.pack("!BBHHHQQ40x", 8, 0, 0, ident, 0, number, ident)  # of 84 bytes, as from ping
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    total += total >> 16
    return data[:2] + struct.pack("!H", ~total & 0xffff) + data[4:]


def answered(packet, ident):
    """The number of our question that this packet answers, or None."""
    icmp = packet[(packet[0] & 15) * 4:]
    if len(icmp) < 24 or icmp[0] != 0:
        return None
    number, who = struct.unpack("!QQ", icmp[8:24])
    return number if who == ident else None


def main():
    source, target, interval = sys.argv[1], sys.argv[2], float(sys.argv[3])
    count = int(sys.argv[4]) if len(sys.argv) > 4 else None
    ident = os.getpid() & 0xffff
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((source, 0))
    open_since, sent, slowest = {}, 0, 0.0
    turn = time.monotonic()
    while True:
        now = time.monotonic()
        asking = not stop and sent != count
        if asking and now >= turn:
            open_since[sent] = turn = now
            try:
                s.sendto(echo_request(ident, sent), (target, 0))
            except OSError:
                pass  # as lost as one that is dropped later
            sent += 1
            turn += interval
            continue
        if not asking and (not open_since or now > turn + PATIENCE_S):
            break
        if select.select([s], [], [], max(0.0, turn - now) if asking else 0.2)[0]:
            began = open_since.pop(answered(s.recv(2048), ident), None)
            if began and not slowest:
                print("begun", flush=True)
            slowest = max(slowest, time.monotonic() - began if began else 0)
    print("%d sent, %d answered, the slowest after %d ms" % (sent, sent - len(open_since), slowest * 1000))
    return 0 if sent and not open_since else 1


if __name__ == "__main__":
    sys.exit(main())
