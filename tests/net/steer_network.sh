# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# steer_network.sh - the network of tests/net/steer and its neighbours, with a site's agent and a sniffer
# on every link; sourced after lab_enter.
#
#   hosts inside: pub (addresses of both providers), priv (10.9/16, fd00:9::/64), odd (of no provider)
#
#   pub --+            +-- wan0 -- ispa --+
#   priv -+-- edge ----+                  +-- net (server) -- popa
#   odd --+            +-- wan1 -- ispb --+
#                      tunnel "pop" over wan1 to popa, provider A's other end
#
#   steer_begin            starts the sniffers, the site, the tunnel (steer_tunnel), the servers
#   ...                    agent.conf in $(agent_dir edge) is there before
#   steer_sniffed          a test of each sniffer: nothing foreign in the whole run

TOOL="$PYTHON $LAB_SRC/tests/net/steer_tool.py"
FLOWS=()

SERVER=203.0.113.100 SERVER6=2001:db8:f::100
A_OUT="192.0.2.0/24 198.18.1.2/32 2001:db8:a::/48 2001:db8:a0::2/128 fe80::/10 ::/128"
B_OUT="198.51.100.0/24 198.18.2.2/32 198.18.2.77/32 2001:db8:b::/48 2001:db8:b0::2/128 fe80::/10 ::/128"
POP_OUT="192.0.2.0/24 198.18.1.2/32 2001:db8:a::/48 2001:db8:a0::2/128 fe80::/10 ::/128"

# ---- the network

lab_ns edge pub priv odd ispa ispb net popa
for h in pub priv odd; do
	ip -n edge link add lan type bridge 2>/dev/null
	ip link add eth0 netns $h type veth peer name "to-$h" netns edge
	ip -n edge link set "to-$h" master lan up
	ip -n $h link set eth0 up
done
lab_address edge lan "192.0.2.1/26 198.51.100.1/26 10.9.0.1/16 2001:db8:a:1::1/64 2001:db8:b:1::1/64 fd00:9::1/64 203.0.113.65/28 2001:db8:dd::1/64"
lab_address pub eth0 "192.0.2.10/26 198.51.100.10/26 2001:db8:a:1::10/64 2001:db8:b:1::10/64"
lab_address priv eth0 "10.9.0.10/16 fd00:9::10/64"
lab_address odd eth0 "203.0.113.66/28 2001:db8:dd::10/64"
lab_route pub default 192.0.2.1
lab_route pub ::/0 2001:db8:a:1::1
lab_route priv default 10.9.0.1
lab_route priv ::/0 fd00:9::1
lab_route odd default 203.0.113.65
lab_route odd ::/0 2001:db8:dd::1
lab_link edge wan0 "198.18.1.2/24 2001:db8:a0::2/64" ispa c0 "198.18.1.1/24 2001:db8:a0::1/64"
lab_link edge wan1 "198.18.2.2/24 2001:db8:b0::2/64" ispb c0 "198.18.2.1/24 2001:db8:b0::1/64"
lab_link ispa n0 "198.18.11.2/24 2001:db8:11::2/64" net a0 "198.18.11.1/24 2001:db8:11::1/64"
lab_link ispb n0 "198.18.12.2/24 2001:db8:12::2/64" net b0 "198.18.12.1/24 2001:db8:12::1/64"
lab_link popa n0 "198.18.13.2/24 2001:db8:13::2/64" net p0 "198.18.13.1/24 2001:db8:13::1/64"
ip -n net address add $SERVER/32 dev lo
ip -n net address add $SERVER6/128 dev lo
for n in ispa ispb popa; do
	case $n in ispa) g=11 ;; ispb) g=12 ;; popa) g=13 ;; esac
	lab_route $n default 198.18.$g.1
	lab_route $n ::/0 2001:db8:$g::1
