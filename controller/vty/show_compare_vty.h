/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_compare_vty - "show feed compare".
 */
#ifndef SAV_SHOW_COMPARE_VTY_H
#define SAV_SHOW_COMPARE_VTY_H

#include "controller/savd.h"

void show_compare_vty_init(struct savd *savd);

#endif /* SAV_SHOW_COMPARE_VTY_H */
