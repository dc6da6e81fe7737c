# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# story_network.sh - the network of tests/net/story and the programs in it; sourced after provider.sh
# and traffic.sh.
#
# The enterprise (edge, AS 64501) announces ISP A's prefix to pe-a (AS 64500) by BGP, and pe-a watches
# the link by BFD, which the enterprise's sav-agent answers. core prefers what pe-a announces; below it,
# a static route of distance 250 leads to pop-a, whose tunnel lives all the time. ISP B has given the
# enterprise one address, and that is the NAT's.

SRV4_1=203.0.113.10 SRV6_1=2001:db8:f::10
HOST_A4=192.0.2.10 HOST_A6=2001:db8:a:1::10 HOST_PRIVATE=10.9.0.10
A4=192.0.2.0/26 A6=2001:db8:a::/49
NAT4=198.51.100.1 B4=198.51.100.0/28
EDGE_WAN1=10.64.0.2
HEAD4=198.18.200.1 HEAD6=2001:db8:ff::1
HOLD_S=2
WEAK_METRIC=$((250 << 24))	# zebra's distance is the first byte of a kernel route's metric

story_network() {
	lab_ns host edge nat pe-a pe-b pop-a core server
	lab_link edge lan "192.0.2.1/26 10.9.0.1/24 2001:db8:a:1::1/64" \
		host eth0 "$HOST_A4/26 $HOST_PRIVATE/24 $HOST_A6/64"
	provider_default host 192.0.2.1 2001:db8:a:1::1
	lab_link edge wan0 "198.18.1.2/30 2001:db8:a0::2/64" pe-a cust "198.18.1.1/30 2001:db8:a0::1/64"
	lab_link edge wan1 $EDGE_WAN1/24 nat lan 10.64.0.1/24
	lab_link nat wan 198.18.2.2/30 pe-b cust 198.18.2.1/30
	lab_link pe-a net "198.18.11.2/30 2001:db8:11::2/64" core to-a "198.18.11.1/30 2001:db8:11::1/64"
	lab_link pe-b net 198.18.12.2/30 core to-b 198.18.12.1/30
	lab_link pop-a net "198.18.13.2/30 2001:db8:13::2/64" core to-p "198.18.13.1/30 2001:db8:13::1/64"
	lab_link core servers "203.0.113.1/24 2001:db8:f::1/64" server eth0 "$SRV4_1/24 $SRV6_1/64"
	provider_default server 203.0.113.1 2001:db8:f::1
	provider_default pe-a 198.18.11.1 2001:db8:11::1
	provider_default pop-a 198.18.13.1 2001:db8:13::1
	lab_address pop-a lo "$HEAD4/32 $HEAD6/128"
	story_link_b
	lab_route core $A4 198.18.13.2 metric $WEAK_METRIC
	lab_route core $A6 2001:db8:13::2 metric $WEAK_METRIC
	# what has no way to the customer does not go back and forth between the two
	ip -n pe-a route add unreachable $A4 metric $WEAK_METRIC
	ip -n pe-a route add unreachable $A6 metric $WEAK_METRIC
	in_ns pe-a nft add table inet silence
}

# The NAT translates what is private and no more: any other source, ISP B gets to see.
story_link_b() {
	lab_route nat default 198.18.2.1
	lab_route pe-b default 198.18.12.1
	lab_route pe-b $B4 198.18.2.2
	lab_route core $B4 198.18.12.2
	lab_route nat $A4 $EDGE_WAN1
	lab_address nat lo $NAT4/32
	in_ns nat nft "table ip nat { chain out { type nat hook postrouting priority srcnat;
		oifname wan ip saddr 10.0.0.0/8 meta l4proto { tcp, udp } snat to $NAT4:20000-30000 random;
		oifname wan ip saddr 10.0.0.0/8 snat to $NAT4; }; }"
	lab_route edge default 10.64.0.1 metric 200
}

# ---- routing

story_config_pe_a() {
	provider_router 64500 198.18.11.2
	provider_peers 64501 198.18.1.2 2001:db8:a0::2
	provider_peers 64500 198.18.11.1 2001:db8:11::1
	printf ' neighbor %s bfd profile fast\n' 198.18.1.2 2001:db8:a0::2
	provider_neighbor ipv4 198.18.1.2
	provider_neighbor ipv6 2001:db8:a0::2
	provider_neighbor ipv4 198.18.11.1 next-hop-self
	provider_neighbor ipv6 2001:db8:11::1 next-hop-self
}

story_config_core() {
	provider_router 64500 198.18.11.1
	provider_peers 64500 198.18.11.2 2001:db8:11::2
	provider_neighbor ipv4 198.18.11.2
	provider_neighbor ipv6 2001:db8:11::2
}

