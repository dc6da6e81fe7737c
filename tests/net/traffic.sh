# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# traffic.sh - honest and forged packets through provider.sh's network; sourced after it.
#
# A phase is a name, a set of flows, and what happened to them: $LAB/phases/PHASE has "flows", "sent-*"
# and "recv-*", which phases.py reads.

# ---- what is sent

# Sender; where it meets OpenSAV; source; what it is. Packets go to the server's address of their
# family; "2" after the edge is customer B's way over link 2, "ask" wants an answer.
honest_flows() {
	cat <<-END
		host-a pe1/cust-a 198.18.1.10 A: its own prefix
		host-a pe1/cust-a 2001:db8:a::10 A: its own prefix
		host-b pe1/cust-b 198.51.100.10 B: prefix 1 by link 1
		host-b pe1/cust-b 2001:db8:b1::10 B: prefix 1 by link 1
		host-b pe1/cust-b 203.0.113.10 B: prefix 2 by link 1
		host-b pe1/cust-b 2001:db8:b2::10 B: prefix 2 by link 1
		host-b pe2/cust-b 203.0.113.10 B: prefix 2 by link 2
		host-b pe2/cust-b 2001:db8:b2::10 B: prefix 2 by link 2
		host-b pe2/cust-b 198.51.100.10 B: prefix 1 by link 2 (unannounced)
		host-b pe2/cust-b 2001:db8:b1::10 B: prefix 1 by link 2 (unannounced)
	END
}

forged_flows() {
	cat <<-END
		attacker pe1/cust-a 198.51.100.77 customer B's prefix 1
		attacker pe1/cust-a 2001:db8:b1::77 customer B's prefix 1
		attacker pe1/cust-a 203.0.113.200 B's, which A announces, pe1 refuses
		attacker pe1/cust-a 2001:db8:b2:8000::77 B's, which A announces, pe1 refuses
		attacker pe1/cust-a 192.0.2.2 the provider's own router
		attacker pe1/cust-a 2001:db8:0:1::2 the provider's own router
		attacker pe1/cust-a 198.19.0.77 the server's network
		attacker pe1/cust-a 2001:db8:f::77 the server's network
		attacker pe1/cust-a 198.18.99.77 nobody's
		attacker pe1/cust-a 2001:db8:dead::77 nobody's
		attacker pe1/cust-a 10.1.2.3 private
		attacker pe1/cust-a fd00::77 private
		attacker pe1/cust-a 127.0.0.2 loopback
		attacker pe1/cust-a ::1 loopback
		attacker pe1/cust-a 100.64.0.77 carrier NAT
		attacker pe1/cust-a 169.254.7.7 link-local
		attacker pe1/cust-a 0.1.2.3 this network
		attacker pe1/cust-a 240.0.0.1 reserved
		attacker pe1/cust-a 255.255.255.255 broadcast
		attacker pe1/cust-a 224.0.0.5 multicast
		attacker pe1/cust-a ff02::5 multicast
		attacker pe1/cust-a ::ffff:198.18.1.10 IPv4-mapped
		attacker pe1/cust-a 100::77 discard-only
		attacker pe1/cust-a 64:ff9b:1::77 local translation
		host-b pe2/cust-b 198.18.1.77 from B: customer A's prefix
		host-b pe2/cust-b 2001:db8:a::77 from B: customer A's prefix
		host-b pe2/cust-b 192.0.2.1 from B: the provider's own router
		host-b pe2/cust-b 2001:db8:0:1::1 from B: the provider's own router
	END
}

# Customer A's second prefix, which comes and goes.
moving_flows() {
	cat <<-END
		host-a pe1/cust-a 198.18.2.10 A: second prefix
		host-a pe1/cust-a 2001:db8:a2::10 A: second prefix
	END
}

# ---- phases: receivers and senders

