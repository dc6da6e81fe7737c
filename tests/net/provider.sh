# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# provider.sh - the network that the demonstration and most tests share; sourced after lab.sh.
#
#                host-a -- cpe-a (AS 64501) --+               +-- ctl (savd)
#                                  attacker --+-- pe1 --+     |
#                                               /       +-- core -- server
#                host-b -- cpe-b (AS 64502) ---+-- pe2 --+
#
# pe1 and pe2 are the provider's edges (AS 64500, zebra and bgpd, iBGP between them). Customer A has
# one link, to pe1, and an attacker sits on it. Customer B has two: it announces prefix 1 on its link
# to pe1 only and prefix 2 on both, and sends sources of either on both (RFC 8704, figure 1).
# Every route that packets need is static and in the kernel: what is lost was dropped by a filter.

CTL4=192.0.2.10
BMP_PORT=11019 AGENT_PORT=11020
export AGENT_CONTROLLER=$CTL4:$AGENT_PORT

# Customer A, its second prefix, customer B's two, the server's two addresses.
A4=198.18.1.0/24      A6=2001:db8:a::/48
A2_4=198.18.2.0/26    A2_6=2001:db8:a2::/52
B1_4=198.51.100.0/24  B1_6=2001:db8:b1::/48
B2_4=203.0.113.0/24   B2_6=2001:db8:b2::/48
SRV4=198.19.0.0/24    SRV6=2001:db8:f::/48
SRV4_1=198.19.0.10    SRV6_1=2001:db8:f::10
SRV4_2=198.19.0.20    SRV6_2=2001:db8:f::20	# customer B reaches this one by its link 2
OWN4=192.0.2.0/24     OWN6=2001:db8::/48

provider_network() {
	lab_ns pe1 pe2 core ctl server cpe-a host-a attacker cpe-b host-b
	provider_core
	provider_customer_a
	provider_customer_b
}

provider_core() {
	local n
	ip -n core link add lan type bridge mcast_snooping 0
	ip -n core link set lan up
	provider_core_host pe1 1
	provider_core_host pe2 2
	provider_core_host ctl 10
	provider_core_host server 20
	lab_address server lo "$SRV4_1/32 $SRV4_2/32 $SRV6_1/128 $SRV6_2/128"
	for n in pe1 pe2; do
		lab_route $n $SRV4 192.0.2.20
		lab_route $n $SRV6 2001:db8:0:1::20
	done
	# the core: customers by pe1 (so answers to B never use link 2), B's link 2 by pe2
	for n in server ctl; do
		lab_route $n default 192.0.2.1
		ip -n $n -6 route add default via 2001:db8:0:1::1
		lab_route $n 192.0.2.76/30 192.0.2.2
		lab_route $n 2001:db8:0:b2::/64 2001:db8:0:1::2
	done
	lab_route pe2 "192.0.2.64/28 $A4 $A2_4" 192.0.2.1
	lab_route pe2 "2001:db8:0:a::/64 2001:db8:0:b1::/64 $A6 $A2_6" 2001:db8:0:1::1
	lab_route pe1 192.0.2.76/30 192.0.2.2
	lab_route pe1 2001:db8:0:b2::/64 2001:db8:0:1::2
}

# A machine on the core's network.
provider_core_host() { # namespace number
	lab_link "$1" core "192.0.2.$2/26 2001:db8:0:1::$2/64" core "port$2" ""
	ip -n core link set "port$2" master lan
}

# The attacker is on the same wire as A's own router.
provider_customer_a() {
	ip -n cpe-a link add wan type bridge mcast_snooping 0
	lab_address cpe-a wan "192.0.2.66/29 2001:db8:0:a::2/64"
	lab_link pe1 cust-a "192.0.2.65/29 2001:db8:0:a::1/64" cpe-a uplink ""
	lab_link attacker eth0 "192.0.2.67/29 2001:db8:0:a::3/64" cpe-a tap ""
	ip -n cpe-a link set uplink master wan
	ip -n cpe-a link set tap master wan
	lab_link cpe-a lan "198.18.1.1/24 198.18.2.1/26 2001:db8:a::1/64 2001:db8:a2::1/64" \
		host-a eth0 "198.18.1.10/24 198.18.2.10/26 2001:db8:a::10/64 2001:db8:a2::10/64"
	provider_default host-a 198.18.1.1 2001:db8:a::1
	provider_default cpe-a 192.0.2.65 2001:db8:0:a::1
	provider_default attacker 192.0.2.65 2001:db8:0:a::1
	lab_route pe1 "$A4 $A2_4" 192.0.2.66
	lab_route pe1 "$A6 $A2_6" 2001:db8:0:a::2
}

