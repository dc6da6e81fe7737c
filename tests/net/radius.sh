# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# radius.sh - the network of the RADIUS test, and FreeRADIUS in it; sourced after lab.sh.
#
#     cpe ---- sub1, sub2 ---- pe ---- ctl (savd, FreeRADIUS, the server)
#                                       |
#                      bng, stranger ---+   send RADIUS
#
# pe is the router of the subscribers; bng stands for its RADIUS client, which needs no interface in
# common with them. FreeRADIUS runs where savd does and passes accounting on, as an ISP's does.

SAVD4=192.0.2.130 SAVD6=2001:db8:0:9::2
SECRET=s3cret-of-bng PROXY_SECRET=s3cret-of-proxy
FREERADIUS_ROOT=$("$LAB_SRC/contrib/deps.sh" --unpacked freeradius 2>/dev/null) || FREERADIUS_ROOT=
FREERADIUS_ROOT=${FREERADIUS_ROOT%/}

radius_network() {
	lab_ns pe cpe ctl bng stranger
	lab_link pe sub1 "192.0.2.1/30 2001:db8:0:1::1/64" cpe link1 "192.0.2.2/30 2001:db8:0:1::2/64"
	lab_link pe sub2 "192.0.2.5/30 2001:db8:0:2::1/64" cpe link2 "192.0.2.6/30 2001:db8:0:2::2/64"
	lab_link pe core "192.0.2.129/26 2001:db8:0:9::1/64" ctl eth0 "$SAVD4/26 $SAVD6/64"
	lab_link bng eth0 "192.0.2.201/29 2001:db8:0:a::1/64" ctl mgmt "192.0.2.202/29 2001:db8:0:a::2/64"
	lab_link stranger eth0 "192.0.2.209/29" ctl other "192.0.2.210/29"
	lab_route bng $SAVD4/32 192.0.2.202
	lab_route bng $SAVD6/128 2001:db8:0:a::2
	lab_route stranger $SAVD4/32 192.0.2.210
	lab_address ctl lo "198.19.0.1/32 198.19.0.2/32 2001:db8:f::1/128 2001:db8:f::2/128"
	lab_route pe 198.19.0.0/24 $SAVD4
	lab_route pe 2001:db8:f::/48 $SAVD6
	# what the subscribers send, they have; link 1 leads to the first address of the server
	lab_address cpe lo "198.18.1.1/32 198.18.1.2/32 198.18.2.1/32 198.18.66.66/32 2001:db8:c1::1/128"
	lab_route cpe 198.19.0.1/32 192.0.2.1
	lab_route cpe 198.19.0.2/32 192.0.2.5
	lab_route cpe 2001:db8:f::1/128 2001:db8:0:1::1
	lab_route cpe 2001:db8:f::2/128 2001:db8:0:2::1
	lab_route pe 198.18.0.0/16 192.0.2.2
	lab_route ctl "192.0.2.0/29 198.18.0.0/16" 192.0.2.129
	lab_route ctl "2001:db8:0:1::/64 2001:db8:0:2::/64 2001:db8:c1::/48" 2001:db8:0:9::1
	for dst in 198.19.0.1 198.19.0.2 2001:db8:f::1 2001:db8:f::2; do # before packets count
		need 60 "the customer reaches $dst" in_ns cpe ping -c 1 -W 1 -q $dst
	done
}

radius_config() { # more lines on standard input
	{
		cat <<-END
			agent listen $SAVD4 port 11020
			special-purpose permit 192.0.2.0/24
			special-purpose permit 198.18.0.0/15
			special-purpose permit 2001:db8::/32
			own-prefix 198.18.0.0/16
			router pe
			exit
			radius listen accounting 0.0.0.0
			radius listen accounting $SAVD6
			radius listen dynamic-authorization 0.0.0.0
			radius interim-silence 0
			radius client bng
			 address 192.0.2.201
			 address 2001:db8:0:a::/64
			 secret $SECRET
			 pool 198.18.0.0/16
			 pool 2001:db8:c1::/48
			 dynamic-authorization
			exit
			radius client proxy
			 address $SAVD4
			 address 127.0.0.1
			 secret $PROXY_SECRET
			 pool 198.18.0.0/16
			exit
			radius rule 10
			 nas bng*
			 port sub*
			 edge pe %p
			exit
		END
		cat
	} | sav_configure
}

# ---- FreeRADIUS, of the machine or unpacked

freeradius_dir() { echo "$LAB/run/freeradius"; }

