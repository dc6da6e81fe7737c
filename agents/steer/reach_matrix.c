/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/reach_matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"

static bool is_column(const struct plan_path *pp, const char *provider)
{
	return !provider || strcmp(pp->path.provider, provider) == 0;
}

static const struct reach_cell *find(const struct reach_matrix *m, const struct reach_cell *c)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->cells[i].path == c->path &&
		    strcmp(m->cells[i].path_name, c->path_name) == 0 &&
		    ip_prefix_cmp(&m->cells[i].prefix, &c->prefix) == 0)
			return &m->cells[i];
	}
	return NULL;
}

/* A host's address where there is more than one. */
static struct ip_addr source_of(const struct ip_prefix *p)
{
	return (struct ip_addr){ p->v + (p->len + 1u < ip_bits(p->family) ? 1 : 0), p->family };
}

static void fill(struct reach_cell *c, const struct plan_provider *owner,
		 const struct ip_prefix *prefix, const struct plan_path *pp,
		 const bool has_responder[IP_FAMILIES], const struct reach_matrix *old)
{
	const struct reach_cell *was;

	*c = (struct reach_cell){ .prefix = *prefix, .path = pp->path.number,
				  .kind = pp->path.kind, .source = source_of(prefix),
				  .own = pp->provider == owner->number };
	snprintf(c->owner, sizeof(c->owner), "%s", owner->name);
	snprintf(c->path_name, sizeof(c->path_name), "%s", pp->path.name);
	snprintf(c->provider, sizeof(c->provider), "%s", pp->path.provider);
	was = find(old, c);
	if (was) {
		c->known = was->known;
		c->since_ms = was->since_ms;
	}
	if (!has_responder[prefix->family])
		reach_cell_refuse(c, prefix->family == IP_V4 ? "no IPv4 responder is configured"
							     : "no IPv6 responder is configured");
	else if (pp->path.ifindex == 0 || !pp->path.device_up)
		reach_cell_refuse(c, pp->why[prefix->family][0] ? pp->why[prefix->family]
								: "the interface is down");
}

int reach_matrix_make(struct reach_matrix *m, const struct plan *plan, const char *provider,
		      const bool has_responder[IP_FAMILIES], const struct reach_matrix *old,
		      struct diag *diag)
{
	size_t rows = 0, columns = 0;

	for (size_t i = 0; i < plan->n_providers; i++)
		rows += plan->providers[i].n_prefixes;
	for (size_t i = 0; i < plan->n_paths; i++)
		columns += is_column(&plan->paths[i], provider);
	if (rows * columns == 0)
		return diag_set(diag, "nothing to probe: %s; \"show site provider\" and \"show site path\" "
				      "say what there is",
				columns ? "no provider has a prefix" : "no such link or tunnel");
	if (rows * columns > REACH_CELLS_MAX)
		return diag_set(diag, "%zu prefixes by %zu paths are too many (%d): choose a provider",
				rows, columns, REACH_CELLS_MAX);
	*m = (struct reach_matrix){ .cells = mem_calloc(rows * columns, sizeof(*m->cells)),
				    .n_columns = columns };
	for (size_t i = 0; i < plan->n_providers; i++) {
		const struct plan_provider *p = &plan->providers[i];

		for (size_t j = 0; j < p->n_prefixes; j++) {
			for (size_t k = 0; k < plan->n_paths; k++) {
				if (is_column(&plan->paths[k], provider))
					fill(&m->cells[m->n++], p, &p->prefixes[j],
					     &plan->paths[k], has_responder, old);
			}
		}
	}
	return 0;
}

void reach_matrix_fini(struct reach_matrix *m)
{
	free(m->cells);
	*m = (struct reach_matrix){ 0 };
}

struct reach_cell *reach_matrix_next(struct reach_matrix *m, uint8_t token[REACH_TOKEN_BYTES])
{
	while (m->at < m->n * REACH_PACKETS) {
		struct reach_cell *c = &m->cells[m->at++ % m->n];

		if (c->verdict != REACH_PENDING)
			continue;
		digest_random(token, REACH_TOKEN_BYTES);
		memcpy(c->tokens[c->sent++], token, REACH_TOKEN_BYTES);
		return c;
	}
	return NULL;
}

