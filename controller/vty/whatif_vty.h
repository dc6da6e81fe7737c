/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * whatif_vty - show what-if: an edge under another mode.
 */
#ifndef SAV_WHATIF_VTY_H
#define SAV_WHATIF_VTY_H

struct savd;

void whatif_vty_init(struct savd *savd);

#endif /* SAV_WHATIF_VTY_H */
