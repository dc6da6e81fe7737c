/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops_vty - show drops: what the filters refused, and why.
 */
#ifndef SAV_CONTROLLER_DROPS_VTY_H
#define SAV_CONTROLLER_DROPS_VTY_H

#include "controller/vty/show_json_vty.h"

struct savd;

void drops_vty_init(struct savd *savd);

/* As parts of other answers: the sources of an edge, at most so many; and sums of a
 * customer. */
void drops_vty_edge(struct vty *vty, const char *router, const char *interface,
		    size_t max);
struct json_object *drops_json_edge(const char *router, const char *interface, size_t max);
void drops_vty_customer(struct vty *vty, const char *customer);
struct json_object *drops_json_customer(const char *customer);

#endif /* SAV_CONTROLLER_DROPS_VTY_H */
