# SPDX-License-Identifier: GPL-2.0-or-later
"""MRT in Python: read without any of the code under test, and written for it.

read() is only as complete as the tests need: TABLE_DUMP, TABLE_DUMP_V2 and BGP4MP with their add-path
and extended-time forms. What it cannot read ends the test, since its input is known to be sound.
"""
import bz2
import collections
import gzip
import lzma
import struct

Route = collections.namedtuple("Route", "peer family addr length path_id attr")
# kind: "A" a route from a message, "B" from a table, "W" withdrawn, "DOWN"; family 0 and 1 are unicast,
# None is any other
Event = collections.namedtuple("Event", "kind peer local_as peer_as family addr length path_id attr")
Attr = collections.namedtuple("Attr", "origin hops origin_code local_pref med neighbor path bad")

SIZES = (4, 16)


def load(path):
    """The bytes of a file, decompressed as far as they go."""
    with open(path, "rb") as f:
        data = f.read()
    for magic, new in ((b"\x1f\x8b", None), (b"BZh", bz2.BZ2Decompressor), (b"\xfd7zXZ", lzma.LZMADecompressor)):
        if data.startswith(magic):
            return new().decompress(data) if new else gzip.decompress(data)
    return data


def records(data):
    at = 0
    while at + 12 <= len(data):
        _, kind, subtype, length = struct.unpack_from(">IHHI", data, at)
        if at + 12 + length > len(data):
            return
        yield kind, subtype, data[at + 12:at + 12 + length]
        at += 12 + length


def parse_path(value, width):
    segments, at = [], 0
    while at < len(value):
        kind, n = value[at], value[at + 1]
        at += 2
        segments.append((kind, [int.from_bytes(value[at + i * width:at + (i + 1) * width], "big") for i in range(n)]))
        at += n * width
    return segments


def hops_of(segments):
    return sum(len(s[1]) if s[0] == 2 else 1 for s in segments if s[0] in (1, 2))


def merge(segments, as4):
    """RFC 6793 4.2.3, for paths without confederations."""
    extra = hops_of(segments) - hops_of(as4)
    if extra < 0:
        return segments
    out = []
    for kind, numbers in segments:
        if extra <= 0:
            break
        take = numbers[:extra] if kind == 2 else numbers
        out.append((kind, take))
        extra -= len(take) if kind == 2 else 1
    return out + as4


def parse_attrs(data, width, mrt):
    """Attr, and what MP_REACH_NLRI and MP_UNREACH_NLRI hold as (family, bytes)."""
    at, path, as4 = 0, [], None
    code = med = pref = reach = unreach = None
    aggregator, has_as4_aggregator = None, False
    while at < len(data):
        flags, kind = data[at], data[at + 1]
        length, at = (struct.unpack_from(">H", data, at + 2)[0], at + 4) if flags & 16 else (data[at + 2], at + 3)
        value = data[at:at + length]
        at += length
        if kind == 1:
            code = value[0]
        elif kind == 2:
            path = parse_path(value, width)
        elif kind == 4:
            med = int.from_bytes(value, "big")
        elif kind == 5:
            pref = int.from_bytes(value, "big")
        elif kind == 7:
            aggregator = int.from_bytes(value[:-4], "big")
        elif kind == 14 and not (mrt and value[0]):
            afi, safi, n = struct.unpack_from(">HBB", value)
            reach = (afi - 1 if safi == 1 and afi in (1, 2) else None, value[5 + n:])
        elif kind == 15:
            afi, safi = struct.unpack_from(">HB", value)
            unreach = (afi - 1 if safi == 1 and afi in (1, 2) else None, value[3:])
        elif kind == 17 and width == 2:
            as4 = parse_path(value, 4)
        elif kind == 18:
            has_as4_aggregator = True
    if as4 and not (has_as4_aggregator and aggregator != 23456):
        path = merge(path, as4)
    final = path[-1] if path else None
    numbers = [n for s in path for n in s[1]]
    first = next((s for s in path if s[0] in (1, 2)), None)
    return Attr(origin=final[1][-1] if final and final[0] == 2 else None, hops=hops_of(path), origin_code=code,
                local_pref=pref, med=med or 0, neighbor=first[1][0] if first and first[0] == 2 else 0,
                path=numbers, bad=0 in numbers), reach, unreach


