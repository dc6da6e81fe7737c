# SPDX-License-Identifier: GPL-2.0-or-later
"""A BMP speaker that does one thing wrong.

usage: bad_bmp.py HOST PORT FAULT

Exit status 0 if savd ended the session within LIMIT_S seconds ("stall", "foreign-peer" and "flood": if it
kept it open for as long as we looked).
"""
import os
import random
import select
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import speakers as s  # noqa: E402

LIMIT_S = 60
LOOK_S = 1.0
FLOOD_MESSAGES = 20000

PEER, AS = "192.0.2.66", 64501


def noise(n):
    return random.Random(1).randbytes(n)


def table(name):
    """A healthy start as pe1, with a route that nobody must believe."""
    return (s.bmp_initiation(name) + s.bmp_peer_up(PEER, AS, "192.0.2.65", 64500)
            + s.bmp_route(PEER, AS, "198.18.99.0/24", PEER) + s.bmp_end_of_rib(PEER, AS))


FAULTS = {
    "noise": lambda: noise(4096),
    "version": lambda: s.bmp_message(4, b"", version=9),
    "short-length": lambda: struct.pack("!BIB", 3, 5, 4) + b"\0" * 64,
    "4-gigabyte": lambda: struct.pack("!BIB", 3, 0xffffffff, 0) + b"\0" * 65536,
    "claims-pe1": lambda: table("pe1"),
    "unknown-router": lambda: table("pe9"),
    "no-initiation": lambda: s.bmp_peer_up(PEER, AS, "192.0.2.65", 64500),
    "stall": lambda: s.bmp_initiation("pe1")[:-3],
    "bare-header": lambda: s.bmp_initiation("pe3") + s.bmp_message(0, b"\0" * 10),
    "bad-update": lambda: s.bmp_initiation("pe3") + s.bmp_peer_up(PEER, AS, "192.0.2.65", 64500)
    + b"".join(s.bmp_message(0, s.bmp_peer(PEER, AS, True) + s.bgp_message(2, noise(k % 60))) for k in range(500)),
    "foreign-peer": lambda: s.bmp_initiation("pe3") + s.bmp_route("203.0.113.99", 64999, "198.18.99.0/24", PEER),
    "flood": lambda: s.bmp_initiation("pe3") + s.bmp_peer_up(PEER, AS, "192.0.2.65", 64500)
    + b"".join(s.bmp_route(PEER, AS, "10.%d.%d.%d/32" % (k >> 16, k >> 8 & 255, k & 255), PEER)
               for k in range(FLOOD_MESSAGES)),
}
STAYS_OPEN = ("stall", "foreign-peer", "flood", "bad-update", "bare-header")


def main():
    host, port, fault = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    sock = socket.create_connection((host, port), timeout=LIMIT_S)
    try:
        sock.sendall(FAULTS[fault]())
        limit = LOOK_S if fault in STAYS_OPEN else LIMIT_S
        closed = bool(select.select([sock], [], [], limit)[0]) and sock.recv(1) == b""
    except ConnectionError:
        closed = True
    print("%s: the session was %s" % (fault, "ended" if closed else "kept"))
    return 0 if closed != (fault in STAYS_OPEN) else 1


if __name__ == "__main__":
    sys.exit(main())
