# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests/net/steer needs besides a shell.

usage: steer_tool.py tun DEVICE LOCAL REMOTE MARK     a tunnel: packets of the device in UDP, marked
       steer_tool.py sniff INTERFACE FILE PREFIX...   writes each source that comes in and is in no
                                                      PREFIX, and how many packets there were
       steer_tool.py serve PORT [ADDRESS...]          TCP and UDP echo with the address seen; answers by UDP come
                                                      from ADDRESS
       steer_tool.py flow SOURCE|- TARGET PORT FILE   one TCP connection, a line every 10 ms; what it was
                                                      seen as, and the longest gap, when it is ended; until then
                                                      a dot for each answer
       steer_tool.py icmp SOURCE TARGET [HOPS]        sends UDP and prints "type code" of the ICMP answer; with
                                                      HOPS, its TTL, "type code sender"
       steer_tool.py expire ADDRESS PORT HOPS FILE    answers UDP with that TTL, and writes "type code sender" of
                                                      the latest ICMP error about an answer
       steer_tool.py say TARGET PORT                  sends UDP to it ten times a second, always from the same port
       steer_tool.py advertise INTERFACE PREFIX VALID PREFERRED
                                                      one router advertisement with that prefix, times in seconds
       steer_tool.py iked SOCKET STATE DEVICE         publishes a tunnel "pop" as sav-iked does; the file STATE
                                                      says "2 MARK" (up) or "1 MARK" (down)

