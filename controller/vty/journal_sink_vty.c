/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sink between the configuration and the store's: what differs, as text.
 */
#include "controller/vty/journal_impl_vty.h"

/* Configurations of nothing but what differs: their texts are compared. They
 * only borrow, and are never finished. */
struct parts {
	struct config old, new;
};

static void parts_init(struct parts *p)
{
	config_init(&p->old);
	config_init(&p->new);
	p->old.now_s = p->new.now_s = journal.cfg->now_s;
	p->old.radius.settings = p->new.radius.settings = journal.cfg->radius.settings;
	p->old.history = p->new.history = journal.cfg->history;
	p->old.max_paths = p->new.max_paths = journal.cfg->max_paths;
}

#define BORROW(in, list, item)                                                           \
	do {                                                                             \
		(in)->list = (void *)(uintptr_t)(item);                                  \
		(in)->n_##list = (item) ? 1 : 0;                                         \
	} while (0)

static int put_router(void *ctx, const char *name, const struct config_router *new,
		      struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	BORROW(&p.old, routers, config_router_find(journal.cfg, name));
	BORROW(&p.new, routers, new);
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->router(ctx, name, new, diag), &p.old, &p.new, diag);
}

static void customer_say(struct config_customer *c, const struct ip_prefix *prefix,
			 struct config_statement s)
{
	struct config_term t = { .prefix = *prefix };

	if (s.said)
		config_record_set(c, s.term ? s.term : &t);
}

static void customer_differ(const struct ip_prefix *p, struct config_statement old,
			    struct config_statement new, void *arg)
{
	struct config_customer *two = arg;

	customer_say(&two[0], p, old);
	customer_say(&two[1], p, new);
}

/* Only the statements that differ: one of ten thousand stays cheap. */
static int put_customer(void *ctx, const char *name, const struct config_customer *new,
			struct diag *diag)
{
	const struct config_customer *old = config_customer_find(journal.cfg, name);
	struct config_customer two[2] = { 0 };
	struct parts p;
	int rc;

	parts_init(&p);
	if (!journal.batch)
		config_record_differences(old, new, customer_differ, two);
	for (int i = 0; i < 2; i++) {
		snprintf(two[i].name, sizeof(two[i].name), "%s", name);
		two[i].as = (i ? new : old) ? (i ? new : old)->as : 0;
	}
	BORROW(&p.old, customers, old ? &two[0] : NULL);
	BORROW(&p.new, customers, new ? &two[1] : NULL);
	rc = journal_enter(diag);
	if (rc == 0)
		rc = journal_leave(journal.below->customer(ctx, name, new, diag), &p.old, &p.new,
			   diag);
	config_customer_fini(&two[0]);
	config_customer_fini(&two[1]);
	return rc;
}

static int put_edge(void *ctx, const char *router, const char *interface,
		    const struct config_edge *new, struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	BORROW(&p.old, edges, config_edge_find(journal.cfg, router, interface));
	BORROW(&p.new, edges, new);
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->edge(ctx, router, interface, new, diag), &p.old, &p.new,
		     diag);
}

/* The part of a configuration that a list is in. */
#define TOP(cfg)    (cfg)
#define RADIUS(cfg) (&(cfg)->radius)

static bool same_prefix(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return ip_prefix_cmp(a, b) == 0;
}

