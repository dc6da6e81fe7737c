# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many IKE initiators (tests/bench/ike_clients.c) against one responder: sav-iked, or strongSwan's
# charon. Sourced after lab.sh by tests/net/ike-load and tests/bench/bench-ike.
#
#   clients 198.18.0.0/16 --- nat --- 198.51.100.2 hub --- flood 198.19.0.0/16
# shellcheck disable=SC2034 # used by who sources this

HUB=198.51.100.2
CLIENTS=$OPENSAV_BUILD/tests/bench/ike_clients
FLOOD=$OPENSAV_BUILD/tests/bench/ike_flood

load_network() {
	lab_ns clients nat hub flood
	lab_link clients c0 192.0.2.2/30 nat n0 192.0.2.1/30
	lab_link nat n1 198.51.100.1/24 hub h0 $HUB/24
	lab_link flood f0 203.0.113.2/30 hub h1 203.0.113.1/30
	# every address of the prefix is one's own there
	ip -n clients route add local 198.18.0.0/16 dev lo
	ip -n clients route add default via 192.0.2.1
	ip -n nat route add 198.18.0.0/16 via 192.0.2.2
	ip -n hub route add default via 198.51.100.1
	ip -n hub address add 172.31.0.1/32 dev lo # charon wants one of its own inside its selector
	ip -n flood route add local 198.19.0.0/16 dev lo
	ip -n flood route add $HUB via 203.0.113.1
	ip -n hub route add 198.19.0.0/16 via 203.0.113.2
}

load_nat_on() {
	in_ns nat nft -f - <<-'X'
		table ip nat {
			chain post { type nat hook postrouting priority srcnat; policy accept; oifname "n1" masquerade; }
		}
	X
}

load_nat_off() { in_ns nat nft flush ruleset; in_ns nat conntrack -F 2>/dev/null; }

