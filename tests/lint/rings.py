# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may include whom.

Data flows one way, and so do includes: lib <- schema <- the cores of each program <- its edges. An
edge is a file where decisions meet a socket, a kernel, a terminal or libfrr; its name says which.
"""

import re

from tree import Finding

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
EDGE = re.compile(r"_(main|vty|packet|zebra|nl)\.[ch]$")
PROGRAMS = ["controller/savsh/", "controller/", "agents/", "ipsec/"]
GENERATED = {"schema/agent.pb-c.h": "schema/", "schema/tunnels.pb-c.h": "schema/", "opensav_config.h": ""}
AGENT_MSG = "schema/agent_msg.h"

# The longest beginning counts; a folder may always include itself.
CORES = {
    "lib/": [],
    "schema/": ["lib/"],
    "controller/savsh/": ["lib/"],
    # of schema only agent_msg.h: a FIB is what an agent tells
    "controller/rib/": ["lib/", AGENT_MSG],
    "controller/feed/": ["controller/rib/", "lib/"],
    "controller/policy/": ["lib/"],
    "controller/sets/": ["controller/policy/", "controller/rib/", "lib/"],
    "controller/store/": ["controller/policy/", "lib/"],
    "controller/south/": [AGENT_MSG, "lib/"],
    "controller/radius/": ["controller/policy/", "lib/"],
    "controller/vty/": ["controller/", AGENT_MSG, "lib/"],
    "controller/": ["controller/feed/", "controller/rib/", "controller/policy/", "controller/sets/",
                    AGENT_MSG, "lib/"],
    "agents/": [AGENT_MSG, "schema/tunnel_update.h", "lib/"],
    "ipsec/": ["schema/", "lib/"],
    "tests/": [""],
}
# Headers of a program that are wiring and not a core.
WIRING = {"controller/savd.h"}

# A foreign header, and the files that may see it, also through other headers.
HOMES = [
    ("SQLite", re.compile(r"^sqlite3\.h$"), re.compile(r"^(controller|tests/unit)/store/"),
     "keep SQL behind controller/store/store.h"),
    ("protobuf-c", re.compile(r"(\.pb-c\.h$|^protobuf-c/)"), re.compile(r"^(schema/agent_msg(_\w+)?\.c|schema/tunnel_update\.c|tests/unit/schema/.*)$"),
     "use the structs of schema/agent_msg.h"),
    ("OpenSSL", re.compile(r"^openssl/"), re.compile(r"^(lib/(tls|pki|digest|seal)\.c|ipsec/crypto[^/]*|tests/.*)$"),
     "use lib/tls.h, lib/pki.h, lib/digest.h or ipsec/crypto.h"),
    ("netlink or nftables", re.compile(r"^(netlink/|libnftnl/|libmnl/|linux/netfilter)"),
     re.compile(r"^(agents/(steer/)?(kernel_nft|nft_[a-z0-9_]+|links|[a-z0-9_]+_nl|[a-z0-9_]+_nl_msg)\.[ch]|ipsec/[a-z0-9_/]+_nl\.[ch]|tests/.*)$"),
     "use agents/kernel.h or agents/links.h, or name the file NOUN_nl.c"),
    ("libmicrohttpd", re.compile(r"^microhttpd\.h$"), re.compile(r"^lib/metrics_packet\.c$"),
     "use lib/metrics_packet.h"),
    ("readline", re.compile(r"^readline/"), re.compile(r"^controller/savsh/line\.c$"),
     "use controller/savsh/line.h"),
    ("cmocka", re.compile(r"^(cmocka|setjmp)\.h$"), re.compile(r"^tests/"), "only tests use it"),
]


def includes(tree, path):
    """(line, name, is_quoted) of each."""
    found = []
    for number, line in tree.lines(path):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match.group(2), match.group(1) == '"'))
    return found


def is_ours(tree, name):
    return name in tree.known or name in GENERATED


def is_libfrr(tree, name, quoted):
    """libfrr's headers are <zebra.h>, and "command.h" without a folder."""
    return name in ("zebra.h", "lib/zebra.h") if not quoted else "/" not in name and not is_ours(tree, name)


def ring_of(path):
    return max((r for r in CORES if path.startswith(r)), key=len, default=None)


def program_of(path):
    return next((p for p in PROGRAMS if path.startswith(p)), None)


def allowed(path):
    ring = ring_of(path)
    program = program_of(path)
    if program and (EDGE.search(path) or path in WIRING):
        return [program, "schema/", "lib/"]
    return [ring] + CORES[ring]


def reach(path):
    """The parts that a file may include, in words."""
    ring = ring_of(path)
    return ", ".join(dict.fromkeys([ring.rstrip("/")] + [part.rstrip("/") for part in allowed(path)]))