provider_customer_b() {
	lab_link pe1 cust-b "192.0.2.73/30 2001:db8:0:b1::1/64" cpe-b link1 "192.0.2.74/30 2001:db8:0:b1::2/64"
	lab_link cpe-b lan "198.51.100.1/24 203.0.113.1/24 2001:db8:b1::1/64 2001:db8:b2::1/64" \
		host-b eth0 "198.51.100.10/24 203.0.113.10/24 2001:db8:b1::10/64 2001:db8:b2::10/64"
	provider_default host-b 198.51.100.1 2001:db8:b1::1
	provider_default cpe-b 192.0.2.73 2001:db8:0:b1::1
	lab_route pe1 "$B1_4 $B2_4" 192.0.2.74
	lab_route pe1 "$B1_6 $B2_6" 2001:db8:0:b1::2
	provider_link_b2
}

# Customer B's second link and the routes that need it.
provider_link_b2() {
	lab_link pe2 cust-b "192.0.2.77/30 2001:db8:0:b2::1/64" cpe-b link2 "192.0.2.78/30 2001:db8:0:b2::2/64"
	lab_route cpe-b $SRV4_2 192.0.2.77
	lab_route cpe-b $SRV6_2 2001:db8:0:b2::1
	lab_route pe2 "$B1_4 $B2_4" 192.0.2.78
	lab_route pe2 "$B1_6 $B2_6" 2001:db8:0:b2::2
}

provider_default() { # namespace gateway4 gateway6
	ip -n "$1" route add default via "$2"
	ip -n "$1" -6 route add default via "$3"
}

# ---- BGP

# Statements for one neighbor in one family, everything kept for pre-policy BMP.
provider_neighbor() { # family neighbor [statement...]
	local family=$1 neighbor=$2 s
	shift 2
	echo " address-family $family unicast"
	for s in activate "soft-reconfiguration inbound" "$@"; do echo "  neighbor $neighbor $s"; done
	echo " exit-address-family"
}

provider_router() { # as router-id
	cat <<-END
		router bgp $1
		 bgp router-id $2
		 no bgp default ipv4-unicast
		 no bgp ebgp-requires-policy
		 no bgp network import-check
		 timers bgp 3 9
	END
}

provider_peers() { # as address...
	local as=$1 p
	shift
	for p; do
		printf ' neighbor %s remote-as %s\n neighbor %s timers connect 1\n' "$p" "$as" "$p"
		printf ' neighbor %s advertisement-interval 0\n' "$p"
	done
}

# By the router's agent if PROVIDER_RELAY is set, else straight to savd.
provider_bmp() {
	local f to=$CTL4
	[ -z "${PROVIDER_RELAY:-}" ] || to=127.0.0.1
	echo " bmp targets opensav"
	echo "  bmp stats interval 5000"
	for f in ipv4 ipv6; do
		printf '  bmp monitor %s unicast pre-policy\n  bmp monitor %s unicast post-policy\n' $f $f
	done
	echo "  bmp connect $to port $BMP_PORT min-retry 100 max-retry 500"
	echo " exit"
}

