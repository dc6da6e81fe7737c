/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_radius.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/policy/config.h"
#include "lib/array.h"
#include "lib/mem.h"

#define WINDOW_S	  300 /* RFC 5176 sec. 6.3 suggests it */
#define SILENCE_S	  3600
#define SILENCE_HOLD_S	  3600
#define PROFILE_REFRESH_S 3600
#define SECONDS_MAX	  604800
#define MIN_LEN_V4	  8
#define MIN_LEN_V6	  16

/* ---- words ---- */

static const char *const pending_names[] = {
	[PENDING_NONE] = "",
	[PENDING_OBSERVE] = "observe",
	[PENDING_DROP] = "drop",
};
static const char *const conflict_names[] = {
	[RADIUS_NEWEST] = "newest",
	[RADIUS_REFUSE] = "refuse",
	[RADIUS_BOTH] = "both",
};

const char *edge_pending_name(enum edge_pending pending)
{
	return pending_names[pending];
}

bool edge_pending_parse(const char *text, enum edge_pending *pending)
{
	for (int i = PENDING_OBSERVE; i <= PENDING_DROP; i++) {
		if (strcmp(pending_names[i], text) == 0) {
			*pending = (enum edge_pending)i;
			return true;
		}
	}
	return false;
}

const char *radius_conflict_name(enum radius_conflict conflict)
{
	return conflict_names[conflict];
}

bool radius_conflict_parse(const char *text, enum radius_conflict *conflict)
{
	for (int i = RADIUS_NEWEST; i <= RADIUS_BOTH; i++) {
		if (strcmp(conflict_names[i], text) == 0) {
			*conflict = (enum radius_conflict)i;
			return true;
		}
	}
	return false;
}

/* ---- objects ---- */

static void *dup_array(const void *src, size_t n, size_t size)
{
	return n ? mem_dup(src, n * size) : NULL;
}

void config_radius_client_copy(struct config_radius_client *dst,
			       const struct config_radius_client *src)
{
	*dst = *src;
	dst->addresses = dup_array(src->addresses, src->n_addresses, sizeof(*src->addresses));
	dst->pool = dup_array(src->pool, src->n_pool, sizeof(*src->pool));
}

void config_radius_client_fini(struct config_radius_client *c)
{
	free(c->addresses);
	free(c->pool);
	explicit_bzero(c, sizeof(*c));
}

void config_radius_settings_init(struct config_radius_settings *s)
{
	*s = (struct config_radius_settings){
		.conflict = RADIUS_NEWEST,
		.window_s = WINDOW_S,
		.silence_s = SILENCE_S,
		.silence_hold_s = SILENCE_HOLD_S,
		.vendor = RADIUS_VENDOR,
		.profile_refresh_s = PROFILE_REFRESH_S,
		.min_len = { MIN_LEN_V4, MIN_LEN_V6 },
		.max_len = { 32, 128 },
	};
}

void config_radius_init(struct config_radius *r)
{
	*r = (struct config_radius){ 0 };
	config_radius_settings_init(&r->settings);
}

void config_radius_fini(struct config_radius *r)
{
	for (size_t i = 0; i < r->n_clients; i++)
		config_radius_client_fini(&r->clients[i]);
	if (r->n_servers > 0)
		explicit_bzero(r->servers, r->n_servers * sizeof(*r->servers));
	free(r->clients);
	free(r->rules);
	free(r->servers);
	free(r->listens);
	explicit_bzero(r, sizeof(*r));
}

void config_radius_copy(struct config_radius *dst, const struct config_radius *src)
{
	*dst = *src;
	dst->watch = NULL;
	dst->clients = dup_array(src->clients, src->n_clients, sizeof(*src->clients));
	for (size_t i = 0; i < src->n_clients; i++)
		config_radius_client_copy(&dst->clients[i], &src->clients[i]);
	dst->rules = dup_array(src->rules, src->n_rules, sizeof(*src->rules));
	dst->servers = dup_array(src->servers, src->n_servers, sizeof(*src->servers));
	dst->listens = dup_array(src->listens, src->n_listens, sizeof(*src->listens));
}

/* ---- look-up ---- */

static int name_cmp(const void *item, const void *name)
{
	return strcmp(item, name); /* a client begins with its name */
}

static int rule_cmp(const void *item, const void *key)
{
	const struct config_radius_rule *rule = item;
	const uint32_t *number = key;

	return (rule->number > *number) - (rule->number < *number);
}

static int addr_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return (a->v > b->v) - (a->v < b->v);
}

static int server_cmp(const void *a, const void *b)
{
	const struct config_radius_server *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	return c ? c : (x->port > y->port) - (x->port < y->port);
}

static int listen_cmp(const void *a, const void *b)
{
	const struct config_radius_listen *x = a, *y = b;
	int c = addr_cmp(&x->addr, &y->addr);

	if (x->dynamic != y->dynamic)
		return x->dynamic ? 1 : -1;
	return c ? c : (x->port > y->port) - (x->port < y->port);
}

