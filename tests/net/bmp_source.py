# SPDX-License-Identifier: GPL-2.0-or-later
"""A router that sends BMP straight to savd, from one of its addresses.

usage: bmp_source.py HOST PORT LOCAL SYSNAME [PASSWORD]

Sends one route and says "open" while savd keeps the session, "closed" when it ends it, "unanswered" when
nobody takes the connection (packets signed wrongly, or not where they have to be, are dropped).
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import speakers as s  # noqa: E402

TCP_MD5SIG = 14
CONNECT_S = 4  # packets that are not answered are sent again after 1 s and 3 s
LIMIT_S = 2
PEER, AS = "192.0.2.66", 64501


def sign(sock, host, password):
    """struct tcp_md5sig of linux/tcp.h"""
    address = struct.pack("!HH4s", 0, 0, socket.inet_aton(host))
    address = struct.pack("=H", socket.AF_INET) + address[2:]
    key = password.encode()
    sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG,
                    address.ljust(128, b"\0") + struct.pack("=BBHI", 0, 0, len(key), 0) + key.ljust(80, b"\0"))


def say(word):
    print(word, flush=True)


def main():
    host, port, local, name = sys.argv[1:5]
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((local, 0))
    if len(sys.argv) > 5:
        sign(sock, host, sys.argv[5])
    sock.settimeout(CONNECT_S)
    try:
        sock.connect((host, int(port)))
    except (socket.timeout, OSError):
        say("unanswered")
        return
    sock.settimeout(LIMIT_S)
    try:
        sock.sendall(s.bmp_initiation(name) + s.bmp_peer_up(PEER, AS, "192.0.2.65", 64500)
                     + s.bmp_route(PEER, AS, "198.18.99.0/24", PEER) + s.bmp_end_of_rib(PEER, AS))
        if sock.recv(1) == b"":
            say("closed")
            return
    except socket.timeout:
        say("open")
    except ConnectionError:
        say("closed")
        return
    sock.settimeout(None)
    try:
        sock.recv(1)
    except ConnectionError:
        pass
    say("closed later")


if __name__ == "__main__":
    main()
