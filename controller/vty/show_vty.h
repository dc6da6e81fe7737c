/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_vty - savd's show, explain and operator commands.
 */
#ifndef SAV_SHOW_VTY_H
#define SAV_SHOW_VTY_H

struct savd;

/* After config_vty_init(). */
void show_vty_init(struct savd *savd);

#endif /* SAV_SHOW_VTY_H */
