# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# ike.sh - sav-iked on one or both sides of a NAT, one of them an emulated machine; sourced after lab.sh
# and machine.sh, in a lab.
#
#   left 192.168.1.2 --- nat 192.0.2.1 --- 192.0.2.2 right: the machine
#   inside: left 172.31.1.1, right 172.31.2.1
#
#   IKE_ROWS  a file to which each test appends its line of doc/interop.md (tests/net/ike-table)

SLOW=180 # seconds: the machine's processor is emulated, and other tests may run beside it
# shellcheck disable=SC2034 # machine.sh reads it
GUEST_LIMIT=120
LEFT=192.168.1.2 RIGHT=192.0.2.2 OTHER=left

# A third side, peer, is a network namespace of the machine and right's other side then.
inner() { if [ "$1" = right ]; then echo 172.31.2.1; else echo 172.31.1.1; fi; }
other() { if [ "$1" = right ]; then echo $OTHER; else echo right; fi; }
outer() { if [ "$1" = left ]; then echo $LEFT; else echo $RIGHT; fi; }
# Where a side's things are, as it sees them itself: the machine has sockets on its own file system.
dir() { if [ "$1" = left ]; then echo "$LAB/run/left"; else echo "/mnt/$1"; fi; }
# Runs bash's command on a side; not longer than GUEST_LIMIT seconds, there as here.
on() { # side command
	if [ "$1" = left ]; then in_ns left timeout "$GUEST_LIMIT" bash -c "nap() { sleep 0.05; }; $2"; else guest "$2"; fi
}

# ---- sav-iked on a side

# The tests look for themselves who is alive: a slow machine is not a dead one.
iked_configuration() { # side lines
	local it
	it=$(other "$1")
	cat <<-X
		link wan
		 source $(outer "$1")
		exit
		tunnel t
		 via wan
		 identity local fqdn $1.example
		 identity remote fqdn $it.example
		 authentication local psk
		 authentication remote psk
		 psk file psk
		 selector local $(inner "$1")/32
		 selector remote $(inner "$it")/32
		 device ipsec9
		 no liveness
		 $([ "$1" = left ] && echo "peer address $RIGHT")
		 $2
		exit
	X
}

# With IKED_UNPRIVILEGED the machine's never was root, and has no more than these capabilities.
CAPABILITIES=+net_admin,+net_raw,+net_bind_service
as() { # side user|group|command
	case $2,$([ "$1" = right ] && echo "${IKED_UNPRIVILEGED:-}") in
	command,?*) echo "setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=$CAPABILITIES --ambient-caps=$CAPABILITIES" ;;
	command,) ;;
	user,?*) echo nobody ;;
	group,?*) echo nogroup ;;
	*) echo root ;;
	esac
}

