# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck source=tests/net/lab.sh
#
# ike.sh - sav-iked on one side, Debian's strongSwan (charon with kernel-libipsec) on the other, and a
# way between them with room for three NATs; sourced by the ike-* scripts, never run.
#
#   left 192.0.2.1 --- nat --- mid --- far --- right 198.51.100.2     inner: 172.31.1.1 left, 172.31.2.1 right
#
#   nat  left's, outside 198.18.1.1     mid  its provider's, outside 198.18.2.1     far  right's, outside 198.18.2.254
#
# Which daemon is on which side is each case's affair: settings, then what differs, then life.
#
#   IKE_ROWS  a file to which each test appends its line of doc/interop.md (tests/net/ike-table makes it, with all of IKE_SLOW)
#   IKE_SLOW  not empty: also what takes minutes
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
export LAB_PROGRAMS="sav-iked sav-ike sav-ike-signer sav-esp savsh"
LEFT=192.0.2.1 RIGHT=198.51.100.2

# Enters the lab; the rest of the script runs in it.
ike_enter() { # script's arguments...
	lab_enter "$@"
	CHARON=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-charon 2>/dev/null)/usr/lib/ipsec/charon
	SWANCTL=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-swanctl 2>/dev/null)/usr/sbin/swanctl
	[ -x "$CHARON" ] && [ -x "$SWANCTL" ] || skip_all "needs strongSwan: contrib/deps.sh all"
	[ -c /dev/net/tun ] || skip_all "needs /dev/net/tun"
	PKI=$LAB/pki
	mkdir -p "$PKI"
	network
	must gather_plugins
	cat >"$LAB/stream.py" <<-'X'
		import os, socket, sys, threading
		if sys.argv[1] == "echo":
		    s = socket.create_server((sys.argv[2], 7))
		    open(sys.argv[3], "w").close()
		    c, _ = s.accept()
		    while data := c.recv(65536):
		        c.sendall(data)
		    sys.exit()
		data, got = os.urandom(300000), b""
		s = socket.create_connection((sys.argv[3], 7), 60, (sys.argv[2], 0))
		s.settimeout(60)
		t = threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)))
		t.start()
		while part := s.recv(65536):
		    got += part
		t.join()
		sys.exit(got != data)
	X
	echo "a secret of both" >"$PKI/psk"
	echo "another one" >"$PKI/wrong.psk"
	chmod 600 "$PKI"/*psk
}

# ---- the network

network() {
	lab_ns left nat mid far right
	lab_link left l0 $LEFT/24 nat n0 192.0.2.254/24
	lab_link nat n1 198.18.1.1/24 mid m0 198.18.1.254/24
	lab_link mid m1 198.18.2.1/24 far f0 198.18.2.254/24
	lab_link far f1 198.51.100.1/24 right r0 $RIGHT/24
	ip -n left route add default via 192.0.2.254
	ip -n nat route add default via 198.18.1.254
	ip -n mid route add 192.0.2.0/24 via 198.18.1.1
	ip -n mid route add 198.51.100.0/24 via 198.18.2.254
	ip -n far route add default via 198.18.2.1
	ip -n right route add default via 198.51.100.1
	ip -n left address add 172.31.1.1/32 dev lo
	ip -n right address add 172.31.2.1/32 dev lo
}

# Rules of a table of its own in a chain; on standard input.
nft_chain() { # namespace table "hook and priority"
	local rules
	rules=$(printf 'table ip %s {\n\tchain c {\n\t\ttype %s; policy accept;\n%s\n\t}\n}\n' "$2" "$3" "$(cat)")
	must in_ns "$1" nft "$rules"
}
source_nat() { nft_chain "$1" nat "nat hook postrouting priority srcnat"; } # namespace

# What NAT says is set up; "of its own" is the case's affair.
nat_on() {
	case $NAT in
	"" | "of its own") ;;
	masquerade) source_nat nat <<<'oifname "n1" masquerade' ;;
	# nothing comes from 500 or 4500 any more
	"port-rewriting") source_nat nat <<<'oifname "n1" meta l4proto udp masquerade to :20000-30000 random' ;;
	"double NAT")
		source_nat nat <<<'oifname "n1" masquerade'
		source_nat mid <<<'oifname "m1" meta l4proto udp masquerade to :30000-40000 random'
		;;
	"NAT of who answers") hidden_right ;;
	"two NATs at one end, one at the other")
		source_nat nat <<<'oifname "n1" masquerade'
		source_nat mid <<<'oifname "m1" meta l4proto udp masquerade to :30000-40000 random'
		hidden_right
		;;
	"NAT at both ends")
		source_nat nat <<<'oifname "n1" masquerade'
		hidden_right
		;;
	*) die "no such NAT: $NAT" ;;
	esac
}

# Right has no address that anybody could reach.
hidden_right() {
	nft_chain far forwarded "nat hook prerouting priority dstnat" <<<'iifname "f0" udp dport { 500, 4500 } dnat to '$RIGHT
	source_nat far <<<'oifname "f0" masquerade'
	ip -n mid route del 198.51.100.0/24
}

nat_off() {
	local n
	for n in nat mid far; do
		in_ns $n nft flush ruleset
		in_ns $n conntrack -F 2>/dev/null
	done
	ip -n mid route replace 198.51.100.0/24 via 198.18.2.254
}

# The control socket's plugin is in a package that is only unpacked.
gather_plugins() {
	mkdir -p "$LAB/plugins"
	cp /usr/lib/ipsec/plugins/*.so "$LAB/plugins/" &&
		cp --remove-destination "${SWANCTL%/usr/sbin/swanctl}"/usr/lib/ipsec/plugins/*.so "$LAB/plugins/"
}

# ---- keys and certificates: NAME-ca, NAME-left, NAME-right (.key, .crt) for authentication NAME

key() { # kind file
	case $1 in
	rsa*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa}" -out "$2" 2>/dev/null ||
		openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa}" -out "$2" 2>/dev/null ;;
	ecdsa) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$2" ;;
	ed25519) openssl genpkey -algorithm ed25519 -out "$2" ;;
	esac || lab_give_up "no key of kind $1"
	chmod 600 "$2"
}

ca() { # name kind-of-key
	key "$2" "$PKI/$1-ca.key"
	must openssl req -x509 -new -key "$PKI/$1-ca.key" -subj "/O=Example/CN=$1 CA" -days 30 \
		-addext keyUsage=critical,keyCertSign,cRLSign -out "$PKI/$1-ca.crt"
}

# The name in it is the second's, after the last "-": x-left is left.example.
cert() { # ca name "extensions, a line each" [options of openssl x509...]
	local ca=$1 name=$2 extensions=$3
	shift 3
	printf '%b\n' "$extensions" >"$PKI/ext"
	[ -e "$PKI/$name.key" ] || key ecdsa "$PKI/$name.key"
	must openssl req -new -key "$PKI/$name.key" -subj "/O=Example/CN=${name##*-}.example" -out "$PKI/csr"
	[ $# -gt 0 ] || set -- -days 20
	must openssl x509 -req -in "$PKI/csr" -CA "$PKI/$ca.crt" -CAkey "$PKI/$ca.key" -extfile "$PKI/ext" "$@" \
		-out "$PKI/$name.crt" 2>/dev/null
}

extensions_of() { printf 'subjectAltName=DNS:%s.example\\nkeyUsage=digitalSignature' "$1"; } # side

pair_of_certs() { # name kind-of-key
	local side
	ca "$1" "$2"
	for side in left right; do
		key "$2" "$PKI/$1-$side.key"
		cert "$1-ca" "$1-$side" "$(extensions_of $side)"
	done
}

raw_keys() {
	local side
	for side in left right; do
		key ed25519 "$PKI/raw-$side.key"
		openssl pkey -in "$PKI/raw-$side.key" -pubout -out "$PKI/raw-$side.pub"
	done
}

# ---- one side each

# What a case may change. AUTH: psk, raw, or what its certificates are called; *_AUTH of one side only.
# MORE: lines of the tunnel; LINK of its link. CONN, CHILD: lines of swanctl.conf; CONF of strongswan.conf.
settings() {
	AUTH=psk LEFT_AUTH="" RIGHT_AUTH="" PSK=psk PEER_ID="" NAT=""
	MORE="" LINK="" SELECTORS="" CONN="" CHILD="" CONF="" LOCAL_ADDRS="" CHARON_TS="" POOLS=""
}

other() { if [ "$1" = left ]; then echo right; else echo left; fi; }
inner() { if [ "$1" = left ]; then echo 172.31.1.1/32; else echo 172.31.2.1/32; fi; }
address() { if [ "$1" = left ]; then echo $LEFT; else echo $RIGHT; fi; }
# Where a side finds its peer; behind a NAT only left knows where to begin.
peer_address() { # side
	case $1,$NAT in
	left,"NAT at both ends" | left,"NAT of who answers" | left,"two NATs at one end, one at the other") echo 198.18.2.254 ;;
	right,?*) ;;
	*) address "$(other "$1")" ;;
	esac
}
auth_of() { if [ "$1" = left ]; then echo "${LEFT_AUTH:-$AUTH}"; else echo "${RIGHT_AUTH:-$AUTH}"; fi; }

# With those between, if there are any.
chain_of() { if [ -e "$PKI/$1.chain.crt" ]; then echo "$1.chain.crt"; else echo "$1.crt"; fi; }

iked_auth() { # side
	local it own its
	it=$(other "$1") own=$(auth_of "$1") its=$(auth_of "$it")
	case $own in
	psk) printf ' authentication local psk\n' ;;
	raw) printf ' %s\n' "authentication local key" "local certificate raw-$1.pub" "local key raw-$1.key" ;;
	*) printf ' %s\n' "authentication local cert" "local certificate $(chain_of "$own-$1")" "local key $own-$1.key" ;;
	esac
	case $its in
	psk) printf ' authentication remote psk\n' ;;
	raw) printf ' %s\n' "authentication remote key" "remote key raw-$it.pub" ;;
	*) printf ' %s\n' "authentication remote cert" "remote ca $its-ca.crt" ;;
	esac
	[ "$own" != psk ] && [ "$its" != psk ] || echo " psk file $PSK"
}

iked_configuration() { # side
	local side=$1 it peer
	it=$(other "$side")
	peer=$(peer_address "$side")
	printf 'link wan\n %s\nexit\n' "${LINK:-source $(address "$side")}"
	printf 'tunnel t\n via wan\n identity local fqdn %s.example\n identity remote fqdn %s\n' "$side" "${PEER_ID:-$it.example}"
	[ -z "$peer" ] || printf ' peer address %s\n' "$peer"
	iked_auth "$side"
	printf '%s\n datapath user\n device ipsec9\n' "${SELECTORS:- selector local $(inner "$side")
 selector remote $(inner "$it")}"
	printf '%s\nexit\n' "$MORE"
}

# A case with two of them says in IKED which one it means.
iked_start() { # side
	local side=$1 me=${IKED:-iked}
	local d=$LAB/run/$me
	mkdir -p "$d"
	rm -f "$d"/*.vty
	iked_configuration "$side" >"$d/iked.conf"
	lab_spawn "$side" "$me" "$OPENSAV_BUILD/sav-iked" -u root -g root -i "$d/iked.pid" -f "$d/iked.conf" \
		--vty_socket "$d" --keys "$PKI" --log "file:$LAB/log/$me.log"
	need 60 "sav-iked runs" iked 'show ipsec counters'
	need 30 "its interface is up" link_is_up "$side" ipsec9
	ip -n "$side" route add "$(inner "$(other "$side")")" dev ipsec9 src "$(inner "$side" | cut -d/ -f1)"
}

iked() { # command...
	local c args=()
	for c; do args+=(-c "$c"); done
	"$OPENSAV_BUILD/savsh" --vty_socket "$LAB/run/${IKED:-iked}" "${args[@]}"
}

charon_auth() { # side
	local it own its
	it=$(other "$1") own=$(auth_of "$1") its=$(auth_of "$it")
	echo "local {"
	echo "id = $1.example"
	case $own in
	psk) echo "auth = psk" ;;
	raw) printf '%s\n' "auth = pubkey" "pubkeys = $PKI/raw-$1.pub" ;;
	*) printf '%s\n' "auth = pubkey" "certs = $PKI/$own-$1.crt" ;;
	esac
	printf '}\nremote {\n'
	echo "id = $it.example"
	case $its in
	psk) echo "auth = psk" ;;
	raw) printf '%s\n' "auth = pubkey" "pubkeys = $PKI/raw-$it.pub" ;;
	*) printf '%s\n' "auth = pubkey" "cacerts = $PKI/$its-ca.crt" ;;
	esac
	echo "}"
}

# Certificates between ours and the CA are found among all that swanctl has loaded from x509ca.
charon_files() { # side directory
	local own
	own=$(auth_of "$1")
	rm -rf "$2/private" "$2/x509ca"
	mkdir -p "$2/private" "$2/x509ca"
	case $own in psk) ;; *) cp "$PKI/$own-$1.key" "$2/private/" ;; esac
	cp "$PKI/$own"-between*.crt "$2/x509ca/" 2>/dev/null
	return 0
}

charon_start() { # side
	local side=$1 it d=$LAB/run/charon peer
	it=$(other "$side")
	peer=$(peer_address "$side")
	mkdir -p "$d"
	charon_files "$side" "$d"
	# one setting a line: several are read as one
	cat >"$d/strongswan.conf" <<-X
		charon {
		  load_modular = no
		  load = random nonce openssl aes sha1 sha2 hmac kdf gcm pem pkcs1 pkcs8 x509 pubkey revocation constraints vici updown curve25519 chapoly kernel-libipsec kernel-netlink socket-default
		  install_routes = yes
		  retransmit_tries = 3
		  $CONF
		  filelog {
		    l {
		      path = $LAB/log/charon.log
		      default = 1
		      ike = 2
		      flush_line = yes
		    }
		  }
		  plugins {
		    vici {
		      socket = unix://$d/vici
		    }
		    kernel-libipsec {
		      allow_peer_ts = yes
		    }
		  }
		}
	X
	cat >"$d/swanctl.conf" <<-X
		connections {
		  t {
		    version = 2
		    ${LOCAL_ADDRS:-local_addrs = $(address "$side")}
		    ${peer:+remote_addrs = $peer}
		    $CONN
		    $(charon_auth "$side")
		    children {
		      net {
		        ${CHARON_TS:-local_ts = $(inner "$side")
		        remote_ts = $(inner "$it")}
		        $CHILD
		      }
		    }
		  }
		}
		secrets {
		  ike-t {
		    id-1 = left.example
		    id-2 = right.example
		    secret = "$(cat "$PKI/psk")"
		  }
		}
		$POOLS
	X
	STRONGSWAN_CONF=$d/strongswan.conf lab_spawn "$side" charon unshare -m --propagation private \
		bash -c "mount -t tmpfs none /run; mount --bind \"$LAB/plugins\" /usr/lib/ipsec/plugins; exec \"$CHARON\""
	need 60 "charon answers" swanctl --stats
	# keys are looked for beside the file
	swanctl --load-all --file "$d/swanctl.conf" >"$LAB/log/swanctl.out" 2>&1 ||
		lab_give_up "swanctl refused its configuration"
}

# its socket is on the lab's own file system
swanctl() { # arguments...
	STRONGSWAN_CONF=$LAB/run/charon/strongswan.conf LD_LIBRARY_PATH=${SWANCTL%/sbin/swanctl}/lib/ipsec \
		timeout 20 "$SWANCTL" "$@" --uri "unix://$LAB/run/charon/vici"
}

sides() { # of-iked
	: >"$LAB/log/iked.log"
	: >"$LAB/log/charon.log"
	# who answers is there first
	if [ "$WHO" = sav-iked ]; then
		charon_start "$(other "$1")"
		iked_start "$1"
	else
		iked_start "$1"
		charon_start "$(other "$1")"
	fi
}

stop() {
	lab_kill iked
	lab_kill charon KILL
	local n
	for n in left right; do
		ip -n $n rule del prio 220 2>/dev/null
		need 30 "the interface is gone" link_is_gone $n ipsec9
	done
	nat_off
}

# ---- what is looked at

ike_sa() { iked 'show ipsec sa json' | json "$1"; } # expression over d, the list
iked_up() { [ "$(ike_sa 'sum(s["state"] == "up" and any(c["state"] == "up" for c in s["children"]) for s in d)')" -ge 1 ]; }
iked_one() { [ "$(ike_sa 'len(d) == 1 and len(d[0]["children"]) == 1 and d[0]["state"] == "up"')" = 1 ]; }
iked_none() { [ "$(ike_sa 'len(d)')" = 0 ]; }
charon_up() { swanctl --list-sas | grep -q 'INSTALLED'; }
charon_has() { swanctl --list-sas >"$LAB/charon.sas" && [ "$(grep -c ESTABLISHED "$LAB/charon.sas")" = "$1" ]; } # how many
# Of three, one: after 1 s it can be tried again. What is asked once has PING_WAIT.
pings() { in_ns left ping -q -c 3 -i 0.2 -W "${PING_WAIT:-1}" -I 172.31.1.1 172.31.2.1 >/dev/null; }
pings_back() { in_ns right ping -q -c 3 -i 0.2 -W "${PING_WAIT:-1}" -I 172.31.2.1 172.31.1.1 >/dev/null; }
# 300,000 bytes each way at once, by TCP.
streams() { # [from namespace to namespace]
	local from=${1:-172.31.1.1} in=${2:-left} to=${3:-172.31.2.1} there=${4:-right}
	rm -f "$LAB/listens"
	in_ns "$there" timeout 120 "$PYTHON" "$LAB/stream.py" echo "$to" "$LAB/listens" &
	wait_for 30 "a listener" test -e "$LAB/listens" && in_ns "$in" timeout 120 "$PYTHON" "$LAB/stream.py" ask "$from" "$to"
}
spi_in() { ike_sa '" ".join(c["spiIn"] for s in d for c in s["children"])'; }
spi_ike() { ike_sa '" ".join(s["initiatorSpi"] for s in d)'; }
changed() { # was command...
	local was=$1 now
	shift
	now=$("$@") && [ -n "$now" ] && [ "$now" != "$was" ]
}
# One is left, and it is another: of the new one beside the old one nothing is known yet.
anew() { changed "$@" && iked_one && changed "$@"; } # was what
logged() { grep -qE "$1" "$LAB/log/iked.log"; } # regex
charon_logged() { grep -qE "$1" "$LAB/log/charon.log"; }
shown() { iked 'show ipsec tunnel' | grep -qE "$1"; } # regex

# Who begins: the one that the case names.
begin_iked() { iked 'ipsec up t' >/dev/null; }
begin_charon() { swanctl --initiate --child net --timeout 10 >>"$LAB/log/swanctl.out" 2>&1; }

established() { wait_for 30 "both sides have their SAs" both_up && wait_for 15 "packets pass" pings; }
both_up() { iked_up && charon_up; }

# ---- results

# One line of the table and one test.
tried() { # what status
	local word=no path=${PATH_NAME:-${NAT:-no NAT}}
	if [ "$2" -eq 0 ]; then passed "$CASE: $1"; word=yes; else failed "$CASE: $1"; fi
	[ -z "${IKE_ROWS:-}" ] || echo "| ${PEER:-strongSwan} | $AUTH | $WHO | $path | $1 | $word |" >>"$IKE_ROWS"
	return "$2"
}

verdict() { # what command...
	local what=$1
	shift
	"$@"
	tried "$what" $?
}

# ---- cases

# Who begins is on the left: there are the NATs.
begins() { # iked|charon [what else the case is called by]
	PATH_NAME="${2:-}"
	WHO=$([ "$1" = iked ] && echo sav-iked || echo strongSwan)
	CASE="$AUTH, $WHO begins, ${2:-${NAT:-no NAT}}"
	nat_on
	sides "$([ "$1" = iked ] && echo left || echo right)"
	begin_"$1"
}

# Set up, carry data.
life() { # iked|charon [what else the case is called by]
	begins "$@"
	verdict "up, data both ways" established
}

# New keys from both sides.
renew_child() {
	local was
	was=$(spi_in)
	iked 'ipsec rekey t'
	verdict "new keys of the child SA, by sav-iked" renewed "$was" spi_in
	was=$(spi_in)
	swanctl --rekey --child net >/dev/null
	verdict "new keys of the child SA, by strongSwan" renewed "$was" spi_in
}
renew() {
	local was
	renew_child
	was=$(spi_ike)
	iked 'ipsec rekey t ike'
	verdict "new keys of the IKE SA, by sav-iked" renewed "$was" spi_ike
	was=$(spi_ike)
	swanctl --rekey --ike t >/dev/null
	verdict "new keys of the IKE SA, by strongSwan" renewed "$was" spi_ike
}

# Who begins, in a quick run and with IKE_SLOW.
begun_by() { if [ -n "${IKE_SLOW:-}" ]; then echo iked charon; else echo "$1"; fi; }
renew_slowly() { [ -z "${IKE_SLOW:-}" ] || renew; }

# Another SPI, one SA with one child again, and packets pass.
renewed() { wait_for 40 "one SA with one child, another one" anew "$1" "$2" && PING_WAIT=15 pings; } # was what

# Nothing comes up, and sav-iked says why, whoever begins.
refused() { # what regex-of-iked's-log
	begin_"$([ "$WHO" = sav-iked ] && echo iked || echo charon)"
	verdict "$1" no_tunnel_because "$2"
}

no_tunnel_because() { # regex
	wait_for 30 "the reason is logged" logged "$1" && iked_no_child
}

iked_no_child() { [ "$(ike_sa 'sum(len(s["children"]) for s in d)')" = 0 ]; }
