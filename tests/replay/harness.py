# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of sav-replay share: cases, files, and the program itself."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.environ.get("OPENSAV_SRC", os.path.join(HERE, "../.."))
BUILD = os.environ.get("OPENSAV_BUILD", SRC)
DATA = os.path.join(os.environ.get("OPENSAV_SHARED", os.path.join(SRC, "../shared")), "data")
LIMIT_S = 60
count = {"passed": 0, "failed": 0, "skipped": 0}
tmp = ""


def check(name, good, *seen):
    count["passed" if good else "failed"] += 1
    print(("ok - " if good else "not ok - ") + name)
    if not good:
        for s in seen:
            print("# " + str(s)[:2000].replace("\n", "\n# "))


def equal(name, got, want):
    check(name, got == want, "got:  %s" % (got,), "want: %s" % (want,))


def skip(name, why):
    count["skipped"] += 1
    print("skipped - %s: %s" % (name, why))


def save(name, data):
    path = os.path.join(tmp, name)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)
    return path


def replay(*args):
    """Exit status, standard output, standard error."""
    p = subprocess.run([os.path.join(BUILD, "sav-replay"), *args], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=LIMIT_S, check=False)
    return p.returncode, p.stdout, p.stderr


def sets(*args):
    """Of each edge its blocks of both families; what was said on standard error."""
    rc, out, err = replay("--json", *args)
    if rc != 0:
        return {"exit status": rc}, err
    return {e["interface"]: (e["ipv4"], e["ipv6"]) for e in json.loads(out)["edges"]}, err


def main(*tests):
    """Runs them, each without arguments, in a directory for save(); ends the program."""
    global tmp
    with tempfile.TemporaryDirectory() as tmp:
        for test in tests:
            test()
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count)
    sys.exit(1 if count["failed"] else 0)
