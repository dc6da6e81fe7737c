/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ifsetting - a number that the kernel keeps for an interface, such as
 * /proc/sys/net/ipv4/conf/eth0/rp_filter: CONF/INTERFACE/NAME.
 */
#ifndef SAV_IFSETTING_H
#define SAV_IFSETTING_H

/* -1: there is no such interface (any more), or what is there is no number. */
int ifsetting_read(const char *conf, const char *interface, const char *name);

/* 0: done, or the interface has just gone; else an errno, negative. */
int ifsetting_write(const char *conf, const char *interface, const char *name, int value);

#endif /* SAV_IFSETTING_H */
