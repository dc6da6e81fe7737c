/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * version_vty - "show version [json]" of every daemon.
 *
 * libfrr has such a command, which takes the daemon for a part of FRRouting.
 */
#ifndef SAV_VERSION_VTY_H
#define SAV_VERSION_VTY_H

/* In place of libfrr's; after frr_init(). */
void version_vty_init(void);

#endif /* SAV_VERSION_VTY_H */
