#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcap_streams.py [--bmp] [--out DIR] FILE...

Reassembles the TCP payload of captures (pcap and pcapng), one stream per
direction of a connection. With --out each goes to DIR/N.bin. Prints one JSON
line per file: {"file": NAME, "streams": N, "bytes": N, "types": {...}}; types
counts BMP messages by the framing of RFC 7854 alone, so that it is a second
opinion on any decoder. --bmp leaves out streams that are not BMP version 3.
"""
import argparse
import json
import os
import struct
import sys


def pcap_packets(data):
    """Yields (link type, bytes) of classic pcap or pcapng."""
    magic = data[:4]
    if magic == b"\x0a\x0d\x0d\x0a":
        yield from pcapng_packets(data)
        return
    end = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<",
           b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(magic)
    if end is None:
        raise ValueError("neither pcap nor pcapng")
    link = struct.unpack_from(end + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        caplen = struct.unpack_from(end + "I", data, at + 8)[0]
        at += 16
        yield link, data[at:at + caplen]
        at += caplen


def pcapng_packets(data):
    at, end, links = 0, "<", []
    while at + 12 <= len(data):
        kind = data[at:at + 4]
        if kind == b"\x0a\x0d\x0d\x0a":
            end = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, length = struct.unpack_from(end + "II", data, at)
        body = data[at + 8:at + length - 4]
        if kind == 1:
            links.append(struct.unpack_from(end + "H", body)[0])
        elif kind == 6:
            iface, _, _, caplen = struct.unpack_from(end + "IIII", body)
            yield links[iface], body[20:20 + caplen]
        elif kind == 3:
            yield links[0], body[4:]
        at += max(length, 12)


def ip_packet(link, pkt):
    """The IP packet inside a link-layer frame, or None."""
    if link == 1:
        at, proto = 14, struct.unpack_from(">H", pkt, 12)[0]
    elif link == 113:
        at, proto = 16, struct.unpack_from(">H", pkt, 14)[0]
    elif link == 276:
        at, proto = 20, struct.unpack_from(">H", pkt, 0)[0]
    elif link in (12, 101, 228, 229):
        return pkt
    elif link == 0:
        return pkt[4:]
    else:
        return None
    while proto in (0x8100, 0x88A8, 0x9100):
        proto = struct.unpack_from(">H", pkt, at + 2)[0]
        at += 4
    return pkt[at:] if proto in (0x0800, 0x86DD) else None


def tcp_segment(pkt):
    """(connection, seq, flags, payload) or None."""
    if not pkt:
        return None
    if pkt[0] >> 4 == 4:
        size = (pkt[0] & 15) * 4
        total = struct.unpack_from(">H", pkt, 2)[0] or len(pkt)
        if pkt[9] != 6 or struct.unpack_from(">H", pkt, 6)[0] & 0x1FFF:
            return None
        addr, seg = pkt[12:20], pkt[size:total]
    elif pkt[0] >> 4 == 6:
        if pkt[6] != 6:
            return None
        total = 40 + struct.unpack_from(">H", pkt, 4)[0]
        addr, seg = pkt[8:40], pkt[40:total]
    else:
        return None
    if len(seg) < 20:
        return None
    ports, seq = seg[:4], struct.unpack_from(">I", seg, 4)[0]
    return (addr, ports), seq, seg[13], seg[(seg[12] >> 4) * 4:]


class Stream:
    """Segments of one direction, put in order by sequence number."""

    def __init__(self):
        self.first = None
        self.parts = []
        self.fresh = True

    def add(self, seq, flags, payload):
        if flags & 2:
            self.first = (seq + 1) & 0xFFFFFFFF
        if not payload:
            return
        if self.first is None:
            self.first = seq
        # distance from the first byte, signed: earlier ones come out negative
        off = (seq - self.first + 0x80000000) % 0x100000000 - 0x80000000
        self.parts.append((off, payload))

    def data(self):
        """Contiguous bytes; what comes after a hole is left out."""
        if not self.parts:
            return b""
        self.parts.sort(key=lambda part: part[0])
        out = bytearray()
        base = self.parts[0][0]
        for off, payload in self.parts:
            off -= base
            if off > len(out):
                break
            out += payload[len(out) - off:]
        return bytes(out)


def streams(data):
    live, done = {}, []
    for link, pkt in pcap_packets(data):
        try:
            packet = ip_packet(link, pkt)
            seg = tcp_segment(packet) if packet else None
        except struct.error:
            continue
        if seg is None:
            continue
        conn, seq, flags, payload = seg
        if flags & 2 and conn in live and live[conn].parts:
            done.append(live.pop(conn))
        live.setdefault(conn, Stream()).add(seq, flags, payload)
    done.extend(live.values())
    return [data for data in (s.data() for s in done) if data]


def bmp_types(data):
    """Messages by type, and how many bytes at the end are no whole message."""
    counts, at = {}, 0
    while at + 6 <= len(data):
        version, length, kind = struct.unpack_from(">BIB", data, at)
        if version != 3 or length < 6 or at + length > len(data):
            break
        counts[kind] = counts.get(kind, 0) + 1
        at += length
    return counts, len(data) - at


def is_bmp(data):
    if len(data) < 6:
        return False
    version, length, kind = struct.unpack_from(">BIB", data)
    return version == 3 and 6 <= length <= 1 << 20 and kind <= 6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bmp", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    number = 0
    for name in args.files:
        with open(name, "rb") as f:
            found = streams(f.read())
        if args.bmp:
            found = [s for s in found if is_bmp(s)]
        types, rest = {}, 0
        for s in found:
            counts, left = bmp_types(s)
            rest += left
            for kind, n in counts.items():
                types[kind] = types.get(kind, 0) + n
            if args.out:
                with open(os.path.join(args.out, f"{number}.bin"), "wb") as f:
                    f.write(s)
            number += 1
        print(json.dumps({"file": os.path.basename(name), "streams": len(found),
                          "bytes": sum(map(len, found)), "rest": rest,
                          "types": {str(k): types[k] for k in sorted(types)}}))


if __name__ == "__main__":
    sys.exit(main())
