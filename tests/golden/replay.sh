#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What sav-replay prints, as transcripts: commands, output, messages ("! ") and
# exit status. The recordings hold what FRR says, with all that it loses: cold
# has no post-policy IPv6, and table ends with sessions that have just come up.
#   OPENSAV_GOLDEN=update  writes what is seen to the files instead
set -u
src=${OPENSAV_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${OPENSAV_BUILD:-$src}
golden=$src/tests/golden/replay
passed=0 failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

check() { # name, seen
	if [ "${OPENSAV_GOLDEN:-}" = update ]; then cat "$2" >"$golden/$1.txt"; fi
	if diff -u "$golden/$1.txt" "$2" >"$dir/diff"; then
		passed=$((passed + 1))
		echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
		sed 's/^/# /' "$dir/diff"
	fi
}

replay() { # arguments
	local status
	echo "\$ sav-replay $*"
	"$build/sav-replay" "$@" >stdout 2>stderr </dev/null
	status=$?
	cat stdout
	sed 's/^/! /' stderr
	[ $status -eq 0 ] || echo "exit status $status"
}

cp "$src/tests/data/bmp/frr-8.4.4-cold.bin" cold.bin
cp "$src/tests/data/bmp/frr-8.4.4-table.bin" table.bin
modes="acl strict strict-direct feasible efp-a efp-b loose loose-no-default egress off"
for mode in $modes; do sed "s/MODE/$mode/" "$golden/lab.conf" >"$mode.conf"; done

for feed in cold table; do
	for mode in $modes; do
		replay --config "$mode.conf" --bmp $feed.bin --json
	done >seen
	check "modes-$feed" seen
done

cp "$golden/policy.conf" .
{
	replay --config feasible.conf --bmp table.bin
	replay --config off.conf
	replay --config policy.conf --bmp pe1=table.bin
	replay --config policy.conf --bmp pe1=table.bin --json
	replay --config feasible.conf --bmp table.bin --bmp cold.bin
	replay --config feasible.conf --bmp cold.bin --bmp table.bin
} >seen
check text seen

echo 'router pe2' | cat feasible.conf - >two.conf
printf 'router pe1\nedge pe1 eth1\n role boss\n role customer\nedge pe1 eth2\n' >bad.conf
sed '/10.0.2.2/d' feasible.conf >unnamed.conf
sed 's/10.0.2.2/10.0.1.2/' feasible.conf >twice.conf
head -c 1000 table.bin >cut.bin
{ cat table.bin; echo "GET / HTTP/1.0"; } >tail.bin
echo "GET / HTTP/1.0" >http.bin
: >empty.bin
{
	replay --config bad.conf
	replay --config twice.conf --bmp table.bin
	replay --config none.conf
	replay --config feasible.conf --bmp none.bin
	replay --config two.conf --bmp table.bin
	replay --config two.conf --bmp pe7=table.bin
	replay --config two.conf --bmp pe2=table.bin
	replay --config unnamed.conf --bmp table.bin
	replay --config feasible.conf --bmp cut.bin
	replay --config feasible.conf --bmp empty.bin
	replay --config feasible.conf --bmp tail.bin
	replay --config feasible.conf --bmp table.bin --bmp http.bin
} >seen
check errors seen

{
	replay --bmp table.bin | sed '/^! usage/,/^! *--version/d'
	replay --config feasible.conf table.bin | sed '/^! usage/,/^! *--version/d'
	replay --config feasible.conf --nonsense 2>&1 | sed '/^! .*nonsense/d; /^! usage/,/^! *--version/d'
	replay --help | sed '2,/--version/d'
} >seen
check usage seen

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