done
lab_route ispa 192.0.2.0/24 198.18.1.2
lab_route ispa 2001:db8:a::/48 2001:db8:a0::2
lab_route ispb 198.51.100.0/24 198.18.2.2
lab_route ispb 2001:db8:b::/48 2001:db8:b0::2
lab_route net "198.18.2.0/24 198.51.100.0/24" 198.18.12.2
lab_route net "2001:db8:b0::/64 2001:db8:b::/48" 2001:db8:12::2
# the edge has a default route by each link, as DHCP clients leave them
lab_route edge default 198.18.1.1 metric 100
lab_route edge default 198.18.2.1 metric 200
lab_route edge ::/0 2001:db8:a0::1 metric 100
lab_route edge ::/0 2001:db8:b0::1 metric 200
# A's customer is announced by the direct link, else by the other point of presence
by_direct() {
	ip -n net route replace 192.0.2.0/24 via 198.18.11.2
	ip -n net route replace 198.18.1.0/24 via 198.18.11.2
	ip -n net route replace 2001:db8:a::/48 via 2001:db8:11::2
	ip -n net route replace 2001:db8:a0::/64 via 2001:db8:11::2
}
by_pop() {
	ip -n net route replace 192.0.2.0/24 via 198.18.13.2
	ip -n net route replace 198.18.1.0/24 via 198.18.13.2
	ip -n net route replace 2001:db8:a::/48 via 2001:db8:13::2
	ip -n net route replace 2001:db8:a0::/64 via 2001:db8:13::2
}
by_direct
# the providers' own filters, strict
a_link() { # up|down: A's end of the cable; the kernel forgets what is IPv6 when it goes down
	ip -n ispa link set c0 "$1"
	[ "$1" = up ] || return 0
	ip -n ispa address replace 2001:db8:a0::1/64 dev c0
	ip -n ispa route replace 2001:db8:a::/48 via 2001:db8:a0::2
	ip -n ispa route replace 192.0.2.0/24 via 198.18.1.2
}
strict() { # namespace "IPv4" "IPv6"
	in_ns "$1" nft -f - <<-END
		table inet strict {
			counter foreign { }
			chain in {
				type filter hook prerouting priority -300;
				iifname "c0" ip saddr != { $2 } counter name foreign drop
				iifname "c0" ip6 saddr != { $3, fe80::/10, :: } counter name foreign drop
			}
		}
	END
}
strict ispa "192.0.2.0/24, 198.18.1.2" "2001:db8:a::/48, 2001:db8:a0::2"
strict ispb "198.51.100.0/24, 198.18.2.2, 198.18.2.77" "2001:db8:b::/48, 2001:db8:b0::2"

# ---- helpers

started() { grep -q ready "$LAB/log/$1.out"; }
tool() { # namespace name arguments...
	local ns=$1 name=$2
	shift 2
	# shellcheck disable=SC2086 # words
	lab_spawn "$ns" "$name" $TOOL "$@"
	need 60 "$name" started "$name"
}

edge() { agent edge "$@"; }
provider() { edge "show site provider json" | json "next(p for p in d if p['name'] == '$1')['$2']"; }
path() { edge "show site path json" | json "next(p for p in d if p['name'] == '$1')['$2']"; }

# What the server sees of one UDP packet from there, "" when no answer comes within SEEN_WAIT seconds: 1, for it can be
# asked again.
seen_as() { # namespace source|- target
	in_ns "$1" "$PYTHON" - "$2" "$3" "${SEEN_WAIT:-1}" <<-'END'
		import socket, sys
		source, target, wait = sys.argv[1:]
		s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM)
		if source != "-":
		    s.bind((source, 0))
		s.settimeout(float(wait))
		try:
		    s.sendto(b"x", (target, 7000))
		    print(s.recv(100).decode().strip())
		except OSError:
		    print("")
	END
}
is_seen_as() { [ "$(seen_as "$1" "$2" "$3")" = "$4" ]; }

