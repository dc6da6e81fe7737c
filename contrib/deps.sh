#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Installs the Debian packages that OpenSAV needs; does nothing when they are all there.
#
# usage: contrib/deps.sh [build|run|test|all]...   default: build
#        contrib/deps.sh --unpacked PACKAGE        prints where such a package (see below) lies
#        contrib/deps.sh --frr-env                 prints shell assignments for running FRR's daemons:
#          FRR_BIN      the directory of zebra, bgpd, ...
#          FRR_VTYSH    vtysh
#          FRR_MODULES  the directory of bgpd_bmp.so, for -M "$FRR_MODULES/bgpd_bmp.so"
#          FRR_RUN_AS   options for every daemon (-u, -g)
#          FRR_PACKAGE  the package's version
#
# The packages in "unpacked" below would start and enable a service of the machine when installed. They
# are unpacked into the cache instead and used from there, unless the machine has them installed.
#
#   OPENSAV_CACHE  the cache, default ${XDG_CACHE_HOME:-~/.cache}/opensav
set -eu

# One package a word; a|b is the first that the archive has (names differ between Debian's releases).
build_packages="
	gcc libc6-dev make autoconf automake libtool pkg-config bison flex gawk perl patch xz-utils
	python3 python3-dev dpkg-dev ca-certificates git protobuf-c-compiler
	libssl-dev libsqlite3-dev libnl-3-dev libnl-route-3-dev libnftnl-dev libmnl-dev libprotobuf-c-dev
	libreadline-dev libjson-c-dev libcap-dev libelf-dev libpcre2-dev libyang2-dev|libyang-dev libc-ares-dev
	zlib1g-dev libbz2-dev liblzma-dev libmicrohttpd-dev"
run_packages="
	nftables iproute2 iputils-ping procps kmod sqlite3 openssl python3"
test_packages="
	libcmocka-dev clang libclang-rt-dev|libclang-rt-14-dev llvm shellcheck jq bgpq4 bgpdump tcpdump openssh-client conntrack qemu-system-x86
	systemd freeradius-utils
	libstrongswan libstrongswan-standard-plugins libstrongswan-extra-plugins strongswan-libcharon
	libcharon-extra-plugins"

# Packages with services, as above: their libraries are installed, they themselves unpacked.
run_unpacked="frr"
test_unpacked="prometheus openssh-server freeradius radvd bird2 linux-image-cloud-amd64 strongswan-charon strongswan-swanctl libreswan xl2tpd"

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
cache=${OPENSAV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/opensav}
# Every change of what unpack_package leaves in the cache must change this number.
layout=2
lists_updated=

