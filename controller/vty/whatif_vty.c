/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_remedy.h"
#include "controller/savd.h"
#include "controller/sets/blocks.h"
#include "controller/vty/grammar_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "controller/vty/whatif_vty.h"
#include "lib/mem.h"

#define BLOCKS_SHOWN  20
#define BLOCKS_LISTED 1000

static struct savd *savd;

struct what_if {
	const struct config_edge *edge;
	enum edge_mode then;
	struct addrset refused, admitted; /* by it and not now, or the other way round */
	/* Sources that were refused, by the agent's samples. */
	struct drop_seen drops[DROP_STORE_ROWS];
	size_t n_drops, n_would;
	bool would[DROP_STORE_ROWS]; /* be admitted */
	uint64_t samples, would_samples;
};

/* ---- what it would be ---- */

static void judge_drops(struct what_if *w, const struct addrset *then)
{
	w->n_drops = drop_store_top(savd->drops, w->edge->router, w->edge->interface,
				    savd_now_ms(), w->drops, DROP_STORE_ROWS, NULL);
	for (size_t i = 0; i < w->n_drops; i++) {
		const struct drop *d = &w->drops[i].drop;

		w->would[i] = addrset_contains(then, &d->source);
		w->samples += d->samples;
		w->n_would += w->would[i];
		w->would_samples += w->would[i] ? d->samples : 0;
	}
}

static void what_if(struct what_if *w, const struct config_edge *edge, enum edge_mode mode)
{
	const struct filter *f = engine_filter(savd->engine, edge->router, edge->interface);
	struct addrset then = { 0 };

	*w = (struct what_if){ .edge = edge, .then = mode };
	engine_edge_as(savd->engine, edge->router, edge->interface, mode, &then);
	addrset_subtract(&w->refused, &f->accept, &then);
	addrset_subtract(&w->admitted, &then, &f->accept);
	judge_drops(w, &then);
	addrset_fini(&then);
}

static void what_if_fini(struct what_if *w)
{
	addrset_fini(&w->refused);
	addrset_fini(&w->admitted);
}

/* Why the block is admitted now, or not, by its first address. */
static bool explain_block(const struct what_if *w, const struct ip_prefix *p,
			  struct explain *why)
{
	struct ip_addr addr = { p->v, p->family };

	return engine_explain(savd->engine, w->edge->router, w->edge->interface, &addr,
			      savd_now_ms(), why);
}

static u128 size_of(const struct addrset *set, enum ip_family family)
{
	return rangeset_size(&set->f[family]);
}

/* ---- text ---- */

static void print_blocks(struct vty *vty, const struct what_if *w, const struct addrset *set,
			 const char *verb)
{
	struct blocks b = blocks_of(set);
	char prefix[IP_TEXT_SIZE], amount[BLOCKS_TEXT_SIZE];
	struct explain why;

	for (size_t i = 0; i < b.n && i < BLOCKS_SHOWN; i++) {
		const struct ip_prefix *p = &b.p[i];

		if (explain_block(w, p, &why))
			vty_out(vty, "  %s %s (%s)\n    now: %s\n", verb,
				ip_prefix_format(p, prefix),
				blocks_amount(block_size(p), (enum ip_family)p->family, amount),
				why.text);
	}
	if (b.n > BLOCKS_SHOWN)
		vty_out(vty, "  and %zu smaller blocks to %s\n", b.n - BLOCKS_SHOWN, verb);
	blocks_fini(&b);
}

static void print_drops(struct vty *vty, const struct what_if *w)
{
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];

	vty_out(vty,
		"of %zu sources with %llu samples that it refused, it would admit %zu with "
		"%llu\n",
		w->n_drops, (unsigned long long)w->samples, w->n_would,
		(unsigned long long)w->would_samples);
	for (size_t i = 0; i < w->n_drops; i++) {
		const struct drop *d = &w->drops[i].drop;
		struct ip_prefix net = drop_network(d);

		if (w->would[i])
			vty_out(vty, "  admit %s %s, %llu samples\n",
				ip_prefix_format(&net, text), drop_what(d, what),
				(unsigned long long)d->samples);
	}
}

static void print_what_if(struct vty *vty, const struct what_if *w)
{
	char mode[EDGE_MODE_TEXT_SIZE], text[4][BLOCKS_TEXT_SIZE];

	vty_out(vty,
		"edge %s %s mode %s then %s: refuses %s and %s more, admits %s and %s more\n",
		w->edge->router, w->edge->interface, edge_mode_text(w->edge, mode),
		edge_mode_name(w->then),
		blocks_amount(size_of(&w->refused, IP_V4), IP_V4, text[0]),
		blocks_amount(size_of(&w->refused, IP_V6), IP_V6, text[1]),
		blocks_amount(size_of(&w->admitted, IP_V4), IP_V4, text[2]),
		blocks_amount(size_of(&w->admitted, IP_V6), IP_V6, text[3]));
	print_blocks(vty, w, &w->refused, "refuse");
	print_blocks(vty, w, &w->admitted, "admit");
	print_drops(vty, w);
}

