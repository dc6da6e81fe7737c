# SPDX-License-Identifier: GPL-2.0-or-later
"""The sets of sav-replay(8) computed in another way: plain Python sets and sorted lists."""
import ipaddress

BITS = (32, 128)
TOO_SHORT = (8, 16)


def apply(events, routes=None):
    """Adj-RIBs-In: (peer, family, addr, length, path id) to attributes. Whose an empty path is, MRT does not
    say; a path with the local AS in transit is a loop."""
    routes = {} if routes is None else routes
    for e in events:
        key = (e.peer, e.family, e.addr, e.length, e.path_id)
        if e.kind == "DOWN":
            for k in [k for k in routes if k[0] == e.peer]:
                del routes[k]
        elif e.kind == "W" or e.attr.bad or (e.local_as in e.attr.path and e.attr.origin != e.local_as):
            routes.pop(key, None)
        else:
            routes[key] = e.attr
    return routes


def union(ranges):
    out = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1][1] = max(out[-1][1], last)
        else:
            out.append([first, last])
    return out


def subtract(a, b):
    """Of sorted disjoint lists."""
    out, j = [], 0
    for first, last in a:
        while j < len(b) and b[j][1] < first:
            j += 1
        k = j
        while k < len(b) and b[k][0] <= last:
            if b[k][0] > first:
                out.append([first, b[k][0] - 1])
            first = b[k][1] + 1
            k += 1
        if first <= last:
            out.append([first, last])
    return out


def span(family, addr, length):
    return addr, addr + (1 << (BITS[family] - length)) - 1


def from_text(prefixes):
    out = []
    for text in prefixes:
        p = ipaddress.ip_network(text)
        out.append((int(p.network_address), int(p.broadcast_address)))
    return union(out)


def to_text(family, ranges):
    kind = (ipaddress.IPv4Address, ipaddress.IPv6Address)[family]
    out = []
    for first, last in ranges:
        while first <= last:
            free = min((first & -first).bit_length() - 1 if first else BITS[family], (last - first + 1).bit_length() - 1)
            out.append("%s/%d" % (kind(first), BITS[family] - free))
            first += 1 << free
    return out


class Network:
    """edges: name to (role, set of peers). All peers are external, as table dumps know no local AS."""

    def __init__(self, routes, edges):
        self.edges, self.edge_of = edges, {}
        for name, (_, peers) in edges.items():
            self.edge_of.update((p, name) for p in peers)
        self.customers = {n for n, (role, _) in edges.items() if role in ("customer", "stub")}
        self.all, self.usable, self.received = set(), [], {n: set() for n in edges}
        for (peer, family, addr, length, _), attr in routes.items():
            prefix = (family, addr, length)
            self.all.add(prefix)
            if length < TOO_SHORT[family]:
                continue
            edge = self.edge_of.get(peer)
            self.usable.append((prefix, attr, edge, peer))
            if edge:
                self.received[edge].add(prefix)
        self.by_origin, self.set_a = {}, set()
        for prefix, attr, edge, _ in self.usable:
            if attr.origin is not None:
                self.by_origin.setdefault(attr.origin, set()).add(prefix)
                if edge in self.customers:
                    self.set_a.add(attr.origin)
        self._best = None

    def undefined(self):
        """Prefixes of customers that no origin is known of."""
        known = set().union(*self.by_origin.values()) if self.by_origin else set()
        return {p for n in self.customers for p in self.received[n]} - known

    @staticmethod
    def best(paths):
        """RFC 4271 9.1.2.2 as far as it goes offline."""
        pref = lambda p: p[1].local_pref if p[1].local_pref is not None else 100
        for key in (lambda p: -pref(p), lambda p: p[1].hops, lambda p: p[1].origin_code):
            least = min(map(key, paths))
            paths = [p for p in paths if key(p) == least]
        paths = [p for p in paths
                 if not any(q[1].neighbor == p[1].neighbor and q[1].med < p[1].med for q in paths)]
        return min(paths, key=lambda p: p[3])

    def strict(self):
        """Range to the best path's edge and the customer edges of its prefix."""
        if self._best is not None:
            return self._best
        runs = {}
        for p in self.usable:
            runs.setdefault(p[0], []).append(p)
        self._best = []
        for family in (0, 1):
            order = sorted((p for p in runs if p[0] == family), key=lambda p: (p[1], p[2]))
            stack = []  # (last address, owner)
            at = 0

            def emit(until):
                nonlocal at
                while stack and at <= until:
                    last = min(until, stack[-1][0])
                    if at <= last:
                        self._best.append((family, at, last, stack[-1][1]))
                    at = max(at, last + 1)
                    if stack[-1][0] <= until:
                        stack.pop()
                    else:
                        break

            for prefix in order:
                first, last = span(*prefix)
                emit(first - 1)
                while stack and stack[-1][0] < first:
                    stack.pop()
                at = first
                best = self.best(runs[prefix])
                direct = {p[2] for p in runs[prefix] if p[2] in self.customers}
                stack.append((last, (best[2], direct or {best[2]})))
            emit((1 << BITS[family]) - 1)
        return self._best

    def prefixes(self, edge, mode):
        if mode == "feasible":
            return self.received[edge]
        if mode == "efp-a":
            mine = self.received[edge] if edge in self.customers else set()
            return set().union(*(self.by_origin[o] for o in self.set_a if self.by_origin[o] & mine))
        if mode == "efp-b":
            return set().union(*(self.received[n] for n in self.customers), *(self.by_origin[o] for o in self.set_a))
        if mode == "loose":
            return self.all
        assert mode == "loose-no-default"
        return {p for p in self.all if p[2] >= TOO_SHORT[p[0]]}

    def ranges(self, edge, mode, family):
        if mode == "strict":
            return union((f, l) for fam, f, l, o in self.strict() if fam == family and o[0] == edge)
        if mode == "strict-direct":
            return union((f, l) for fam, f, l, o in self.strict() if fam == family and edge in o[1])
        return union(span(*p) for p in self.prefixes(edge, mode) if p[0] == family)
