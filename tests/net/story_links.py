# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes in by a link, for the whole run of tests/net/story.

usage: story_links.py INTERFACE FILE PREFIX...

Runs until it is ended and then writes JSON: "packets" with a source; "flows": how many packets of each
of pkt's flows, by "PORT/NUMBER"; "foreign": how many with each source that is in no PREFIX; "lost":
packets that the kernel had no room for here, which must be none or "foreign" proves nothing.
"""
import ipaddress
import json
import signal
import socket
import struct
import sys

ETH_P_ALL = 3
ARPHRD_NONE = 65534  # a TUN device: packets begin with IP
SOL_PACKET, PACKET_STATISTICS = 263, 6
IPPROTO_UDP = 17
MAGIC, BODY_BYTES = b"SAVP", 17  # of pkt's packets


def ip_of(frame, hardware):
    if hardware == ARPHRD_NONE:
        return frame
    return frame[14:] if frame[12:14] in (b"\x08\x00", b"\x86\xdd") else b""


def source_of(ip):
    if len(ip) >= 20 and ip[0] >> 4 == 4:
        return ipaddress.ip_address(ip[12:16])
    if len(ip) >= 40 and ip[0] >> 4 == 6:
        return ipaddress.ip_address(ip[8:24])
    return None


def flows_of(ip):
    """PORT/NUMBER of each packet of pkt's; a tunnel's interface gets several merged into one."""
    version = ip[0] >> 4
    protocol, udp = (ip[9], (ip[0] & 15) * 4) if version == 4 else (ip[6], 40)
    if protocol != IPPROTO_UDP:
        return
    for body in range(udp + 8, len(ip) - BODY_BYTES + 1, BODY_BYTES):
        if ip[body:body + 4] == MAGIC:
            yield "%d/%d" % (struct.unpack_from("!H", ip, udp + 2)[0], struct.unpack_from("!I", ip, body + 4)[0])


class Link:
    def __init__(self, interface, prefixes):
        self.allowed = [ipaddress.ip_network(p) for p in prefixes]
        self.known = {}
        self.packets, self.flows, self.foreign = 0, {}, {}
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.sock.bind((interface, 0))

    def is_allowed(self, source):
        if source not in self.known:
            self.known[source] = any(source in net for net in self.allowed)
        return self.known[source]

    def take(self):
        frame, where = self.sock.recvfrom(65536)
        if where[2] == socket.PACKET_OUTGOING:
            return
        ip = ip_of(frame, where[3])
        source = source_of(ip)
        if source is None:
            return
        self.packets += 1
        if not self.is_allowed(source):
            self.foreign[str(source)] = self.foreign.get(str(source), 0) + 1
        for flow in flows_of(ip):
            self.flows[flow] = self.flows.get(flow, 0) + 1

    def write(self, path):
        lost = struct.unpack("II", self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        with open(path, "w") as out:
            json.dump({"packets": self.packets, "flows": self.flows, "foreign": self.foreign, "lost": lost}, out)


def main():
    link, path = Link(sys.argv[1], sys.argv[3:]), sys.argv[2]
    stopped = []

    def end(*_):
        link.write(path)
        stopped.append(1)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    while not stopped:
        try:
            link.take()
        except OSError:  # the interface went down; it comes back
            continue


if __name__ == "__main__":
    main()
