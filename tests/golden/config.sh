#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Configuration texts: FILE.conf is read and printed again as FILE.out (FILE.conf
# itself where there is none), with the messages of FILE.err, and what was
# printed re-reads to the same text.
#   OPENSAV_GOLDEN=update  writes what is seen to the files instead
set -u
src=${OPENSAV_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${OPENSAV_BUILD:-$src}
roundtrip=$build/tests/golden/config_roundtrip
passed=0 failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

check() { # name expected seen
	if [ "${OPENSAV_GOLDEN:-}" = update ] && [ "$3" != "$2" ]; then cat "$3" >"$2"; fi
	if diff -u "$2" "$3" >"$dir/diff"; then
		passed=$((passed + 1))
		echo "ok - $1"
	else
		failed=$((failed + 1))
		echo "not ok - $1"
		sed 's/^/# /' "$dir/diff"
	fi
}

: >"$dir/nothing"
cd "$src/tests/golden/config" || exit 1
for conf in *.conf; do
	name=${conf%.conf} out=$conf err=$dir/nothing status=0
	[ ! -e "$name.out" ] || out=$name.out
	[ ! -e "$name.err" ] || { err=$name.err status=1; }
	"$roundtrip" "$conf" >"$dir/out" 2>"$dir/err"
	echo "exit status $?" >"$dir/status"
	echo "exit status $status" >"$dir/want"
	check "$name: messages" "$err" "$dir/err"
	check "$name: text" "$out" "$dir/out"
	check "$name: exit status" "$dir/want" "$dir/status"
	"$roundtrip" "$dir/out" >"$dir/again" 2>&1
	check "$name: its text re-reads" "$dir/out" "$dir/again"
done
"$roundtrip" "no such file" >"$dir/out" 2>&1
echo "no such file: No such file or directory" >"$dir/want"
check "absent: messages" "$dir/want" "$dir/out"

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
