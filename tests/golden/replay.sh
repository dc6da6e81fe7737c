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
sed 's/MODE/feasible paths 1/' "$golden/lab.conf" >best.conf
{
	replay --config feasible.conf --bmp table.bin
	replay --config off.conf
	replay --config policy.conf --bmp pe1=table.bin
	replay --config policy.conf --bmp pe1=table.bin --json
	replay --config feasible.conf --bmp table.bin --bmp cold.bin
	replay --config feasible.conf --bmp cold.bin --bmp table.bin
	replay --config best.conf --bmp table.bin --explain 198.51.100.1 --explain 198.51.101.1
	replay --config best.conf --bmp table.bin --json
	replay --config feasible.conf --what-if best.conf --bmp table.bin
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

# Another policy, and traffic; the capture is one of the fuzzer's. bytes and packets
# of link-local and neighbours' addresses count as accepted or not at all.
tail -c +2 "$src/tests/fuzz/corpus/observed/ethernet" >eth2.pcap
printf '%s\n' address,bytes,packets '# on eth1' 198.51.100.9,1000,2 198.51.101.7,5000,5 198.51.101.8,100,1 \
	10.1.1.1,300,1 192.0.2.77,70,1 2001:db8:a1::5,800,8 2001:db8:a2::5,90,1 10.0.1.2,60,1 fe80::1,40,1 \
	9.9.9.9,10,1 >eth1.csv
printf '9.9.9.9,5\n\n9.9.9.x,5\n' >bad.csv
printf '\n\r\r\n\034\0\0\0' >ng.pcap
{
	cat feasible.conf
	printf 'edge pe1 eth3\n role internal\nexit\nrouter pe2\nexit\n'
} >then.conf
sed '/^edge pe1 eth1/,/^exit/d' feasible.conf >less.conf
{
	cat feasible.conf
	printf 'router pe2\nexit\nedge pe2 eth1\n role customer\n mode feasible\n peer 10.0.1.2\nexit\n'
} >more.conf
{
	replay --config efp-b.conf --what-if then.conf --bmp pe1=table.bin
	replay --config then.conf --what-if efp-b.conf --bmp pe1=cold.bin --top 1
	replay --config efp-b.conf --what-if efp-b.conf --bmp table.bin
	replay --config efp-b.conf --what-if then.conf --bmp pe1=cold.bin --json
	replay --config efp-b.conf --what-if then.conf --bmp pe1=table.bin --observed pe1/eth1=eth1.csv
	replay --config feasible.conf --bmp table.bin --observed pe1/eth1=eth1.csv --observed pe1/eth2=eth2.pcap
	replay --config feasible.conf --bmp table.bin --observed pe1/eth1=eth1.csv --observed pe1/eth1=eth2.pcap --top 2
	replay --config feasible.conf --bmp table.bin --observed pe1/eth2=eth2.pcap --json
	replay --config off.conf --bmp table.bin --observed pe1/eth1=eth1.csv
	replay --config less.conf --bmp table.bin --observed ./eth2.pcap
	replay --config feasible.conf --what-if less.conf --observed pe1/eth1=eth1.csv
	replay --config feasible.conf --what-if more.conf --bmp pe1=cold.bin --bmp pe2=table.bin \
		--observed pe2/eth1=eth1.csv --top 1
	replay --config more.conf --what-if feasible.conf --bmp pe1=cold.bin --bmp pe2=table.bin
	replay --config feasible.conf --what-if bad.conf
	replay --config feasible.conf --observed eth1.csv
	replay --config feasible.conf --observed pe1/eth1=none.csv --observed pe1/eth1=bad.csv --observed pe1/eth2=ng.pcap
	replay --config feasible.conf --top 0
} >seen 2>&1
check what-if seen

{
	replay --bmp table.bin | sed '/^! usage/,/^! *--version/d'
	replay --config feasible.conf table.bin | sed '/^! usage/,/^! *--version/d'
	replay --config feasible.conf --nonsense 2>&1 | sed '/^! .*nonsense/d; /^! usage/,/^! *--version/d'
	replay --help | sed '2,/--version/d'
} >seen
check usage seen

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
