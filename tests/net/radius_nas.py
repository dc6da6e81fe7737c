# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAS that behaves badly, and one that is measured: RADIUS packets made by hand.

What an honest NAS sends comes from radclient; this makes what radclient refuses to: forged,
damaged, repeated and reordered packets, floods, and recorded ones.

usage: radius_nas.py COMMAND ARGUMENT...
  send SERVER PORT SECRET ATTRIBUTE=VALUE...   one request; prints the answer's code, or "none"
  forged SERVER PORT                           damaged and forged packets of many kinds
  replay SERVER PORT FILE.pcap...              recorded packets as they are
  flood SERVER PORT SECONDS                    from an unknown client
  pass NS SOURCE TARGET SERVER PORT SECRET ATTRIBUTE=VALUE...
                                               milliseconds from Start to the first packet

Attributes: NAME=VALUE of NAMES below, NUMBER=0xHEX, or 26.VENDOR.TYPE=TEXT. code=N: not accounting.
"""
import hashlib
import hmac
import ipaddress
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import speakers  # noqa: E402

ACCOUNTING, DISCONNECT, COA = 4, 40, 43


def text(v):
    return v.encode()


def number(v):
    return struct.pack("!I", int(v))


def address(v):
    return ipaddress.ip_address(v).packed


def prefix6(v):
    net = ipaddress.ip_network(v)
    return bytes([0, net.prefixlen]) + net.network_address.packed


NAMES = {
    "user": (1, text), "nas-address": (4, address), "port": (5, number), "ip": (8, address),
    "mask": (9, address), "route": (22, text), "station": (31, text), "nas": (32, text),
    "status": (40, number), "delay": (41, number), "session": (44, text), "time": (46, number),
    "at": (55, number), "port-id": (87, text), "prefix6": (97, prefix6), "route6": (99, text),
    "delegated": (123, prefix6), "ip6": (168, address),
}


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def vendor(number_, kind, value):
    return attribute(26, struct.pack("!IBB", number_, kind, len(value) + 2) + value)


def attributes(words):
    """(code, attributes) of NAME=VALUE words."""
    code, out = ACCOUNTING, b""
    for word in words:
        name, value = word.split("=", 1)
        if name == "code":
            code = int(value)
        elif name.startswith("26."):
            _, number_, kind = name.split(".")
            out += vendor(int(number_), int(kind), value.encode())
        elif name.isdigit():
            out += attribute(int(name), bytes.fromhex(value[2:]))
        else:
            kind, encode = NAMES[name]
            out += attribute(kind, encode(value))
    return code, out


def request(code, ident, attrs, secret, signed=False):
    """An accounting, CoA or Disconnect request (RFC 2866 sec. 3, RFC 2869 sec. 5.14)."""
    if signed:
        attrs += attribute(80, bytes(16))
    head = struct.pack("!BBH", code, ident, 20 + len(attrs))
    if signed:
        mac = hmac.new(secret, head + bytes(16) + attrs, hashlib.md5).digest()
        attrs = attrs[:-16] + mac
    return head + hashlib.md5(head + bytes(16) + attrs + secret).digest() + attrs


def is_answer(data, to, secret):
    """The answer is genuine (RFC 2865 sec. 3)."""
    return len(data) >= 20 and data[1] == to[1] and data[4:20] == hashlib.md5(
        data[:4] + to[4:20] + data[20:] + secret).digest()


def client(server, port):
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.connect((server, port))
    return s


def ask(s, packet, secret):
    """The code of a genuine answer, or None after NAS_WAIT_S seconds without one."""
    s.send(packet)
    end = time.monotonic() + float(os.environ.get("NAS_WAIT_S", "20"))
    while time.monotonic() < end:
        ready, _, _ = select.select([s], [], [], end - time.monotonic())
        if not ready:
            break
        data = s.recv(4096)
        if is_answer(data, packet, secret):
            return data[0]
    return None


def command_send(server, port, secret, *words):
    code, attrs = attributes(words)
    ident = int.from_bytes(os.urandom(1), "big")
    answer = ask(client(server, int(port)), request(code, ident, attrs, secret.encode()),
                 secret.encode())
    print("none" if answer is None else answer)


def damaged(secret):
    """Packets that no server may believe, and none may fall over."""
    start = attributes(["status=1", "session=forged", "nas=bng1", "port-id=sub1",
                        "user=mallory", "ip=198.18.66.66"])[1]
    good = request(ACCOUNTING, 1, start, secret)
    yield "wrong secret", request(ACCOUNTING, 2, start, b"guessed")
    yield "no authenticator", good[:4] + bytes(16) + good[20:]
    for n in range(0, len(good), 3):
        yield "cut", good[:n]
    for length in (0, 1, 19, 21, 4095, 4096, 65535):
        yield "length", good[:2] + struct.pack("!H", length) + good[4:]
    for kind in (1, 8, 22, 26, 44, 80, 97, 99, 123, 168):
        for length in (0, 1, 2, 3, 255):
            attrs = start + bytes([kind, length]) + bytes(max(0, min(length, 255) - 2))
            yield "attribute", request(ACCOUNTING, 3, attrs, b"guessed")
    nested = b"x" * 8
    for _ in range(20):
        nested = struct.pack("!IBB", 32473, 4, len(nested) + 2) + nested
    yield "nested", request(ACCOUNTING, 4, start + attribute(26, nested[:253]), b"guessed")
    yield "full", request(ACCOUNTING, 5, start + attribute(22, b"1.2.3.4/8 " * 25) * 15, b"guessed")
    yield "signed wrongly", request(ACCOUNTING, 6, start + attribute(80, bytes(16)), secret)
    yield "signed twice", request(ACCOUNTING, 7, start + attribute(80, bytes(16)) * 2, secret)
    yield "another code", request(1, 8, start, secret)
    yield "a CoA to the wrong port", request(COA, 9, start, secret)


def genuine_but_odd(secret):
    """From one who knows the secret: lengths 0, 1, 255 and nested attributes must do no harm."""
    start = attributes(["status=1", "session=odd", "nas=bng1", "port-id=sub1", "user=mallory"])[1]
    for kind in (1, 8, 9, 22, 26, 31, 32, 55, 87, 97, 99, 101, 123, 168, 241, 245):
        for length in (0, 1, 2, 3, 5, 6, 7, 18, 255):
            attrs = bytes([kind, length]) + bytes(max(0, min(length, 255) - 2))
            yield request(ACCOUNTING, kind, start + attrs, secret)
    nested = b"x" * 8
    for _ in range(20):
        nested = struct.pack("!IBB", 32473, 4, len(nested) + 2) + nested
    yield request(ACCOUNTING, 4, start + attribute(26, nested[:253]), secret)
    for inner in (b"", b"\0", b"\1\0", b"\1\1", b"\1\xff", b"\1\2\1\2\1\2", b"\4\3x\4\1"):
        yield request(ACCOUNTING, 5, start + attribute(26, struct.pack("!I", 32473) + inner), secret)
    for route in (b"", b"0.0.0.0/0", b"default", b"/", b"1.2.3.4/33 0.0.0.0 1", b"\0" * 20,
                  b"198.18.0.0/16 " + b"9" * 200, b"::/0", b"198.18.1.0/24 0.0.0.0 -1 1 1"):
        yield request(ACCOUNTING, 6, start + attribute(22, route), secret)


def command_forged(server, port, secret):
    s = client(server, int(port))
    n = 0
    for _, packet in damaged(secret.encode()):
        try:
            s.send(packet)
        except ConnectionRefusedError:
            sys.exit("nobody listens any more")
        n += 1
        if n % 50 == 0:
            time.sleep(0.02)
    time.sleep(0.3)
    s.setblocking(False)
    try:
        sys.exit("one was answered: %s" % s.recv(4096).hex())
    except BlockingIOError:
        print(n)


def command_odd(server, port, secret):
    s = client(server, int(port))
    n = 0
    for packet in genuine_but_odd(secret.encode()):
        s.send(packet)
        n += 1
        if n % 50 == 0:
            time.sleep(0.02)
    time.sleep(0.3)
    print(n)


def payloads(path):
    """UDP payloads of a pcap file of Ethernet, raw IP or Linux cooked frames."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link = struct.unpack(order + "I", data[20:24])[0]
    skip = {1: 14, 101: 0, 12: 0, 113: 16, 0: 4}.get(link, 14)
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        frame = data[at + 16 + skip:at + 16 + size]
        at += 16 + size
        if not frame:
            continue
        head = (frame[0] & 15) * 4 if frame[0] >> 4 == 4 else 40
        if len(frame) > head + 8:
            yield frame[head + 8:]