def nlri(data, family, addpath):
    at = 0
    while at < len(data):
        path_id = 0
        if addpath:
            path_id, at = int.from_bytes(data[at:at + 4], "big"), at + 4
        length = data[at]
        n = (length + 7) // 8
        size = SIZES[family]
        addr = int.from_bytes(data[at + 1:at + 1 + n].ljust(size, b"\0"), "big")
        yield path_id, addr >> (size * 8 - length) << (size * 8 - length), length
        at += 1 + n


def ip(data):
    return (0 if len(data) == 4 else 1, int.from_bytes(data, "big"))


def read_index(body):
    at = 6 + struct.unpack_from(">H", body, 4)[0]
    n, at, peers = struct.unpack_from(">H", body, at)[0], at + 2, []
    for _ in range(n):
        kind, size = body[at], 16 if body[at] & 1 else 4
        addr = ip(body[at + 5:at + 5 + size])
        at += 5 + size
        width = 4 if kind & 2 else 2
        peers.append((addr, int.from_bytes(body[at:at + width], "big")))
        at += width
    return peers


class Reader:
    def __init__(self):
        self.peers, self.cache = [], {}

    def attrs(self, data, width):
        key = (data, width)
        if key not in self.cache:
            self.cache[key] = parse_attrs(data, width, True)[0]
        return self.cache[key]

    def table(self, subtype, body):
        addpath, at = subtype in (8, 10), 4
        if subtype in (6, 12):
            afi, safi = struct.unpack_from(">HB", body, at)
            at += 3
            if safi != 1:
                return
            family = afi - 1
        else:
            family = 0 if subtype in (2, 8) else 1
        generic_id = 0
        if subtype == 12:
            generic_id, at = int.from_bytes(body[at:at + 4], "big"), at + 4
        n = 1 + (body[at] + 7) // 8
        _, addr, length = next(nlri(body[at:at + n], family, False))
        at += n
        count, at = struct.unpack_from(">H", body, at)[0], at + 2
        for _ in range(count):
            number = struct.unpack_from(">H", body, at)[0]
            path_id, at = (struct.unpack_from(">I", body, at + 6)[0], at + 10) if addpath else (generic_id, at + 6)
            size = struct.unpack_from(">H", body, at)[0]
            peer, peer_as = self.peers[number]
            yield Event("B", peer, 0, peer_as, family, addr, length, path_id,
                        self.attrs(body[at + 2:at + 2 + size], 4))
            at += 2 + size

    def table_dump(self, subtype, body):
        size = SIZES[subtype - 1]
        addr, at = int.from_bytes(body[4:4 + size], "big"), 4 + size
        length, peer = body[at], ip(body[at + 6:at + 6 + size])
        at += 6 + size
        peer_as, n = struct.unpack_from(">HH", body, at)
        addr = addr >> (size * 8 - length) << (size * 8 - length)
        yield Event("B", peer, 0, peer_as, subtype - 1, addr, length, 0, self.attrs(body[at + 4:at + 4 + n], 2))

    def session(self, subtype, body):
        width = 2 if subtype in (0, 1, 6, 8, 10) else 4
        peer_as = int.from_bytes(body[:width], "big")
        local_as = int.from_bytes(body[width:2 * width], "big")
        size = SIZES[struct.unpack_from(">H", body, 2 * width + 2)[0] - 1]
        at = 2 * width + 4
        return ip(body[at:at + size]), local_as, peer_as, width, body[at + 2 * size:]

    def message(self, subtype, body):
        peer, local_as, peer_as, width, msg = self.session(subtype, body)
        if msg[18] != 2:
            return
        addpath, at = subtype in (8, 9), 19
        n = struct.unpack_from(">H", msg, at)[0]
        withdrawn, at = msg[at + 2:at + 2 + n], at + 2 + n
        n = struct.unpack_from(">H", msg, at)[0]
        attr, reach, unreach = parse_attrs(msg[at + 2:at + 2 + n], width, False)
        parts = [("W", (0, withdrawn)), ("W", unreach), ("A", (0, msg[at + 2 + n:])), ("A", reach)]
        for kind, part in parts:
            if part and part[0] is None:
                yield Event(kind, peer, local_as, peer_as, None, 0, 0, 0, None)
            elif part:
                for path_id, addr, length in nlri(part[1], part[0], addpath):
                    yield Event(kind, peer, local_as, peer_as, part[0], addr, length, path_id, attr)

    def read(self, data):
        for kind, subtype, body in records(data):
            if kind == 17:
                kind, body = 16, body[4:]
            if kind == 12:
                yield from self.table_dump(subtype, body)
            elif kind == 13 and subtype == 1:
                self.peers = read_index(body)
            elif kind == 13 and subtype in (2, 4, 6, 8, 10, 12):
                yield from self.table(subtype, body)
            elif kind == 16 and subtype in (1, 4, 8, 9):
                yield from self.message(subtype, body)
            elif kind == 16 and subtype in (0, 5):
                peer, local_as, peer_as, _, rest = self.session(subtype, body)
                if struct.unpack(">HH", rest)[0] == 6 != struct.unpack(">HH", rest)[1]:
                    yield Event("DOWN", peer, local_as, peer_as, 0, 0, 0, 0, None)


