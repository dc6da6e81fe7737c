#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds OpenSAV: packages, private libfrr, configure, make. Run again it does only what is due.
#
# usage: contrib/build.sh [--with-tests] [CONFIGURE-OPTION...]
#   --with-tests  install what the tests need, and build the test programs too
#
#   BUILD    the build directory, default ./build in the checkout
#   NO_DEPS  set: do not look for missing packages
set -eu

src=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$src/build}
started=$SECONDS
steps=4
log=

say() { echo "build: $*" >&2; }

failed() {
	say "step $step failed${log:+; the end of $log:}"
	if [ -n "$log" ]; then
		# with make -j the cause may be further up
		{ grep -m 5 -E 'error:|No rule' "$log" || :; echo ...; tail -n 20 "$log"; } | sed 's/^/    /' >&2
	fi
	exit 1
}

begin() { # number name
	step="$1/$steps $2"
	say "step $step ($((SECONDS - started)) s so far)"
}

# With its output in a log of the build directory.
logged() { # log-name command...
	log=$build/$1
	shift
	"$@" >"$log" 2>&1 </dev/null || failed
	log=
}

needs_autogen() {
	[ -e "$src/configure" ] && [ -e "$src/Makefile.in" ] || return 0
	find "$src" -path "$src/build*" -prune -o \
		\( -name '*.am' -o -name configure.ac -o -name '*.m4' \) ! -name aclocal.m4 \
		-newer "$src/Makefile.in" -print -quit | grep -q .
}

# The options and the libfrr that the build directory was configured with.
wanted_configuration() {
	printf '%s\n' "$libfrr" "$@"
	sha256sum <"$src/configure"
}

main() {
	local with_tests=
	if [ "${1-}" = --with-tests ]; then with_tests=yes steps=5; shift; fi
	mkdir -p "$build"
	build=$(cd "$build" && pwd)

	begin 1 "packages"
	if [ -z "${NO_DEPS:-}" ]; then
		"$src/contrib/deps.sh" build ${with_tests:+test} || failed
	fi

	begin 2 "FRR's library"
	libfrr=$("$src/contrib/libfrr.sh") || failed

	begin 3 "configure"
	if needs_autogen; then
		logged autogen.out "$src/autogen.sh"
	fi
	if [ ! -e "$build/Makefile" ] || [ "$(wanted_configuration "$@")" != "$(cat "$build/configured-with" 2>/dev/null)" ]; then
		cd "$build"
		rm -f configured-with
		logged configure.out "$src/configure" --with-libfrr="$libfrr" "$@"
		wanted_configuration "$@" >configured-with
	fi

	begin 4 "make"
	cd "$build"
	logged make.out make -j"$(nproc)"
	grep -E 'warning:' make.out >&2 || :

	if [ -n "$with_tests" ]; then
		begin 5 "make test programs"
		logged make-tests.out make -j"$(nproc)" check-programs
		grep -E 'warning:' make-tests.out >&2 || :
	fi
	say "done in $((SECONDS - started)) s: $build"
}

main "$@"
