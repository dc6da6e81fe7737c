/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What FRR's headers read of the config.h that FRR was built with, for an installed FRR (frr-devel),
 * which comes without it. Linux with glibc. The private libfrr has the real one.
 */
#define FRR_AUTOCONF_ATOMIC 1
#define GNU_LINUX 1
#define HAVE_ASM_TYPES_H 1
#define HAVE_CLOCK_THREAD_CPUTIME_ID 1
#define HAVE_ENDIAN_H 1
#define HAVE_EXPLICIT_BZERO 1
#define HAVE_GLIBC_BACKTRACE 1
#define HAVE_LCAPS 1
#define HAVE_LIBCRYPT 1
#define HAVE_LINUX_VERSION_H 1
#define HAVE_MALLOC_USABLE_SIZE 1
#define HAVE_NETLINK 1
#define HAVE_NETNS 1
#define HAVE_PTHREAD_CONDATTR_SETCLOCK 1
#define HAVE_SECTION_SYMS 1
#define HAVE_SENDMMSG 1
#define HAVE_STDATOMIC_H 1
#define HAVE_STRUCT_IN_PKTINFO 1
#define HAVE_STRUCT_MMSGHDR_MSG_HDR 1
/* sizes structs of ZAPI; 256 is what distributions choose */
#ifndef MULTIPATH_NUM
#define MULTIPATH_NUM 256
#endif
