/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_vty - show radius, clear radius session.
 */
#ifndef SAV_RADIUS_VTY_H
#define SAV_RADIUS_VTY_H

#include "controller/vty/show_json_vty.h"

struct savd;

void radius_vty_init(struct savd *savd);

/* As parts of "show edge ROUTER INTERFACE". */
void radius_vty_edge(struct vty *vty, const char *router, const char *interface);
struct json_object *radius_json_edge(const char *router, const char *interface);

#endif /* SAV_RADIUS_VTY_H */