# It announces its prefix and takes no routes.
story_config_edge() {
	provider_router 64501 198.18.1.2
	provider_peers 64500 198.18.1.1 2001:db8:a0::1
	echo " timers bgp 1 3"
	provider_neighbor ipv4 198.18.1.1 "prefix-list NONE in"
	provider_neighbor ipv6 2001:db8:a0::1 "prefix-list NONE in"
	provider_networks ipv4 $A4
	provider_networks ipv6 $A6
	printf 'exit\nip prefix-list NONE deny any\nipv6 prefix-list NONE deny any\n'
}

# A router's bfdd, for its bgpd's neighbors.
story_bfdd() { # namespace
	local dir
	dir=$(frr_dir "$1")
	cat >"$dir/bfdd.conf" <<-END
		log file $LAB/log/$1.bfdd.log
		bfd
		 profile fast
		  transmit-interval 100
		  receive-interval 100
		 exit
		exit
	END
	# shellcheck disable=SC2086 # words
	lab_spawn "$1" "$1.bfdd" "$FRR_BIN/bfdd" $FRR_RUN_AS -f "$dir/bfdd.conf" -i "$dir/bfdd.pid" \
		-z "$dir/zserv.api" --vty_socket "$dir" --bfdctl "$dir/bfdd.sock" -A 127.0.0.1
}

# Without them a dead link is found by BGP, in seconds.
story_bfd_up() { # namespace sessions
	[ "$("$FRR_VTYSH" --vty_socket "$(frr_dir "$1")" -d bfdd -c 'show bfd peers json' |
		json 'sum(p["status"] == "up" for p in d)')" -eq "$2" ]
}

story_routing() {
	frr_start core < <(story_config_core)
	frr_start pe-a < <(story_config_pe_a)
	story_bfdd pe-a
	frr_start edge < <(story_config_edge)
	need 60 "BGP sessions of pe-a" bgp_established pe-a 4
}

# Both families leave core there.
return_by() { # interface
	[ "$(ip -n core -j route get $HOST_A4 | json 'd[0]["dev"]')" = "$1" ] &&
		[ "$(ip -n core -j route get $HOST_A6 | json 'd[0]["dev"]')" = "$1" ]
}
return_by_direct() { return_by to-a; }
return_by_tunnel() { return_by to-p; }

# All that the direct link carries is lost, in both directions, without a word.
silence() { # on|off
	if [ "$1" = off ]; then
		in_ns pe-a nft flush table inet silence
		return
	fi
	in_ns pe-a nft -f - <<-END
		table inet silence {
			chain in { type filter hook prerouting priority -400; iifname cust drop; }
			chain out { type filter hook postrouting priority raw; oifname cust drop; }
		}
	END
}

# ---- the ISPs' filters: strict, from the routers' own tables

