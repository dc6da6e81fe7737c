/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_replace_impl.h"

#include <string.h>


static bool same_client(const struct config_radius_client *a,
			const struct config_radius_client *b)
{
	return strcmp(a->secret, b->secret) == 0 && strcmp(a->router, b->router) == 0 &&
	       a->message_authenticator == b->message_authenticator &&
	       a->dynamic_authorization == b->dynamic_authorization &&
	       config_replace_same_prefixes(a->addresses, a->n_addresses, b->addresses,
			     b->n_addresses) &&
	       config_replace_same_prefixes(a->pool, a->n_pool, b->pool, b->n_pool);
}

/* A client that differs is made anew: addresses belong to one of them only. */
static int clients_replace(struct replace *r)
{
	const struct config_radius *want = &r->target->radius;

	for (size_t i = r->cfg->radius.n_clients; i-- > 0;) {
		const struct config_radius_client *have = &r->cfg->radius.clients[i];
		const struct config_radius_client *stays =
			config_radius_client_find(r->target, have->name);

		if ((!stays || !same_client(have, stays)) &&
		    config_radius_client_del(r->cfg, have->name, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < want->n_clients; i++) {
		if (!config_radius_client_find(r->cfg, want->clients[i].name) &&
		    config_radius_client_put(r->cfg, &want->clients[i], r->diag) < 0)
			return -1;
	}
	return 0;
}

static bool same_rule(const struct config_radius_rule *a,
		      const struct config_radius_rule *b)
{
	return strcmp(a->client, b->client) == 0 && strcmp(a->nas, b->nas) == 0 &&
	       strcmp(a->port, b->port) == 0 && strcmp(a->station, b->station) == 0 &&
	       a->vendor == b->vendor && a->attribute == b->attribute &&
	       strcmp(a->value, b->value) == 0 && strcmp(a->router, b->router) == 0 &&
	       strcmp(a->interface, b->interface) == 0 && a->create == b->create;
}

static int rules_replace(struct replace *r)
{
	const struct config_radius *want = &r->target->radius;

	for (size_t i = r->cfg->radius.n_rules; i-- > 0;) {
		uint32_t number = r->cfg->radius.rules[i].number;

		if (!config_radius_rule_find(r->target, number) &&
		    config_radius_rule_del(r->cfg, number, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < want->n_rules; i++) {
		const struct config_radius_rule *have =
			config_radius_rule_find(r->cfg, want->rules[i].number);

		if ((!have || !same_rule(have, &want->rules[i])) &&
		    config_radius_rule_put(r->cfg, &want->rules[i], r->diag) < 0)
			return -1;
	}
	return 0;
}

static const struct config_radius_server *server_of(const struct config_radius *in,
						    const struct config_radius_server *s)
{
	for (size_t i = 0; i < in->n_servers; i++) {
		if (in->servers[i].port == s->port &&
		    ip_addr_equal(&in->servers[i].addr, &s->addr) &&
		    strcmp(in->servers[i].secret, s->secret) == 0)
			return &in->servers[i];
	}
	return NULL;
}

static int servers_replace(struct replace *r)
{
	const struct config_radius *want = &r->target->radius;

	for (size_t i = r->cfg->radius.n_servers; i-- > 0;) {
		struct config_radius_server s = r->cfg->radius.servers[i];

		if (!server_of(want, &s) &&
		    config_radius_server_set(r->cfg, &s, false, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < want->n_servers; i++) {
		if (!server_of(&r->cfg->radius, &want->servers[i]) &&
		    config_radius_server_set(r->cfg, &want->servers[i], true, r->diag) <
			    0)
			return -1;
	}
	return 0;
}

static bool has_radius_listen(const struct config_radius *in,
			      const struct config_radius_listen *l)
{
	for (size_t i = 0; i < in->n_listens; i++) {
		if (in->listens[i].dynamic == l->dynamic &&
		    in->listens[i].port == l->port &&
		    ip_addr_equal(&in->listens[i].addr, &l->addr))
			return true;
	}
	return false;
}

static int radius_listens_replace(struct replace *r)
{
	const struct config_radius *want = &r->target->radius;

	for (size_t i = r->cfg->radius.n_listens; i-- > 0;) {
		struct config_radius_listen l = r->cfg->radius.listens[i];

		if (!has_radius_listen(want, &l) &&
		    config_radius_listen_set(r->cfg, &l, false, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < want->n_listens; i++) {
		if (!has_radius_listen(&r->cfg->radius, &want->listens[i]) &&
		    config_radius_listen_set(r->cfg, &want->listens[i], true, r->diag) <
			    0)
			return -1;
	}
	return 0;
}

static bool same_settings(const struct config_radius_settings *a,
			  const struct config_radius_settings *b)
{
	return a->conflict == b->conflict && a->window_s == b->window_s &&
	       a->silence_s == b->silence_s && a->silence_hold_s == b->silence_hold_s &&
	       a->vendor == b->vendor && a->profile_refresh_s == b->profile_refresh_s &&
	       memcmp(a->min_len, b->min_len, sizeof(a->min_len)) == 0 &&
	       memcmp(a->max_len, b->max_len, sizeof(a->max_len)) == 0 &&
	       strcmp(a->profile_user, b->profile_user) == 0 &&
	       strcmp(a->profile_password, b->profile_password) == 0;
}

int config_replace_radius(struct replace *r)
{
	const struct config_radius_settings *want = &r->target->radius.settings;

	if (clients_replace(r) < 0 || rules_replace(r) < 0 || servers_replace(r) < 0 ||
	    radius_listens_replace(r) < 0)
		return -1;
	if (same_settings(&r->cfg->radius.settings, want))
		return 0;
	return config_radius_settings_put(r->cfg, want, r->diag);
}
