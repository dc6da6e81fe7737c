# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# charon.sh - strongSwan on a side of ike.sh's network, with a kernel plugin of its own; sourced after ike.sh.

charon_find() {
	CHARON=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-charon 2>/dev/null)/usr/lib/ipsec/charon
	SWANCTL=$("$LAB_SRC/contrib/deps.sh" --unpacked strongswan-swanctl 2>/dev/null)/usr/sbin/swanctl
	[ -x "$CHARON" ] && [ -x "$SWANCTL" ] || skip_all "needs strongSwan: contrib/deps.sh all"
}

# The control socket's plugin is in a package that is only unpacked.
gather_plugins() {
	mkdir -p "$LAB/plugins"
	cp /usr/lib/ipsec/plugins/*.so "$LAB/plugins/" &&
		cp --remove-destination "${SWANCTL%/usr/sbin/swanctl}"/usr/lib/ipsec/plugins/*.so "$LAB/plugins/"
}

charon_configuration() { # side plugins directory
	cat <<-X
		charon {
		  load_modular = no
		  load = random nonce openssl aes sha1 sha2 hmac kdf gcm pem pkcs1 pkcs8 x509 pubkey vici updown curve25519 $2 socket-default
		  retransmit_tries = 5
		  filelog {
		    l {
		      path = $3/charon.log
		      default = 1
		      flush_line = yes
		    }
		  }
		  plugins {
		    vici {
		      socket = unix://$3/vici
		    }
		    kernel-libipsec {
		      allow_peer_ts = yes
		    }
		  }
		}
	X
}

swanctl_configuration() { # side own peer
	local it
	it=$(other "$1")
	cat <<-X
		connections {
		  t {
		    version = 2
		    local_addrs = $2
		    $([ -z "$3" ] || echo "remote_addrs = $3")
		    local {
		      auth = psk
		      id = $1.example
		    }
		    remote {
		      auth = psk
		      id = $it.example
		    }
		    children {
		      net {
		        local_ts = $(inner "$1")/32
		        remote_ts = $(inner "$it")/32
		      }
		    }
		  }
		}
		secrets {
		  ike-t {
		    id-1 = left.example
		    id-2 = right.example
		    secret = "a secret of both"
		  }
		}
	X
}

charon_start() { # side plugins own peer [wrapper]
	local d plugins=/mnt/lab/plugins
	d=$(dir "$1")
	[ "$1" != left ] || plugins=$LAB/plugins
	charon_configuration "$1" "$2" "$d" >"$LAB/strongswan.conf"
	swanctl_configuration "$1" "$3" "$4" >"$LAB/swanctl.conf"
	on "$1" "mkdir -p $d; cp $LAB/*.conf $d/; echo > $d/charon.log; export STRONGSWAN_CONF=$d/strongswan.conf
		setsid ${5:-} unshare -m --propagation private bash -c 'mount -t tmpfs none /run; mount --bind $plugins /usr/lib/ipsec/plugins
			echo \$\$ >$d/charon.pid; exec $CHARON' </dev/null >$d/charon.out 2>&1 &"
	need $SLOW "charon of $1 answers" swanctl "$1" --stats
	swanctl "$1" --load-all --file "$d/swanctl.conf" >"$LAB/log/swanctl.out" 2>&1 || die "swanctl refused its configuration"
}
charon_stop() { # side
	on "$1" "p=\$(cat $(dir "$1")/charon.pid); kill \$p; while kill -0 \$p; do sleep 0.1; done; ip rule del prio 220" >/dev/null 2>&1
}
swanctl() { # side arguments...
	local side=$1 d
	shift
	d=$(dir "$side")
	on "$side" "STRONGSWAN_CONF=$d/strongswan.conf LD_LIBRARY_PATH=${SWANCTL%/sbin/swanctl}/lib/ipsec \
		timeout 60 $SWANCTL $* --uri unix://$d/vici"
}
charon_up() { swanctl "$1" --list-sas | grep -q INSTALLED; }
charon_spi() { swanctl "$1" --list-sas | sed -n 's/^ *in *\([0-9a-f]*\),.*/\1/p' | sort | xargs; }
