#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Captures of other routers' BMP through the decoders: each message is counted
# under the type that framing alone gives it, none is malformed, and no stream
# breaks. The captures are no part of the project; where they are absent the
# test is skipped. OPENSAV_SHARED names the directory that has data/bmp in it.
set -u

src=${OPENSAV_SRC:-$PWD}
build=${OPENSAV_BUILD:-$PWD}
data=${OPENSAV_SHARED:-$src/../shared}/data/bmp
if ! ls "$data"/*/*.pcap >/dev/null 2>&1; then
	echo "no captures in $data (set OPENSAV_SHARED)"
	exit 77
fi
python3=$(command -v /usr/bin/python3 || command -v python3) || { echo "no python3"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# Messages that the collection's own list names, for captures that it counts.
known() { # file
	case $1 in
	204-BMP-CISCO-peer_down*) echo 343 ;;
	205-BMP-6wind-FRR-peer_down*) echo 509 ;;
	403-IPFIXv10-BMP-IPv6*) echo 877 ;;
	bmp-multi-sources.pcap) echo 11097 ;;
	esac
}

for file in "$data"/*/*.pcap; do
	name=${file##*/}
	rm -f "$dir"/*
	framed=$("$python3" "$src/tests/tools/pcap_streams.py" --bmp --out "$dir" "$file") || exit 1
	# --rd: peers of VRFs are decoded too
	if decoded=$("$build/tests/tools/bmp_count" --rd "$dir"/*.bin) &&
		"$python3" - "$framed" "$decoded" "$(known "$name")" <<-'PY'
			import json, sys
			framed, decoded, known = json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
			total = sum(framed["types"].values())
			assert framed["types"] == decoded["types"], (framed, decoded)
			assert decoded["malformed"] == 0 and decoded["broken"] == 0, decoded
			assert decoded["pending"] == framed["rest"], (framed, decoded)
			assert known == "" or total == int(known), (total, known)
		PY
	then
		passed=$((passed + 1))
	else
		echo "$name: by framing $framed"
		echo "$name: decoded $decoded"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