static bool same_listen(const struct config_listen *a, const struct config_listen *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

static bool same_allow(const struct config_bmp_allow *a, const struct config_bmp_allow *b)
{
	return ip_prefix_cmp(&a->prefix, &b->prefix) == 0;
}

/* An item of a plain list, which may be there already, or not be there. */
#define PUT_ITEM(function, type, part, list, same, operation)                            \
	static int function(void *ctx, const type *item, bool add, struct diag *diag)    \
	{                                                                                \
		const type *have = part(journal.cfg)->list, *found = NULL;               \
		struct parts p;                                                          \
                                                                                         \
		for (size_t i = 0; i < part(journal.cfg)->n_##list; i++) {               \
			if (same(&have[i], item))                                        \
				found = &have[i];                                        \
		}                                                                        \
		parts_init(&p);                                                          \
		BORROW(part(&p.old), list, found);                                       \
		BORROW(part(&p.new), list, add ? item : NULL);                           \
		if (journal_enter(diag) < 0)                                                     \
			return -1;                                                       \
		return journal_leave(journal.below->operation(ctx, item, add, diag), &p.old,     \
			     &p.new, diag);                                              \
	}

PUT_ITEM(put_own, struct ip_prefix, TOP, own, same_prefix, own_prefix)
PUT_ITEM(put_permit, struct ip_prefix, TOP, permits, same_prefix, permit)
PUT_ITEM(put_bmp_listen, struct config_listen, TOP, bmp_listens, same_listen, bmp_listen)
PUT_ITEM(put_agent_listen, struct config_listen, TOP, agent_listens, same_listen, agent_listen)
PUT_ITEM(put_metrics_listen, struct config_listen, TOP, metrics_listens, same_listen,
	 metrics_listen)
PUT_ITEM(put_bmp_allow, struct config_bmp_allow, TOP, bmp_allows, same_allow, bmp_allow)

static int put_max_paths(void *ctx, uint32_t max_paths, struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	p.new.max_paths = max_paths;
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->max_paths(ctx, max_paths, diag), &p.old, &p.new,
			     diag);
}

static int put_history(void *ctx, const struct config_history *new, struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	p.new.history = *new;
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->history(ctx, new, diag), &p.old, &p.new, diag);
}

static int put_radius_client(void *ctx, const char *name,
			     const struct config_radius_client *new, struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	BORROW(&p.old.radius, clients, config_radius_client_find(journal.cfg, name));
	BORROW(&p.new.radius, clients, new);
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->radius_client(ctx, name, new, diag), &p.old, &p.new,
		     diag);
}

static int put_radius_rule(void *ctx, uint32_t number, const struct config_radius_rule *new,
			   struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	BORROW(&p.old.radius, rules, config_radius_rule_find(journal.cfg, number));
	BORROW(&p.new.radius, rules, new);
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->radius_rule(ctx, number, new, diag), &p.old, &p.new,
		     diag);
}

static bool same_server(const struct config_radius_server *a,
			const struct config_radius_server *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

static bool same_radius_listen(const struct config_radius_listen *a,
			       const struct config_radius_listen *b)
{
	return a->dynamic == b->dynamic && a->port == b->port &&
	       ip_addr_equal(&a->addr, &b->addr);
}

PUT_ITEM(put_radius_server, struct config_radius_server, RADIUS, servers, same_server,
	 radius_server)
PUT_ITEM(put_radius_listen, struct config_radius_listen, RADIUS, listens,
	 same_radius_listen, radius_listen)

static int put_radius_settings(void *ctx, const struct config_radius_settings *new,
			       struct diag *diag)
{
	struct parts p;

	parts_init(&p);
	p.new.radius.settings = *new;
	if (journal_enter(diag) < 0)
		return -1;
	return journal_leave(journal.below->radius_settings(ctx, new, diag), &p.old, &p.new, diag);
}

/* What is not ours to know goes straight to the store. */
void journal_sink_init(void)
{
	struct config_sink *s = &journal.sink;

	*s = *journal.below;
	s->router = put_router;
	s->customer = put_customer;
	s->edge = put_edge;
	s->own_prefix = put_own;
	s->permit = put_permit;
	s->bmp_listen = put_bmp_listen;
	s->agent_listen = put_agent_listen;
	s->metrics_listen = put_metrics_listen;
	s->bmp_allow = put_bmp_allow;
	s->max_paths = put_max_paths;
	s->history = put_history;
	s->radius_client = put_radius_client;
	s->radius_rule = put_radius_rule;
	s->radius_server = put_radius_server;
	s->radius_listen = put_radius_listen;
	s->radius_settings = put_radius_settings;
}