# Numbers the flows of standard input for pkt and for the report.
phase_flows() { # phase kind(honest|forged) ask(""|ask)
	local dir=$LAB/phases/$1 n ns edge src what dst
	mkdir -p "$dir"
	n=$(wc -l 2>/dev/null <"$dir/flows") || n=0
	while read -r ns edge src what; do
		n=$((n + 1))
		case $edge/$src in
		pe2/*:*) dst=$SRV6_2 ;;
		pe2/*) dst=$SRV4_2 ;;
		*:*) dst=$SRV6_1 ;;
		*) dst=$SRV4_1 ;;
		esac
		printf '%d\t%s\t%s\t%s\t%s\t%s\t%s\n' $n "$2" "$ns" "$edge" "$src" "$dst" "$what" >>"$dir/flows"
		echo "$n $src $dst $3" >>"$dir/$ns.flows"
	done
}

listening() { grep -q listening "$LAB/log/recv-$1.out"; }

# Phases may overlap: each has a port of its own.
phase_port() { # phase
	local all=("$LAB/phases"/*/)
	[ -e "$LAB/phases/$1/port" ] || echo $((9000 + ${#all[@]})) >"$LAB/phases/$1/port"
	cat "$LAB/phases/$1/port"
}

# Who receives: the server, and hosts that get answers.
PHASE_RECEIVERS="server host-a host-b"

phase_receive() { # phase
	local n
	for n in $PHASE_RECEIVERS; do
		lab_spawn $n "recv-$1-$n" "$PKT" recv -e -p "$(phase_port "$1")" -o "$LAB/phases/$1/recv-$n"
	done
	for n in $PHASE_RECEIVERS; do need 60 "the receiver listens" listening "$1-$n"; done
}

# Each ends when nothing has come for a while. All are told at once: what waits for an answer waits on while
# the one that answers goes on answering.
phase_end() { # phase
	local n
	for n in $PHASE_RECEIVERS; do kill -TERM "${LAB_PIDS[recv-$1-$n]}"; done
	for n in $PHASE_RECEIVERS; do lab_kill "recv-$1-$n"; done
}

# A number of packets of every flow.
phase_send() { # phase packets packets-per-second
	local f ns pids=()
	phase_receive "$1"
	for f in "$LAB/phases/$1"/*.flows; do
		ns=$(basename "$f" .flows)
		in_ns "$ns" "$PKT" send -n "$2" -r "$3" -p "$(phase_port "$1")" -o "$LAB/phases/$1/sent-$ns" <"$f" &
		pids+=($!)
	done
	wait "${pids[@]}"
	phase_end "$1"
}

# Packets all the time, from here to phase_stop.
phase_start() { # phase packets-per-second
	local f ns
	phase_receive "$1"
	for f in "$LAB/phases/$1"/*.flows; do
		ns=$(basename "$f" .flows)
		# shellcheck disable=SC2016 # for the inner shell
		lab_spawn "$ns" "send-$1-$ns" sh -c 'exec "$0" send -t 500 -r "$1" -p "$2" -o "$3" <"$4"' \
			"$PKT" "$2" "$(phase_port "$1")" "$LAB/phases/$1/sent-$ns" "$f"
	done
}

phase_stop() { # phase
	local f
	for f in "$LAB/phases/$1"/*.flows; do lab_kill "send-$1-$(basename "$f" .flows)"; done
	phase_end "$1"
}

# honest=all: no honest packet was lost; forged=none: no forged one arrived; forged=all: all of them
# arrived that a Linux kernel lets through. Says what is not so.
phase_check() { # phase honest=all|forged=none|forged=all...
	"$PYTHON" "$LAB_SRC/tests/net/phases.py" "$LAB/phases" "$@" >&2
}

# All of that in one: both kinds of flow, a number of packets, and the verdict.
phase_run() { # phase honest=...|forged=...
	honest_flows | phase_flows "$1" honest ""
	forged_flows | phase_flows "$1" forged ""
	phase_send "$1" 30 200
	phase_check "$@"
}

# Why: asked while the phase's filters are in force.
phase_explain() { # phase
	local edge src file
	mkdir -p "$LAB/phases/$1/explain"
	cut -f 4,5 "$LAB/phases/$1/flows" | sort -u | while IFS=$'\t' read -r edge src; do
		file=$LAB/phases/$1/explain/${edge/\//,},$src
		sav "explain ${edge/\// } $src json" >"$file" 2>&1 </dev/null
	done
}
