# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of savd's agent port that does one thing wrong.

usage: bad_agent.py HOST PORT FAULT [CERTIFICATE KEY]

Exit status 0 if savd ended the session within LIMIT_S seconds.
"""
import random
import socket
import ssl
import struct
import sys

LIMIT_S = 60

FAULTS = {
    "plain": b"GET / HTTP/1.0\r\n\r\n",
    "silent": b"",
    "4-gigabyte": struct.pack("!I", 0xffffffff) + b"\0" * 65536,
    "empty-frame": struct.pack("!I", 0),
    "noise": struct.pack("!I", 4096) + random.Random(1).randbytes(4096),
    "not-hello": struct.pack("!I", 2) + b"\x0a\x00",
    "half-frame": struct.pack("!I", 1000) + b"\0" * 10,
}


def main():
    host, port, fault = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    sock = socket.create_connection((host, port), timeout=LIMIT_S)
    try:
        if fault != "plain":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if len(sys.argv) > 4:
                context.load_cert_chain(sys.argv[4], sys.argv[5])
            sock = context.wrap_socket(sock)
        sock.sendall(FAULTS[fault])
        while sock.recv(4096):
            pass
        how = "closed"
    except (ConnectionError, ssl.SSLError) as e:
        how = "closed (%s)" % e
    except socket.timeout:
        how = "still open after %d s" % LIMIT_S
    print("%s: %s" % (fault, how))
    return 0 if how.startswith("closed") else 1


if __name__ == "__main__":
    sys.exit(main())
