dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl OPENSAV_CFLAG(VARIABLE, FLAG): appends FLAG if the compiler takes it.
AC_DEFUN([OPENSAV_CFLAG], [
	AS_VAR_PUSHDEF([cache], [opensav_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		opensav_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$opensav_save_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])
