# SPDX-License-Identifier: GPL-2.0-or-later
"""An example of every configuration command.

A command that the grammar has and this list has not fails tests/cli/grammar: add a line for it.
Each: the node (as one enters it), the command as `list` prints it, the command that takes it
back, what to type, what to type to come back to the state before, and what must be there first.
"""

from collections import namedtuple

Example = namedtuple("Example", "node command undo_command line undo first")

# What the examples find.
BASE = """router r1
exit
router r2
exit
customer c1
exit
edge r1 eth0
exit
radius client bng1
exit
radius rule 10
exit
"""

ADDRESS, PREFIX = "<A.B.C.D|X:X::X:X>", "<A.B.C.D/M|X:X::X:X/M>"
TERMS = " [from TIME] [until TIME] [allow-overlap]"


def plain(node, command, line, first=()):
    """[no] COMMAND"""
    return Example(node, "[no] " + command, "[no] " + command, line, "no " + line, first)


def pair(node, command, undo_command, line, undo, first=()):
    return Example(node, command, undo_command, line, undo, first)


# A secret as this savd prints it, which only itself can read.
SEALED = "encrypted SEALED"

NEIGHBOR = "bgp neighbor 192.0.2.7 as 65000"
EXAMPLES = [
    plain("", f"feed bmp listen {ADDRESS} port (1-65535)", "feed bmp listen 127.0.0.1 port 11019"),
    plain("", f"feed bmp listen {ADDRESS} port (1-65535)", "feed bmp listen ::1 port 11019"),
    pair("", f"feed bmp allow {PREFIX} [password WORD]", f"no feed bmp allow {PREFIX} [password WORD]",
         "feed bmp allow 192.0.2.0/24", "no feed bmp allow 192.0.2.0/24"),
    pair("", f"feed bmp allow {PREFIX} [password WORD]", f"no feed bmp allow {PREFIX} [password WORD]",
         "feed bmp allow 2001:db8::/32 password s3cret", "no feed bmp allow 2001:db8::/32 password s3cret"),
    pair("", "feed max-paths (1000-1000000000)", "no feed max-paths [(1000-1000000000)]", "feed max-paths 2000000",
         "no feed max-paths"),
    plain("", f"agent listen {ADDRESS} port (1-65535)", "agent listen 127.0.0.1 port 11020"),
    plain("", f"metrics listen {ADDRESS} port (1-65535)", "metrics listen 127.0.0.1 port 11021"),
    plain("", f"own-prefix {PREFIX}", "own-prefix 203.0.113.0/24"),
    plain("", f"own-prefix {PREFIX}", "own-prefix 2001:db8:1::/48"),
    plain("", f"special-purpose permit {PREFIX}", "special-purpose permit 100.64.0.0/10"),
    pair("", "history days (1-3650)", "no history days [(1-3650)]", "history days 90", "no history days"),
    pair("", "history megabytes (1-1048576)", "no history megabytes [(1-1048576)]", "history megabytes 100",
         "no history megabytes 100"),
    plain("", f"radius listen accounting {ADDRESS} [port (1-65535)]", "radius listen accounting 127.0.0.1 port 11813"),
    plain("", f"radius listen dynamic-authorization {ADDRESS} [port (1-65535)]",
          "radius listen dynamic-authorization ::1 port 13799"),
    pair("", "radius client NAME", "no radius client NAME", "radius client bng9", "no radius client bng9"),
    pair("", "radius rule (1-65535)", "no radius rule (1-65535)", "radius rule 65535", "no radius rule 65535"),
    pair("", f"radius server {ADDRESS} [port (1-65535)] secret WORD", f"no radius server {ADDRESS} [port (1-65535)]",
         "radius server 192.0.2.53 port 11812 secret s3cret", "no radius server 192.0.2.53 port 11812"),
    pair("", f"radius server {ADDRESS} [port (1-65535)] secret encrypted WORD",
         f"no radius server {ADDRESS} [port (1-65535)]", f"radius server 2001:db8::53 secret {SEALED}",
         "no radius server 2001:db8::53"),
    pair("", "radius conflict <newest|refuse|both>", "no radius conflict [<newest|refuse|both>]",
         "radius conflict refuse", "no radius conflict"),
    pair("", "radius event-timestamp (0-604800)", "no radius event-timestamp [(0-604800)]",
         "radius event-timestamp 60", "no radius event-timestamp"),
    pair("", "radius interim-silence (0-604800) [hold (0-604800)]",
         "no radius interim-silence [(0-604800) [hold (0-604800)]]", "radius interim-silence 7200 hold 60",
         "no radius interim-silence"),
    pair("", "radius prefix-length <ipv4|ipv6> minimum (1-128) maximum (1-128)",
         "no radius prefix-length <ipv4|ipv6> [minimum (1-128) maximum (1-128)]",
         "radius prefix-length ipv6 minimum 40 maximum 64", "no radius prefix-length ipv6"),
    pair("", "radius vendor (1-16777215)", "no radius vendor [(1-16777215)]", "radius vendor 4242",
         "no radius vendor"),
    pair("", "radius profile user-name FORMAT", "no radius profile user-name [FORMAT]",
         "radius profile user-name %n@%r", "no radius profile user-name"),
    pair("", "radius profile password WORD", "no radius profile password [WORD]", "radius profile password s3cret",
         "no radius profile password"),
    pair("", "radius profile password encrypted WORD", "no radius profile password [WORD]",
         f"radius profile password {SEALED}", "no radius profile password"),
    pair("", "radius profile refresh (60-604800)", "no radius profile refresh [(60-604800)]",
         "radius profile refresh 600", "no radius profile refresh"),
    pair("", "router NAME", "no router NAME", "router r9", "no router r9"),
    pair("", "customer NAME", "no customer NAME", "customer c9", "no customer c9"),
    pair("", "edge ROUTER INTERFACE", "no edge ROUTER INTERFACE", "edge r2 xe-0.100", "no edge r2 xe-0.100"),

    plain("router r1", f"bmp source {ADDRESS}", "bmp source 192.0.2.1"),
    pair("router r1", "bmp stats-interval (1-86400)", "no bmp stats-interval [(1-86400)]", "bmp stats-interval 30",
         "no bmp stats-interval"),
    pair("router r1", "bmp redump-interval (600-2592000)", "no bmp redump-interval [(600-2592000)]",
         "bmp redump-interval 86400", "no bmp redump-interval 86400"),
    plain("router r1", f"exclude peer {ADDRESS}", "exclude peer 2001:db8::7"),
    plain("router r1", "exclude bgp", "exclude bgp"),
    pair("router r1", f"bgp neighbor {ADDRESS} as (1-4294967295) [port (1-65535)]",
         f"no bgp neighbor [{ADDRESS} [as (1-4294967295) [port (1-65535)]]]",
         "bgp neighbor 192.0.2.7 as 4200000000 port 1790", "no bgp neighbor"),
    pair("router r1", "bgp password WORD", "no bgp password [WORD]", "bgp password s3cret", "no bgp password",
         [NEIGHBOR]),

    pair("customer c1", "as (1-4294967295)", "no as [(1-4294967295)]", "as 65001", "no as"),
    pair("customer c1", f"prefix {PREFIX}{TERMS}", f"no prefix {PREFIX}{TERMS}", "prefix 198.51.100.0/24",
         "no prefix 198.51.100.0/24"),
    pair("customer c1", f"prefix {PREFIX}{TERMS}", f"no prefix {PREFIX}{TERMS}",
         "prefix 2001:db8:7::/48 from 2026-01-01 until 2046-01-01T12:30 allow-overlap",
         "no prefix 2001:db8:7::/48"),

    plain("radius client bng1", "address <A.B.C.D|X:X::X:X|A.B.C.D/M|X:X::X:X/M>", "address 192.0.2.0/28"),
    plain("radius client bng1", "address <A.B.C.D|X:X::X:X|A.B.C.D/M|X:X::X:X/M>", "address 2001:db8::1"),
    pair("radius client bng1", "secret WORD", "no secret [WORD]", "secret s3cret", "no secret"),
    pair("radius client bng1", "secret encrypted WORD", "no secret [WORD]", f"secret {SEALED}", "no secret"),
    plain("radius client bng1", f"pool {PREFIX}", "pool 100.64.0.0/10"),
    pair("radius client bng1", "router NAME", "no router [NAME]", "router r1", "no router"),
    plain("radius client bng1", "message-authenticator", "message-authenticator"),
    plain("radius client bng1", "dynamic-authorization", "dynamic-authorization"),

    pair("radius rule 10", "client PATTERN", "no client [PATTERN]", "client bng*", "no client"),
    pair("radius rule 10", "nas PATTERN", "no nas [PATTERN]", "nas bng?.example.net", "no nas"),
    pair("radius rule 10", "port PATTERN", "no port [PATTERN]", "port ge-0/0/1:*", "no port"),
    pair("radius rule 10", "station PATTERN", "no station [PATTERN]", "station 00-11-22-*", "no station"),
    pair("radius rule 10", "attribute (1-255) [vendor (1-16777215)] [value PATTERN]",
         "no attribute [(1-255) [vendor (1-16777215)] [value PATTERN]]", "attribute 4 vendor 32473 value pppoe*",
         "no attribute"),
    pair("radius rule 10", "edge ROUTER INTERFACE [create <customer|stub|host|peer|provider|internal>]",
         "no edge [ROUTER INTERFACE]", "edge r1 ppp%n create host", "no edge"),

    pair("edge r1 eth0", "customer NAME", "no customer [NAME]", "customer c1", "no customer"),
    pair("edge r1 eth0", "role <customer|stub|host|peer|provider|internal>",
         "no role [<customer|stub|host|peer|provider|internal>]", "role customer", "no role customer"),
    pair("edge r1 eth0",
         "mode <acl|strict|strict-direct|feasible|efp-a|efp-b|loose|loose-no-default|egress|off>", "no mode [WORD]",
         "mode loose-no-default", "no mode"),
    pair("edge r1 eth0", "mode feasible paths (1-64)", "no mode feasible paths [(1-64)]", "mode feasible paths 3",
         "no mode"),
    pair("edge r1 eth0", "pending <observe|drop>", "no pending [<observe|drop>]", "pending drop", "no pending"),
    pair("edge r1 eth0", "profile NAME", "no profile [NAME]", "profile gold", "no profile"),
    pair("edge r1 eth0", "action <observe|enforce>", "no action [<observe|enforce>]", "action enforce", "no action"),
    plain("edge r1 eth0", f"peer {ADDRESS}", "peer 192.0.2.9"),
    plain("edge r1 eth0", f"prefix {PREFIX}", "prefix 192.0.2.0/25"),
    pair("edge r1 eth0", "holddown (0-86400)", "no holddown [(0-86400)]", "holddown 60", "no holddown"),
    pair("edge r1 eth0", "brake shrink (1-100)", "no brake shrink [(1-100)]", "brake shrink 20", "no brake shrink"),
    pair("edge r1 eth0", "brake growth (0-100000)", "no brake growth [(0-100000)]", "brake growth 0",
         "no brake growth"),
    pair("edge r1 eth0", "stale (60-4294967) <hold|loose|off>", "no stale", "stale 7200 loose", "no stale"),
]

# Commands of libfrr itself, by their beginnings; those of ours need an example.
LIBFRR = ("allow-reserved-ranges", "banner", "clear", "configuration", "configure", "debug", "disable", "do ", "domainname",
          "enable", "end", "exit", "find", "frr ", "help", "hostname", "line ", "list", "log ", "logmsg", "output",
          "password", "quit", "service", "show", "terminal", "who", "write", "yang")
# Ours that act and are no part of the configuration.
ACTIONS = ("commit", "rollback", "+")