const struct config_radius_client *config_radius_client_find(const struct config *cfg,
							     const char *name)
{
	const struct config_radius *r = &cfg->radius;
	bool found;
	size_t at = array_locate(r->clients, r->n_clients, sizeof(*r->clients), name,
				 name_cmp, &found);

	return found ? &r->clients[at] : NULL;
}

const struct config_radius_client *
config_radius_client_by_addr(const struct config *cfg, const struct ip_addr *addr)
{
	for (size_t i = 0; i < cfg->radius.n_clients; i++) {
		const struct config_radius_client *c = &cfg->radius.clients[i];

		for (size_t k = 0; k < c->n_addresses; k++) {
			if (ip_prefix_contains(&c->addresses[k], addr->family, addr->v))
				return c;
		}
	}
	return NULL;
}

const struct config_radius_rule *config_radius_rule_find(const struct config *cfg,
							 uint32_t number)
{
	const struct config_radius *r = &cfg->radius;
	bool found;
	size_t at = array_locate(r->rules, r->n_rules, sizeof(*r->rules), &number, rule_cmp,
				 &found);

	return found ? &r->rules[at] : NULL;
}

/* ---- checks ---- */

/* What a command line can carry and print again. */
static int check_word(const char *what, const char *text, struct diag *diag)
{
	for (const char *p = text; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == '"')
			return diag_set(diag,
					"%s: use printable characters without blanks and quotes",
					what);
	}
	return 0;
}

static int check_addresses(const struct config *cfg, const struct config_radius_client *c,
			   struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < cfg->radius.n_clients; i++) {
		const struct config_radius_client *other = &cfg->radius.clients[i];

		if (strcmp(other->name, c->name) == 0)
			continue;
		for (size_t a = 0; a < c->n_addresses * other->n_addresses; a++) {
			const struct ip_prefix *x = &c->addresses[a / other->n_addresses];
			const struct ip_prefix *y = &other->addresses[a % other->n_addresses];

			if (ip_prefix_covers(x, y) || ip_prefix_covers(y, x))
				return diag_set(diag,
						"address %s is radius client %s's already: type "
						"\"no address\" there first",
						ip_prefix_format(y, text), other->name);
		}
	}
	return 0;
}

static int check_client(const struct config *cfg, const struct config_radius_client *c,
			struct diag *diag)
{
	if (!name_is_valid(c->name))
		return diag_set(diag,
				"radius client name \"%s\" is not valid: use 1 to 63 letters, "
				"digits, '.', '_' or '-', starting with a letter or digit",
				c->name);
	if (check_word("secret", c->secret, diag) < 0)
		return -1;
	if (c->router[0] != '\0' && !name_is_valid(c->router))
		return diag_set(diag, "router name \"%s\" is not valid", c->router);
	return check_addresses(cfg, c, diag);
}

static int check_interface(const char *text, struct diag *diag)
{
	if (text[0] == '\0')
		return diag_set(diag, "the interface of a rule is empty");
	for (const char *p = strchr(text, '%'); p; p = strchr(p + 2, '%')) {
		if (p[1] == '\0' || !strchr("pna%", p[1]))
			return diag_set(diag,
					"interface %s: %%p is the NAS-Port-Id, %%n the NAS-Port, "
					"%%a the rule's attribute, %%%% a %%",
					text);
	}
	return 0;
}

static int check_rule(const struct config_radius_rule *r, struct diag *diag)
{
	if (r->number < 1 || r->number > 65535)
		return diag_set(diag, "radius rule %u: use 1 to 65535", r->number);
	if (check_word("client", r->client, diag) < 0 || check_word("nas", r->nas, diag) < 0 ||
	    check_word("port", r->port, diag) < 0 ||
	    check_word("station", r->station, diag) < 0 ||
	    check_word("value", r->value, diag) < 0 ||
	    check_word("interface", r->interface, diag) < 0)
		return -1;
	if (r->create > ROLE_INTERNAL)
		return diag_set(diag, "radius rule %u: unknown role", r->number);
	if (r->attribute == 0 && (r->vendor != 0 || r->value[0] != '\0'))
		return diag_set(diag, "radius rule %u: a value of no attribute", r->number);
	if (r->router[0] == '\0' && r->interface[0] == '\0')
		return 0; /* the edge is not said yet */
	if (!name_is_valid(r->router))
		return diag_set(diag, "router name \"%s\" is not valid", r->router);
	return check_interface(r->interface, diag);
}

static int check_lengths(const struct config_radius_settings *s, struct diag *diag)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		unsigned int bits = ip_bits(family);

		if (s->min_len[family] < 1 || s->min_len[family] > s->max_len[family] ||
		    s->max_len[family] > bits)
			return diag_set(diag,
					"radius prefix-length ipv%d: use 1 to %u, the minimum not "
					"above the maximum",
					family == IP_V4 ? 4 : 6, bits);
	}
	return 0;
}

