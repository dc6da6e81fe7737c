# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that say which test shows what: the tests are there, and the page is what is made of the table."""

import os
import sys

from tree import Finding

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conformance"))

import rfc3715  # noqa: E402


def check_rfc3715(tree):
    """each test that doc/rfc3715.md names is there, and the page is as tests/conformance/rfc3715.py makes it"""
    def read(path):
        return tree.text(path) if path in tree.known else None
    if read(rfc3715.TABLE) is None:
        yield Finding(rfc3715.TABLE, 1, "is not there")
        return
    try:
        blocks = rfc3715.read_table(read(rfc3715.TABLE))
    except rfc3715.Bad as bad:
        yield Finding(rfc3715.TABLE, *bad.args)
        return
    wrong = list(rfc3715.wrong_blocks(blocks)) or list(rfc3715.missing_tests(blocks, read))
    for line, text in wrong:
        yield Finding(rfc3715.TABLE, line, text)
    if not wrong and read(rfc3715.PAGE) != rfc3715.page(blocks):
        yield Finding(rfc3715.PAGE, 1, "is not what the table says: run tests/conformance/rfc3715.py")
