/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/sets/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void net_init(struct net *net)
{
	*net = (struct net){ 0 };
	config_init(&net->cfg);
	net->rib = rib_new();
}

void net_fini(struct net *net)
{
	config_fini(&net->cfg);
	rib_free(net->rib);
}

struct ip_addr net_addr(const char *text)
{
	struct ip_addr addr;

	assert_true(ip_addr_parse(text, &addr));
	return addr;
}

struct ip_prefix net_prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

/* ---- policy ---- */

static void edge_put(struct net *net, const struct config_edge *e)
{
	struct diag diag;

	if (config_edge_put(&net->cfg, e, &diag) < 0)
		fail_msg("%s", diag.text);
}

static void edge_copy(struct net *net, const char *router, const char *interface,
		      struct config_edge *copy)
{
	const struct config_edge *e = config_edge_find(&net->cfg, router, interface);

	assert_non_null(e);
	config_edge_copy(copy, e);
}

void net_edge(struct net *net, const char *router, const char *interface,
	      enum edge_role role, enum edge_mode mode)
{
	struct config_router r = { 0 };
	struct config_edge e;
	struct diag diag;

	if (!config_router_find(&net->cfg, router)) {
		snprintf(r.name, sizeof(r.name), "%s", router);
		assert_int_equal(config_router_put(&net->cfg, &r, &diag), 0);
	}
	config_edge_init(&e, router, interface);
	e.role = role;
	e.mode = mode;
	edge_put(net, &e);
}

void net_edge_mode(struct net *net, const char *router, const char *interface,
		   enum edge_mode mode)
{
	struct config_edge e;

	edge_copy(net, router, interface, &e);
	e.mode = mode;
	edge_put(net, &e);
	config_edge_fini(&e);
}

void net_edge_exception(struct net *net, const char *router, const char *interface,
			const char *prefix)
{
	struct ip_prefix p = net_prefix(prefix);
	struct config_edge e;

	edge_copy(net, router, interface, &e);
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, true);
	edge_put(net, &e);
	config_edge_fini(&e);
}

void net_record(struct net *net, const char *customer, const char *prefixes,
		const char *router, const char *interface)
{
	struct config_customer c = { 0 };
	struct config_edge e;
	char *list = mem_strdup(prefixes), *rest = list, *word;
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", customer);
	while ((word = strsep(&rest, " "))) {
		struct ip_prefix p = net_prefix(word);

		config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, true);
	}
	assert_int_equal(config_customer_put(&net->cfg, &c, &diag), 0);
	config_customer_fini(&c);
	free(list);
	if (!router)
		return;
	edge_copy(net, router, interface, &e);
	snprintf(e.customer, sizeof(e.customer), "%s", customer);
	edge_put(net, &e);
	config_edge_fini(&e);
}

void net_own(struct net *net, const char *prefix)
{
	struct ip_prefix p = net_prefix(prefix);
	struct diag diag;

	assert_int_equal(config_own_set(&net->cfg, &p, true, &diag), 0);
}

void net_permit(struct net *net, const char *prefix)
{
	struct ip_prefix p = net_prefix(prefix);
	struct diag diag;

	assert_int_equal(config_permit_set(&net->cfg, &p, true, &diag), 0);
}

/* ---- peers and routes ---- */

static struct rib_peer *peer_add(struct net *net, const char *router,
				 const char *interface, const char *addr, bool ibgp)
{
	struct net_peer *p = &net->peers[net->n_peers];
	struct rib_peer_key key = { .addr = net_addr(addr) };

	assert_true(net->n_peers < NET_PEERS_MAX);
	snprintf(p->router, sizeof(p->router), "%s", router);
	snprintf(p->interface, sizeof(p->interface), "%s", interface ? interface : "");
	p->ibgp = ibgp;
	/* routers keep their order only by name; any number that differs will do */
	for (const char *c = router; *c; c++)
		key.router = key.router * 31 + (uint32_t)*c;
	assert_null(rib_peer_find(net->rib, &key));
	p->rib = rib_peer_get(net->rib, &key);
	net->n_peers++;
	return p->rib;
}

struct rib_peer *net_peer(struct net *net, const char *router, const char *interface,
			  const char *addr)
{
	return peer_add(net, router, interface, addr, false);
}

struct rib_peer *net_ibgp_peer(struct net *net, const char *router, const char *addr)
{
	return peer_add(net, router, NULL, addr, true);
}

