# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# lab.sh - networks of namespaces for the scripts beside it; sourced, never run.
#
#   set -u
#   . "$(dirname "$0")/lab.sh"
#   lab_enter "$@"        from here on the script runs in a lab of its own
#   ...                   lab_ns, lab_link, lab_spawn, wait_for, check
#   lab_end               closing line and exit status
#
# lab_enter starts the script anew in private PID, mount and network namespaces. Nothing it makes
# has a name outside, so labs never meet, and the kernel takes everything back when the lab's first
# process ends: after an error, after Ctrl-C, after kill -9. Only a directory in TMPDIR is left to
# remove, which the outer process does (unless OPENSAV_KEEP is set).
#
#   OPENSAV_BUILD  where the programs were built; default: the current directory, else build/
#   OPENSAV_KEEP   keep the lab's directory (logs, databases, configurations)

LAB_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_NAME=${0##*/}
declare -A LAB_PIDS=()
LAB_PASSED=0 LAB_FAILED=0 LAB_SKIPPED=0 LAB_DONE=

say() { echo "$*" >&2; }
die() { say "$LAB_NAME: $*"; exit 1; }

# The whole script is one skipped test.
skip_all() { # reason
	echo "$LAB_NAME: skipped: $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
}

# ---- entering and leaving

lab_enter() { # script's arguments...
	if [ -n "${LAB_INSIDE:-}" ]; then
		unset LAB_INSIDE
		lab_setup
		return
	fi
	lab_find_programs
	LAB=$(mktemp -d "${TMPDIR:-/tmp}/opensav-lab.XXXXXX") || exit 1
	chmod 755 "$LAB"
	export LAB
	# the child is in the background, because a trap waits for a foreground one to end
	LAB_INSIDE=1 setpriv --pdeathsig KILL unshare --pid --mount --net --fork --kill-child=KILL \
		--mount-proc --propagation private "$BASH" "$0" "$@" <&0 &
	local child=$!
	trap 'lab_outer_end "$child" 130' INT
	trap 'lab_outer_end "$child" 143' TERM HUP
	wait "$child"
	lab_outer_end "$child" $?
}

lab_outer_end() { # child status
	trap '' INT TERM HUP
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	if [ -n "${OPENSAV_KEEP:-}" ]; then
		say "$LAB_NAME: kept: $LAB"
	else
		rm -rf "$LAB"
	fi
	exit "$2"
}

# Programs and rights; a missing one ends the script here, with the remedy.
lab_find_programs() {
	local p missing=
	[ "$(id -u)" -eq 0 ] || skip_all "needs root (network namespaces, raw sockets)"
	for p in ip nft unshare setpriv python3 ping; do
		command -v "$p" >/dev/null || missing+=" $p"
	done
	[ -z "$missing" ] || skip_all "missing programs:$missing; contrib/deps.sh run installs them"
	unshare --mount --net --pid --fork true 2>/dev/null ||
		skip_all "this system permits no namespaces (a container without privileges?)"
	if [ -z "${OPENSAV_BUILD:-}" ]; then
		OPENSAV_BUILD=$PWD
		[ -x "$PWD/savd" ] || OPENSAV_BUILD=$LAB_SRC/build
	fi
	OPENSAV_BUILD=$(cd "$OPENSAV_BUILD" 2>/dev/null && pwd) ||
		skip_all "nothing is built; contrib/quickstart builds OpenSAV"
	for p in ${LAB_PROGRAMS-savd savsh sav-agent tests/net/pkt}; do
		[ -x "$OPENSAV_BUILD/$p" ] || skip_all "$OPENSAV_BUILD has no $p; OPENSAV_BUILD names the build directory"
	done
	if [ -z "${FRR_BIN:-}" ]; then
		p=$("$LAB_SRC/contrib/deps.sh" --frr-env) || skip_all "needs FRR; contrib/deps.sh run gets it"
		eval "$p"
	fi
	PYTHON=/usr/bin/python3
	[ -x $PYTHON ] || PYTHON=python3
	export OPENSAV_BUILD FRR_BIN FRR_VTYSH FRR_MODULES FRR_RUN_AS PYTHON
}

lab_setup() {
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	local dir
	mkdir -p "$LAB/log" "$LAB/run"
	# the second is where libfrr keeps logs of a crash, by PID
	for dir in /run/netns /var/tmp/frr; do
		mkdir -p $dir
		mount -t tmpfs lab $dir || die "cannot mount a tmpfs of our own on $dir"
	done
	# libfrr insists that its user, here root, is in its VTY group
	{ grep -vE '^(frrvty|opensavvty):' /etc/group; printf '%s\n' frrvty:x:0: opensavvty:x:0:; } >"$LAB/group"
	mount --bind "$LAB/group" /etc/group
	export PKT=$OPENSAV_BUILD/tests/net/pkt
}

# ---- results

passed() { LAB_PASSED=$((LAB_PASSED + 1)); echo "ok: $*"; }
failed() { LAB_FAILED=$((LAB_FAILED + 1)); echo "FAILED: $*"; }
skipped() { LAB_SKIPPED=$((LAB_SKIPPED + 1)); echo "skipped: $*"; }

# One test: passes when the command succeeds.
check() { # what command...
	local what=$1
	shift
	if "$@"; then passed "$what"; else failed "$what"; return 1; fi
}

lab_end() {
	[ $LAB_FAILED -eq 0 ] || lab_logs
	echo "$LAB_PASSED passed, $LAB_FAILED failed, $LAB_SKIPPED skipped"
	[ $LAB_FAILED -eq 0 ]
	exit
}

# The end of every log, for the reader of a failed test.
lab_logs() {
	local f lines
	for f in "$LAB"/log/*; do
		if [ ! -s "$f" ] || [ "$(cat "$f")" = listening ]; then continue; fi
		say "--- the end of ${f##*/}"
		case $f in *bgpd* | *zebra*) lines=5 ;; *) lines=15 ;; esac
		tail -n $lines "$f" | cut -c 1-300 | sed 's/^/    /' >&2
	done
}

