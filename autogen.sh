#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes ./configure and Makefile.in from configure.ac and Makefile.am.
set -eu
cd "$(dirname "$0")"
for tool in autoconf automake pkg-config; do
	command -v $tool >/dev/null || {
		echo "autogen.sh: $tool is missing: contrib/deps.sh build, or apt-get install autoconf automake pkg-config" >&2
		exit 1
	}
done
autoreconf --install --force --warnings=all,no-unsupported
