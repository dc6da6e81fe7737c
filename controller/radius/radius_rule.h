/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_rule - from what a request says to the edge that it is about.
 */
#ifndef SAV_RADIUS_RULE_H
#define SAV_RADIUS_RULE_H

#include "controller/policy/config.h"
#include "controller/radius/radius_packet.h"

#define RADIUS_NAS_SIZE 256

/* Which edge, and where that came from. */
struct radius_where {
	char router[CONFIG_NAME_SIZE]; /* "": none */
	char interface[FILTER_IFNAME_SIZE];
	uint32_t rule; /* 0: the client's `router` */
	enum edge_role create; /* ROLE_NONE: the edge has to be there */
};

/* The NAS as it calls itself: NAS-Identifier, else its address, else "". */
void radius_nas_name(struct radius_attrs attrs, char nas[RADIUS_NAS_SIZE]);

/* false: no rule matches, or the interface that follows is no valid name. */
bool radius_rule_edge(const struct config *cfg, const struct config_radius_client *client,
		      const char *nas, struct radius_attrs attrs, struct radius_where *where);

#endif /* SAV_RADIUS_RULE_H */
