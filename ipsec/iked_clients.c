/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_clients.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ts.h"
#include "lib/array.h"
#include "lib/mem.h"

/* Addresses behind a device that are a client's. */
struct iked_claim {
	char device[IKED_IFNAME];
	struct ip_addr first, last;
	const struct iked_tunnel *client; /* or the tunnel that has them for others */
};

/* By device, family and address. Claims have nothing in common, so that the order of
 * their beginnings is that of their ends. */
static int claim_cmp(const void *item, const void *key)
{
	const struct iked_claim *a = item, *b = key;
	int c = strcmp(a->device, b->device);

	if (c != 0)
		return c;
	if (a->first.family != b->first.family)
		return a->first.family < b->first.family ? -1 : 1;
	return a->first.v < b->first.v ? -1 : a->first.v > b->first.v;
}

static int claim_sort(const void *a, const void *b)
{
	return claim_cmp(a, b);
}

static bool overlap(const struct iked_claim *a, const struct iked_claim *b)
{
	return strcmp(a->device, b->device) == 0 && a->first.family == b->first.family && a->first.v <= b->last.v &&
	       b->first.v <= a->last.v;
}

static int refuse(const struct iked_claim *mine, const struct iked_claim *other, struct diag *diag)
{
	const struct ike_ts ts = { .first = other->first, .last = other->last, .port_last = UINT16_MAX };
	char text[IKE_TS_TEXT];

	if (!other->client->of[0] || !mine->client->of[0])
		return diag_set(diag,
				"addresses of client %s are in the pool or the remote selectors of tunnel %s, and others get them: "
				"correct the one or the other",
				(other->client->of[0] ? other : mine)->client->t.name,
				(other->client->of[0] ? mine : other)->client->t.name);
	return diag_set(diag,
			"client %s has %.80s already on interface %s, and answers for one would go to the other: correct it, "
			"or keep the two apart by an interface of its own: \"client %s device IFNAME\"",
			other->client->t.name, ike_ts_format(&ts, text), other->device, mine->client->t.name);
}

static struct iked_claim claim_of(const struct iked_tunnel *t, const struct ike_ts *ts)
{
	struct iked_claim c = { .first = ts->first, .last = ts->last, .client = t };

	iked_tunnel_device(t, c.device);
	return c;
}

/* Remote selectors and pool. out: one more than its remote selectors. */
static size_t all_of(const struct iked_tunnel *t, struct iked_claim *out)
{
	struct ike_ts pool;
	size_t n = 0;

	for (unsigned i = 0; i < t->t.remote_ts->n; i++)
		out[n++] = claim_of(t, &t->t.remote_ts->list[i]);
	if (t->t.pool.len) {
		pool = ike_ts_of_prefix(&t->t.pool);
		out[n++] = claim_of(t, &pool);
	}
	return n;
}

static bool is_plain(const struct iked_tunnel *t)
{
	return !t->of[0] && !t->n_clients;
}

/* The claims of a client, which may overlap each other, as one's; or of a tunnel: what
 * those get who are none of its clients. A plain tunnel has none: such may have the same
 * addresses as each other. */
static size_t claims_of(const struct iked_tunnel *t, struct iked_claim *out)
{
	return is_plain(t) ? 0 : all_of(t, out);
}

/* has: what the one who typed now may not have; plain: the one without clients. */
static int refuse_plain(const struct iked_claim *has, const struct iked_tunnel *plain, struct diag *diag)
{
	const struct ike_ts ts = { .first = has->first, .last = has->last, .port_last = UINT16_MAX };
	char text[IKE_TS_TEXT];

	return diag_set(diag,
			"%s %s has %.80s on interface %s, and answers for one would go to the other: correct it, or give tunnel "
			"%s an interface of its own: \"device IFNAME\"",
			has->client->of[0] ? "client" : "tunnel", has->client->t.name, ike_ts_format(&ts, text), has->device,
			plain->t.name);
}

