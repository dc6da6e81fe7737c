/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The configuration of a site as text.
 */
#include "lib/frr_compat.h"

#include <netinet/in.h>

#include "command.h"
#include "vty.h"

#include "agents/steer/reach_vty.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"
#include "agents/steer/watch_vty.h"

int steer_write_site(struct vty *vty)
{
	const struct site *s = steer_site();
	const int before = reach_vty_write_listen(vty);
	char text[IP_TEXT_SIZE];

	if (!reach_vty_is_used(s) && s->n_insides == 0 && s->n_privates == 0 &&
	    s->default_provider[0] == '\0' &&
	    s->table_base == SITE_TABLE_BASE && s->rule_base == SITE_RULE_BASE &&
	    s->mark_mask == SITE_MARK_MASK)
		return before;
	vty_out(vty, "site\n");
	for (size_t i = 0; i < s->n_insides; i++)
		vty_out(vty, " inside %s\n", s->insides[i]);
	for (size_t i = 0; i < s->n_privates; i++)
		vty_out(vty, " private %s\n", ip_prefix_format(&s->privates[i], text));
	if (s->default_provider[0])
		vty_out(vty, " default-provider %s\n", s->default_provider);
	if (s->table_base != SITE_TABLE_BASE)
		vty_out(vty, " table base %u\n", s->table_base);
	if (s->rule_base != SITE_RULE_BASE)
		vty_out(vty, " rule base %u\n", s->rule_base);
	if (s->mark_mask != SITE_MARK_MASK)
		vty_out(vty, " mark mask 0x%x\n", s->mark_mask);
	reach_vty_write_site(vty, s);
	vty_out(vty, "exit\n!\n");
	return 1;
}

static void write_pair(struct vty *vty, const char *word, const bool has[IP_FAMILIES],
		       const struct ip_addr addr[IP_FAMILIES])
{
	char text[IP_TEXT_SIZE];

	if (has[IP_V4])
		vty_out(vty, " %s %s", word, ip_addr_format(&addr[IP_V4], text));
	if (has[IP_V6])
		vty_out(vty, " %s6 %s", word, ip_addr_format(&addr[IP_V6], text));
}

static void write_path(struct vty *vty, const struct site_path *path)
{
	const uint8_t usual = path->kind == PATH_LINK ? SITE_PREFER_LINK : SITE_PREFER_TUNNEL;

	vty_out(vty, " %s %s", path_kind_name(path->kind), path->name);
	if (path->kind == PATH_TUNNEL)
		vty_out(vty, " via %s", path->via);
	write_pair(vty, "gateway", path->has_gateway, path->gateway);
	write_pair(vty, "head", path->has_head, path->head);
	if (path->device[0])
		vty_out(vty, " device %s", path->device);
	if (path->preference != usual)
		vty_out(vty, " preference %u", path->preference);
	vty_out(vty, " number %u\n", path->number);
}

static size_t write_paths(struct vty *vty, const struct site_provider *p, enum path_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_paths; i++) {
		if (p->paths[i].kind != kind)
			continue;
		if (n++ == 0 && kind == PATH_TUNNEL)
			vty_out(vty, "provider %s\n", p->name);
		write_path(vty, &p->paths[i]);
	}
	return n;
}

static void write_prefixes(struct vty *vty, const struct site_provider *p)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < p->n_prefixes; i++) {
		const struct site_prefix *c = &p->prefixes[i];

		switch (c->source) {
		case SITE_STATIC:
			vty_out(vty, " prefix %s\n", ip_prefix_format(&c->prefix, text));
			break;
		case SITE_ADDRESS:
			vty_out(vty, " prefix from address %s\n", c->link);
			break;
		case SITE_DELEGATION:
			vty_out(vty, " prefix from delegation %s", c->link);
			if (c->prefix.len != 0)
				vty_out(vty, " within %s", ip_prefix_format(&c->prefix, text));
			vty_out(vty, "\n");
			break;
		}
	}
}

static void write_nat(struct vty *vty, const struct site_provider *p)
{
	char text[IP_TEXT_SIZE];

	if (p->nat && !p->has_nat_to[IP_V4] && !p->has_nat_to[IP_V6])
		vty_out(vty, " nat\n");
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (p->has_nat_to[f])
			vty_out(vty, " nat to %s\n", ip_addr_format(&p->nat_to[f], text));
	}
	for (size_t i = 0; i < p->n_forwards; i++) {
		const struct site_forward *f = &p->forwards[i];

		vty_out(vty, " port-forward %s %u to %s",
			f->protocol == IPPROTO_TCP ? "tcp" : "udp", f->port,
			ip_addr_format(&f->to, text));
		if (f->to_port != f->port)
			vty_out(vty, " port %u", f->to_port);
		vty_out(vty, "\n");
	}
}

/* Links before tunnels, which may go via another provider's. */
int steer_write_providers(struct vty *vty)
{
	const struct site *s = steer_site();

	for (size_t i = 0; i < s->n_providers; i++) {
		const struct site_provider *p = &s->providers[i];

		vty_out(vty, "provider %s\n number %u\n", p->name, p->number);
		write_paths(vty, p, PATH_LINK);
		write_prefixes(vty, p);
		write_nat(vty, p);
		watch_vty_write(vty, " ", p);
		vty_out(vty, "exit\n!\n");
	}
	for (size_t i = 0; i < s->n_providers; i++) {
		if (write_paths(vty, &s->providers[i], PATH_TUNNEL) != 0)
			vty_out(vty, "exit\n!\n");
	}
	return s->n_providers != 0;
}
