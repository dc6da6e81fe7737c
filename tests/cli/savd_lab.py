# SPDX-License-Identifier: GPL-2.0-or-later
"""One savd with a directory of its own, its VTY, and a count of checks.

The scripts beside this one use it: with Savd() as savd: savd.run("show edge").
Every wait is bounded; only the process that was started here is ended.
"""

import os
import pwd
import grp
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("OPENSAV_SRC") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.environ.get("OPENSAV_BUILD") or SOURCE

SUCCESS, WARNING, NO_MATCH, AMBIGUOUS, INCOMPLETE, CONFIG_FAILED = 0, 1, 2, 3, 4, 13
LIMIT = 300.0

# A script that is told to end takes its savd along.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

counts = {"passed": 0, "failed": 0, "skipped": 0}


def check(what, good, *seen):
    """One test; what was seen is printed if it failed."""
    counts["passed" if good else "failed"] += 1
    print(("ok - " if good else "not ok - ") + what)
    if not good:
        for text in seen:
            for line in str(text).rstrip().split("\n")[:40]:
                print("# " + line)
    sys.stdout.flush()
    return good


def finish():
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] else 0)


def skip_all(why):
    print(f"skipped: {why}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def wait_for(condition, seconds=LIMIT):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class Vty:
    """A connection as savsh makes it: a command and a NUL; the answer ends with three NULs and its status."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)  # waits while savd's queue is full
        self.socket.settimeout(LIMIT)
        self.command("enable")

    def close(self):
        self.socket.close()

    def raw(self, line):
        """(status, text) of one line, str or bytes."""
        line = line if isinstance(line, bytes) else line.encode()
        self.socket.sendall(line + b"\0")
        answer = b""
        while not (len(answer) >= 4 and answer[-4:-1] == b"\0\0\0"):
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError(f"savd closed the connection after {line!r}")
            answer += data
        return answer[-1], answer[:-4].decode(errors="replace")

    def command(self, line):
        status, text = self.raw(line)
        if status not in (SUCCESS, WARNING) or text.startswith("% "):
            raise AssertionError(f"{line!r}: status {status}: {text}")
        return text


class Savd:
    def __init__(self, directory=None):
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="opensav-cli.", dir=os.environ.get("TMPDIR"))
        self.state = os.path.join(self.dir, "state")
        self.process = None
        self.under = []  # a program that starts it
        os.makedirs(self.state, exist_ok=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def launch(self):
        """Starts the program and does not wait for it."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(os.getegid()).gr_name
        if os.path.exists(self.path("savd.vty")):
            os.unlink(self.path("savd.vty"))
        out = open(self.path("savd.out"), "wb")
        return subprocess.Popen(self.under + [os.path.join(BUILD, "savd"), "-u", user, "-g", group, "-i", self.path("savd.pid"),
                                 "--vty_socket", self.dir, "--state", self.state,
                                 "--log", "file:" + self.path("savd.log")],
                                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def said(self):
        with open(self.path("savd.out"), errors="replace") as out:
            return out.read()

    def start(self):
        self.process = self.launch()
        if not wait_for(lambda: self.answers() or self.process.poll() is not None) or self.process.poll() is not None:
            skip_all("savd does not start here: " + self.said())

    def answers(self):
        try:
            Vty(self.path("savd.vty")).close()
            return True
        except (OSError, ConnectionError):
            return False

    def alive(self):
        return self.process.poll() is None

    def stop(self, sig=signal.SIGTERM):
        if self.process and self.alive():
            self.process.send_signal(sig)
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else None

    def restart(self, sig=signal.SIGTERM):
        self.stop(sig)
        self.start()

    def vty(self):
        return Vty(self.path("savd.vty"))

    def run(self, *lines):
        """The text of each line's answer, of which none may fail."""
        vty = self.vty()
        try:
            return [vty.command(line) for line in lines]
        finally:
            vty.close()

    def refused(self, *lines):
        """The text of the last line, which must be refused."""
        vty = self.vty()
        try:
            for line in lines[:-1]:
                vty.command(line)
            status, text = vty.raw(lines[-1])
            return text if status != SUCCESS else ""
        finally:
            vty.close()

    def config(self):
        """`show running-config` less libfrr's part and its empty lines."""
        text = self.run("show running-config")[0]
        lines = [line for line in text.split("\n") if line and not line.startswith("!")]
        return "\n".join(line for line in lines if not line.startswith(("frr ", "hostname ", "log ", "password ", "Current",
                                                                       "Building", "end"))) + "\n"

    def revision(self):
        import json
        commands = json.loads(self.run("show history last 1000000 json")[0])["commands"]
        return max([c.get("revision", 0) for c in commands], default=0)

    def savsh(self, *lines):
        args = [os.path.join(BUILD, "savsh"), "--vty_socket", self.dir, "-d", "savd"]
        for line in lines:
            args += ["-c", line]
        return subprocess.run(args, capture_output=True, timeout=LIMIT, errors="replace", stdin=subprocess.DEVNULL)
