/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_bmp.h"

#include <string.h>

#include "controller/policy/config.h"
#include "lib/mem.h"

static size_t locate(const struct config *cfg, const struct ip_prefix *p, bool *found)
{
	size_t at = 0;

	while (at < cfg->n_bmp_allows && ip_prefix_cmp(&cfg->bmp_allows[at].prefix, p) < 0)
		at++;
	*found = at < cfg->n_bmp_allows &&
		 ip_prefix_cmp(&cfg->bmp_allows[at].prefix, p) == 0;
	return at;
}

static void put(struct config *cfg, size_t at, bool found, const struct config_bmp_allow *a)
{
	if (!found) {
		cfg->bmp_allows = mem_realloc(cfg->bmp_allows, cfg->n_bmp_allows + 1,
					      sizeof(*cfg->bmp_allows));
		memmove(&cfg->bmp_allows[at + 1], &cfg->bmp_allows[at],
			(cfg->n_bmp_allows - at) * sizeof(*cfg->bmp_allows));
		cfg->n_bmp_allows++;
	}
	cfg->bmp_allows[at] = *a;
}

static void take_out(struct config *cfg, size_t at)
{
	cfg->n_bmp_allows--;
	memmove(&cfg->bmp_allows[at], &cfg->bmp_allows[at + 1],
		(cfg->n_bmp_allows - at) * sizeof(*cfg->bmp_allows));
}

int config_bmp_allow_set(struct config *cfg, const struct config_bmp_allow *a, bool add,
			 struct diag *diag)
{
	bool found;
	size_t at = locate(cfg, &a->prefix, &found);

	for (const char *p = a->password; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return diag_set(diag, "password: use 1 to %d printable characters "
					      "without blanks",
					CONFIG_BMP_PASSWORD_SIZE - 1);
	}
	if (cfg->sink && cfg->sink->bmp_allow(cfg->sink_ctx, a, add, diag) < 0)
		return -1;
	if (add)
		put(cfg, at, found, a);
	else if (found)
		take_out(cfg, at);
	else
		return 0;
	if (cfg->watch)
		cfg->watch(CONFIG_LISTEN, NULL, NULL, cfg->watch_arg);
	return 0;
}

static bool is_a_source(const struct config *cfg, const struct ip_addr *from)
{
	for (size_t i = 0; i < cfg->n_routers; i++) {
		const struct config_router *r = &cfg->routers[i];

		for (size_t k = 0; k < r->n_bmp_sources; k++) {
			if (ip_addr_equal(&r->bmp_sources[k], from))
				return true;
		}
	}
	return false;
}

bool config_bmp_is_allowed(const struct config *cfg, const struct ip_addr *from)
{
	for (size_t i = 0; i < cfg->n_bmp_allows; i++) {
		if (ip_prefix_contains(&cfg->bmp_allows[i].prefix, from->family, from->v))
			return true;
	}
	return cfg->n_bmp_allows == 0 || is_a_source(cfg, from);
}