# A announces a part of B's space too; pe1's policy does not believe it.
provider_config_pe1() {
	provider_router 64500 192.0.2.1
	provider_peers 64500 192.0.2.2 2001:db8:0:1::2
	provider_peers 64501 192.0.2.66 2001:db8:0:a::2
	provider_peers 64502 192.0.2.74 2001:db8:0:b1::2
	provider_neighbor ipv4 192.0.2.2
	provider_neighbor ipv6 2001:db8:0:1::2
	provider_neighbor ipv4 192.0.2.66 "prefix-list A in"
	provider_neighbor ipv6 2001:db8:0:a::2 "prefix-list A in"
	provider_neighbor ipv4 192.0.2.74
	provider_neighbor ipv6 2001:db8:0:b1::2
	provider_bmp
	echo exit
	echo "ip prefix-list A permit 198.18.0.0/15 le 26"
	echo "ipv6 prefix-list A permit 2001:db8:a::/48"
	echo "ipv6 prefix-list A permit 2001:db8:a2::/48 le 64"
}

provider_config_pe2() {
	provider_router 64500 192.0.2.2
	provider_peers 64500 192.0.2.1 2001:db8:0:1::1
	provider_peers 64502 192.0.2.78 2001:db8:0:b2::2
	provider_neighbor ipv4 192.0.2.1
	provider_neighbor ipv6 2001:db8:0:1::1
	provider_neighbor ipv4 192.0.2.78
	provider_neighbor ipv6 2001:db8:0:b2::2
	provider_bmp
}

provider_networks() { # family prefix...
	local family=$1 p
	shift
	echo " address-family $family unicast"
	for p; do echo "  network $p"; done
	echo " exit-address-family"
}

provider_config_cpe_a() {
	provider_router 64501 192.0.2.66
	provider_peers 64500 192.0.2.65 2001:db8:0:a::1
	provider_neighbor ipv4 192.0.2.65
	provider_neighbor ipv6 2001:db8:0:a::1
	provider_networks ipv4 $A4 $A2_4 203.0.113.128/25
	provider_networks ipv6 $A6 $A2_6 2001:db8:b2:8000::/49
}

provider_config_cpe_b() {
	provider_router 64502 192.0.2.74
	provider_peers 64500 192.0.2.73 192.0.2.77 2001:db8:0:b1::1 2001:db8:0:b2::1
	provider_neighbor ipv4 192.0.2.73
	provider_neighbor ipv4 192.0.2.77 "prefix-list BOTH out"
	provider_neighbor ipv6 2001:db8:0:b1::1
	provider_neighbor ipv6 2001:db8:0:b2::1 "prefix-list BOTH out"
	provider_networks ipv4 $B1_4 $B2_4
	provider_networks ipv6 $B1_6 $B2_6
	echo exit
	echo "ip prefix-list BOTH permit $B2_4"
	echo "ipv6 prefix-list BOTH permit $B2_6"
}

provider_bgp() {
	frr_start pe1 < <(provider_config_pe1)
	frr_start pe2 < <(provider_config_pe2)
	frr_start cpe-a < <(provider_config_cpe_a)
	frr_start cpe-b < <(provider_config_cpe_b)
	need 60 "BGP sessions of pe1" bgp_established pe1 6
	need 60 "BGP sessions of pe2" bgp_established pe2 4
}

# ---- OpenSAV