# One CA of a kind, the hub's certificate, and one for each of N clients: with one key, since a key
# of its own for each would take longer than all the rest.
load_pki() { # kind clients
	local kind=$1 n=$2 d=$LAB/pki/$1 i
	mkdir -p "$d"
	for i in ca hub client; do
		case $kind in
		rsa) openssl genrsa -out "$d/$i.key" 2048 2>/dev/null ;;
		ecdsa) openssl ecparam -name prime256v1 -genkey -noout -out "$d/$i.key" ;;
		esac
	done
	must openssl req -x509 -new -key "$d/ca.key" -subj "/O=Example/CN=$kind CA" -days 30 \
		-addext keyUsage=critical,keyCertSign,cRLSign -out "$d/ca.crt"
	load_certificate "$d" hub hub hub
	for ((i = 0; i < n; i++)); do load_certificate "$d" client client$i $i; done
	chmod 600 "$d"/*.key
}

load_certificate() { # directory key name file
	openssl req -new -key "$1/$2.key" -subj "/O=Example/CN=$3.example" -out "$1/csr"
	printf 'subjectAltName=DNS:%s.example\nkeyUsage=digitalSignature\n' "$3" >"$1/ext"
	openssl x509 -req -in "$1/csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -days 20 -extfile "$1/ext" \
		-out "$1/$4.crt" 2>/dev/null || lab_give_up "no certificate for $3"
}

# ---- sav-iked

# One tunnel for all comers, or N tunnels with an identity and a key each.
iked_config() { # psk|rsa|ecdsa|NUMBER
	printf 'link wan\n source %s\nexit\n' $HUB
	case $1 in
	psk) iked_tunnel all any psk ;;
	rsa | ecdsa) iked_tunnel all any "$1" ;;
	*) seq 0 $(($1 - 1)) | awk -v extra="${TUNNEL_EXTRA:-}" '{
		printf "tunnel c%d\n via wan\n identity local fqdn hub.example\n identity remote fqdn client%d.example\n", $1, $1
		printf " authentication local psk\n authentication remote psk\n psk file psk%d\n", $1
		printf " selector local 172.31.0.0/16\n selector remote 10.%d.%d.%d/32\n datapath user\n device ipsec9\n%sexit\n", 128 + int($1 / 65536), int($1 / 256) % 256, $1 % 256, extra
	}' ;;
	esac
}

iked_tunnel() { # name remote-identity psk|rsa|ecdsa
	printf 'tunnel %s\n via wan\n identity local fqdn hub.example\n identity remote %s\n' "$1" "$2"
	case $3 in
	psk) printf ' %s\n' "authentication local psk" "authentication remote psk" "psk file psk" ;;
	*) printf ' %s\n' "authentication local cert" "authentication remote cert" "local certificate hub.crt" \
		"local key hub.key" "remote ca ca.crt" ;;
	esac
	printf ' selector local 172.31.0.0/16\n selector remote 10.128.0.0/9\n datapath user\n device ipsec9\nexit\n'
}

iked_start() { # psk|rsa|ecdsa|NUMBER
	local d=$LAB/run/iked keys=$LAB/keys
	rm -rf "$d" "$keys"
	mkdir -p "$d" "$keys"
	case $1 in
	psk) echo "a secret of both" >"$keys/psk" ;;
	rsa | ecdsa) cp "$LAB/pki/$1"/{hub.key,hub.crt,ca.crt} "$keys" ;;
	*) seq 0 $(($1 - 1)) | awk -v d="$keys" '{ f = d "/psk" $1; print "secret of " $1 >f; close(f) }' ;;
	esac
	find "$keys" -type f -exec chmod 600 {} +
	iked_config "$1" >"$d/iked.conf"
	: >"$LAB/log/iked.log"
	lab_spawn hub iked "$OPENSAV_BUILD/sav-iked" -u root -g root -i "$d/iked.pid" -f "$d/iked.conf" \
		--vty_socket "$d" --keys "$keys" --log "file:$LAB/log/iked.log"
	need 120 "sav-iked runs" iked 'show ipsec counters'
	need 60 "its interface is there" ip -n hub link show ipsec9
}

iked() { # command...
	local c args=()
	for c; do args+=(-c "$c"); done
	timeout 20 "$OPENSAV_BUILD/savsh" --vty_socket "$LAB/run/iked" "${args[@]}"
}

iked_pids() {
	echo "${LAB_PIDS[iked]}"
	iked 'show ipsec counters json' | json '"\n".join(str(d[k]) for k in ("ikeProcess", "signerProcess", "espProcess") if d.get(k))'
}

# ---- charon

charon_find() {
	CHARON=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-charon 2>/dev/null)/usr/lib/ipsec/charon
	SWANCTL=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-swanctl 2>/dev/null)/usr/sbin/swanctl
	[ -x "$CHARON" ] && [ -x "$SWANCTL" ] || return 1
	mkdir -p "$LAB/plugins"
	cp /usr/lib/ipsec/plugins/*.so "$LAB/plugins/" &&
		cp --remove-destination "${SWANCTL%/usr/sbin/swanctl}"/usr/lib/ipsec/plugins/*.so "$LAB/plugins/"
}

charon_config() { # psk|rsa|ecdsa
	cat <<-X
		connections {
		  all {
		    version = 2
		    local_addrs = $HUB
		    proposals = aes256gcm16-prfsha256-x25519
		    dpd_delay = 30s
		    local {
		      auth = $([ "$1" = psk ] && echo psk || echo pubkey)
		      id = hub.example
		      $([ "$1" = psk ] || echo "certs = $LAB/pki/$1/hub.crt")
		    }
		    remote {
		      auth = $([ "$1" = psk ] && echo psk || echo pubkey)
		      id = "*.example"
		      $([ "$1" = psk ] || echo "cacerts = $LAB/pki/$1/ca.crt")
		    }
		    children {
		      net {
		        local_ts = 172.31.0.0/16
		        remote_ts = 10.128.0.0/9
		        esp_proposals = aes256gcm16
		      }
		    }
		  }
		}
		secrets {
		  ike-all {
		    secret = "a secret of both"
		  }
		}
	X
}

# Its protection by cookies and by counts of each address is CHARON_EXTRA's affair.
charon_start() { # psk|rsa|ecdsa
	local d=$LAB/run/charon
	rm -rf "$d"
	mkdir -p "$d/private"
	[ "$1" = psk ] || cp "$LAB/pki/$1/hub.key" "$d/private/"
	cat >"$d/strongswan.conf" <<-X
		charon {
		  load_modular = no
		  load = random nonce openssl aes sha1 sha2 hmac kdf gcm pem pkcs1 pkcs8 x509 pubkey revocation constraints vici curve25519 chapoly kernel-libipsec kernel-netlink socket-default
		  install_routes = no
		  ikesa_table_size = 4096
		  ikesa_table_segments = 16
		  ${CHARON_EXTRA:-}
		  filelog {
		    l {
		      path = $LAB/log/charon.log
		      default = 0
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
	charon_config "$1" >"$d/swanctl.conf"
	STRONGSWAN_CONF=$d/strongswan.conf lab_spawn hub charon unshare -m --propagation private \
		bash -c "mount -t tmpfs none /run; mount --bind \"$LAB/plugins\" /usr/lib/ipsec/plugins; exec \"$CHARON\""
	need 20 "charon answers" swanctl --stats
	swanctl --load-all --file "$d/swanctl.conf" >"$LAB/log/swanctl.out" 2>&1 || lab_give_up "swanctl refused its configuration"
}

swanctl() { # arguments...
	STRONGSWAN_CONF=$LAB/run/charon/strongswan.conf LD_LIBRARY_PATH=${SWANCTL%/sbin/swanctl}/lib/ipsec \
		timeout 20 "$SWANCTL" "$@" --uri "unix://$LAB/run/charon/vici"
}

charon_pids() { echo "${LAB_PIDS[charon]}"; }

# ---- what it costs

# Microseconds of processor time of all threads of some processes so far.
cpu_us() { # pid...
	local pid
	for pid; do cat "/proc/$pid/task/"*/schedstat 2>/dev/null; done | awk '{ s += $1 } END { printf "%d\n", s / 1000 }'
}

# Kilobytes that are theirs: what they share with others counts in part.
memory_kb() { # pid...
	local pid
	for pid; do cat "/proc/$pid/smaps_rollup" 2>/dev/null; done | awk '/^Pss:/ { s += $2 } END { print s }'
}

clients() { # arguments... -> JSON
	in_ns clients "$CLIENTS" --to $HUB --from 198.18.0.1 "$@"
}