static uint32_t value_of(const char *word)
{
	return (uint32_t)strtoul(strchr(word, '=') + 1, NULL, 10);
}

static void take_word(struct rib_attr *attr, const char *word)
{
	if (strncmp(word, "pref=", 5) == 0) {
		attr->has_local_pref = 1;
		attr->local_pref = value_of(word);
	} else if (strncmp(word, "med=", 4) == 0) {
		attr->has_med = 1;
		attr->med = value_of(word);
	} else if (strncmp(word, "code=", 5) == 0) {
		attr->origin_code = (uint8_t)value_of(word);
	} else if (strcmp(word, "{}") == 0) {
		attr->origin_kind = RIB_ORIGIN_NONE;
		attr->origin_as = 0;
		attr->as_path_hops++;
	} else if (*word) {
		attr->origin_kind = RIB_ORIGIN_AS;
		attr->origin_as = (uint32_t)strtoul(word, NULL, 10);
		if (attr->as_path_hops++ == 0)
			attr->neighbor_as = attr->origin_as;
	}
}

struct rib_attr net_attr(const char *path)
{
	struct rib_attr attr = { .origin_kind = RIB_ORIGIN_OWN };
	char *list = mem_strdup(path), *rest = list, *word;

	while ((word = strsep(&rest, " ")))
		take_word(&attr, word);
	free(list);
	return attr;
}

void net_route_id(struct rib_peer *peer, const char *prefix, uint32_t path_id,
		  const char *path)
{
	struct ip_prefix p = net_prefix(prefix);
	struct rib_attr attr = net_attr(path);

	rib_announce(peer, RIB_PRE, &p, path_id, &attr);
}

void net_route(struct rib_peer *peer, const char *prefix, const char *path)
{
	net_route_id(peer, prefix, 0, path);
}

/* ---- sets ---- */

static size_t edge_index(const struct net *net, const char *router, const char *interface)
{
	const struct config_edge *e = config_edge_find(&net->cfg, router, interface);

	assert_non_null(e);
	return (size_t)(e - net->cfg.edges);
}

void net_set(const struct net *net, const char *router, const char *interface,
	     struct addrset *out)
{
	struct sets_source sources[NET_PEERS_MAX] = { 0 };
	struct sets_pass *pass;

	for (size_t i = 0; i < net->n_peers; i++) {
		const struct net_peer *p = &net->peers[i];
		const struct config_router *r = config_router_find(&net->cfg, p->router);

		assert_non_null(r);
		sources[i] = (struct sets_source){
			.peer = p->rib,
			.edge = p->interface[0] ? edge_index(net, p->router, p->interface)
						: SETS_NO_EDGE,
			.router = (size_t)(r - net->cfg.routers),
			.ibgp = p->ibgp,
		};
	}
	pass = sets_pass_new(&net->cfg, sources, net->n_peers);
	if (net->fibs)
		sets_pass_set_fibs(pass, net->fibs, net->index);
	sets_pass_edge(pass, edge_index(net, router, interface), out);
	sets_pass_free(pass);
}

bool net_accepts(const struct net *net, const char *router, const char *interface,
		 const char *addr)
{
	struct ip_addr a = net_addr(addr);
	struct addrset set = { 0 };
	bool yes;

	net_set(net, router, interface, &set);
	yes = addrset_contains(&set, &a);
	addrset_fini(&set);
	return yes;
}

static void put_prefix(const struct ip_prefix *p, void *arg)
{
	char **text = arg, one[IP_TEXT_SIZE];
	size_t used = strlen(*text);

	*text = mem_realloc(*text, used + IP_TEXT_SIZE + 2, 1);
	sprintf(*text + used, "%s%s", used ? " " : "", ip_prefix_format(p, one));
}

char *net_set_text(const struct addrset *set)
{
	char *text = mem_strdup("");

	addrset_each_prefix(set, put_prefix, &text);
	return text;
}

void net_assert_set(const struct net *net, const char *router, const char *interface,
		    const char *text, const char *file, int line)
{
	struct addrset set = { 0 };
	char *got;

	net_set(net, router, interface, &set);
	got = net_set_text(&set);
	addrset_fini(&set);
	if (strcmp(got, text) != 0) {
		print_error("%s:%d: %s %s: \"%s\", not \"%s\"\n", file, line, router,
			    interface, got, text);
		free(got);
		_fail(file, line);
	}
	free(got);
}