/* Against tunnels without clients on the same interface. */
static int check_plain(const struct iked_config *config, const struct iked_claim *mine, struct diag *diag)
{
	struct iked_claim list[IKE_TS_MAX + 1];
	const struct iked_tunnel *t = NULL;

	while ((t = iked_tunnel_on(config, mine->device, t)) != NULL)
		for (size_t i = is_plain(t) ? all_of(t, list) : 0; i > 0; i--)
			if (overlap(mine, &list[i - 1]))
				return refuse_plain(&list[i - 1], t, diag);
	return 0;
}

/* Sorted, and joined where one client's overlap. -1: two clients' do. */
static int claims_tidy(struct iked_claim *list, size_t *n, struct diag *diag)
{
	size_t kept = 0;

	qsort(list, *n, sizeof(*list), claim_sort);
	for (size_t i = 0; i < *n; i++) {
		struct iked_claim *last = kept ? &list[kept - 1] : NULL;

		if (!last || !overlap(last, &list[i])) {
			list[kept++] = list[i];
			continue;
		}
		if (last->client != list[i].client)
			return refuse(&list[i], last, diag);
		if (list[i].last.v > last->last.v)
			last->last = list[i].last;
	}
	*n = kept;
	return 0;
}

int iked_claims_renew(struct iked_config *config, struct diag *diag)
{
	struct iked_claim *list;
	size_t n = 0;
	int ret;

	for (const struct iked_tunnel *t = config->tunnels; t; t = t->next)
		n += t->t.remote_ts->n + 1;
	list = mem_calloc(n + 1, sizeof(*list));
	n = 0;
	for (const struct iked_tunnel *t = config->tunnels; t; t = t->next)
		n += claims_of(t, &list[n]);
	ret = claims_tidy(list, &n, diag);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = check_plain(config, &list[i], diag);
	if (ret != 0) {
		free(list);
		return -1;
	}
	free(config->claims);
	config->claims = list;
	config->n_claims = n;
	return 0;
}

static void drop_where(struct iked_config *config, const struct iked_tunnel *client, const char *of)
{
	size_t kept = 0;

	for (size_t i = 0; i < config->n_claims; i++) {
		const struct iked_tunnel *c = config->claims[i].client;

		if (c != client && !(of && strcmp(c->of, of) == 0))
			config->claims[kept++] = config->claims[i];
	}
	config->n_claims = kept;
}

void iked_claims_drop(struct iked_config *config, const char *name)
{
	drop_where(config, iked_tunnel_find(config, name), name);
}

/* The one of another client that has part of it, NULL: none. */
static const struct iked_claim *claim_against(const struct iked_config *config, const struct iked_claim *c)
{
	bool found;
	size_t at = array_locate(config->claims, config->n_claims, sizeof(*c), c, claim_cmp, &found);

	if (at < config->n_claims && overlap(&config->claims[at], c))
		return &config->claims[at];
	return at > 0 && overlap(&config->claims[at - 1], c) ? &config->claims[at - 1] : NULL;
}

int iked_claims_check(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	struct iked_claim list[IKE_TS_MAX + 1];

	for (size_t i = all_of(t, list); i > 0; i--) {
		const struct iked_claim *against = claim_against(config, &list[i - 1]);

		if (against)
			return refuse_plain(against, t, diag);
	}
	return 0;
}

static void claims_add(struct iked_config *config, const struct iked_claim *list, size_t n)
{
	void *array = config->claims;
	bool found;

	for (size_t i = 0; i < n; i++)
		array_insert(&array, &config->n_claims, sizeof(*list),
			     array_locate(array, config->n_claims, sizeof(*list), &list[i], claim_cmp, &found), &list[i]);
	config->claims = array;
}

/* ---- clients */