def may_include(path, name):
    program = program_of(path)
    theirs = program_of(name)
    if not path.startswith("tests/") and theirs and theirs != program:
        return False
    if ring_of(path) == "controller/" and not EDGE.search(path) and path not in WIRING:
        # engine.c and its like: other files of the same folder, not of any below
        return "/" not in name[len("controller/"):] and name.startswith("controller/") or \
            any(name.startswith(part) for part in CORES["controller/"])
    return any(name.startswith(part) for part in allowed(path))


def check_rings(tree):
    """each part includes only what lies below it"""
    for path in tree.c_files():
        if ring_of(path) is None:
            if not path.startswith("m4/"):
                yield Finding(path, 1, "not in a folder of any program: move it, or add the folder to "
                                       "tests/lint/rings.py")
            continue
        for line, name, quoted in includes(tree, path):
            if not quoted or not is_ours(tree, name) or name == "opensav_config.h":
                continue
            if not may_include(path, name):
                what = "another program" if program_of(name) not in (None, program_of(path)) and \
                    not path.startswith("tests/") else "a part that is not below it"
                yield Finding(path, line, f'includes {what}, "{name}": it may use {reach(path)}; pass the '
                                          "value in, or move the code")


class Closure:
    """What a file sees: foreign headers, each with the chain that leads there."""

    def __init__(self, tree):
        self.tree = tree
        self.seen = {}

    def foreign(self, path):
        """{(name, quoted): chain of our headers}"""
        if path not in self.seen:
            self.seen[path] = {}  # a cycle ends here
            found = {}
            for _, name, quoted in includes(self.tree, path):
                if quoted and name in self.tree.known:
                    for what, chain in self.foreign(name).items():
                        found.setdefault(what, [name] + chain)
                else:
                    found[(name, quoted)] = []
            self.seen[path] = found
        return self.seen[path]

    def sightings(self, path):
        """(line, name, is_quoted, chain) of each foreign header."""
        found = []
        for line, name, quoted in includes(self.tree, path):
            if quoted and name in self.tree.known:
                found += [(line, n, q, [name] + chain) for (n, q), chain in self.foreign(name).items()]
            else:
                found.append((line, name, quoted, []))
        return found


def through(chain):
    return f" (through {' -> '.join(chain)})" if chain else ""


def libfrr_is_home(path):
    return bool(EDGE.search(path)) or path in ("lib/frr_compat.c", "lib/frr_compat.h")


def check_homes(tree):
    """each foreign library is seen by its own files only"""
    closure = Closure(tree)
    for path in tree.c_files():
        if ring_of(path) is None:
            continue
        for line, name, quoted, chain in closure.sightings(path):
            if is_libfrr(tree, name, quoted) and not libfrr_is_home(path):
                yield Finding(path, line, f"sees libfrr's {name}{through(chain)}: only *_main, *_vty, *_packet, "
                                          "*_zebra and *_nl files and lib/frr_compat may")
            if name == "zebra.h" and path != "lib/frr_compat.h" and not chain:
                yield Finding(path, line, 'includes <zebra.h>: include "lib/frr_compat.h" instead')
            for what, header, home, remedy in HOMES:
                if header.search(name) and not home.search(path):
                    yield Finding(path, line, f"sees {what}'s {name}{through(chain)}: {remedy}")


def check_includes(tree):
    """x.c includes its own header first; ours are named from the top"""
    for path in tree.c_files():
        found = includes(tree, path)
        folder = path.rsplit("/", 1)[0] + "/"
        for line, name, quoted in found:
            if quoted and "/" in name and not is_ours(tree, name):
                yield Finding(path, line, f'there is no "{name}": names begin at the top of the checkout')
            if quoted and "/" not in name and folder + name in tree.known:
                yield Finding(path, line, f'"{name}" is in this folder: write "{folder}{name}"')
            if not quoted and name in tree.known:
                yield Finding(path, line, f"<{name}> is ours: use quotes")
        own = path[:-2] + ".h"
        # in tests, what cmocka wants to see comes first
        if not path.endswith(".c") or own not in tree.known or not found or path.startswith("tests/"):
            continue
        # zebra.h must come before every other header of the system
        first = [f for f in found if f[1] != "lib/frr_compat.h" or own == "lib/frr_compat.h"][:1]
        impl = first and first[0][1].endswith("_impl.h") and first[0][1] in tree.known and \
            own in [name for _, name, _ in includes(tree, first[0][1])][:1]
        if impl or not first or first[0][1] == own:
            continue
        if libfrr_is_home(path) and found[0][1] == "lib/frr_compat.h":
            ours = [n for _, n, q in found if q and n in tree.known and n != "lib/frr_compat.h"]
            if own in ours:
                continue
        yield Finding(path, found[0][0], f'includes {found[0][1]} first: begin with "{own}", so that the header is '
                                         "known to stand alone")
