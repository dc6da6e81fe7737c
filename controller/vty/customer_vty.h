/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * customer_vty - show customer: all of one.
 */
#ifndef SAV_CUSTOMER_VTY_H
#define SAV_CUSTOMER_VTY_H

struct savd;
struct vty;

void customer_vty_init(struct savd *savd);
/* Says that there is none of this name; CMD_WARNING. */
int customer_vty_unknown(struct vty *vty, const char *name);

#endif /* SAV_CUSTOMER_VTY_H */