# ---- waiting: for a condition, with a bound, never for a time alone

# Polls until the command succeeds. Its output is not shown.
lab_poll() { # seconds command...
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt $end ] || return 1
		sleep 0.05
	done
}

# The same, and says so if it did not happen. When a process of the lab dies there is nothing to wait for.
wait_for() { # seconds what command...
	local limit=$1 what=$2
	shift 2
	lab_poll "$limit" lab_done_or_dead "$@"
	[ -z "$LAB_DONE" ] || return 0
	if ! lab_all_alive; then
		# what it did before it died
		"$@" >/dev/null 2>&1 && return
		limit="any number of"
	fi
	say "$LAB_NAME: not within $limit s: $what"
	return 1
}

# What was true is not asked again: it may have been so for a moment only.
lab_done_or_dead() { # command...
	if "$@"; then
		LAB_DONE=yes
		return 0
	fi
	LAB_DONE=
	! lab_all_alive
}

# The same, but the script cannot go on without it.
need() { # seconds what command...
	wait_for "$@" || lab_give_up "$2"
}

# For commands that are run once.
must() { # command...
	"$@" || lab_give_up "$*"
}

lab_give_up() { # what
	lab_logs
	lab_alive "${SAVD:-savd}" && sav 'show edge' 'show rib summary' 'show feed' 'show agent' >&2
	say "$LAB_NAME: gave up: $1"
	echo "$LAB_PASSED passed, $((LAB_FAILED + 1)) failed, $LAB_SKIPPED skipped"
	exit 1
}

# ---- networks

in_ns() { # namespace command...
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# Forwards, trusts nobody's reverse path filter, has no delays of address detection. Packets from
# 127.0.0.0/8 are to meet OpenSAV, not the kernel's own check.
lab_ns() { # namespace...
	local ns
	for ns; do
		ip netns add "$ns"
		# shellcheck disable=SC2016 # for the inner shell
		in_ns "$ns" "$BASH" -c '
			cd /proc/sys/net
			for c in all default; do
				echo 0 >ipv4/conf/$c/rp_filter
				echo 1 >ipv4/conf/$c/route_localnet
				echo 0 >ipv4/conf/$c/send_redirects
				echo 0 >ipv4/conf/$c/accept_redirects
				echo 0 >ipv6/conf/$c/accept_dad
				echo 0 >ipv6/conf/$c/accept_ra
				echo 0 >ipv6/conf/$c/router_solicitations
				echo 0 >ipv6/conf/$c/accept_redirects
			done
			echo 1 >ipv4/ip_forward
			echo 1 >ipv6/conf/all/forwarding
			ip link set lo up'
	done
}

# A cable between two interfaces, up, with addresses.
lab_link() { # namespace interface "addresses" namespace interface "addresses"
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4" || die "no link $1 $2 - $4 $5"
	lab_address "$1" "$2" "$3"
	lab_address "$4" "$5" "$6"
}

lab_address() { # namespace interface "addresses"
	local a
	for a in $3; do ip -n "$1" address add "$a" dev "$2" || die "no address $a on $1 $2"; done
	ip -n "$1" link set "$2" up
}

# Not only there: routes can lead to it. What "up" leaves out has no line.
link_is_up() { [ -n "$(ip -n "$1" link show dev "$2" up)" ]; } # namespace interface
link_is_gone() { ! ip -n "$1" link show dev "$2" >/dev/null 2>&1; }

# Kernel routes, so that they outlive every daemon.
lab_route() { # namespace "prefixes" gateway [route's attributes...]
	local ns=$1 prefixes=$2 gateway=$3 p
	shift 3
	for p in $prefixes; do
		ip -n "$ns" route add "$p" via "$gateway" "$@" || die "no route $p in $ns"
	done
}

# ---- processes

now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }

# A background process in a namespace; its output goes to $LAB/log/NAME.out. Not in a subshell (a
# pipe): the process would be forgotten.
lab_spawn() { # namespace name command...
	local ns=$1 name=$2
	shift 2
	lab_alive "$name" && die "$name runs already"
	setsid ip netns exec "$ns" "$@" >>"$LAB/log/$name.out" 2>&1 </dev/null &
	LAB_PIDS[$name]=$!
	disown $!
}

lab_alive() { # name
	local pid=${LAB_PIDS[$1]:-}
	[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null
}

lab_dead() { ! lab_alive "$1"; }

lab_kill() { # name [signal]
	local pid=${LAB_PIDS[$1]:-}
	[ -n "$pid" ] || return 0
	kill -"${2:-TERM}" "$pid" 2>/dev/null
	lab_poll 30 lab_dead "$1" || kill -KILL "$pid"
	unset "LAB_PIDS[$1]"
}

# Pings of which each has to be answered, however late: ping(8) would not wait for the last ones.
every_echo() { # namespace source target interval count
	in_ns "$1" "$PYTHON" "$LAB_SRC/tests/net/every_echo.py" "${@:2}"
}

# The same in the background, from the first answer until echoes_end, which says whether all came.
echoes_start() { # name namespace source target interval
	rm -f "$LAB/log/$1.out"
	lab_spawn "$2" "$1" "$PYTHON" "$LAB_SRC/tests/net/every_echo.py" "${@:3}"
	need 30 "pings are answered" grep -q '^begun' "$LAB/log/$1.out"
}

echoes_end() { # name
	lab_kill "$1"
	tail -n 1 "$LAB/log/$1.out"
	tail -n 1 "$LAB/log/$1.out" | grep -qE '^([1-9][0-9]*) sent, \1 answered'
}

# Every process started and not stopped is still there.
lab_all_alive() {
	local name dead=
	for name in "${!LAB_PIDS[@]}"; do lab_alive "$name" || dead+=" $name"; done
	[ -z "$dead" ] || say "$LAB_NAME: died:$dead"
	[ -z "$dead" ]
}

# ---- FRRouting: zebra and bgpd in a namespace, configured from standard input

frr_dir() { echo "$LAB/run/$1"; }

frr_start() { # namespace <bgpd's-configuration
	local ns=$1 dir
	dir=$(frr_dir "$ns")
	mkdir -p "$dir"
	{ printf 'hostname %s\nlog file %s\n' "$ns" "$LAB/log/$ns.bgpd.log"; cat; } >"$dir/bgpd.conf"
	zebra_start "$ns"
	bgpd_start "$ns"
}

zebra_start() { # namespace
	local ns=$1 dir
	dir=$(frr_dir "$ns")
	mkdir -p "$dir"
	printf 'hostname %s\nlog file %s\n' "$ns" "$LAB/log/$ns.zebra.log" >"$dir/zebra.conf"
	# shellcheck disable=SC2086 # words
	lab_spawn "$ns" "$ns.zebra" "$FRR_BIN/zebra" $FRR_RUN_AS -f "$dir/zebra.conf" -i "$dir/zebra.pid" \
		-z "$dir/zserv.api" --vty_socket "$dir" -A 127.0.0.1
	need 60 "zebra of $ns runs" test -S "$dir/zserv.api"
}

bgpd_start() { # namespace
	local dir
	dir=$(frr_dir "$1")
	rm -f "$dir/bgpd.vty"
	# shellcheck disable=SC2086 # words
	lab_spawn "$1" "$1.bgpd" "$FRR_BIN/bgpd" $FRR_RUN_AS -f "$dir/bgpd.conf" -i "$dir/bgpd.pid" \
		-z "$dir/zserv.api" --vty_socket "$dir" -A 127.0.0.1 -M "$FRR_MODULES/bgpd_bmp.so"
}

bgp() { # namespace command...
	local ns=$1 c args=()
	shift
	for c; do args+=(-c "$c"); done
	"$FRR_VTYSH" --vty_socket "$(frr_dir "$ns")" -d bgpd "${args[@]}"
}

# All of a router's sessions are up.
bgp_established() { # namespace sessions
	[ "$(bgp "$1" 'show bgp summary json' | json '
		sum(p["state"] == "Established" for f in d.values() for p in f["peers"].values())')" -eq "$2" ]
}

# ---- OpenSAV

# A lab with several controllers says in SAVD which one it means: savd-NAME.
savd_dir() { echo "$LAB/run/${SAVD:-savd}"; }

savd_start() { # namespace
	local dir
	dir=$(savd_dir)
	mkdir -p "$dir/state"
	rm -f "$dir/savd.vty"
	lab_spawn "$1" "${SAVD:-savd}" "$OPENSAV_BUILD/savd" -u root -g root -i "$dir/savd.pid" \
		--vty_socket "$dir" --state "$dir/state" --log "file:$LAB/log/${SAVD:-savd}.log"
	need 60 "savd answers" sav 'show version'
}

# Commands for savd; the exit status is not zero when one is refused.
sav() { # command...
	local c args=()
	for c; do args+=(-c "$c"); done
	"$OPENSAV_BUILD/savsh" --vty_socket "$(savd_dir)" "${args[@]}"
}

# The same from standard input, in configuration mode.
sav_configure() {
	local line lines=("configure terminal")
	while IFS= read -r line; do
		line=${line#"${line%%[! 	]*}"}
		case $line in "" | "#"*) ;; *) lines+=("$line") ;; esac
	done
	sav "${lines[@]}"
}

agent_dir() { echo "$LAB/run/agent-$1"; }

agent_enroll() { # namespace controller
	local dir
	dir=$(agent_dir "$1")
	mkdir -p "$dir"
	sav "agent enroll $1" | grep -o 'opensav1:[^ ]*' >"$dir/token" || return 1
	ip netns exec "$1" "$OPENSAV_BUILD/sav-agent" --state "$dir" --controller "$2" \
		--enroll "$dir/token" >>"$LAB/log/agent-$1.out" 2>&1
}

# Its configuration is agent.conf in that directory, empty unless somebody has written it.
agent_start() { # namespace controller
	local dir
	dir=$(agent_dir "$1")
	mkdir -p "$dir"
	touch "$dir/agent.conf"
	lab_spawn "$1" "agent-$1" "$OPENSAV_BUILD/sav-agent" -u root -g root -i "$dir/agent.pid" -f "$dir/agent.conf" \
		--vty_socket "$dir" --state "$dir" --controller "$2" --log "file:$LAB/log/agent-$1.log"
}

# Commands for the agent of a router.
agent() { # namespace command...
	local c args=() ns=$1
	shift
	for c; do args+=(-c "$c"); done
	"$OPENSAV_BUILD/savsh" --vty_socket "$(agent_dir "$ns")" "${args[@]}"
}

# sav-iked beside the agent of a router, which reads of its tunnels there; both ends have the key "psk".
iked_start() { # namespace <configuration
	local d
	d=$(agent_dir "$1")
	mkdir -p "$d/keys"
	echo "a secret of both ends" >"$d/keys/psk"
	chmod 600 "$d/keys/psk"
	cat >"$d/iked.conf"
	iked_again "$1"
}

iked_again() { # namespace: with the configuration of before
	local d
	d=$(agent_dir "$1")
	rm -f "$d/sav-iked.vty"
	lab_spawn "$1" "iked-$1" "$OPENSAV_BUILD/sav-iked" -u root -g root -i "$d/iked.pid" -f "$d/iked.conf" \
		--vty_socket "$d" --keys "$d/keys" --log "file:$LAB/log/iked-$1.log"
}

# ---- JSON: prints the value of a Python expression over d, the document on standard input

json() { # expression
	"$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)
v = eval(sys.argv[1].strip())
print(json.dumps(v) if isinstance(v, (dict, list)) else int(v) if isinstance(v, bool) else v)' "$1"
}