say() { echo "deps: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root, and there is no sudo. As root, run: $*"
	fi
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

has_candidate() {
	apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'
}

# Runs a command with its output in a log, of which the end is shown if it fails.
logged() { # what command...
	local what=$1 log=$cache/deps.log t=$SECONDS
	shift
	say "$what ..."
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 15 "$log" | sed 's/^/    /' >&2
		die "$what: failed; this was the end of $log"
	fi
	say "$what: done ($((SECONDS - t)) s)"
}

update_lists() {
	[ -z "$lists_updated" ] || return 0
	lists_updated=yes
	logged "read the package lists" as_root apt-get update
}

# Prints the words of a list that are not installed, with alternatives resolved.
missing_of() { # package...
	local word alternative found
	for word; do
		found=
		for alternative in ${word//|/ }; do
			is_installed "$alternative" && continue 2
		done
		for alternative in ${word//|/ }; do
			has_candidate "$alternative" && found=$alternative && break
		done
		echo "${found:-${word%%|*}}"
	done
}

install_packages() { # package...
	local missing
	missing=$(missing_of "$@")
	if [ -z "$missing" ]; then
		say "all $# packages are installed"
		return
	fi
	update_lists
	missing=$(missing_of "$@" | tr '\n' ' ')
	say "missing: $missing"
	# shellcheck disable=SC2086
	logged "install $(echo $missing | wc -w) packages" as_root apt-get install -y --no-install-recommends \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold $missing
}

candidate_version() {
	apt-cache policy "$1" 2>/dev/null | awk '/^  Candidate: [^(]/ { print $2 }'
}

# The libraries that a package depends on, the first of each set of alternatives; not those of its web pages.
libraries_of() {
	apt-cache show --no-all-versions "$1" | sed -nE 's/^(Pre-)?Depends: //p' | tr ',' '\n' |
		sed -E 's/^ *//; s/[ |(:].*//' | grep '^lib' | grep -v '^libjs-' | sort -u
}

# A kernel's package has its version in its name; another one stands for the newest.
stands_for() {
	case $1 in
	linux-image-cloud-*) apt-cache depends --important "$1" | awk '/Depends: linux-image/ { print $2; exit }' ;;
	*) echo "$1" ;;
	esac
}

# The newest unpacked copy of a package.
unpacked_dir() {
	find "$cache" -maxdepth 1 -type d -name "deb$layout-$1-[0-9]*" 2>/dev/null | sort -V | tail -n 1 | grep .
}

unpack_package() { # package
	local package=$1 version dir work
	if is_installed "$package"; then
		say "$package is installed: that one is used"
		return
	fi
	has_candidate "$package" || update_lists
	version=$(candidate_version "$package")
	if [ -z "$version" ]; then
		unpacked_dir "$package" >/dev/null && return
		die "the archive has no package $package"
	fi
	# shellcheck disable=SC2046
	install_packages $(libraries_of "$package")
	dir=$cache/deb$layout-$package-${version#*:}
	if [ -d "$dir" ]; then
		say "$package $version is unpacked in $dir"
		return
	fi
	work=$(mktemp -d "$cache/deb.tmp.XXXXXX")
	chmod 755 "$work"
	logged "unpack $package $version (not installed, so that no service starts)" \
		download_and_unpack "$(stands_for "$package")" "$work"
	[ "$package" != frr ] || make_frr_wrappers "$work/root" "$dir"
	mv -T "$work/root" "$dir" 2>/dev/null || [ -d "$dir" ] || die "cannot move $package to $dir"
	rm -rf "$work"
}

download_and_unpack() { # package directory
	cd "$2"
	mkdir root
	# not as apt's own user, which cannot write into a home directory
	apt-get -o APT::Sandbox::User="" download "$1" && dpkg-deb -x ./*.deb root
}

# Debian's FRR refuses to run where its group frrvty is unknown, and its vtysh where PAM does not know it.
# The wrappers in bin/ show them /etc files of their own in a mount namespace of their own.
make_frr_wrappers() { # unpacked-root final-directory
	local root=$1 dir=$2 program
	mkdir -p "$root/bin" "$root/etc-private/pam.d"
	echo "root:x:0:0:root:/root:/bin/sh" >"$root/etc-private/passwd"
	printf '%s\n' root:x:0: frrvty:x:0: >"$root/etc-private/group"
	printf '%s\n' "auth sufficient pam_rootok.so" "account sufficient pam_rootok.so" >"$root/etc-private/pam.d/frr"
	: >"$root/etc-private/vtysh.conf"
	for program in "$root"/usr/lib/frr/*d "$root/usr/lib/frr/zebra" "$root/usr/bin/vtysh"; do
		[ -x "$program" ] && write_frr_wrapper "$dir" "${program#"$root"}" >"$root/bin/${program##*/}"
	done
	chmod 755 "$root"/bin/*
}

write_frr_wrapper() { # final-directory program
	local lib
	lib=$(cd "$root" && find usr/lib -name libfrr.so.0 -printf '%h\n' | head -n 1)
	cat <<-EOF
		#!/bin/sh
		# made by contrib/deps.sh, which says why
		if [ -z "\${OPENSAV_FRR_WRAPPED:-}" ]; then
		        OPENSAV_FRR_WRAPPED=1 exec unshare --mount --propagation private "\$0" "\$@"
		fi
		unset OPENSAV_FRR_WRAPPED
		for f in passwd group pam.d; do
		        mount --bind "$dir/etc-private/\$f" "/etc/\$f" || exit 1
		done
		export LD_LIBRARY_PATH="$dir/$lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
		exec "$dir$2" $([ "${2##*/}" != vtysh ] || echo "--config_dir '$dir/etc-private' ")"\$@"
	EOF
}

frr_env() {
	local dir modules version
	if is_installed frr; then
		version=$(dpkg-query -W -f '${Version}' frr)
		modules=$(find /usr/lib -path '*/frr/modules' -type d | head -n 1)
		printf '%s\n' "FRR_BIN='/usr/lib/frr'" "FRR_VTYSH='/usr/bin/vtysh'" "FRR_MODULES='$modules'"
	else
		dir=$(unpacked_dir frr) || die "FRR is neither installed nor unpacked: contrib/deps.sh run"
		version=${dir##*/deb"$layout"-frr-}
		modules=$(find "$dir/usr/lib" -path '*/frr/modules' -type d | head -n 1)
		printf '%s\n' "FRR_BIN='$dir/bin'" "FRR_VTYSH='$dir/bin/vtysh'" "FRR_MODULES='$modules'"
	fi
	# root in both cases, so that labs need no directories of another user
	printf '%s\n' "FRR_RUN_AS='-u root -g root'" "FRR_PACKAGE='$version'"
}

print_unpacked() {
	if is_installed "$1"; then
		echo /
	else
		unpacked_dir "$1" || die "$1 is neither installed nor unpacked: contrib/deps.sh all"
	fi
}

main() {
	local set packages="" unpacked="" p
	[ $# -gt 0 ] || set -- build
	case $1 in
	--frr-env) frr_env; return ;;
	--unpacked) print_unpacked "${2:?package}"; return ;;
	esac
	command -v apt-get >/dev/null || die "this is not a Debian system; the lists of packages are at the top of $0"
	for set; do
		case $set in
		build) packages+=$build_packages ;;
		run) packages+=$run_packages unpacked+=" $run_unpacked" ;;
		test) packages+=$test_packages unpacked+=" $test_unpacked" ;;
		all) packages+="$build_packages $run_packages $test_packages" unpacked+=" $run_unpacked $test_unpacked" ;;
		*) sed -n '4,/^set -eu/{/^#/s/^# \?//p}' "$0"; exit 2 ;;
		esac
	done
	mkdir -p "$cache"
	# shellcheck disable=SC2086
	install_packages $packages
	for p in $unpacked; do
		unpack_package "$p"
	done
}

main "$@"
