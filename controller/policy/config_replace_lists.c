/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_replace_impl.h"

#include <string.h>


typedef int prefix_set_fn(struct config *cfg, const struct ip_prefix *p, bool add,
			  struct diag *diag);
typedef int listen_set_fn(struct config *cfg, const struct config_listen *l, bool add,
			  struct diag *diag);

static bool has_prefix(const struct ip_prefix *list, size_t n, const struct ip_prefix *p)
{
	for (size_t i = 0; i < n; i++) {
		if (ip_prefix_cmp(&list[i], p) == 0)
			return true;
	}
	return false;
}

static int prefixes_replace(struct replace *r, struct ip_prefix *const *list,
			    const size_t *n, const struct ip_prefix *want, size_t n_want,
			    prefix_set_fn *set)
{
	for (size_t i = *n; i-- > 0;) {
		struct ip_prefix p = (*list)[i];

		if (!has_prefix(want, n_want, &p) && set(r->cfg, &p, false, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < n_want; i++) {
		if (!has_prefix(*list, *n, &want[i]) &&
		    set(r->cfg, &want[i], true, r->diag) < 0)
			return -1;
	}
	return 0;
}

static bool has_listen(const struct config_listen *list, size_t n,
		       const struct config_listen *l)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].port == l->port && ip_addr_equal(&list[i].addr, &l->addr))
			return true;
	}
	return false;
}

static int listens_replace(struct replace *r, struct config_listen *const *list,
			   const size_t *n, const struct config_listen *want,
			   size_t n_want, listen_set_fn *set)
{
	for (size_t i = *n; i-- > 0;) {
		struct config_listen l = (*list)[i];

		if (!has_listen(want, n_want, &l) && set(r->cfg, &l, false, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < n_want; i++) {
		if (!has_listen(*list, *n, &want[i]) &&
		    set(r->cfg, &want[i], true, r->diag) < 0)
			return -1;
	}
	return 0;
}

static bool has_allow(const struct config *cfg, const struct config_bmp_allow *a)
{
	for (size_t i = 0; i < cfg->n_bmp_allows; i++) {
		const struct config_bmp_allow *have = &cfg->bmp_allows[i];

		if (ip_prefix_cmp(&have->prefix, &a->prefix) == 0)
			return strcmp(have->password, a->password) == 0;
	}
	return false;
}

/* Adding one that is there gives it the other password. */
static int allows_replace(struct replace *r)
{
	for (size_t i = r->cfg->n_bmp_allows; i-- > 0;) {
		struct config_bmp_allow a = r->cfg->bmp_allows[i];

		if (!has_allow(r->target, &a) &&
		    config_bmp_allow_set(r->cfg, &a, false, r->diag) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->target->n_bmp_allows; i++) {
		const struct config_bmp_allow *a = &r->target->bmp_allows[i];

		if (!has_allow(r->cfg, a) &&
		    config_bmp_allow_set(r->cfg, a, true, r->diag) < 0)
			return -1;
	}
	return 0;
}

int config_replace_lists(struct replace *r)
{
	struct config *c = r->cfg;
	const struct config *t = r->target;

	if (prefixes_replace(r, &c->own, &c->n_own, t->own, t->n_own, config_own_set) <
		    0 ||
	    prefixes_replace(r, &c->permits, &c->n_permits, t->permits, t->n_permits,
			     config_permit_set) < 0 ||
	    listens_replace(r, &c->bmp_listens, &c->n_bmp_listens, t->bmp_listens,
			    t->n_bmp_listens, config_bmp_listen_set) < 0 ||
	    listens_replace(r, &c->agent_listens, &c->n_agent_listens, t->agent_listens,
			    t->n_agent_listens, config_agent_listen_set) < 0 ||
	    listens_replace(r, &c->metrics_listens, &c->n_metrics_listens,
			    t->metrics_listens, t->n_metrics_listens,
			    config_metrics_listen_set) < 0)
		return -1;
	if (allows_replace(r) < 0 ||
	    (c->max_paths != t->max_paths &&
	     config_max_paths_set(c, t->max_paths, r->diag) < 0))
		return -1;
	if (c->history.days == t->history.days &&
	    c->history.megabytes == t->history.megabytes)
		return 0;
	return config_history_set(c, &t->history, r->diag);
}
