#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes tests/data/mrt, of which its README says what is in it; `run` compares."""
import os
import struct
import sys

from mrtfile import attrs, index, record, rib, state, text_addr, update

PEERS = [("192.0.2.1", 65001), ("192.0.2.2", 65002), ("2001:db8::1", 65001), ("192.0.2.9", 65009)]


def table():
    def v6(path):
        return attrs(path, short_reach="2001:db8::ff")

    return (index(PEERS) +
            rib("198.51.100.0/25", [(0, attrs([65001])), (3, attrs([65009, 65001]))]) +
            rib("198.51.100.128/25", [(3, attrs([65009, 65001]))]) +
            rib("203.0.113.0/24", [(1, 1, attrs([65002])), (1, 2, attrs([65002, 65020]))], path_ids=True) +
            rib("2001:db8:1::/48", [(2, v6([65001]))]) +
            rib("2001:db8:2::/48", [(3, v6([65009, 65002]))]))


def updates():
    return (update("192.0.2.1", 65001, 64500, withdraw=["198.51.100.0/25"]) +
            update("192.0.2.9", 65009, 64500, withdraw=["198.51.100.0/25"], et=True) +
            update("192.0.2.1", 65001, 64500, announce=["203.0.113.128/25"], path=[65001], et=True) +
            update("192.0.2.1", 65001, 64500, announce=["203.0.113.128/25"], path=[65001, 64500, 65002]) +
            state("192.0.2.2", 65002, 64500, 6, 1))


def table_dump():
    def one(prefix, peer, asn, path):
        addr, length = prefix.split("/")
        a = b"\x40\x01\x01\x00" + struct.pack(">BBBBB", 0x40, 2, 2 + 2 * len(path), 2, len(path))
        a += b"".join(struct.pack(">H", n) for n in path) + b"\x40\x03\x04" + text_addr("192.0.2.1")
        return record(12, 1, struct.pack(">HH", 0, 0) + text_addr(addr) + struct.pack(">BBI", int(length), 1, 0) +
                      text_addr(peer) + struct.pack(">HH", asn, len(a)) + a)

    return (one("198.51.100.0/25", "192.0.2.1", 65001, [65001]) +
            one("198.51.100.128/25", "192.0.2.9", 65009, [65009, 65001]))


def contents():
    return {"table.mrt": table(), "updates.mrt": updates(), "table_dump.mrt": table_dump()}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    there = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/mrt")
    for name, data in contents().items():
        with open(os.path.join(there, name), "wb") as f:
            f.write(data)
