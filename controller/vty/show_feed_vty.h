/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_feed_vty - show rib summary, show feed.
 */
#ifndef SAV_SHOW_FEED_VTY_H
#define SAV_SHOW_FEED_VTY_H

struct savd;

void show_feed_vty_init(struct savd *savd);

#endif /* SAV_SHOW_FEED_VTY_H */
