/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show_vty - savd's show, explain and operator commands.
 */
#ifndef SAV_SHOW_VTY_H
#define SAV_SHOW_VTY_H

struct explain;
struct ip_addr;
struct json_object;
struct savd;
struct vty;

/* After config_vty_init(). */
void show_vty_init(struct savd *savd);

/* As "show edge ROUTER INTERFACE"; the second is NULL if there is no such edge. */
void show_edge_text(struct vty *vty, const char *router, const char *interface);
struct json_object *show_edge_json(const char *router, const char *interface);

/* The members of an explanation that say why. */
void show_why_json(struct json_object *json, const struct explain *x);
/* admittedBy: modes that would admit the address on this edge. */
void show_admits_json(struct json_object *json, const struct savd *savd,
		      const char *router, const char *interface,
		      const struct ip_addr *addr);

#endif /* SAV_SHOW_VTY_H */