iked_start() { # side lines
	local d log=$LAB/log/iked-$1.log
	d=$(dir "$1")
	iked_configuration "$1" "$2" >"$LAB/iked-$1.conf"
	: >"$log"
	: >"${log%.log}.out"
	chmod 666 "$log" "${log%.log}.out"
	on "$1" "mkdir -p $d/keys; cp $LAB/iked-$1.conf $d/iked.conf; (umask 077; echo a secret of both >$d/keys/psk)
		chown -R $(as "$1" user):$(as "$1" group) $d"
	iked_run "$1"
}
iked_run() { # side
	iked_begin "$1"
	must on "$1" "until ip link show ipsec9 up 2>/dev/null | grep -q .; do nap; done
		ip route replace $(inner "$(other "$1")") dev ipsec9 src $(inner "$1")"
}
iked_begin() { # side
	local d
	local log=/mnt/lab/log
	[ "$1" = right ] || log=$LAB/log
	d=$(dir "$1")
	must on "$1" "rm -f $d/*.vty; cd /; $(as "$1" command) setsid $OPENSAV_BUILD/sav-iked -u $(as "$1" user) -g $(as "$1" group) \
		-i $d/iked.pid -f $d/iked.conf --vty_socket $d --keys $d/keys --log file:$log/iked-$1.log </dev/null >>$log/iked-$1.out 2>&1 &
		until compgen -G '$d/*.vty' >/dev/null; do nap; done"
}
iked() { # side command...
	local side=$1 c words=
	shift
	for c; do words+=" -c '$c'"; done
	on "$side" "$OPENSAV_BUILD/savsh --vty_socket $(dir "$side") $words"
}
iked_stop() { # side [signal]
	on "$1" "p=\$(cat $(dir "$1")/iked.pid); kill -${2:-TERM} \$p; while kill -0 \$p; do nap; done" >/dev/null 2>&1
}
sa() { iked "$1" 'show ipsec sa json' | json "$2"; } # side python
is_up() { [ "$(sa "$1" 'sum(s["state"] == "up" and any(c["state"] == "up" for c in s["children"]) for s in d)')" -ge 1 ]; }
spi_in() { sa "$1" '" ".join(c["spiIn"] for s in d for c in s["children"])'; }
spi_ike() { sa "$1" '" ".join(s["initiatorSpi"] for s in d)'; }
changed() { # was command...
	local was=$1 now
	shift
	now=$("$@") && [ -n "$now" ] && [ "$now" != "$was" ]
}
# One is left, and it is another: of the new one beside the old one nothing is known yet.
anew() { changed "$@" && is_one "${!#}" && changed "$@"; } # was spi_in|spi_ike side
is_one() { [ "$(sa "$1" 'len(d) == 1 and len(d[0]["children"]) == 1 and d[0]["state"] == "up"')" = 1 ]; } # side

# ---- what passes

pings() { in_ns left ping -q -c "${1:-2}" -i 0.2 -W 3 -I 172.31.1.1 172.31.2.1 >/dev/null; }
# 300,000 bytes each way at once, by TCP.
streams() { # by TCP
	rm -f "$LAB/listens"
	guest "setsid $PYTHON - <<'X' >/mnt/echo.out 2>&1 &
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('172.31.2.1', 7)); s.listen(1); open('/mnt/lab/listens', 'w')
c, _ = s.accept()
while True:
    data = c.recv(65536)
    if not data: break
    c.sendall(data)
X"
	wait_for $SLOW "a listener" test -e "$LAB/listens" || return 1
	rm -f "$LAB/listens"
	in_ns left timeout $SLOW "$PYTHON" - <<-'X'
		import os, socket, threading
		data = os.urandom(300000)
		s = socket.create_connection(("172.31.2.1", 7), 120, ("172.31.1.1", 0))
		t = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
		t.start()
		got = b""
		while part := s.recv(65536):
		    got += part
		t.join()
		raise SystemExit(got != data)
	X
}
rebind() { # ports
	in_ns nat nft flush ruleset
	masquerade "$1"
	in_ns nat conntrack -D -p udp --orig-port-dst 4500 >/dev/null 2>&1
}
masquerade() { # ports
	in_ns nat nft -f - <<-X
		table ip nat {
			chain post {
				type nat hook postrouting priority 100
				meta l4proto udp oifname wan masquerade to :$1
			}
		}
	X
}

# The two networks with the NAT, and the machine with what it needs of its kernel.
ike_network() {
	lab_ns left nat
	lab_link left wan $LEFT/24 nat lan 192.168.1.1/24
	lab_route left 192.0.2.0/24 192.168.1.1
	ip -n left address add 172.31.1.1/32 dev lo
	machine_start nat wan
	lab_address nat wan 192.0.2.1/24
	masquerade 20000-20999
	must guest 'ip link set eth0 up; ip address add 192.0.2.2/24 dev eth0; ip address add 172.31.2.1/32 dev lo'
	machine_esp
}

# ---- results

# One test, and its line of the table; WITH, WHO and WAY are the case's.
tried() { # what command...
	local word=yes what=$1
	shift
	check "$WITH, $WHO begins, $WAY: $what" "$@" || word=no
	[ -z "${IKE_ROWS:-}" ] || echo "| $WITH | ${AUTH:-psk} | $WHO | $WAY | $what | $word |" >>"$IKE_ROWS"
	[ $word = yes ]
}
