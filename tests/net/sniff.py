# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps what passes by an interface.

usage: sniff.py INTERFACE FILE      until it is ended; says "listening" when it begins
"""
import socket
import sys

ETH_P_ALL = 3


def main():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    sock.bind((sys.argv[1], 0))
    with open(sys.argv[2], "wb", buffering=0) as out:
        print("listening", flush=True)
        while True:
            out.write(sock.recv(65536))


if __name__ == "__main__":
    main()
