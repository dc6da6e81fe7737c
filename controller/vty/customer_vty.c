/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_complete.h"
#include "controller/savd.h"
#include "controller/vty/customer_vty.h"
#include "controller/vty/drops_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "lib/stamp.h"

#define DROPS_SHOWN 5 /* sources of an edge */

static struct savd *savd;

int customer_vty_unknown(struct vty *vty, const char *name)
{
	vty_out(vty, "%% there is no customer %s: \"show customer completeness\" lists them\n",
		name);
	return CMD_WARNING;
}

/* ---- the record ---- */

/* Every statement once: those that count now, and those that wait or are over. */
typedef void statement_fn(const struct config_customer *c, const struct ip_prefix *p,
			  const struct config_term *t, bool valid, void *arg);

static void each_statement(const struct config_customer *c, statement_fn *fn, void *arg)
{
	for (size_t i = 0; i < c->n_prefixes; i++)
		fn(c, &c->prefixes[i], config_term_find(c, &c->prefixes[i]), true, arg);
	for (size_t i = 0; i < c->n_terms; i++) {
		const struct config_term *t = &c->terms[i];

		if (!config_term_is_valid(t, savd->cfg.now_s))
			fn(c, &t->prefix, t, false, arg);
	}
}

typedef void overlap_fn(const struct config_customer *other, const struct ip_prefix *p,
			void *arg);

static bool overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->family == b->family && (ip_prefix_covers(a, b) || ip_prefix_covers(b, a));
}

static void each_overlap(const struct config_customer *c, const struct ip_prefix *p,
			 overlap_fn *fn, void *arg)
{
	for (size_t i = 0; i < savd->cfg.n_customers; i++) {
		const struct config_customer *other = &savd->cfg.customers[i];

		for (size_t k = 0; other != c && k < other->n_prefixes; k++) {
			if (overlaps(p, &other->prefixes[k]))
				fn(other, &other->prefixes[k], arg);
		}
	}
}

static void print_overlap(const struct config_customer *other, const struct ip_prefix *p,
			  void *arg)
{
	char text[IP_TEXT_SIZE];

	vty_out(arg, "      overlaps %s of customer %s\n", ip_prefix_format(p, text),
		other->name);
}

static void print_statement(const struct config_customer *c, const struct ip_prefix *p,
			    const struct config_term *t, bool valid, void *arg)
{
	char text[IP_TEXT_SIZE], stamp[STAMP_TEXT_SIZE];
	struct vty *vty = arg;

	vty_out(vty, "    %-22s static, %s", ip_prefix_format(p, text),
		valid ? "valid" : "not valid now");
	if (t && t->from != 0)
		vty_out(vty, ", from %s", stamp_format(t->from * 1000, stamp));
	if (t && t->until != 0)
		vty_out(vty, ", until %s", stamp_format(t->until * 1000, stamp));
	vty_out(vty, "%s\n", t && t->overlap ? ", overlap confirmed" : "");
	each_overlap(c, p, print_overlap, vty);
}

static void json_overlap(const struct config_customer *other, const struct ip_prefix *p,
			 void *arg)
{
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "customer", other->name);
	json_object_string_add(json, "prefix", ip_prefix_format(p, text));
	json_object_array_add(arg, json);
}

static void json_statement(const struct config_customer *c, const struct ip_prefix *p,
			   const struct config_term *t, bool valid, void *arg)
{
	struct json_object *json = json_object_new_object();
	struct json_object *others = json_object_new_array();
	char text[IP_TEXT_SIZE], stamp[STAMP_TEXT_SIZE];

	json_object_string_add(json, "prefix", ip_prefix_format(p, text));
	json_object_string_add(json, "origin", "static");
	json_object_boolean_add(json, "valid", valid);
	if (t && t->from != 0)
		json_object_string_add(json, "from", stamp_format(t->from * 1000, stamp));
	if (t && t->until != 0)
		json_object_string_add(json, "until", stamp_format(t->until * 1000, stamp));
	json_object_boolean_add(json, "overlapConfirmed", t && t->overlap);
	each_overlap(c, p, json_overlap, others);
	json_object_object_add(json, "overlaps", others);
	json_object_array_add(arg, json);
}