void iked_client_inherit(struct iked_tunnel *client, const struct iked_tunnel *of)
{
	const struct iked_tunnel own = *client;

	*client = *of;
	snprintf(client->t.name, sizeof(client->t.name), "%s", own.t.name);
	snprintf(client->of, sizeof(client->of), "%s", of->t.name);
	client->n_clients = 0;
	client->t.remote_id = own.t.remote_id;
	client->has_remote_id = own.has_remote_id;
	client->t.remote_ts = own.t.remote_ts;
	client->t.pool = own.t.pool; /* one address: no other has it */
	/* whoever may come from anywhere begins */
	memset(&client->t.remote_addr, 0, sizeof(client->t.remote_addr));
	client->t.remote_port = 0;
	client->start = IKED_ADD;
	memset(&client->ipip, 0, sizeof(client->ipip)); /* its ends are one peer's */
	memcpy(client->own_device, own.own_device, sizeof(own.own_device));
	if (own.own_device[0])
		memcpy(client->device, own.own_device, sizeof(own.own_device));
	else
		iked_tunnel_device(of, client->device);
	/* an xfrm interface is one tunnel's */
	if (!own.own_device[0] && of->datapath == IKED_DATAPATH_AUTO)
		client->datapath = IKED_DATAPATH_USER;
	memcpy(client->own_psk, own.own_psk, sizeof(own.own_psk));
	if (own.own_psk[0])
		memcpy(client->psk, own.own_psk, sizeof(own.own_psk));
	/* keys are kept for a tunnel as a whole */
	snprintf(client->t.keys, sizeof(client->t.keys), "%s", own.own_psk[0] ? "" : of->t.name);
}

struct iked_tunnel *iked_client_find(const struct iked_config *config, const char *of, const char *name)
{
	struct iked_tunnel *client = iked_tunnel_find(config, name);

	return client && strcmp(client->of, of) == 0 ? client : NULL;
}

struct iked_tunnel *iked_client_get(struct iked_config *config, const char *of_name, const char *name, struct diag *diag)
{
	struct iked_tunnel *client = iked_tunnel_find(config, name), *of = iked_tunnel_of_node(config, of_name, diag), copy;

	if (!of)
		return NULL;
	if (client && strcmp(client->of, of_name) == 0)
		return client;
	if (client && client->of[0])
		diag_set(diag, "tunnel %s has a client %s already: names of clients and tunnels are all different", client->of, name);
	else if (client)
		diag_set(diag, "there is a tunnel %s already: names of clients and tunnels are all different", name);
	if (client || !(client = iked_tunnel_get(config, name, diag)))
		return NULL;
	copy = *client;
	iked_client_inherit(&copy, of);
	if (iked_tunnel_put(config, &copy, diag) != 0) {
		(void)iked_tunnel_del(config, name, &(struct diag){ "" });
		return NULL;
	}
	/* what the first one's tunnel has for others is no client's from now on */
	if (of->n_clients++ == 0 && !iked_tunnel_is_frame(of) && iked_claims_renew(config, diag) != 0) {
		(void)iked_tunnel_del(config, name, &(struct diag){ "" });
		return NULL;
	}
	return client;
}

int iked_client_put(struct iked_config *config, const struct iked_tunnel *changed, struct diag *diag)
{
	struct iked_tunnel *client = iked_client_find(config, changed->of, changed->t.name), copy = *changed;
	const struct iked_tunnel *of = iked_tunnel_find(config, changed->of);
	struct iked_claim list[IKE_TS_MAX + 1], was[IKE_TS_MAX + 1];
	size_t n, n_was;
	int ret;

	if (!client || !of)
		return diag_set(diag, "there is no client %s", changed->t.name);
	if (changed->t.remote_ts->n + (changed->t.pool.len != 0) > IKE_TS_MAX)
		return diag_set(diag, "%d prefixes are the most, an address is one of them", IKE_TS_MAX);
	iked_client_inherit(&copy, of);
	n = claims_of(&copy, list);
	n_was = claims_of(client, was);
	ret = claims_tidy(was, &n_was, diag);
	if (n_was)
		drop_where(config, client, NULL);
	if (ret == 0)
		ret = claims_tidy(list, &n, diag);
	for (size_t i = 0; i < n && ret == 0; i++) {
		const struct iked_claim *against = claim_against(config, &list[i]);

		list[i].client = client;
		ret = against ? refuse(&list[i], against, diag) : check_plain(config, &list[i], diag);
	}
	if (ret == 0)
		ret = iked_tunnel_put(config, &copy, diag);
	claims_add(config, ret == 0 ? list : was, ret == 0 ? n : n_was);
	return ret;
}