provider_savd_config() { # observe|enforce
	sav_configure <<-END
		${PROVIDER_RELAY:+# }feed bmp listen $CTL4 port $BMP_PORT
		agent listen $CTL4 port $AGENT_PORT
		special-purpose permit 192.0.2.0/24
		special-purpose permit 198.51.100.0/24
		special-purpose permit 203.0.113.0/24
		special-purpose permit 198.18.0.0/15
		special-purpose permit 2001:db8::/32
		own-prefix $OWN4
		own-prefix $OWN6
		router pe1
		exit
		router pe2
		exit
		customer A
		 as 64501
		exit
		customer B
		 as 64502
		 prefix $B1_4
		 prefix $B2_4
		 prefix $B1_6
		 prefix $B2_6
		exit
		edge pe1 cust-a
		 customer A
		 role customer
		 mode feasible
		 action $1
		exit
		edge pe1 cust-b
		 customer B
		 role customer
		 mode feasible
		 action $1
		exit
		edge pe2 cust-b
		 customer B
		 role customer
		 mode feasible
		 action $1
		exit
	END
}

provider_action() { # observe|enforce
	sav "configure terminal" "edge pe1 cust-a" "action $1" "edge pe1 cust-b" "action $1" \
		"edge pe2 cust-b" "action $1"
}

# Neighbours know each other, and nothing that follows is lost to address resolution.
provider_warm_up() {
	local a
	for a in $SRV4_1 $SRV6_1; do
		need 60 "A reaches $a" in_ns host-a ping -c 1 -W 1 -q "$a"
		need 60 "the attacker reaches $a" in_ns attacker ping -c 1 -W 1 -q "$a"
	done
	for a in $SRV4_1 $SRV4_2 $SRV6_1 $SRV6_2; do
		need 60 "B reaches $a" in_ns host-b ping -c 1 -W 1 -q "$a"
	done
}

# explain gives this verdict for all of the addresses.
provider_explains() { # router interface accept|drop address...
	local router=$1 interface=$2 verdict=$3 a
	shift 3
	for a; do
		[ "$(sav "explain $router $interface $a json" | json 'd["verdict"]')" = "$verdict" ] || return 1
	done
}

# What every edge's filter has dropped, or would have: {"pe1/cust-a": packets, ...}
provider_counters() {
	local pe
	for pe in pe1 pe2; do agent $pe 'show filter json' | json '
		{"'$pe'/" + f["interface"]: f["dropPackets"] for f in d["filters"]}'; done |
		"$PYTHON" -c 'import json, sys
print(json.dumps({k: v for line in sys.stdin for k, v in json.loads(line).items()}))'
}

# All programs have found each other again, and the routers hold what savd wants.
provider_connected() { # observe|enforce
	provider_agents_connected && provider_feeds_connected &&
		[ "$(sav 'show edge json' | json 'all(e["inSync"] and e["action"] == "'"$1"'" for e in d["edges"])')" = 1 ]
}

# A shell in the lab, with the commands that are worth trying.
provider_hold() {
	cat <<-END

		The network stays until you leave this shell. To look around:
		  savsh                                  OpenSAV's shell (show edge, explain pe1 cust-a 10.1.2.3)
		  ip netns exec pe1 nft list ruleset     the filter in the kernel
		  ip netns exec host-a ping $SRV4_1
		  ls $LAB/log
	END
	(
		cd "$LAB" || exit
		printf '#!/bin/sh\nexec "%s/savsh" --vty_socket "%s" "$@"\n' "$OPENSAV_BUILD" "$(savd_dir)" >"$LAB/savsh"
		chmod +x "$LAB/savsh"
		PATH=$LAB:$PATH PS1='lab# ' "$BASH" --norc -i
	)
}

provider_agents_connected() {
	[ "$(sav 'show agent json' | json 'sum(a["connected"] for a in d["agents"])')" -eq 2 ]
}

provider_feeds_connected() {
	[ "$(sav 'show feed json' | json 'len({f["router"] for f in d["feeds"]} & {"pe1", "pe2"})')" -eq 2 ]
}

# Every edge has its set, in this action, and its router's kernel holds it.
provider_ready() { # observe|enforce
	[ "$(sav 'show edge json' | json 'len(d["edges"]) == 3 and all(
		e["ready"] and e["inSync"] and e["agentConnected"] and e["action"] == "'"$1"'" for e in d["edges"])')" = 1 ]
}

# savd and both agents, configured.
provider_opensav_start() { # observe|enforce
	local pe
	savd_start ctl
	must provider_savd_config "$1"
	for pe in pe1 pe2; do
		must agent_enroll $pe "$AGENT_CONTROLLER"
		[ -z "${PROVIDER_RELAY:-}" ] ||
			echo "bmp relay listen 127.0.0.1 port $BMP_PORT" >"$(agent_dir $pe)/agent.conf"
		agent_start $pe "$AGENT_CONTROLLER"
	done
	need 60 "agents are connected" provider_agents_connected
}

# The same, and all edges are in this action.
provider_opensav() { # observe|enforce
	provider_opensav_start "$1"
	need 150 "edges $1" provider_ready "$1"
}