def read(data):
    return Reader().read(data)


# ---- writing

def text_addr(text):
    import ipaddress
    return ipaddress.ip_address(text).packed


def text_prefix(text):
    addr, length = text.split("/")
    return bytes([int(length)]) + text_addr(addr)[:(int(length) + 7) // 8]


def record(kind, subtype, body, time=1700000000):
    return struct.pack(">IHHI", time, kind, subtype, len(body)) + body


def attrs(path, next_hop="192.0.2.1", short_reach=None, extra=b""):
    """path: a list of AS numbers; a set in it is an AS_SET."""
    value = b""
    for part in path:
        numbers = sorted(part) if isinstance(part, set) else [part]
        value += struct.pack(">BB", 1 if isinstance(part, set) else 2, len(numbers))
        value += b"".join(struct.pack(">I", n) for n in numbers)
    out = b"\x40\x01\x01\x00" + struct.pack(">BBB", 0x40, 2, len(value)) + value
    if short_reach:
        out += b"\x80\x0e\x11\x10" + text_addr(short_reach)
    else:
        out += b"\x40\x03\x04" + text_addr(next_hop)
    return out + extra


def index(peers):
    """peers: (address, AS)"""
    body = text_addr("192.0.2.254") + struct.pack(">HH", 0, len(peers))
    for addr, asn in peers:
        raw = text_addr(addr)
        body += struct.pack(">BI", 2 | (len(raw) == 16), 1) + raw + struct.pack(">I", asn)
    return record(13, 1, body)


def rib(prefix, entries, path_ids=False):
    """entries: (peer number, attributes) or (peer number, path id, attributes)"""
    v6 = ":" in prefix
    body = b"\0\0\0\0" + text_prefix(prefix) + struct.pack(">H", len(entries))
    for e in entries:
        body += struct.pack(">HI", e[0], 0) + (struct.pack(">I", e[1]) if path_ids else b"")
        body += struct.pack(">H", len(e[-1])) + e[-1]
    return record(13, (8 if path_ids else 2) + (2 if v6 else 0), body)


def session(peer, peer_as, local_as, et=False):
    raw = text_addr(peer)
    return ((b"\0\0\0\1" if et else b"") + struct.pack(">IIHH", peer_as, local_as, 0, 1 if len(raw) == 4 else 2) + raw +
            text_addr("192.0.2.254" if len(raw) == 4 else "2001:db8::fe"))


def update(peer, peer_as, local_as, announce=(), withdraw=(), path=(), et=False):
    gone = b"".join(text_prefix(p) for p in withdraw)
    a = attrs(path) if announce else b""
    body = struct.pack(">H", len(gone)) + gone + struct.pack(">H", len(a)) + a
    body += b"".join(text_prefix(p) for p in announce)
    bgp = b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body
    return record(17 if et else 16, 4, session(peer, peer_as, local_as, et) + bgp)


def state(peer, peer_as, local_as, old, new):
    return record(16, 5, session(peer, peer_as, local_as) + struct.pack(">HH", old, new))
