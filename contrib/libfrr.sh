#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds the private static libfrr of OpenSAV from the distribution's FRR source package.
#
# usage: contrib/libfrr.sh [--print-dir | --rebuild]
#   (nothing)    build it unless the cache has it; the last line on stdout is its directory
#   --print-dir  print the directory of the one in the cache; builds nothing, fails if there is none
#   --rebuild    build even if the cache has one (after a security update of frr, say)
#
# Debian ships libfrr.so without headers, and its soname never changes between incompatible releases;
# a private static archive has neither problem. The source comes through apt with a configuration of
# its own: the user's sources, lists and downloads are read, never written.
#
#   OPENSAV_CACHE        the cache, default ${XDG_CACHE_HOME:-~/.cache}/opensav
#   OPENSAV_FRR_VERSION  FRR's upstream version (8.4.4); default: that of the installed frr, else the newest
set -eu

# Every change of what ends up in the result directory must change this number.
script_version=3

configure_options=(
	--prefix=/usr --sysconfdir=/etc/opensav --localstatedir=/run/opensav
	--enable-user=opensav --enable-group=opensav --enable-vty-group=opensavvty
	--enable-configfile-mask=0640 --enable-logfile-mask=0640
	--enable-multipath=256 --disable-dependency-tracking
	# vtysh is not built, but --disable-vtysh would remove the unix VTY socket from libfrr.
	--enable-vtysh
	# FRR's configure refuses --disable-shared; make is told instead (LIBTOOLFLAGS below).
	--enable-static --enable-shared
	--disable-zebra --disable-bgpd --disable-ripd --disable-ripngd --disable-ospfd --disable-ospf6d
	--disable-ldpd --disable-nhrpd --disable-eigrpd --disable-babeld --disable-watchfrr --disable-isisd
	--disable-pimd --disable-pbrd --disable-staticd --disable-fabricd --disable-vrrpd --disable-pathd
	--disable-bfdd --disable-doc --disable-ospfclient --disable-ospfapi --disable-bgp-vnc --disable-snmp
	--disable-rpki --disable-protobuf
)
frr_cflags="-g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE"

# Another python (pyenv, conda) in PATH would shadow the one that python3-dev belongs to.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin PYTHON=/usr/bin/python3 LC_ALL=C.UTF-8
unset CFLAGS CPPFLAGS LDFLAGS LIBS CC DESTDIR MAKEFLAGS MFLAGS MAKELEVEL LIBRARY_PATH CPATH

cache=${OPENSAV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/opensav}
steps=5
started=$SECONDS
work=

say() { echo "libfrr: $*" >&2; }

# Names what the archive depends on besides FRR's version.
options_key() {
	local os=
	# shellcheck source=/dev/null
	os=$(. /etc/os-release && echo "$ID-${VERSION_ID:-rolling}")
	echo "$script_version $os $(uname -m) $frr_cflags ${configure_options[*]}" | sha256sum | cut -c1-10
}

installed_version() {
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' frr 2>/dev/null | awk '$1 == "installed" { print $2 }'
}

# 1:8.4.4-1.1~deb12u2 -> 8.4.4
upstream_of() { echo "$1" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[+~].*//'; }

# The newest finished build in the cache that fits the wanted upstream version (any, if none is wanted).
find_cached() {
	local d key
	key=$(options_key)
	for d in $(find "$cache" -maxdepth 1 -type d -name "libfrr-${1:-*}-*$key" 2>/dev/null | sort -rV); do
		[ -e "$d/flags" ] && echo "$d" && return
	done
	return 1
}

run_step() { # number name hint command...
	local step_name="step $1/$steps $2" step_log=$work/step-$1.log hint=$3
	shift 3
	local t=$SECONDS
	say "$step_name ..."
	# not as the condition of an if, inside which "set -e" does nothing
	local status=0
	set +e
	(set -e; "$@") >"$step_log" 2>&1 </dev/null
	status=$?
	set -e
	if [ $status -ne 0 ]; then
		say "$step_name failed after $((SECONDS - t)) s; the end of $step_log:"
		tail -n 25 "$step_log" | sed 's/^/    /' >&2
		say "$hint"
		keep_work=1	# for the reader of the log
		exit 1
	fi
	say "$step_name done ($((SECONDS - t)) s, $((SECONDS - started)) s in all)"
}

# An apt configuration of our own, with the user's sources turned into deb-src ones: a file for each.
private_apt() {
	local f a=$work/apt
	mkdir -p "$a/parts" "$a/lists/partial" "$a/cache/archives/partial"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$f" ] || continue
		sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]+/deb-src /p' "$f" | sed -E 's/(\[[^]]*)arch=[^] ]*/\1/'
	done | awk -v dir="$a/parts" '!seen[$0]++ { print >(dir "/line" ++n ".list") }'
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -e "$f" ] || continue
		# a comment between fields would end a stanza of some versions of apt
		sed -E '/^#/d; /^Architectures:/Id; s/^Types:.*/Types: deb-src/I; s/[[:space:]]+$//' "$f"
		echo
	done | awk -v dir="$a/parts" 'BEGIN { RS = "" } { print >(dir "/stanza" ++n ".sources") }'
	cat >"$a/apt.conf" <<-EOF
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$a/parts";
		Dir::State::lists "$a/lists";
		Dir::Cache "$a/cache";
		APT::Sandbox::User "";
		Acquire::Retries "3";
		Acquire::Languages "none";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	EOF
}

