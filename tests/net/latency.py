# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a BGP announcement takes into the kernel's filter.

usage: latency.py COUNT BMP_PORT

Speaks BGP to pe1 from customer A's router, and watches from outside both the BMP bytes that reach
savd's host (a packet socket in ctl) and the changes of pe1's nftables (its notifications). None of
the programs measured is asked, so none can be flattered. Prints one JSON document.
"""
import ipaddress
import json
import os
import select
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import speakers  # noqa: E402

SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_NO_ENOBUFS = 270, 1, 5
NETLINK_NETFILTER, NFNLGRP_NFTABLES = 12, 7
ETH_P_IP = 0x0800
LIMIT_S = 30.0
PAUSE_S = 0.02


def watch_nftables():
    speakers.enter_namespace("pe1")
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    s.bind((0, 0))
    s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
    return s


def watch_bmp():
    speakers.enter_namespace("ctl")
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    return s


def is_bmp(packet, port):
    header = (packet[0] & 15) * 4
    return packet[9] == 6 and int.from_bytes(packet[header + 2:header + 4], "big") == port


def measure(bgp, bmp, nft, port, prefix):
    """Seconds from the announcement to the BMP bytes, and to the kernel's filter."""
    net = ipaddress.ip_network(prefix)
    wire = bytes([net.prefixlen]) + net.network_address.packed
    address = net.network_address.packed
    start = time.monotonic()
    bgp.announce(prefix)
    at_bmp = None
    while time.monotonic() < start + LIMIT_S:
        ready, _, _ = select.select([bmp, nft], [], [], LIMIT_S)
        if bmp in ready:
            packet = bmp.recv(65536)
            if at_bmp is None and is_bmp(packet, port) and wire in packet:
                at_bmp = time.monotonic()
        if nft in ready and address in nft.recv(1 << 20):
            now = time.monotonic()
            # a capture that comes later than its effect was merely read later
            return (now if at_bmp is None else at_bmp) - start, now - start
    return None


def summary(values):
    values = sorted(1000 * v for v in values)
    return {"median": round(statistics.median(values), 3),
            "p95": round(values[int(len(values) * 0.95) - 1], 3),
            "worst": round(values[-1], 3)}


def main():
    count, port = int(sys.argv[1]), int(sys.argv[2])
    nft, bmp = watch_nftables(), watch_bmp()
    speakers.enter_namespace("cpe-a")
    bgp = speakers.BgpSpeaker("192.0.2.66", "192.0.2.65", 64501)
    bgp.announce("198.18.1.0/24")
    total, router, ours, lost = [], [], [], 0
    # half-used blocks: a neighbour would merge with them, and not appear by its own address
    for i in range(count):
        time.sleep(PAUSE_S)
        result = measure(bgp, bmp, nft, port, "198.18.%d.%d/26" % (20 + i // 2, 64 + i % 2 * 128))
        if result is None:
            lost += 1
            continue
        total.append(result[1])
        router.append(result[0])
        ours.append(result[1] - result[0])
    doc = {"bench": "latency", "unit": "ms", "announcements": count, "lost": lost}
    if total:
        doc.update({"bgp_to_kernel": summary(total), "bgp_to_bmp": summary(router), "bmp_to_kernel": summary(ours)})
    print(json.dumps(doc))
    return 1 if lost or not total else 0


if __name__ == "__main__":
    sys.exit(main())
