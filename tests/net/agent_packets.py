#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends single packets to a filtered interface and asks what became of each.

usage: agent_packets.py KERNEL_TOOL CUSTOMER_NETNS INTERFACE CASES

Run in the router's namespace. CASES is a name below. Each packet must be
counted once, as what the case says, and must pass or not: behind the filter
(priority -250) a table of the test counts what comes through.
"""
import ctypes
import ipaddress
import socket
import struct
import subprocess
import sys
import time

ROUTER_MAC = bytes.fromhex("020000000001")
CUSTOMER_MAC = bytes.fromhex("020000000002")
ICMP, IGMP, TCP, UDP, ICMP6, OSPF = 1, 2, 6, 17, 58, 89


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def mac_for(dst):
    if dst.version == 6 and dst.is_multicast:
        return b"\x33\x33" + dst.packed[-4:]
    if dst.version == 4 and dst.is_multicast:
        low = int(dst) & 0x7FFFFF
        return b"\x01\x00\x5e" + low.to_bytes(3, "big")
    if dst.version == 4 and dst.packed[3] == 255:
        return b"\xff" * 6
    return ROUTER_MAC


def packet(src, dst, proto, body=None, sport=4000, dport=4001, fragment=0, router_alert=False):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if body is None:
        body = {UDP: struct.pack("!HHHH", sport, dport, 12, 0) + b"test",
                TCP: struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, 2, 1000, 0, 0),
                ICMP: b"\x03\x04\0\0" + b"\0" * 32,
                IGMP: b"\x16\0\0\0" + ipaddress.ip_address("239.1.1.1").packed,
                ICMP6: b"\x02\0\0\0" + b"\0" * 44}.get(proto, b"\0" * 24)
    if src.version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, fragment, 64, proto, 0,
                           src.packed, dst.packed)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        ether = 0x0800
    else:
        if proto == ICMP6:
            pseudo = src.packed + dst.packed + struct.pack("!II", len(body), ICMP6)
            body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
        following = proto
        if router_alert:  # hop-by-hop options, as MLD has them
            body = struct.pack("!BB", proto, 0) + b"\x05\x02\0\0\x01\0" + body
            following = 0
        head = struct.pack("!IHBB16s16s", 0x60000000, len(body), following, 255,
                           src.packed, dst.packed)
        ether = 0x86DD
    return mac_for(dst) + CUSTOMER_MAC + struct.pack("!H", ether) + head + body


def solicit(kind):
    return bytes([kind]) + b"\0" * 7 + ipaddress.ip_address("2001:db8:c::77").packed


IN4, OUT4 = "198.51.100.7", "198.18.77.7"
IN6, OUT6 = "2001:db8:100::7", "2001:db8:bad::7"
HOST4, HOST6, LINK = "192.0.2.7", "2001:db8:c::7", "fe80::7"
PEER4, PEER6 = "198.18.5.5", "2001:db8:5::5"
R4, R6, RLL = "192.0.2.1", "2001:db8:c::1", "fe80::1"
LO4, LO6 = "198.18.254.1", "2001:db8:fe::1"
FAR4, FAR6 = "203.0.113.9", "2001:db8:a::9"

ENFORCE = [
    ("accepted source, forwarded", "accept", packet(IN4, FAR4, UDP)),
    ("accepted source, to the router", "accept", packet(IN4, R4, TCP)),
    ("accepted source, later fragment", "accept", packet(IN4, FAR4, UDP, fragment=0x10)),
    ("foreign source, forwarded", "drop", packet(OUT4, FAR4, UDP)),
    ("foreign source, forwarded ICMP", "drop", packet(OUT4, FAR4, ICMP)),
    ("foreign source, later fragment", "drop", packet(OUT4, FAR4, UDP, fragment=0x10)),
    ("foreign source, to the router", "drop", packet(OUT4, R4, TCP, dport=179)),
    ("foreign source, to 224.0.0.5", "drop", packet(OUT4, "224.0.0.5", OSPF)),
    ("foreign source, limited broadcast", "drop", packet(OUT4, "255.255.255.255", UDP)),
    ("foreign source, the link's broadcast", "drop", packet(OUT4, "192.0.2.255", UDP)),
    ("neighbour to the router: BGP", "except", packet(HOST4, R4, TCP, dport=179)),
    ("neighbour to the router: BFD", "except", packet(HOST4, R4, UDP, dport=3784)),
    ("neighbour to the router's loopback", "except", packet(HOST4, LO4, TCP, dport=179)),
    ("neighbour to 224.0.0.5: OSPF", "except", packet(HOST4, "224.0.0.5", OSPF)),
    ("neighbour to 224.0.1.1", "drop", packet(HOST4, "224.0.1.1", UDP)),
    ("neighbour, limited broadcast", "except", packet(HOST4, "255.255.255.255", UDP)),
    ("neighbour, the link's broadcast", "except", packet(HOST4, "192.0.2.255", UDP)),
    ("neighbour, forwarded ICMP", "except", packet(HOST4, FAR4, ICMP)),
    ("neighbour, forwarded UDP", "drop", packet(HOST4, FAR4, UDP)),
    ("peer to the router: BGP", "except", packet(PEER4, LO4, TCP, dport=179)),
    ("peer to 224.0.0.2", "except", packet(PEER4, "224.0.0.2", UDP)),
    ("peer, forwarded ICMP", "drop", packet(PEER4, FAR4, ICMP)),
    ("0.0.0.0: DHCP", "except", packet("0.0.0.0", "255.255.255.255", UDP, sport=68, dport=67)),
    ("0.0.0.0: DHCP to the router", "drop", packet("0.0.0.0", R4, UDP, sport=68, dport=67)),
    ("0.0.0.0: other ports", "drop", packet("0.0.0.0", "255.255.255.255", UDP, sport=68, dport=53)),
    ("0.0.0.0: IGMP", "except", packet("0.0.0.0", "224.0.0.22", IGMP)),
    ("0.0.0.0: IGMP to a group", "except", packet("0.0.0.0", "239.1.1.1", IGMP)),
    ("0.0.0.0: IGMP to the router", "drop", packet("0.0.0.0", R4, IGMP)),
    ("0.0.0.0: OSPF", "drop", packet("0.0.0.0", "224.0.0.5", OSPF)),
    ("multicast source", "drop", packet("224.0.0.9", R4, UDP)),
    ("multicast source to the link", "drop", packet("224.0.0.9", "224.0.0.5", UDP)),
    ("loopback source", "drop", packet("127.0.0.1", R4, UDP)),
    ("broadcast source", "drop", packet("255.255.255.255", R4, UDP)),

    ("IPv6 accepted source, forwarded", "accept", packet(IN6, FAR6, UDP)),
    ("IPv6 foreign source, forwarded", "drop", packet(OUT6, FAR6, UDP)),
    ("IPv6 foreign source, forwarded ICMPv6", "drop", packet(OUT6, FAR6, ICMP6)),
    ("IPv6 foreign source, to the router", "drop", packet(OUT6, R6, TCP, dport=179)),
    ("IPv6 foreign source, to ff02::5", "drop", packet(OUT6, "ff02::5", OSPF)),
    ("IPv6 neighbour to the router", "except", packet(HOST6, R6, TCP, dport=179)),
    ("IPv6 neighbour to the loopback", "except", packet(HOST6, LO6, TCP, dport=179)),
    ("IPv6 neighbour to the subnet's anycast", "except", packet(HOST6, "2001:db8:c::", UDP)),
    ("IPv6 neighbour to ff02::5", "except", packet(HOST6, "ff02::5", OSPF)),
    ("IPv6 neighbour to ff05::2", "drop", packet(HOST6, "ff05::2", UDP)),
    ("IPv6 neighbour, forwarded ICMPv6", "except", packet(HOST6, FAR6, ICMP6)),
    ("IPv6 neighbour, forwarded UDP", "drop", packet(HOST6, FAR6, UDP)),
    ("IPv6 peer to the router", "except", packet(PEER6, LO6, TCP, dport=179)),
    ("IPv6 peer, forwarded", "drop", packet(PEER6, FAR6, ICMP6)),
    ("link-local to the router's link-local", "except", packet(LINK, RLL, TCP, dport=179)),
    ("link-local to the router's address", "except", packet(LINK, R6, TCP, dport=179)),
    ("link-local to ff02::6: OSPF", "except", packet(LINK, "ff02::6", OSPF)),
    ("link-local to ff02::1:2: DHCPv6", "except", packet(LINK, "ff02::1:2", UDP, sport=546, dport=547)),
    ("link-local, forwarded", "drop", packet(LINK, FAR6, ICMP6)),
    ("link-local to ff05::2", "drop", packet(LINK, "ff05::2", UDP)),
    ("febf::, the end of link-local, to the router", "except", packet("febf::7", R6, UDP)),
    ("fec0::, beyond link-local, to the router", "drop", packet("fec0::7", R6, UDP)),
    ("::: duplicate address detection", "except",
     packet("::", "ff02::1:ff00:77", ICMP6, solicit(135))),
    ("::: neighbour solicitation to the router", "drop", packet("::", R6, ICMP6, solicit(135))),
    ("::: router solicitation", "except", packet("::", "ff02::2", ICMP6, b"\x85" + b"\0" * 7)),
    ("::: router advertisement", "drop", packet("::", "ff02::1", ICMP6, b"\x86" + b"\0" * 15)),
    ("::: MLDv1 report", "except",
     packet("::", "ff0e::77", ICMP6, solicit(131), router_alert=True)),
    ("::: MLDv2 report", "except",
     packet("::", "ff02::16", ICMP6, b"\x8f" + b"\0" * 7, router_alert=True)),
    ("::: echo request", "drop", packet("::", "ff02::1", ICMP6, b"\x80" + b"\0" * 7)),
    ("::: UDP", "drop", packet("::", "ff02::1", UDP)),
    # the kernel itself drops these before any filter sees them
    ("IPv6 multicast source", "none", packet("ff02::5", R6, UDP)),
    ("IPv6 loopback source", "none", packet("::1", R6, UDP)),
]

# Counted as if dropped, and passing.
OBSERVE = [
    ("observe: accepted source", "accept", packet(IN4, FAR4, UDP)),
    ("observe: foreign source passes", "drop+pass", packet(OUT4, FAR4, UDP)),
    ("observe: foreign IPv6 source passes", "drop+pass", packet(OUT6, FAR6, UDP)),
    ("observe: neighbour", "except", packet(HOST4, R4, TCP)),
]
OFF = [
    ("off: foreign source passes", "pass", packet(OUT4, FAR4, UDP)),
    ("off: foreign IPv6 source passes", "pass", packet(OUT6, FAR6, UDP)),
]
CASES = {"enforce": ENFORCE, "observe": OBSERVE, "off": OFF,
         "drops": [c for c in ENFORCE if c[1] == "drop"][:2]}


def open_sender(netns, interface):
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{netns}") as there:
        if libc.setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        s.bind((interface, 0))
        if libc.setns(home.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns back")
    return s


def counters(tool, interface):
    for line in subprocess.check_output([tool, "counters"], text=True).splitlines():
        words = line.split()
        if words[0] == interface:
            return {words[i]: int(words[i + 1]) for i in range(1, 7, 2)}
    return {"accept": 0, "drop": 0, "except": 0}


def passed_count():
    out = subprocess.check_output(["nft", "list", "counter", "inet", "seen", "passed"], text=True)
    words = out.split()
    return int(words[words.index("packets") + 1])


def what_happened(tool, interface, send, expected):
    before, passed = counters(tool, interface), passed_count()
    send()
    # of what nothing is to be heard, there is no more to wait for
    end = time.monotonic() + (30 if expected != EXPECTED["none"] else 0.3)
    while time.monotonic() < end:
        after, now = counters(tool, interface), passed_count()
        counted = [k for k in after for _ in range(after[k] - before[k])]
        if counted or now != passed:
            break
        time.sleep(0.002)
    time.sleep(0.001)
    after, now = counters(tool, interface), passed_count()
    counted = [k for k in after for _ in range(after[k] - before[k])]
    return counted, now - passed


EXPECTED = {"accept": (["accept"], 1), "except": (["except"], 1), "drop": (["drop"], 0),
            "drop+pass": (["drop"], 1), "pass": ([], 1), "none": ([], 0)}


def main():
    tool, netns, interface, name = sys.argv[1:5]
    sender = open_sender(netns, "c0")
    failed = 0
    for what, verdict, data in CASES[name]:
        counted, passed = what_happened(tool, interface, lambda: sender.send(data), EXPECTED[verdict])
        good = (counted, passed) == EXPECTED[verdict]
        failed += not good
        print(f"{'ok' if good else 'FAILED'}: {what}: {verdict}"
              + ("" if good else f" expected, counted as {counted}, {passed} passed"))
    sys.exit(failed != 0)


main()