apt_update() {
	private_apt
	# One unreachable third-party archive must not matter, so only its outcome does.
	apt-get -c "$work/apt/apt.conf" update || echo "some archives could not be read"
	apt-cache -c "$work/apt/apt.conf" madison frr | awk '{ print $3 }' | sort -urV >"$work/versions"
	if [ -n "$want" ]; then
		# the installed package's own revision first, then the others of its upstream version
		{ grep -Fx "$installed" "$work/versions"
		  while read -r v; do [ "$(upstream_of "$v")" = "$want" ] && echo "$v"; done <"$work/versions"
		} | awk '!seen[$0]++' >"$work/candidates" || :
	else
		cp "$work/versions" "$work/candidates"
	fi
	echo "versions of the source: $(tr '\n' ' ' <"$work/versions")"
	[ -s "$work/candidates" ] || { echo "no source package frr${want:+ of version $want} in the archives"; return 1; }
}

# A security revision's source may be missing from one archive, though its list names it. apt does not
# try another archive of the same version then, so ask each alone; after that the next older version.
fetch_source() {
	local v part
	cd "$work"
	while read -r v; do
		for part in all apt/parts/*; do
			rm -rf src alone
			mkdir src alone
			if [ "$part" = all ]; then cp apt/parts/* alone/; else cp "$part" alone/; fi
			if (cd src && apt-get -c "$work/apt/apt.conf" -o Dir::Etc::sourceparts="$work/alone" source "frr=$v"); then
				echo "$v" >version
				return 0
			fi
			echo "== the source of frr $v could not be fetched from $part"
		done
	done <candidates
	return 1
}

configure_frr() {
	cd "$work"/src/frr-*/
	./bootstrap.sh
	./configure "${configure_options[@]}" CFLAGS="$frr_cflags"
}

make_libfrr() {
	cd "$work"/src/frr-*/
	make -j"$(nproc)" LIBTOOLFLAGS=--tag=disable-shared lib/libfrr.la lib/clippy
}

install_libfrr() {
	local out=$work/out include=$work/out/include/frr
	cd "$work"/src/frr-*/
	mkdir -p "$out/lib" "$out/bin" "$out/share"
	make -s DESTDIR="$work/dest" install-pkgincludeHEADERS install-nodist_pkgincludeHEADERS
	mkdir -p "$out/include"
	cp -r "$work/dest/usr/include/frr" "$include"
	# FRR's own config.h belongs to its headers (zebra.h reads it), but must not name the package of others.
	sed -E '/^#define (PACKAGE|VERSION)/d' config.h >"$include/config.h"
	# "lib/x.h" inside FRR's headers would find a file of that name in the including project first.
	find "$include" -name '*.h' -exec sed -i -E 's,^(#[[:space:]]*include[[:space:]]+")lib/,\1,' {} +
	cp lib/.libs/libfrr.a "$out/lib/"
	cp lib/clippy "$out/bin/"
	cp -r python "$out/share/"
	cp COPYING "$out/share/COPYING.frr"
	write_flags >"$out/flags"
	link_probe
}