static int check_settings(const struct config_radius_settings *s, struct diag *diag)
{
	if (s->window_s > SECONDS_MAX || s->silence_hold_s > SECONDS_MAX ||
	    s->silence_s > SECONDS_MAX || s->profile_refresh_s > SECONDS_MAX)
		return diag_set(diag, "radius: use at most %u seconds", SECONDS_MAX);
	if (s->profile_refresh_s < 60)
		return diag_set(diag, "radius profile refresh: use at least 60 seconds");
	if (s->vendor < 1 || s->vendor > 0xffffff)
		return diag_set(diag, "radius vendor: use 1 to 16777215");
	if (check_lengths(s, diag) < 0 ||
	    check_word("user-name", s->profile_user, diag) < 0)
		return -1;
	return check_word("password", s->profile_password, diag);
}

/* ---- changes ---- */

static void tell(const struct config *cfg)
{
	if (cfg->radius.watch)
		cfg->radius.watch(cfg->radius.watch_arg);
}

int config_radius_client_put(struct config *cfg, const struct config_radius_client *c,
			     struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	struct config_radius_client copy;
	void *array = r->clients;
	bool found;
	size_t at;

	if (check_client(cfg, c, diag) < 0)
		return -1;
	if (cfg->sink && cfg->sink->radius_client(cfg->sink_ctx, c->name, c, diag) < 0)
		return -1;
	at = array_locate(r->clients, r->n_clients, sizeof(*c), c->name, name_cmp, &found);
	config_radius_client_copy(&copy, c);
	if (found) {
		config_radius_client_fini(&r->clients[at]);
		r->clients[at] = copy;
	} else {
		array_insert(&array, &r->n_clients, sizeof(copy), at, &copy);
		r->clients = array;
	}
	tell(cfg);
	return 0;
}

int config_radius_client_del(struct config *cfg, const char *name, struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	bool found;
	size_t at = array_locate(r->clients, r->n_clients, sizeof(*r->clients), name,
				 name_cmp, &found);

	if (!found)
		return diag_set(diag, "there is no radius client %s", name);
	if (cfg->sink && cfg->sink->radius_client(cfg->sink_ctx, name, NULL, diag) < 0)
		return -1;
	config_radius_client_fini(&r->clients[at]);
	array_remove(r->clients, &r->n_clients, sizeof(*r->clients), at);
	tell(cfg);
	return 0;
}

int config_radius_rule_put(struct config *cfg, const struct config_radius_rule *rule,
			   struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	void *array = r->rules;
	bool found;
	size_t at;

	if (check_rule(rule, diag) < 0)
		return -1;
	if (cfg->sink &&
	    cfg->sink->radius_rule(cfg->sink_ctx, rule->number, rule, diag) < 0)
		return -1;
	at = array_locate(r->rules, r->n_rules, sizeof(*rule), &rule->number, rule_cmp, &found);
	if (found) {
		r->rules[at] = *rule;
	} else {
		array_insert(&array, &r->n_rules, sizeof(*rule), at, rule);
		r->rules = array;
	}
	tell(cfg);
	return 0;
}

int config_radius_rule_del(struct config *cfg, uint32_t number, struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	bool found;
	size_t at = array_locate(r->rules, r->n_rules, sizeof(*r->rules), &number, rule_cmp,
				 &found);

	if (!found)
		return diag_set(diag, "there is no radius rule %u", number);
	if (cfg->sink && cfg->sink->radius_rule(cfg->sink_ctx, number, NULL, diag) < 0)
		return -1;
	array_remove(r->rules, &r->n_rules, sizeof(*r->rules), at);
	tell(cfg);
	return 0;
}

int config_radius_server_set(struct config *cfg, const struct config_radius_server *s,
			     bool add, struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	void *array = r->servers;

	if (add && s->secret[0] == '\0')
		return diag_set(diag, "a radius server needs a secret");
	if (check_word("secret", s->secret, diag) < 0)
		return -1;
	if (cfg->sink && cfg->sink->radius_server(cfg->sink_ctx, s, add, diag) < 0)
		return -1;
	array_set(&array, &r->n_servers, sizeof(*s), s, server_cmp, false);
	if (add)
		array_set(&array, &r->n_servers, sizeof(*s), s, server_cmp, true);
	r->servers = array;
	tell(cfg);
	return 0;
}

int config_radius_listen_set(struct config *cfg, const struct config_radius_listen *l,
			     bool add, struct diag *diag)
{
	struct config_radius *r = &cfg->radius;
	void *array = r->listens;

	if (cfg->sink && cfg->sink->radius_listen(cfg->sink_ctx, l, add, diag) < 0)
		return -1;
	if (!array_set(&array, &r->n_listens, sizeof(*l), l, listen_cmp, add))
		return 0;
	r->listens = array;
	tell(cfg);
	return 0;
}

int config_radius_settings_put(struct config *cfg, const struct config_radius_settings *s,
			       struct diag *diag)
{
	if (check_settings(s, diag) < 0)
		return -1;
	if (cfg->sink && cfg->sink->radius_settings(cfg->sink_ctx, s, diag) < 0)
		return -1;
	cfg->radius.settings = *s;
	tell(cfg);
	return 0;
}