story_savd() { # isp address router interface [router interface]
	local isp=$1 address=$2
	shift 2
	export SAVD=savd-$isp
	savd_start core
	{
		cat <<-END
			agent listen $address port $AGENT_PORT
			special-purpose permit 192.0.2.0/24
			special-purpose permit 198.51.100.0/24
			special-purpose permit 203.0.113.0/24
			special-purpose permit 198.18.0.0/15
			special-purpose permit 2001:db8::/32
		END
		while [ $# -gt 0 ]; do
			printf '%s\n' "router $1" exit "edge $1 $2" "role stub" "mode strict" "action enforce" exit
			shift 2
		done
	} | sav_configure >/dev/null || lab_give_up "savd's configuration"
}

story_agent() { # router controller
	must agent_enroll "$1" "$2"
	agent_start "$1" "$2"
}

# The tunnel's interface is an edge like another; it comes with sav-iked.
story_filters() {
	head_start
	story_savd a 198.18.11.1 pe-a cust pop-a branch
	story_agent pe-a 198.18.11.1:$AGENT_PORT
	story_agent pop-a 198.18.11.1:$AGENT_PORT
	story_savd b 198.18.12.1 pe-b cust
	story_agent pe-b 198.18.12.1:$AGENT_PORT
}

story_enforcing() {
	[ "$(story_ready a)" = 2 ] && [ "$(story_ready b)" = 1 ]
}
story_ready() { # isp
	SAVD=savd-$1 sav 'show edge json' |
		json 'sum(e["ready"] and e["inSync"] and e["action"] == "enforce" for e in d["edges"])'
}

# Packets that each filter has dropped: {"pe-b": packets, "edge": packets, ...}
story_counters() {
	{
		for pe in pe-a pe-b pop-a; do agent $pe 'show filter json' | json '
			{"'$pe'": sum(f["dropPackets"] for f in d["filters"])}'; done
		! lab_alive agent-edge || agent edge 'show site json' | json '{"edge": d["foreignPackets"]}'
	} | "$PYTHON" -c 'import json, sys
print(json.dumps({k: v for line in sys.stdin for k, v in json.loads(line).items()}))'
}

# ---- the enterprise, and the head end

site_start() {
	mkdir -p "$(agent_dir edge)"
	cat >"$(agent_dir edge)/agent.conf" <<-END
		provider a
		 link wan0 gateway 198.18.1.1 gateway6 2001:db8:a0::1
		 prefix $A4
		 prefix $A6
		 bfd interval 100 multiplier 3
		 probe interval 100 multiplier 3
		 hold $HOLD_S
		exit
		provider b
		 link wan1
		 prefix from address wan1
		 nat
		exit
		provider a
		 tunnel pop via wan1 head $HEAD4 head6 $HEAD6
		exit
		site
		 inside lan
		 default-provider b
		exit
	END
	# nobody is there: a site needs no controller
	agent_start edge 192.0.2.1:1
	need 60 "the agent answers" agent edge 'show site json'
}

path() { agent edge "show site path json" | json "next(p for p in d if p['name'] == '$1')['$2']"; }
path_is() { [ "$(path "$1" "$2")" = "$3" ]; }
site_uses() { # path...
	local p
	for p; do path_is "$p" usedIpv4 1 || return 1; done
}

# Packets leave with the mark that steering has for this link.
link_config() {
	printf 'link isp-b\n source %s\n mark %s\nexit\n' $EDGE_WAN1 "$(path wan1 mark)"
}

tunnel_config() { # name head's-address head's-identity
	cat <<-END
		tunnel $1
		 via isp-b
		 peer address $2
		 identity local fqdn enterprise.example
		 identity remote fqdn $3
		 authentication local psk
		 authentication remote psk
		 psk file psk
		 selector local $A4
		 selector local $A6
		 selector remote 0.0.0.0/0
		 selector remote ::/0
		 datapath user
		 start auto
		exit
	END
}

tunnel_start() {
	iked_start edge < <(link_config; tunnel_config pop 198.18.13.2 pop.isp-a.example)
}

head_iked() { # namespace address identity
	iked_start "$1" < <(cat <<-END
		link isp-a
		 source $2
		exit
		tunnel enterprise
		 via isp-a
		 identity local fqdn $3
		 identity remote fqdn enterprise.example
		 authentication local psk
		 authentication remote psk
		 psk file psk
		 selector local 0.0.0.0/0
		 selector local ::/0
		 selector remote $A4
		 selector remote $A6
		 datapath user
		 device branch
		exit
	END
	)
}

# What is for the enterprise goes into the tunnel.
head_routes() { # namespace
	need 60 "the head end's interface" ip -n "$1" link show branch
	ip -n "$1" route replace $A4 dev branch
	ip -n "$1" route replace $A6 dev branch
}

head_start() {
	head_iked pop-a 198.18.13.2 pop.isp-a.example
	head_routes pop-a
}

# ---- a listener on every link that leads away from the enterprise

STORY_LINKS=()
story_sniff() { # name namespace interface prefix...
	local name=$1 ns=$2 interface=$3
	shift 3
	STORY_LINKS+=("$name")
	lab_spawn "$ns" "link-$name" "$PYTHON" "$LAB_SRC/tests/net/story_links.py" "$interface" "$LAB/phases/link-$name" "$@"
	need 60 "a listener on $name" grep -q ready "$LAB/log/link-$name.out"
}

# By each link its ISP's addresses may come: the prefix, and those of the link itself.
story_sniff_start() {
	local of_a="$A4 $A6" of_link_a="198.18.1.0/30 2001:db8:a0::/64"
	# shellcheck disable=SC2086 # words
	{
		story_sniff direct pe-a cust $of_a $of_link_a fe80::/10 ::/128
		story_sniff tunnel pop-a branch $of_a
		story_sniff nat nat lan $EDGE_WAN1/32 fe80::/10 ::/128
		story_sniff b pe-b cust $NAT4/32 198.18.2.2/32 fe80::/10 ::/128
		story_sniff core-a core to-a $of_a $of_link_a 198.18.11.2/32 2001:db8:11::2/128 fe80::/10 ::/128
		story_sniff core-b core to-b $NAT4/32 198.18.12.2/32 fe80::/10 ::/128
		story_sniff core-p core to-p $of_a 198.18.13.2/32 $HEAD4/32 2001:db8:13::2/128 $HEAD6/128 fe80::/10 ::/128
	}
}

story_sniff_stop() {
	local name
	agent edge 'show site path json' | json 'sum(p["egressDroppedPackets"] for p in d)' >"$LAB/phases/held-back"
	for name in "${STORY_LINKS[@]}"; do lab_kill "link-$name"; done
}
