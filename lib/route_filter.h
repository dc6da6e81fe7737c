/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * route_filter - where a socket filter finds what, in the kernel's notification of a
 * route. Loads are in network order, and netlink writes in the host's: what is longer
 * than a byte is compared with htons().
 *
 * Source: rtnetlink(7), socket(7) (SO_ATTACH_FILTER).
 */
#ifndef SAV_ROUTE_FILTER_H
#define SAV_ROUTE_FILTER_H

#include <stddef.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>

/* A member of struct rtmsg. */
#define ROUTE_FILTER_AT(member) ((unsigned int)(NLMSG_HDRLEN + offsetof(struct rtmsg, member)))
/* The message's type, 2 bytes. */
#define ROUTE_FILTER_AT_TYPE ((unsigned int)offsetof(struct nlmsghdr, nlmsg_type))

#endif /* SAV_ROUTE_FILTER_H */
