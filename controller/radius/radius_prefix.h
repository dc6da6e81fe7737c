/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_prefix - which addresses a session's attributes give to its user.
 *
 * Framed-IP-Address with Framed-IP-Netmask and Framed-Route (RFC 2865 5.8, 5.9,
 * 5.22), Framed-IPv6-Prefix and Framed-IPv6-Route (RFC 3162 2.3, 2.5),
 * Delegated-IPv6-Prefix (RFC 4818), Framed-IPv6-Address (RFC 6911 3.1).
 * Whether they are believed is decided elsewhere.
 */
#ifndef SAV_RADIUS_PREFIX_H
#define SAV_RADIUS_PREFIX_H

#include "controller/radius/radius_packet.h"

/* More than that in one session is left out: 4096 bytes cannot carry more. */
#define RADIUS_PREFIXES_MAX 512

struct radius_prefix {
	struct ip_prefix prefix;
	uint8_t type; /* the attribute that names it */
};

struct radius_prefixes {
	struct radius_prefix p[RADIUS_PREFIXES_MAX];
	size_t n;
	size_t unusable;  /* attributes that name no prefix of the user's */
	struct diag diag; /* the first of those, if any */
};

/* Each prefix once. */
void radius_prefixes_read(struct radius_attrs attrs, struct radius_prefixes *out);

/* One of the attributes above. */
bool radius_type_is_prefix(uint8_t type);
const char *radius_type_name(uint8_t type); /* of those; else "attribute" */

/* Framed-Route's or Framed-IPv6-Route's text, not NUL-terminated. *gateway is
 * unspecified (0.0.0.0 or ::) where none is given. -1 with diag. */
int radius_route_parse(const char *text, size_t len, enum ip_family family,
		       struct ip_prefix *prefix, struct ip_addr *gateway, struct diag *diag);

#endif /* SAV_RADIUS_PREFIX_H */
