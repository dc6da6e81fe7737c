/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * customer_vty - show customer: all of one, and whether its filters are complete.
 */
#ifndef SAV_CUSTOMER_VTY_H
#define SAV_CUSTOMER_VTY_H

struct savd;

void customer_vty_init(struct savd *savd);

#endif /* SAV_CUSTOMER_VTY_H */
