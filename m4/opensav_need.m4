dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl Dependencies are collected, so that one run of configure names all that are missing.

dnl OPENSAV_NEED_PKG(VARIABLE-PREFIX, PKG-CONFIG MODULE, DEBIAN PACKAGE)
AC_DEFUN([OPENSAV_NEED_PKG], [
	PKG_CHECK_MODULES([$1], [$2], [:], [OPENSAV_MISSING([$2], [$3])])
])

dnl OPENSAV_NEED_PROG(VARIABLE, PROGRAM, DEBIAN PACKAGE)
AC_DEFUN([OPENSAV_NEED_PROG], [
	AC_CHECK_PROG([$1], [$2], [$2])
	AS_IF([test -z "$$1"], [OPENSAV_MISSING([the program $2], [$3])])
])

dnl OPENSAV_MISSING(WHAT, DEBIAN PACKAGE)
AC_DEFUN([OPENSAV_MISSING], [
	opensav_missing="$opensav_missing
    $1 (Debian package $2)"
	opensav_missing_packages="$opensav_missing_packages $2"
])

dnl OPENSAV_REPORT_MISSING: ends configure if anything was missing.
AC_DEFUN([OPENSAV_REPORT_MISSING], [
	AS_IF([test -n "$opensav_missing"], [AC_MSG_ERROR([missing:$opensav_missing

Install all of it with:
    apt-get install --no-install-recommends$opensav_missing_packages
or  contrib/deps.sh build])])
])
