/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What drops an address, and the least that would have to change.
 */
#include "controller/replay.h"

#include <stdlib.h>
#include <string.h>

#include "controller/policy/remedy.h"
#include "lib/mem.h"

static int ascending(const void *a, const void *b)
{
	const struct ip_addr *x = *(const struct ip_addr *const *)a;
	const struct ip_addr *y = *(const struct ip_addr *const *)b;

	if (x->family != y->family)
		return x->family - y->family;
	return (x->v > y->v) - (x->v < y->v);
}

static void try_modes(struct replay *r, size_t edge, const struct ip_addr *addrs,
		      size_t n, struct replay_judgement *out)
{
	const struct config_edge *e = &r->cfg.edges[edge];
	struct addrset set = { 0 };

	for (size_t m = 0; m < REMEDY_MODES; m++) {
		sets_pass_edge_as(r->pass, edge, remedy_modes[m], &set);
		for (size_t i = 0; i < n; i++)
			out[i].admits |= addrset_contains(&set, &addrs[i]) ? 1u << m : 0;
	}
	for (size_t i = 0; i < n; i++)
		out[i].has_record = e->customer[0] != '\0';
	addrset_fini(&set);
}

void replay_judge(struct replay *r, size_t edge, const struct ip_addr *addrs, size_t n,
		  struct replay_judgement *out)
{
	const struct ip_addr **order = mem_calloc(n + 1, sizeof(*order));
	struct ip_addr *sorted = mem_calloc(n + 1, sizeof(*sorted));
	struct replay_why *why = mem_calloc(n + 1, sizeof(*why));

	memset(out, 0, n * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		order[i] = &addrs[i];
	qsort(order, n, sizeof(*order), ascending);
	for (size_t i = 0; i < n; i++)
		sorted[i] = *order[i];
	replay_why(r, edge, sorted, n, why);
	for (size_t i = 0; i < n; i++)
		out[order[i] - addrs].why = why[i];
	if (n != 0)
		try_modes(r, edge, addrs, n, out);
	free(why);
	free(sorted);
	free(order);
}

static const char *remedy(const struct replay_judgement *j, const struct ip_prefix *what,
			  char text[REMEDY_TEXT_SIZE])
{
	const struct remedy r = {
		.admits = j->admits,
		.special = strcmp(j->why.step, "special-purpose") == 0,
		.has_record = j->has_record,
		.prefix = *what,
	};

	return remedy_format(&r, text);
}

void replay_judge_text(const struct replay_judgement *j, const struct ip_prefix *what)
{
	char text[REMEDY_TEXT_SIZE];

	printf("%s: %s; admitted by: %s", j->why.step, j->why.text,
	       remedy(j, what, text));
}

void replay_judge_json(const struct replay_judgement *j, const struct ip_prefix *what)
{
	bool first = true;
	char text[REMEDY_TEXT_SIZE];

	printf("\"step\":\"%s\",\"reason\":", j->why.step);
	replay_put_string(stdout, j->why.text);
	printf(",\"admittedBy\":[");
	for (size_t m = 0; m < REMEDY_MODES; m++) {
		if (j->admits & 1u << m) {
			printf("%s\"%s\"", first ? "" : ",", edge_mode_name(remedy_modes[m]));
			first = false;
		}
	}
	printf("],\"remedy\":");
	replay_put_string(stdout, remedy(j, what, text));
}
