/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_rule.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* What a session says of its place, as text. */
struct place {
	const char *client, *nas;
	char port[RADIUS_VALUE_MAX + 1]; /* NAS-Port-Id, else NAS-Port */
	char port_number[16];
	char station[RADIUS_VALUE_MAX + 1];
	struct radius_attrs attrs;
};

void radius_nas_name(struct radius_attrs attrs, char nas[RADIUS_NAS_SIZE])
{
	char text[IP_TEXT_SIZE];
	struct radius_attr attr;
	struct ip_addr addr;

	nas[0] = '\0';
	if (radius_find(attrs, 0, RADIUS_NAS_IDENTIFIER, &attr) && attr.len > 0) {
		radius_text(&attr, nas, RADIUS_NAS_SIZE);
		return;
	}
	if (radius_find_addr(attrs, RADIUS_NAS_IP_ADDRESS, &addr) ||
	    radius_find_addr(attrs, RADIUS_NAS_IPV6_ADDRESS, &addr))
		snprintf(nas, RADIUS_NAS_SIZE, "%s", ip_addr_format(&addr, text));
}

static void place_read(struct place *p)
{
	struct radius_attr attr;
	struct rd rd;

	p->port[0] = p->port_number[0] = p->station[0] = '\0';
	if (radius_find(p->attrs, 0, RADIUS_NAS_PORT, &attr) && attr.len == 4) {
		rd = rd_init(attr.data, attr.len);
		snprintf(p->port_number, sizeof(p->port_number), "%u", rd_be32(&rd));
	}
	if (radius_find(p->attrs, 0, RADIUS_NAS_PORT_ID, &attr))
		radius_text(&attr, p->port, sizeof(p->port));
	else
		memcpy(p->port, p->port_number, sizeof(p->port_number));
	if (radius_find(p->attrs, 0, RADIUS_CALLING_STATION_ID, &attr))
		radius_text(&attr, p->station, sizeof(p->station));
}

static bool matches(const char *pattern, const char *text)
{
	return pattern[0] == '\0' || fnmatch(pattern, text, 0) == 0;
}

/* Integers in decimal, all else as text. */
static bool attribute_text(const struct place *p, const struct config_radius_rule *r, char *dst,
			   size_t size)
{
	struct radius_attr attr;

	dst[0] = '\0';
	if (r->attribute == 0)
		return true;
	if (!radius_find(p->attrs, r->vendor, r->attribute, &attr))
		return false;
	radius_text(&attr, dst, size);
	if (attr.len == 4 && strchr(dst, '?')) {
		struct rd rd = rd_init(attr.data, attr.len);

		snprintf(dst, size, "%u", rd_be32(&rd));
	}
	return true;
}

/* false: it does not fit, or is no interface's name. */
static bool expand(const char *format, const struct place *p, const char *value,
		   char interface[FILTER_IFNAME_SIZE])
{
	char text[3 * RADIUS_VALUE_MAX];
	size_t n = 0;

	for (const char *f = format; *f != '\0'; f++) {
		char plain[2] = { *f, '\0' };
		const char *part = plain;

		if (*f == '%' && f[1] != '\0') {
			f++;
			part = *f == 'p' ? p->port :
			       *f == 'n' ? p->port_number :
			       *f == 'a' ? value :
					   "%";
		}
		if (n + strlen(part) >= sizeof(text))
			return false;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", part);
	}
	text[n] = '\0';
	if (n >= FILTER_IFNAME_SIZE || !filter_ifname_is_valid(text))
		return false;
	memcpy(interface, text, n + 1);
	return true;
}

static bool rule_matches(const struct config_radius_rule *r, const struct place *p,
			 char value[RADIUS_VALUE_MAX + 1])
{
	return r->router[0] != '\0' && matches(r->client, p->client) &&
	       matches(r->nas, p->nas) && matches(r->port, p->port) &&
	       matches(r->station, p->station) &&
	       attribute_text(p, r, value, RADIUS_VALUE_MAX + 1) && matches(r->value, value);
}

bool radius_rule_edge(const struct config *cfg, const struct config_radius_client *client,
		      const char *nas, struct radius_attrs attrs, struct radius_where *where)
{
	struct place p = { .client = client->name, .nas = nas, .attrs = attrs };
	char value[RADIUS_VALUE_MAX + 1];

	*where = (struct radius_where){ 0 };
	place_read(&p);
	for (size_t i = 0; i < cfg->radius.n_rules; i++) {
		const struct config_radius_rule *r = &cfg->radius.rules[i];

		if (!rule_matches(r, &p, value))
			continue;
		where->rule = r->number;
		where->create = (enum edge_role)r->create;
		if (!expand(r->interface, &p, value, where->interface))
			return false;
		snprintf(where->router, sizeof(where->router), "%s", r->router);
		return true;
	}
	if (client->router[0] == '\0' || !expand("%p", &p, "", where->interface))
		return false;
	snprintf(where->router, sizeof(where->router), "%s", client->router);
	return true;
}