# Shell assignments for ./configure and for people's own makefiles.
write_flags() {
	local upstream
	upstream=$(sed -n 's/^#define FRR_VER_SHORT[[:space:]]*"\(.*\)"/\1/p' lib/version.h)
	cat <<-EOF
		# private libfrr of OpenSAV; read by ./configure with the shell's "."
		LIBFRR_DIR="$final"
		LIBFRR_PACKAGE="$(cat "$work/version")"
		LIBFRR_VERSION="${upstream%%[-+~]*}"
		LIBFRR_CPPFLAGS="-isystem $final/include/frr"
		LIBFRR_LIBS="$final/lib/libfrr.a $(library_flags)"
	EOF
}

# What FRR's configure found; the library names differ between its releases.
library_flags() {
	local var
	for var in LIBCAP UNWIND_LIBS LIBYANG_LIBS LUA_LIB UST_LIBS LIBCRYPT LIBDL; do
		sed -n "s/^$var = //p" Makefile
	done | tr '\n' ' '
	# a static archive also needs what libfrr.so would have pulled in itself
	sed -n 's/^LIBS = //p' Makefile | tr '\n' ' '
	echo "-lpthread -ldl -lm"
}

# The result must link: a daemon of a few lines, with every libfrr symbol inside.
link_probe() {
	local p=$work/probe
	cat >"$p.c" <<-'EOF'
		#include <zebra.h>
		#include <assert.h>
		#include "version.h"
		#include "libfrr.h"
		#include "command.h"
		#include "zclient.h"
		FRR_DAEMON_INFO(probed, PROBE, .vty_port = 0, .proghelp = "probe", );
		int main(int argc, char **argv)
		{
			static const struct option none[] = {{0}};
			struct zclient_options opts = zclient_options_default;
			frr_preinit(&probed_di, argc, argv);
			frr_opt_add("", none, "");
			while (frr_getopt(argc, argv, NULL) != EOF)
				;
			assert(zclient_new(frr_init(), &opts, NULL, 0));
			return 0;
		}
	EOF
	(
		# the flags name the final directory, which does not exist yet
		eval "$(sed "s,$final,$work/out,g" "$work/out/flags")"
		# shellcheck disable=SC2086
		gcc -DHAVE_CONFIG_H -D_GNU_SOURCE $LIBFRR_CPPFLAGS "$p.c" -o "$p" $LIBFRR_LIBS
	)
	nm "$p" | grep -q ' T frr_preinit$'
	if ldd "$p" | grep libfrr; then echo "the probe links a shared libfrr"; return 1; fi
	"$p" --version | grep "^probe version"
}

main() {
	local mode=build dir
	case "${1-}" in
	"") ;;
	--print-dir) mode=print ;;
	--rebuild) mode=rebuild ;;
	*) sed -n '4,/^set -eu/{/^#/s/^# \?//p}' "$0"; exit 2 ;;
	esac

	installed=$(installed_version)
	want=${OPENSAV_FRR_VERSION:-}
	[ -n "$want" ] || [ -z "$installed" ] || want=$(upstream_of "$installed")

	if [ $mode = print ]; then
		find_cached "$want" || exit 1
		return
	fi
	if [ $mode = build ] && dir=$(find_cached "$want"); then
		say "already built"
		echo "$dir"
		return
	fi

	mkdir -p "$cache"
	exec 9>"$cache/libfrr.lock"
	if ! flock -n 9; then
		say "another build is running; waiting for it"
		flock 9
		if dir=$(find_cached "$want"); then
			say "the other one built it"
			echo "$dir"
			return
		fi
	fi

	rm -rf "$cache"/libfrr.tmp.*	# left by one that was killed; we hold the lock
	work=$(mktemp -d "$cache/libfrr.tmp.XXXXXX")
	keep_work=
	trap '[ -n "$keep_work" ] || rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM

	say "building FRR's library${want:+ $want} into $cache (about a minute, once)"
	run_step 1 "read the archives' source lists" \
		"is the package archive reachable, and does it have the source package frr?" apt_update
	run_step 2 "fetch the source of frr" \
		"is the package archive reachable, and does it have the source package frr?" fetch_source
	final=$cache/libfrr-$(sed 's/^[0-9]*://' "$work/version")-$(options_key)
	run_step 3 "configure" "are all build packages there? contrib/deps.sh build" configure_frr
	run_step 4 "make" "are all build packages there? contrib/deps.sh build" make_libfrr
	run_step 5 "install and link a probe" "are all build packages there? contrib/deps.sh build" install_libfrr
	rm -rf "$final"
	mv "$work/out" "$final"
	echo "$final"
}

main "$@"