flow_start() { # name namespace source target port
	tool "$2" "flow-$1" flow "$3" "$4" "$5" "$LAB/flow-$1"
	FLOWS+=("$1")
}
answers() { tail -n 1 "$LAB/log/flow-$1.out" | tr -dc . | wc -c; } # flow
answered() { [ "$(answers "$1")" -ge "$2" ]; } # flow number
# So many more, from now on.
goes_on() { wait_for 60 "answers of $1" answered "$1" $(($(answers "$1") + $2)); } # flow number
flow_end() { # name: sets SEEN GAP ANSWERS
	lab_kill "flow-$1"
	read -r SEEN GAP ANSWERS _ <"$LAB/flow-$1"
	echo "    flow $1: seen as $SEEN, longest gap $GAP ms, $ANSWERS answers"
}

# Packets by a device so far, both directions.
foreign_dropped() { edge "show site path json" | json 'sum(p["egressDroppedPackets"] for p in d)'; }

# ---- the site

mkdir -p "$(agent_dir edge)"
cat >"$(agent_dir edge)/agent.conf" <<-END
	provider a
	 link wan0
	 prefix 192.0.2.0/24
	 prefix 2001:db8:a::/48
	 nat
	 nat to 2001:db8:a0::2
	 port-forward tcp 8080 to 10.9.0.10 port 7000
	 hold 1
	exit
	provider b
	 link wan1
	 prefix 198.51.100.0/24
	 prefix 2001:db8:b::/48
	 prefix from address wan1
	 nat
	 nat to 2001:db8:b0::2
	 port-forward tcp 8080 to 10.9.0.10 port 7000
	 hold 1
	exit
	provider a
	 tunnel pop via wan1 device pop head 10.255.0.1
	exit
	site
	 inside lan
	 default-provider a
	exit
END
site_start() {
	rm -f "$(agent_dir edge)/sav-agent.vty"
	lab_spawn edge agent-edge "$OPENSAV_BUILD/sav-agent" -u root -g root -i "$(agent_dir edge)/agent.pid" \
		-f "$(agent_dir edge)/agent.conf" --vty_socket "$(agent_dir edge)" --state "$(agent_dir edge)" \
		--log "file:$LAB/log/agent-edge.log"
	need 60 "the agent answers" edge "show site"
}
# A tunnel that is not sav-iked's.
steer_tunnel() {
	tool edge tun-edge tun pop 198.18.2.2 198.18.13.2 "$(path wan1 mark)"
	tool popa tun-popa tun cust 198.18.13.2 198.18.2.2 0
	ip -n edge link set pop up mtu 1400
	ip -n popa link set cust up mtu 1400
	ip -n popa address add 10.255.0.1/32 dev cust
	for p in 192.0.2.0/24 198.18.1.0/24 2001:db8:a::/48 2001:db8:a0::/64; do ip -n popa route add $p dev cust; done
}

steer_begin() {
	tool ispa sniff-a sniff c0 "$LAB/sniff-a" $A_OUT
	tool ispb sniff-b sniff c0 "$LAB/sniff-b" $B_OUT
	site_start
	need 60 "both providers live" eval '[ "$(provider a aliveIpv4)$(provider a aliveIpv6)$(provider b aliveIpv4)$(provider b aliveIpv6)" = 1111 ]'
	steer_tunnel
	tool popa sniff-pop sniff cust "$LAB/sniff-pop" $POP_OUT
	need 60 "the tunnel is seen" eval '[ "$(path pop usedIpv4)$(path pop usedIpv6)" = 11 ]'
	tool net server serve 7000 $SERVER $SERVER6
	tool priv inside-server serve 7000
}

# What the sniffers saw: a test of each.
steer_sniffed() {
	local s seen foreign
	for s in a b pop; do
		lab_kill "sniff-$s"
		{ read -r seen; foreign=$(cat); } <"$LAB/sniff-$s"
		echo "    sniffer $s: $seen packets"
		check "sniffer $s: no foreign source in the whole run" [ "$((seen > 50)),$foreign" = 1, ] || say "$foreign"
	done
}
