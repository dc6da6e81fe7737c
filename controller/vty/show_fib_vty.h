/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_fib_vty - show fib summary.
 */
#ifndef SAV_SHOW_FIB_VTY_H
#define SAV_SHOW_FIB_VTY_H

struct savd;

void show_fib_vty_init(struct savd *savd);

#endif /* SAV_SHOW_FIB_VTY_H */
