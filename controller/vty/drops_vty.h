/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops_vty - show drops: what the filters refused, and why.
 */
#ifndef SAV_CONTROLLER_DROPS_VTY_H
#define SAV_CONTROLLER_DROPS_VTY_H

struct savd;

void drops_vty_init(struct savd *savd);

#endif /* SAV_CONTROLLER_DROPS_VTY_H */
