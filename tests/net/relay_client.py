# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks to savd's agent port with the certificate and key of somebody, as a relay would.

usage: relay_client.py HOST PORT CERTIFICATE KEY bmp SYSNAME    a greeting, then BMP of one route
       relay_client.py HOST PORT CERTIFICATE KEY inventory      a greeting, then what relays do not say
       relay_client.py HOST PORT CERTIFICATE KEY hello          a greeting, and nothing more

Prints "welcome" if it is greeted, then why savd ended the session ("closed" without a reason), or "open"
if nothing was heard for 60 seconds.
"""
import os
import socket
import ssl
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import speakers as s  # noqa: E402

LIMIT_S = 60
PEER, AS = "192.0.2.74", 64502
# numbers of Message.body in schema/agent.proto
HELLO, WELCOME, INVENTORY, FAILURE, BMP = 3, 4, 5, 11, 17


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def frame(number, body):
    message = field(number, body)
    return struct.pack("!I", len(message)) + message


def hello():
    return frame(HELLO, b"\x08\x01" + field(2, b"relay_client"))


def bmp(name):
    stream = (s.bmp_initiation(name) + s.bmp_peer_up(PEER, AS, "192.0.2.73", 64500)
              + s.bmp_route(PEER, AS, "198.18.77.0/24", PEER) + s.bmp_end_of_rib(PEER, AS))
    # in pieces that respect no message
    return b"".join(frame(BMP, field(1, stream[i:i + 7])) for i in range(0, len(stream), 7))


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        more = sock.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def next_message(sock):
    body = read_exactly(sock, struct.unpack("!I", read_exactly(sock, 4))[0])
    return body[0] >> 3, body


def listen(sock):
    try:
        while True:
            kind, body = next_message(sock)
            if kind == WELCOME:
                print("welcome", flush=True)
            elif kind == FAILURE:
                return body[4:].decode()
    except socket.timeout:
        return "open"
    except (EOFError, ConnectionError, ssl.SSLError):
        return "closed"


def main():
    host, port, cert, key, what = sys.argv[1:6]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(cert, key)
    sock = context.wrap_socket(socket.create_connection((host, int(port)), timeout=LIMIT_S))
    sock.sendall(hello())
    if what == "bmp":
        sock.sendall(bmp(sys.argv[6]))
    elif what == "inventory":
        sock.sendall(frame(INVENTORY, b""))
    print(listen(sock))


if __name__ == "__main__":
    main()