# Answers Access-Requests from "users" and passes accounting on to savd.
freeradius_config() {
	local dir
	dir=$(freeradius_dir)
	mkdir -p "$dir/raddb" "$dir/detail"
	: >"$dir/raddb/empty"
	echo "\$INCLUDE $LAB_SRC/contrib/radius/dictionary.opensav" >"$dir/raddb/dictionary"
	cat >"$dir/raddb/radiusd.conf" <<-END
		prefix = /
		libdir = $FREERADIUS_ROOT/usr/lib/freeradius
		logdir = $LAB/log
		run_dir = $dir
		pidfile = $dir/radiusd.pid
		radacctdir = $dir/detail
		security {
			allow_vulnerable_openssl = yes
		}
		log {
			destination = stdout
		}
		proxy server {
			default_fallback = no
		}
		home_server savd {
			type = acct
			ipaddr = $SAVD4
			port = 1813
			secret = $PROXY_SECRET
			response_window = 5
			status_check = status-server
		}
		home_server_pool savd {
			type = fail-over
			home_server = savd
		}
		realm savd {
			acct_pool = savd
		}
		client bng {
			ipaddr = 192.0.2.201
			secret = to-freeradius
		}
		client savd {
			ipaddr = $SAVD4
			secret = for-profiles
		}
		client local {
			ipaddr = 127.0.0.1
			secret = for-profiles
		}
		thread pool {
			start_servers = 1
			max_servers = 4
			min_spare_servers = 1
			max_spare_servers = 2
		}
		modules {
			files {
				usersfile = $dir/raddb/users
				acctusersfile = $dir/raddb/empty
				preproxy_usersfile = $dir/raddb/empty
			}
			pap {
			}
			always ok {
				rcode = ok
			}
			detail relay {
				filename = $dir/detail/relay
			}
		}
		server default {
			listen {
				type = auth
				ipaddr = *
				port = 1812
			}
			listen {
				type = acct
				ipaddr = *
				port = 11813
			}
			authorize {
				files
				pap
			}
			post-auth {
				update reply {
					Message-Authenticator := 0x00
				}
				Post-Auth-Type REJECT {
					update reply {
						Message-Authenticator := 0x00
					}
				}
			}
			authenticate {
				Auth-Type PAP {
					pap
				}
			}
			accounting {
				relay
				ok
			}
			preacct {
				if (&User-Name =~ /^proxied/) {
					update control {
						&Proxy-To-Realm := savd
					}
				}
			}
		}
		server relay {
			listen {
				type = detail
				filename = $dir/detail/relay
				load_factor = 90
				poll_interval = 1
				retry_interval = 2
			}
			preacct {
				update control {
					&Proxy-To-Realm := savd
				}
			}
			accounting {
				ok
			}
		}
	END
	printf '%s\n' >"$dir/raddb/users" \
		'profile-acme Cleartext-Password := "profile-password"' \
		'  Framed-IP-Address = 198.18.2.1,' \
		'  Framed-Route += "198.18.3.0/24 0.0.0.0 1",' \
		'  OpenSAV-Action = "enforce"' \
		'profile-gone Auth-Type := Reject' \
		'  Framed-IP-Address = 198.18.66.66'
}

freeradius_start() { # namespace
	freeradius_config
	lab_spawn "$1" freeradius env LD_LIBRARY_PATH="$FREERADIUS_ROOT/usr/lib/freeradius" \
		"$FREERADIUS_ROOT/usr/sbin/freeradius" -f -l stdout -d "$(freeradius_dir)/raddb" -D /usr/share/freeradius
	need 60 "FreeRADIUS runs" grep -q "Ready to process requests" "$LAB/log/freeradius.out"
}

# ---- an honest client: lines of attributes on standard input (not from a pipe, whose end would be a
# subshell's); what was answered is in $answer

answer=
radclient_as() { # namespace server:port command secret
	answer=$(in_ns "$1" radclient -D /usr/share/freeradius -d "$(radclient_dir)" -r 2 -t 10 -x "$2" "$3" "$4" 2>&1)
}

radclient_dir() {
	mkdir -p "$LAB/run/radclient"
	echo "\$INCLUDE $LAB_SRC/contrib/radius/dictionary.opensav" >"$LAB/run/radclient/dictionary"
	echo "$LAB/run/radclient"
}

# What a BNG says of a session on one of its ports: STATUS SESSION PORT USER [ATTRIBUTE...].
account() {
	local status=$1 session=$2 port=$3 user=$4 a
	shift 4
	radclient_as bng ${ACCOUNT_TO:-$SAVD4:1813} acct ${ACCOUNT_SECRET:-$SECRET} < <(
		printf '%s\n' "Acct-Status-Type = $status" "Acct-Session-Id = \"$session\"" "User-Name = \"$user\"" \
			'NAS-Identifier = "bng1"' "NAS-Port-Id = \"$port\"" "Event-Timestamp = $(date +%s)"
		for a; do printf '%s\n' "$a"; done
	)
	grep -q "Accounting-Response" <<<"$answer"
}

# CoA and Disconnect: what is answered stands in $answer.
dynamic() { # coa|disconnect attributes...
	local command=$1 a
	shift
	radclient_as bng $SAVD4:3799 "$command" $SECRET < <(
		printf 'Event-Timestamp = %s\n' "$(date +%s)"
		for a; do printf '%s\n' "$a"; done
	)
}

nas() { # namespace arguments of radius_nas.py...
	local ns=$1
	shift
	in_ns "$ns" "$PYTHON" "$LAB_SRC/tests/net/radius_nas.py" "$@"
}

sessions() { sav 'show radius json' | json 'd["sessions"]'; }
counter() { sav 'show radius counters json' | json "d['$1']"; }
client_counter() { sav 'show radius clients json' | json "[c['$2'] for c in d['clients'] if c['client'] == '$1'][0]"; }
says() { # interface address text
	local text
	text=$(sav "explain pe $1 $2")
	grep -qF "$3" <<<"$text" || { say "it says: $text"; false; }
}
accepts() { # interface address
	[ "$(sav "explain pe $1 $2 json" | json 'd["admitted"]')" = 1 ]
}
refuses() { ! accepts "$@"; }