/* ---- one customer ---- */

static void each_edge(const char *customer,
		      void (*fn)(const struct config_edge *c, void *arg), void *arg)
{
	for (size_t i = 0; i < savd->cfg.n_edges; i++) {
		if (strcmp(savd->cfg.edges[i].customer, customer) == 0)
			fn(&savd->cfg.edges[i], arg);
	}
}

static void print_edge(const struct config_edge *c, void *arg)
{
	const struct savd_edge *known = savd_edge_find(savd, c->router, c->interface);
	char stamp[STAMP_TEXT_SIZE];

	show_edge_text(arg, c->router, c->interface);
	if (known && known->changed_s != 0)
		vty_out(arg, "  last change %s\n", stamp_format(known->changed_s * 1000, stamp));
	drops_vty_edge(arg, c->router, c->interface, DROPS_SHOWN);
}

static void json_edge(const struct config_edge *c, void *arg)
{
	const struct savd_edge *known = savd_edge_find(savd, c->router, c->interface);
	struct json_object *json = show_edge_json(c->router, c->interface);
	char stamp[STAMP_TEXT_SIZE];

	if (!json)
		return;
	json_object_string_add(json, "lastChange",
			       known && known->changed_s != 0 ?
				       stamp_format(known->changed_s * 1000, stamp) :
				       "");
	json_object_object_add(json, "drops",
			       drops_json_edge(c->router, c->interface, DROPS_SHOWN));
	json_object_array_add(arg, json);
}

static void print_customer(struct vty *vty, const struct config_customer *c,
			   const struct complete_sum *sum)
{
	vty_out(vty, "customer %s\n", c->name);
	if (c->as != 0)
		vty_out(vty, "  AS %u\n", c->as);
	else
		vty_out(vty, "  no AS: what others announce of it is not known\n");
	vty_out(vty, "  record: %zu prefixes that count now\n", c->n_prefixes);
	each_statement(c, print_statement, vty);
	if (sum->gaps != 0)
		vty_out(vty,
			"  incomplete: %zu prefixes are refused on one of its edges: \"show "
			"customer %s completeness\"\n",
			sum->gaps, c->name);
	else
		vty_out(vty, "  complete: each of its %zu prefixes is admitted on each edge\n",
			sum->prefixes);
	drops_vty_customer(vty, c->name);
	each_edge(c->name, print_edge, vty);
}

static struct json_object *json_customer(const struct config_customer *c,
					 const struct complete_sum *sum)
{
	struct json_object *json = json_object_new_object();
	struct json_object *record = json_object_new_array();
	struct json_object *edges = json_object_new_array();

	json_object_string_add(json, "customer", c->name);
	json_object_int_add(json, "as", c->as);
	each_statement(c, json_statement, record);
	json_object_object_add(json, "record", record);
	json_object_int_add(json, "incompletePrefixes", (int64_t)sum->gaps);
	json_object_object_add(json, "refused", drops_json_customer(c->name));
	each_edge(c->name, json_edge, edges);
	json_object_object_add(json, "edges", edges);
	return json;
}

DEFUN (show_customer,
       show_customer_cmd,
       "show customer NAME [json]",
       SHOW_STR
       "A customer: record, edges, what its filters refused\n"
       "Its name\n"
       JSON_HELP)
{
	const struct config_customer *c;
	struct complete_sum sum;

	savd_catch_up();
	c = config_customer_find(&savd->cfg, argv[2]->arg);
	if (!c || !engine_complete(savd->engine, c->name, NULL, NULL, NULL, NULL, &sum))
		return customer_vty_unknown(vty, argv[2]->arg);
	if (show_wants_json(argv, argc))
		return show_print_json(vty, json_customer(c, &sum));
	print_customer(vty, c, &sum);
	return CMD_SUCCESS;
}

void customer_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_customer_cmd);
}
