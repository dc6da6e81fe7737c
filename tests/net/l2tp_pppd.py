#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What xl2tpd starts as pppd where the kernel has no PPP: talks frames of PPP (RFC 1662) by the terminal
that is its first argument, so that calls carry something.

A client's has "name NAME" among its arguments: it sends frames with its name to the far end, which sends all
back, writes "NAME frames" into $L2TP_RESULTS/NAME when each of them has come back as it was, and stays.
"""
import os
import select
import sys
import termios
import tty

FLAG, ESCAPE = 0x7E, 0x7D
FRAMES = 50
AGAIN_S = 0.3
HEADER = b"\xff\x03\xc0\x23"  # address, control, a protocol that only says who one is


def checksum(data):
    """RFC 1662 C.2"""
    fcs = 0xFFFF
    for byte in data:
        fcs ^= byte
        for _ in range(8):
            fcs = fcs >> 1 ^ 0x8408 if fcs & 1 else fcs >> 1
    return (fcs ^ 0xFFFF).to_bytes(2, "little")


def send(frame):
    out = bytearray([FLAG])
    for byte in frame + checksum(frame):
        out += bytes([ESCAPE, byte ^ 0x20]) if byte < 0x20 or byte in (FLAG, ESCAPE) else bytes([byte])
    out.append(FLAG)
    while out:
        del out[: os.write(1, out)]


def frames():
    """Those that come; None when none has come for a while."""
    held = b""
    while True:
        if not select.select([0], [], [], AGAIN_S)[0]:
            yield None
            continue
        if not (part := os.read(0, 65536)):
            return
        *whole, held = (held + part).split(bytes([FLAG]))
        for text in whole:
            frame, escaped = bytearray(), False
            for byte in text:
                if byte == ESCAPE and not escaped:
                    escaped = True
                    continue
                frame.append(byte ^ 0x20 if escaped else byte)
                escaped = False
            if len(frame) > 2 and checksum(frame[:-2]) == bytes(frame[-2:]):
                yield bytes(frame[:-2])


def client(name):
    came = frames()
    for i in range(FRAMES):
        frame = HEADER + name.encode() + bytes(range(256)) * (1 + i % 4) + bytes([i])
        send(frame)
        for back in came:
            if back == frame:
                break
            if back is None:  # L2TP may lose it, as when the far end's call is not up yet
                send(frame)
            elif back[len(HEADER) : len(HEADER) + len(name)] != name.encode():
                sys.exit("a frame of another call came")
        else:
            sys.exit("the terminal closed")
    with open(os.path.join(os.environ["L2TP_RESULTS"], name), "w", encoding="ascii") as out:
        print(name, FRAMES, "frames", file=out)
    for _ in came:
        pass


def main():
    try:
        terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        os.dup2(terminal, 0)
        os.dup2(terminal, 1)
        if "name" in sys.argv:
            client(sys.argv[sys.argv.index("name") + 1])
        for frame in frames():
            if frame:
                send(frame)
    except (OSError, termios.error) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
