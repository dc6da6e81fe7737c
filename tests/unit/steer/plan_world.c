/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/steer/plan_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const char *const names[DEVICES] = { "lan", "tun0", "wan0", "wan1", "zz" };
static const char *const addresses[DEVICES][6] = {
	{ "192.0.2.1/26", "10.9.0.1/24", "2001:db8:a::1/64", "fd00:9::1/64", "fe80::1/64" },
	{ NULL },
	{ "203.0.113.2/30", "2001:db8:ff0::2/64", "fe80::2/64" },
	{ "198.18.0.2/24" },
	{ "198.18.9.9/24" },
};

struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p = { 0 };

	assert_int_not_equal(ip_prefix_parse(text, &p), IP_PARSE_SYNTAX);
	return p;
}

struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

void put_address(struct fixture *x, size_t device, const char *text, enum address_fit fit)
{
	struct agent_interface *in = &x->links.inventory.interfaces[device];
	char own[IP_TEXT_SIZE];
	struct ip_prefix p = prefix(text);
	struct ip_addr a;

	snprintf(own, sizeof(own), "%.*s", (int)(strchr(text, '/') - text), text);
	a = addr(own);
	in->addresses = mem_realloc(in->addresses, in->n_addresses + 1, sizeof(*in->addresses));
	in->addresses[in->n_addresses++] = (struct agent_address){ a, p.len, (uint8_t)fit };
	if (p.v >> 118 != 0x3fa)
		addrset_append(&x->links.connected[device], &p);
	addrset_normalize(&x->links.connected[device]);
}

void drop_addresses(struct fixture *x, size_t device)
{
	struct agent_interface *in = &x->links.inventory.interfaces[device];

	free(in->addresses);
	in->addresses = NULL;
	in->n_addresses = 0;
	addrset_fini(&x->links.connected[device]);
}

struct site_provider *provider(struct fixture *x, const char *name)
{
	return site_provider_find(&x->site, name);
}

void put_path(struct fixture *x, struct site_provider *p, enum path_kind kind, const char *name,
	      const char *via)
{
	struct site_path c = { .kind = kind };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.via, sizeof(c.via), "%s", via);
	assert_int_equal(site_path_put(&x->site, p, &c, &diag), 0);
}

void put_prefix(struct fixture *x, struct site_provider *p, enum site_source source,
		const char *text, const char *link)
{
	struct site_prefix c = { .source = source, .prefix = prefix(text) };
	struct diag diag;

	snprintf(c.link, sizeof(c.link), "%s", link);
	assert_int_equal(site_prefix(&x->site, p, &c, true, &diag), 0);
}

int setup(void **state)
{
	struct fixture *x = mem_alloc(sizeof(*x));
	struct site_provider *p;
	struct diag diag;

	*state = x;
	x->links.inventory.interfaces = mem_calloc(DEVICES, sizeof(struct agent_interface));
	x->links.inventory.n = DEVICES;
	x->links.connected = mem_calloc(DEVICES, sizeof(struct addrset));
	for (size_t i = 0; i < DEVICES; i++) {
		struct agent_interface *in = &x->links.inventory.interfaces[i];

		snprintf(in->name, sizeof(in->name), "%s", names[i]);
		in->index = (uint32_t)(i + 10);
		in->up = true;
		for (size_t j = 0; j < 6 && addresses[i][j]; j++)
			put_address(x, i, addresses[i][j], ADDRESS_FIT);
	}
	x->gateways[0] = (struct steer_gateway){
		.ifindex = 12, .found = { true, true }, .has_address = { true, true },
		.address = { addr("203.0.113.1"), addr("fe80::ff") },
	};
	x->gateways[1] = (struct steer_gateway){
		.ifindex = 13, .found = { true, false }, .has_address = { true, false },
		.address = { addr("198.18.0.1") },
	};
	x->tunnel = (struct steer_tunnel){ .name = "pop", .device = "tun0", .up = true,
					   .carries = { true, true } };
	x->world = (struct steer_world){
		.links = &x->links, .gateways = x->gateways, .n_gateways = 2,
		.tunnels = &x->tunnel, .n_tunnels = 1, .tunnels_known = true,
		.states = x->states,
	};
	site_init(&x->site);
	assert_int_equal(site_inside(&x->site, "lan", true, &diag), 0);
	p = site_provider_get(&x->site, "a", &diag);
	put_path(x, p, PATH_LINK, "wan0", "");
	put_prefix(x, p, SITE_STATIC, "192.0.2.0/26", "");
	p = site_provider_get(&x->site, "b", &diag);
	put_path(x, p, PATH_LINK, "wan1", "");
	put_prefix(x, p, SITE_ADDRESS, "::/0", "wan1");
	put_path(x, site_provider_find(&x->site, "a"), PATH_TUNNEL, "pop", "wan1");
	return 0;
}

int teardown(void **state)
{
	struct fixture *x = *state;

	plan_fini(&x->plan);
	plan_fini(&x->before);
	site_fini(&x->site);
	link_table_fini(&x->links);
	free(x);
	return 0;
}

void make(struct fixture *x)
{
	plan_fini(&x->before);
	x->before = x->plan;
	x->world.before = &x->before;
	plan_make(&x->plan, &x->site, &x->world);
}

bool has_rule(const struct fixture *x, const char *text)
{
	char line[PLAN_TEXT_SIZE];

	for (size_t i = 0; i < x->plan.n_rules; i++) {
		if (strcmp(plan_rule_format(&x->plan.rules[i], line), text) == 0)
			return true;
	}
	return false;
}

bool has_route(const struct fixture *x, const char *text)
{
	char line[PLAN_TEXT_SIZE], device[16];

	for (size_t i = 0; i < x->plan.n_routes; i++) {
		const struct plan_route *r = &x->plan.routes[i];

		snprintf(device, sizeof(device), "%s",
			 r->ifindex ? names[r->ifindex - 10] : "");
		if (strcmp(plan_route_format(r, device, line), text) == 0)
			return true;
	}
	return false;
}

void dump_plan(const struct fixture *x)
{
	char line[PLAN_TEXT_SIZE];

	for (size_t i = 0; i < x->plan.n_rules; i++)
		print_error("%s\n", plan_rule_format(&x->plan.rules[i], line));
	for (size_t i = 0; i < x->plan.n_routes; i++)
		print_error("%s\n", plan_route_format(&x->plan.routes[i], "?", line));
}

bool may_leave(const struct fixture *x, uint32_t path, const char *source)
{
	const struct ip_addr a = addr(source);

	return addrset_contains(&plan_path_find(&x->plan, path)->egress, &a);
}

const char *source_of(const struct fixture *x, uint32_t path, enum ip_family family)
{
	const struct path *p = &plan_path_find(&x->plan, path)->path;
	static char text[IP_TEXT_SIZE];

	return p->has_source[family] ? ip_addr_format(&p->source[family], text) : "";
}
