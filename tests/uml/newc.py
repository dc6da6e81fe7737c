#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packs the files named on standard input into an initramfs: cpio's "newc" format."""
import os
import sys

out = sys.stdout.buffer


def put(name, mode, data):
    name = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields)
    for part in (head + name, data):
        out.write(part + bytes(-len(part) % 4))


for path in map(str.strip, sys.stdin):
    if path == ".":
        continue
    data = b""
    if os.path.isfile(path):
        with open(path, "rb") as f:
            data = f.read()
    put(path.removeprefix("./"), os.stat(path).st_mode, data)
put("TRAILER!!!", 0, b"")