void reach_cell_refuse(struct reach_cell *c, const char *why)
{
	c->verdict = REACH_NOT_TRIED;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

bool reach_matrix_answer(struct reach_matrix *m, const struct reach_message *answer)
{
	for (size_t i = 0; i < m->n; i++) {
		struct reach_cell *c = &m->cells[i];

		for (unsigned int j = 0; j < c->sent && c->verdict != REACH_ARRIVES; j++) {
			if (memcmp(c->tokens[j], answer->token, REACH_TOKEN_BYTES) != 0)
				continue;
			c->verdict = REACH_ARRIVES;
			c->seen = answer->addr;
			return true;
		}
	}
	return false;
}

/* ---- the end ---- */

static void tell(const struct reach_cell *c, bool first, reach_event_fn *event, void *ctx)
{
	const bool arrives = c->verdict == REACH_ARRIVES;
	char prefix[IP_TEXT_SIZE], text[384];

	snprintf(text, sizeof(text), "provider %s %s packets from %s%s by its %s %s%s%s%s",
		 c->provider,
		 first	   ? "drops"
		 : arrives ? "does not drop any more"
			   : "has begun to drop",
		 ip_prefix_format(&c->prefix, prefix), c->own ? ", its own prefix," : "",
		 path_kind_name(c->kind), c->path_name, c->own ? "" : " (the prefix is ",
		 c->own ? "" : c->owner, c->own ? "" : "'s)");
	event(ctx, c->own && !arrives, text);
}

static void conclude(struct reach_cell *c, int64_t now_ms, reach_event_fn *event, void *ctx)
{
	if (c->verdict == REACH_NOT_TRIED || c->verdict == c->known)
		return;
	/* the first time only what should not be so is news */
	if (c->known != REACH_PENDING || (c->own && c->verdict == REACH_LOST))
		tell(c, c->known == REACH_PENDING, event, ctx);
	c->known = c->verdict;
	c->since_ms = now_ms;
}

void reach_matrix_finish(struct reach_matrix *m, int64_t now_ms, reach_event_fn *event,
			 void *ctx)
{
	size_t arrived = 0, lost = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct reach_cell *c = &m->cells[i];

		if (c->verdict == REACH_PENDING)
			c->verdict = REACH_LOST;
		arrived += c->verdict == REACH_ARRIVES;
		lost += c->verdict == REACH_LOST;
	}
	if (arrived == 0 && lost != 0) {
		event(ctx, true,
		      "completeness probe: nothing at all has arrived; does the responder run "
		      "with this key, is its clock right, and can it reach the return address?");
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		conclude(&m->cells[i], now_ms, event, ctx);
}

void reach_matrix_keep(struct reach_matrix *all, const struct reach_matrix *run, bool whole)
{
	if (whole)
		all->n = 0;
	for (size_t i = 0; i < run->n; i++) {
		const struct reach_cell *was = find(all, &run->cells[i]);

		if (was) {
			all->cells[was - all->cells] = run->cells[i];
			continue;
		}
		if (all->n >= REACH_CELLS_MAX)
			all->n = 0; /* mostly of what is no more: no whole one for long */
		all->cells = mem_realloc(all->cells, all->n + 1, sizeof(*all->cells));
		all->cells[all->n++] = run->cells[i];
	}
}

bool reach_matrix_pending(const struct reach_matrix *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->cells[i].verdict == REACH_PENDING)
			return true;
	}
	return false;
}

const char *reach_verdict_name(enum reach_verdict v)
{
	switch (v) {
	case REACH_PENDING:
		return "pending";
	case REACH_ARRIVES:
		return "arrives";
	case REACH_LOST:
		return "does not";
	case REACH_NOT_TRIED:
		return "not tried";
	}
	return "";
}
