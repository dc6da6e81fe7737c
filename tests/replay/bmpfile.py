# SPDX-License-Identifier: GPL-2.0-or-later
"""BMP in Python, read without any of the code under test: what is left in the Adj-RIBs-In at the end."""
import struct

import mrtfile
import oracle

AS4, ADDPATH = 65, 69


def messages(data):
    at = 0
    while at + 6 <= len(data):
        version, length, kind = struct.unpack_from(">BIB", data, at)
        assert version == 3
        if at + length > len(data):
            return
        yield kind, data[at + 6:at + length]
        at += length


def capabilities(msg):
    """Of an OPEN: its AS number, and each capability's code and value."""
    found, at = [], 29
    end = at + msg[28]
    while at < end:
        kind, n = msg[at], msg[at + 1]
        at, stop = at + 2, at + 2 + n
        while kind == 2 and at < stop:
            found.append((msg[at], msg[at + 2:at + 2 + msg[at + 1]]))
            at += 2 + msg[at + 1]
        at = stop
    as4 = [int.from_bytes(v, "big") for c, v in found if c == AS4]
    return as4[0] if as4 else struct.unpack_from(">H", msg, 20)[0], found


def addpath(found, bit):
    """Families of which one side sends (2) or takes (1) path ids."""
    return {struct.unpack_from(">H", v, i)[0] - 1 for c, v in found if c == ADDPATH
            for i in range(0, len(v) - 3, 4) if v[i + 2] == 1 and v[i + 3] & bit}


class Stream:
    """peers: by (type, distinguisher, address), what its last Peer Up said."""

    def __init__(self, data):
        self.peers, self.paths, self.post = {}, {}, set()
        self.frr = False
        for kind, body in messages(data):
            if kind == 4:
                self.frr |= b"FRRouting" in body
            elif kind in (0, 2, 3) and body[0] < 3:
                self.of_peer(kind, body)

    def of_peer(self, kind, body):
        flags = body[1]
        addr = mrtfile.ip(body[10:26] if flags & 128 else body[22:26])
        key = (body[0], bytes(body[2:10]), addr)
        if kind == 3:
            self.peer_up(key, body[42:])
        elif kind == 2:
            for k in [k for k in self.paths if k[0] == key]:
                del self.paths[k]
        elif not flags & 16:
            self.route(key, flags, body[42:])

    def peer_up(self, key, body):
        sent = body[20:20 + struct.unpack_from(">H", body, 36)[0]]
        got = body[20 + len(sent):][:struct.unpack_from(">H", body, 36 + len(sent))[0]]
        (local_as, ours), (peer_as, theirs) = capabilities(sent), capabilities(got)
        self.peers[key] = (local_as, peer_as, addpath(theirs, 2) & addpath(ours, 1))

    def route(self, key, flags, msg):
        local_as, peer_as, ids = self.peers.get(key, (0, 0, set()))
        view, width, at = bool(flags & 64), 2 if flags & 32 else 4, 19
        n = struct.unpack_from(">H", msg, at)[0]
        withdrawn, at = msg[at + 2:at + 2 + n], at + 2 + n
        n = struct.unpack_from(">H", msg, at)[0]
        attr, reach, unreach = mrtfile.parse_attrs(msg[at + 2:at + 2 + n], width, False)
        if self.frr and local_as != peer_as and attr.path[:1] == [local_as]:
            attr = attr._replace(path=attr.path[1:])
        for gone, part in ((True, (0, withdrawn)), (True, unreach), (False, (0, msg[at + 2 + n:])), (False, reach)):
            if not part or part[0] is None:
                continue
            family = part[0]
            if view and (part[1] or n == 0 or not gone):
                self.post.add((key, family))
            for path_id, addr, length in mrtfile.nlri(part[1], family, family in ids):
                where = (key, view, family, addr, length, path_id)
                if gone or attr.bad or local_as in attr.path:
                    self.paths.pop(where, None)
                else:
                    self.paths[where] = attr

    def routes(self):
        """As oracle.Network wants them: of each peer and family the view that counts."""
        return {(key, family, addr, length, path_id): attr
                for (key, view, family, addr, length, path_id), attr in self.paths.items()
                if view == ((key, family) in self.post)}

    def is_internal(self, key):
        return key in self.peers and self.peers[key][0] == self.peers[key][1]


def network(stream, edges):
    """edges: name to (role, list of addresses)."""
    by_addr = {a: n for n, (_, addrs) in edges.items() for a in addrs}
    keys = {n: (role, []) for n, (role, _) in edges.items()}
    for key in {k[0] for k in stream.routes()}:
        if key[2] in by_addr:
            keys[by_addr[key[2]]][1].append(key)
    return oracle.Network(stream.routes(), keys)