All but icmp and advertise run until they are ended; "ready" says when they have begun.
"""
import fcntl
import ipaddress
import os
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
TUN_PORT = 5555


def ready():
    print("ready", flush=True)


def tun(device, local, remote, mark):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", device.encode(), 0x1001))  # TUNSETIFF, TUN without header
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(mark, 0))
    sock.bind((local, TUN_PORT))
    ready()
    while True:
        for readable in select.select([fd, sock], [], [])[0]:
            try:
                if readable is fd:
                    sock.sendto(os.read(fd, 65536), (remote, TUN_PORT))
                else:
                    os.write(fd, sock.recv(65536))
            except OSError:
                pass  # no route at the moment: as a wire that is cut


def source_of(packet):
    """Of an Ethernet frame, or of a bare IP packet; None for others."""
    if len(packet) > 14 and packet[12:14] == b"\x08\x00":
        return ipaddress.ip_address(packet[26:30])
    if len(packet) > 14 and packet[12:14] == b"\x86\xdd":
        return ipaddress.ip_address(packet[22:38])
    return None


def sniff(interface, path, *prefixes):
    allowed = [ipaddress.ip_network(p) for p in prefixes]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    sock.bind((interface, 0))
    seen, foreign = 0, {}

    def end(*_):
        with open(path, "w") as out:
            out.write(f"{seen}\n")
            for source, (n, first) in foreign.items():
                out.write(f"{source} {n}, the first at {first}\n")
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    ready()
    while True:
        try:
            packet, where = sock.recvfrom(128)
        except OSError:  # the interface went down; it comes back
            continue
        if where[2] == socket.PACKET_OUTGOING:
            continue
        if where[3] == 65534:  # ARPHRD_NONE: a TUN device
            packet = b"\0" * 12 + (b"\x08\x00" if packet[:1] and packet[0] >> 4 == 4 else b"\x86\xdd") + packet
        source = source_of(packet)
        if source is None:
            continue
        seen += 1
        if not any(source in net for net in allowed if net.version == source.version):
            n, first = foreign.get(source, (0, f"{time.time():.3f} {packet[14:].hex()}"))
            foreign[source] = (n + 1, first)


def plain(address):
    return address[7:] if address.startswith("::ffff:") else address


def serve(port, *addresses):
    tcp = socket.create_server(("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
    udps = []
    for address in addresses or ("::",):
        udps.append(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM))
        if address == "::":
            udps[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udps[-1].bind((address, int(port)))
    ready()
    clients = {}
    while True:
        for s in select.select([tcp, *udps, *clients], [], [])[0]:
            try:
                if s is tcp:
                    client, address = tcp.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    clients[client] = plain(address[0])  # what the client is seen as
                elif s in udps:
                    _, address = s.recvfrom(2048)
                    s.sendto(plain(address[0]).encode() + b"\n", address)
                else:
                    data = s.recv(2048)
                    if not data:
                        raise OSError
                    s.sendall(clients[s].encode() + b"\n")
            except OSError:
                if clients.pop(s, None) is not None:
                    s.close()


def flow(source, target, port, path):
    began = time.monotonic()
    gap, answers, seen, error = 0.0, 0, "", ""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    try:
        s = socket.create_connection((target, int(port)), timeout=40,
                                     source_address=None if source == "-" else (source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.setblocking(False)
        ready()
        last = turn = time.monotonic()
        stood = 0.0  # this process itself, since the last answer: a machine that stands still is no gap
        while not stop and time.monotonic() - began < 300:
            stood, turn = stood + max(0, time.monotonic() - turn - 0.05), time.monotonic()
            s.send(b"x")
            if select.select([s], [], [], 0.01)[0]:
                data = s.recv(4096)
                if not data:
                    raise OSError("closed")
                now = time.monotonic()
                stood += max(0, now - turn - 0.05)
                gap, last, answers = max(gap, now - last - stood), now, answers + 1
                stood, turn = 0.0, now
                seen = data.split(b"\n")[-2].decode()
                print(".", end="", flush=True)
                time.sleep(0.01)
        gap = max(gap, time.monotonic() - last - stood)
    except OSError as e:
        error = str(e)
        ready()
    while not stop and time.monotonic() - began < 300:  # who dies before it is told to has crashed
        time.sleep(0.02)
    with open(path + ".tmp", "w") as out:
        out.write(f"{seen or '-'} {int(gap * 1000)} {answers} {error}\n")
    os.rename(path + ".tmp", path)


def error_of(s):
    """The latest ICMP error that has come for a socket: "type code sender"; None when there is none."""
    said = None
    while True:
        try:
            _, ancillary, _, _ = s.recvmsg(512, 512, socket.MSG_ERRQUEUE)
        except OSError:
            return said
        for _, _, data in ancillary:  # struct sock_extended_err, and who sent it
            sender = data[20:24] if len(data) < 36 else data[24:40]
            said = f"{data[5]} {data[6]} {ipaddress.ip_address(bytes(sender))}"


def udp(source, port=0, hops=0):
    v6 = ":" in source
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    s.setsockopt(level, 25 if v6 else 11, 1)  # RECVERR
    if hops:
        s.setsockopt(level, 16 if v6 else 2, int(hops))  # UNICAST_HOPS, TTL
    s.bind((source, int(port)))
    return s


def icmp(source, target, hops=0):
    s = udp(source, hops=hops)
    for patience in (0.3, 0.7, 2):
        try:
            s.sendto(b"x", (target, 9))
        except OSError:
            pass  # what came for the one before
        end = time.monotonic() + patience
        while time.monotonic() < end:
            said = error_of(s)
            if said:
                print(said if hops else " ".join(said.split()[:2]))
                return
            time.sleep(0.02)
    print("nothing")


def expire(address, port, hops, path):
    s = udp(address, port, hops)
    ready()
    while True:
        if select.select([s], [], [], 0.1)[0]:
            try:
                s.sendto(b"x", s.recvfrom(2048)[1])
            except OSError:
                pass
        said = error_of(s)
        if said:
            with open(path + ".tmp", "w") as out:
                out.write(said + "\n")
            os.rename(path + ".tmp", path)


def say(target, port):
    s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
    ready()
    while True:
        try:
            s.sendto(b"x", (target, int(port)))
        except OSError:
            pass
        time.sleep(0.1)


def advertise(interface, prefix, valid, preferred):
    """RFC 4861 section 4.2 and 4.6.2; the kernel fills in the checksum."""
    net = ipaddress.ip_network(prefix)
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) +
             struct.pack("!BBBBIII16s", 3, 4, net.prefixlen, 0xc0, int(valid), int(preferred), 0,
                         net.network_address.packed), ("ff02::1", 0, 0, socket.if_nametoindex(interface)))


def field(number, value):
    """Of protobuf: a varint or bytes."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def iked(path, state_path, device):
    """The messages of schema/tunnels.proto."""
    def tunnel():
        with open(state_path) as f:
            state, mark = f.read().split()
        return field(1, field(1, b"pop") + field(2, int(state)) + field(3, b"wan1") + field(4, device.encode()) +
                     field(5, socket.if_nametoindex(device)) + field(6, 1400) + field(12, int(mark, 0)))

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(1)
    ready()
    while True:
        client, _ = listener.accept()
        said = tunnel()
        client.send(said)
        client.send(field(3, 1))
        while True:
            time.sleep(0.02)
            now = tunnel()
            if now != said:
                client.send(now)
                said = now


if __name__ == "__main__":
    {"iked": iked, "tun": tun, "sniff": sniff, "serve": serve, "flow": flow, "icmp": icmp, "expire": expire,
     "say": say, "advertise": advertise}[sys.argv[1]](*sys.argv[2:])