def command_replay(server, port, *files):
    s = client(server, int(port))
    n = 0
    for path in files:
        for payload in payloads(path):
            s.send(payload)
            n += 1
    time.sleep(0.3)
    s.setblocking(False)
    try:
        s.recv(4096)
        sys.exit("a recorded packet was answered")
    except BlockingIOError:
        print(n)


def command_flood(server, port, seconds):
    s = client(server, int(port))
    packet = request(ACCOUNTING, 1, attributes(["status=1", "session=f"])[1], b"guessed")
    end, n = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        for _ in range(100):
            try:
                s.send(packet)
            except (BlockingIOError, ConnectionRefusedError):
                pass
            n += 1
    print(n)


def command_pass(namespace, source, target, server, port, secret, *words):
    """Packets from SOURCE every millisecond in NS; the Start; when the first one arrives."""
    receiver = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET,
                             socket.SOCK_DGRAM)
    receiver.bind((target, 9100))
    child = os.fork()
    if child == 0:
        speakers.enter_namespace(namespace)
        s = socket.socket(receiver.family, socket.SOCK_DGRAM)
        s.bind((source, 0))
        for _ in range(10000):
            try:
                s.sendto(b"x", (target, 9100))
            except OSError:
                pass
            time.sleep(0.001)
        os._exit(0)
    try:
        receiver.settimeout(0.3)
        try:
            receiver.recv(100)
            sys.exit("packets passed before the session was there")
        except socket.timeout:
            pass
        code, attrs = attributes(words)
        s = client(server, int(port))
        receiver.settimeout(30)
        start = time.monotonic()
        s.send(request(code, 7, attrs, secret.encode()))
        try:
            receiver.recv(100)
        except socket.timeout:
            sys.exit("no packet passed within 30 s")
        print("%.1f" % (1000 * (time.monotonic() - start)))
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


if __name__ == "__main__":
    globals()["command_" + sys.argv[1]](*sys.argv[2:])
