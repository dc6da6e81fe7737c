# SPDX-License-Identifier: GPL-2.0-or-later
"""Small BGP and BMP speakers for the network tests: just enough to say one thing, right or wrong."""
import ctypes
import ipaddress
import os
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000


def enter_namespace(name):
    """Sockets made from here on belong to that network namespace, whatever comes later."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open("/run/netns/" + name, os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + name)
    finally:
        os.close(fd)


# ---- BGP (RFC 4271)

def bgp_message(kind, body):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def bgp_open(as_number, router_id, hold=180):
    caps = b"\x01\x04\x00\x01\x00\x01" + b"\x41\x04" + struct.pack("!I", as_number)
    params = bytes([2, len(caps)]) + caps
    return bgp_message(1, struct.pack("!BHH4sB", 4, as_number, hold, socket.inet_aton(router_id), len(params)) + params)


def nlri(prefix):
    net = ipaddress.ip_network(prefix)
    return bytes([net.prefixlen]) + net.network_address.packed[: (net.prefixlen + 7) // 8]


def attributes(as_path, next_hop, as_size=4):
    path = struct.pack("!BB", 2, len(as_path)) + b"".join(
        struct.pack("!I" if as_size == 4 else "!H", a) for a in as_path)
    return (b"\x40\x01\x01\x00" + b"\x40\x02" + bytes([len(path)]) + path
            + b"\x40\x03\x04" + socket.inet_aton(next_hop))


def bgp_update(prefix, as_path, next_hop):
    attrs = attributes(as_path, next_hop)
    return bgp_message(2, struct.pack("!H", 0) + struct.pack("!H", len(attrs)) + attrs + nlri(prefix))


def bgp_withdraw(prefix):
    gone = nlri(prefix)
    return bgp_message(2, struct.pack("!H", len(gone)) + gone + struct.pack("!H", 0))


class BgpSpeaker:
    """One session, kept alive by a thread; announces what it is told."""

    def __init__(self, local, remote, as_number):
        self.local, self.as_number = local, as_number
        self.sock = socket.create_connection((remote, 179), timeout=10, source_address=(local, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(bgp_open(as_number, local))
        self.buffer = b""
        if self.read()[0] != 1:
            raise ConnectionError("no OPEN from " + remote)
        self.sock.sendall(bgp_message(4, b""))
        while self.read()[0] != 4:
            pass
        self.sock.settimeout(None)
        threading.Thread(target=self.idle, daemon=True).start()

    def read(self):
        while len(self.buffer) < 19 or len(self.buffer) < struct.unpack("!H", self.buffer[16:18])[0]:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.buffer += data
        length, kind = struct.unpack("!HB", self.buffer[16:19])
        body, self.buffer = self.buffer[19:length], self.buffer[length:]
        if kind == 3:
            raise ConnectionError("NOTIFICATION %d/%d" % (body[0], body[1]))
        return kind, body

    def idle(self):
        try:
            while True:
                if self.read()[0] == 4:
                    self.sock.sendall(bgp_message(4, b""))
        except OSError:
            pass

    def announce(self, prefix):
        self.sock.sendall(bgp_update(prefix, [self.as_number], self.local))

    def withdraw(self, prefix):
        self.sock.sendall(bgp_withdraw(prefix))


# ---- BMP (RFC 7854)

def bmp_message(kind, body, version=3):
    return struct.pack("!BIB", version, 6 + len(body), kind) + body


def bmp_initiation(name, description="test speaker"):
    return bmp_message(4, b"".join(struct.pack("!HH", t, len(v)) + v for t, v in (
        (1, description.encode()), (2, name.encode()))))


def bmp_peer(address, as_number, post=False, router_id="192.0.2.66"):
    """The per-peer header."""
    packed = ipaddress.ip_address(address).packed
    flags = (0x80 if len(packed) == 16 else 0) | (0x40 if post else 0)
    return struct.pack("!BBQ16sI4sII", 0, flags, 0, packed.rjust(16, b"\0"), as_number,
                       socket.inet_aton(router_id), 0, 0)


def bmp_peer_up(address, as_number, local, local_as):
    packed = ipaddress.ip_address(local).packed
    return bmp_message(3, bmp_peer(address, as_number) + packed.rjust(16, b"\0") + struct.pack("!HH", 179, 12345)
                       + bgp_open(local_as, "192.0.2.1") + bgp_open(as_number, "192.0.2.66"))


def bmp_route(address, as_number, prefix, next_hop, post=True):
    return bmp_message(0, bmp_peer(address, as_number, post) + bgp_update(prefix, [as_number], next_hop))


def bmp_end_of_rib(address, as_number, post=True):
    return bmp_message(0, bmp_peer(address, as_number, post) + bgp_message(2, b"\0\0\0\0"))