/* ---- JSON ---- */

/* More than json-c's integers hold. */
static struct json_object *json_digits(u128 v)
{
	char digits[BLOCKS_DIGITS_SIZE];

	return json_object_new_double_s((double)v, blocks_digits(v, digits));
}

static struct json_object *json_blocks(const struct what_if *w, const struct addrset *set)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct blocks b = blocks_of(set);
	char text[IP_TEXT_SIZE];
	struct explain why;

	json_object_object_add(json, "ipv4Addresses", json_digits(size_of(set, IP_V4)));
	json_object_object_add(json, "ipv6Addresses", json_digits(size_of(set, IP_V6)));
	json_object_int_add(json, "rangeCount", (int64_t)b.n);
	for (size_t i = 0; i < b.n && i < BLOCKS_LISTED; i++) {
		struct json_object *row = json_object_new_object();

		json_object_string_add(row, "range", ip_prefix_format(&b.p[i], text));
		json_object_object_add(row, "addresses", json_digits(block_size(&b.p[i])));
		if (explain_block(w, &b.p[i], &why))
			show_why_json(row, &why);
		json_object_array_add(list, row);
	}
	json_object_object_add(json, "ranges", list);
	blocks_fini(&b);
	return json;
}

static struct json_object *json_drops(const struct what_if *w)
{
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];

	for (size_t i = 0; i < w->n_drops; i++) {
		struct json_object *row = json_object_new_object();
		const struct drop *d = &w->drops[i].drop;
		struct ip_prefix net = drop_network(d);

		json_object_string_add(row, "network", ip_prefix_format(&net, text));
		json_object_string_add(row, "source", ip_addr_format(&d->source, text));
		json_object_string_add(row, "traffic", drop_what(d, what));
		json_object_int_add(row, "samples", (int64_t)d->samples);
		json_object_boolean_add(row, "admittedThen", w->would[i]);
		json_object_array_add(list, row);
	}
	return list;
}

static struct json_object *json_what_if(const struct what_if *w)
{
	struct json_object *json = json_object_new_object();
	char mode[EDGE_MODE_TEXT_SIZE];

	json_object_string_add(json, "router", w->edge->router);
	json_object_string_add(json, "interface", w->edge->interface);
	json_object_string_add(json, "mode", edge_mode_text(w->edge, mode));
	json_object_string_add(json, "modeThen", edge_mode_name(w->then));
	json_object_object_add(json, "refusedThen", json_blocks(w, &w->refused));
	json_object_object_add(json, "admittedThen", json_blocks(w, &w->admitted));
	json_object_object_add(json, "drops", json_drops(w));
	return json;
}

/* ---- command ---- */

DEFUN (show_what_if,
       show_what_if_cmd,
       "show what-if edge ROUTER INTERFACE mode <acl|strict|strict-direct|feasible|efp-a|efp-b|loose|loose-no-default|egress> [json]",
       SHOW_STR
       "What would change\n"
       "On an edge\n"
       "Name of the router\n"
       "Name of the interface\n"
       "If it had another mode\n"
       EDGE_MODE_HELP
       JSON_HELP)
{
	const struct config_edge *edge;
	enum edge_mode mode;
	struct what_if *w;

	savd_catch_up();
	edge = config_edge_find(&savd->cfg, argv[3]->arg, argv[4]->arg);
	if (!edge || !edge_mode_parse(argv[6]->text, &mode)) {
		vty_out(vty, "%% there is no edge %s %s: \"show edge\" lists them\n",
			argv[3]->arg, argv[4]->arg);
		return CMD_WARNING;
	}
	if (edge->role == ROLE_NONE || config_edge_mode(edge) == MODE_OFF) {
		vty_out(vty, "%% edge %s %s filters nothing now: it has no role, or mode off\n",
			edge->router, edge->interface);
		return CMD_WARNING;
	}
	w = mem_alloc(sizeof(*w));
	what_if(w, edge, mode);
	if (show_wants_json(argv, argc))
		show_print_json(vty, json_what_if(w));
	else
		print_what_if(vty, w);
	what_if_fini(w);
	free(w);
	return CMD_SUCCESS;
}

void whatif_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_what_if_cmd);
}
