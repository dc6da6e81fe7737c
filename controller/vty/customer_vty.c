/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_complete.h"
#include "controller/engine_remedy.h"
#include "controller/savd.h"
#include "controller/vty/customer_vty.h"
#include "controller/vty/drops_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "lib/stamp.h"

#define DROPS_SHOWN 5	 /* sources of an edge */
#define GAPS_SHOWN  40	 /* in words */
#define GAPS_LISTED 1000 /* in JSON: each is explained */

static struct savd *savd;

static int no_such_customer(struct vty *vty, const char *name)
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
		return no_such_customer(vty, argv[2]->arg);
	if (show_wants_json(argv, argc))
		return show_print_json(vty, json_customer(c, &sum));
	print_customer(vty, c, &sum);
	return CMD_SUCCESS;
}

/* ---- completeness ---- */

struct lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	const struct config_edge *edge;
	size_t n;
};

static const char *wanted_by(const struct complete_gap *gap, char text[128])
{
	char peer[IP_TEXT_SIZE];

	switch (gap->source) {
	case COMPLETE_RECORD:
		return "in its record";
	case COMPLETE_SESSION:
		return "of a RADIUS session";
	case COMPLETE_ANNOUNCED:
		snprintf(text, 128, "announced by peer %s of router %s",
			 ip_addr_format(&rib_peer_key(gap->peer)->addr, peer),
			 gap->peer_router);
		return text;
	case COMPLETE_ORIGIN:
		break;
	}
	return "announced by others, its AS is the origin";
}

static void print_gap(struct lister *l, const struct complete_gap *gap,
		      const struct explain *why, const char *remedy)
{
	char prefix[IP_TEXT_SIZE], text[128];

	if (l->edge != gap->edge)
		vty_out(l->vty, "edge %s %s\n", gap->edge->router, gap->edge->interface);
	l->edge = gap->edge;
	vty_out(l->vty, "  %s, %s\n    %s: %s\n", ip_prefix_format(&gap->prefix, prefix),
		wanted_by(gap, text), why->enforced ? "dropped" : "would be dropped",
		why->text);
	if (remedy[0] != '\0')
		vty_out(l->vty, "    to admit it: %s\n", remedy);
}

static void json_gap(struct lister *l, const struct complete_gap *gap,
		     const struct explain *why, const char *remedy)
{
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "router", gap->edge->router);
	json_object_string_add(json, "interface", gap->edge->interface);
	json_object_string_add(json, "wanted", ip_prefix_format(&gap->prefix, text));
	json_object_string_add(json, "wantedBy", complete_source_name(gap->source));
	if (gap->peer) {
		json_object_string_add(
			json, "announcedBy",
			ip_addr_format(&rib_peer_key(gap->peer)->addr, text));
		json_object_string_add(json, "announcedTo", gap->peer_router);
	}
	json_object_string_add(json, "address", ip_addr_format(&gap->missing, text));
	json_object_boolean_add(json, "enforced", why->enforced);
	show_why_json(json, why);
	show_admits_json(json, savd, gap->edge->router, gap->edge->interface, &gap->missing);
	json_object_string_add(json, "remedy", remedy);
	json_object_array_add(l->list, json);
}

static void list_gap(const struct complete_gap *gap, void *arg)
{
	const struct config_edge *c = gap->edge;
	char remedy[REMEDY_TEXT_SIZE];
	struct lister *l = arg;
	struct explain why;

	if (l->n++ >= (l->list ? GAPS_LISTED : GAPS_SHOWN) ||
	    !engine_explain(savd->engine, c->router, c->interface, &gap->missing,
			    savd_now_ms(), &why))
		return;
	engine_remedy(savd->engine, c->router, c->interface, &gap->missing, &why, remedy);
	if (l->list)
		json_gap(l, gap, &why, remedy);
	else
		print_gap(l, gap, &why, remedy);
}

static void print_limits(struct vty *vty, const struct complete_sum *sum)
{
	if (sum->skipped != 0)
		vty_out(vty, "not compared: %zu peers with more than %d paths\n", sum->skipped,
			COMPLETE_PATHS_MAX);
	if (sum->cut)
		vty_out(vty, "only %d prefixes were compared\n", COMPLETE_PREFIXES_MAX);
}

static void print_verdict(struct vty *vty, const char *name, const struct complete_sum *sum)
{
	if (sum->gaps > GAPS_SHOWN)
		vty_out(vty, "and %zu more: \"show customer %s completeness json\"\n",
			sum->gaps - GAPS_SHOWN, name);
	print_limits(vty, sum);
	if (sum->edges == 0)
		vty_out(vty, "customer %s has no edge that filters\n", name);
	else if (sum->gaps == 0)
		vty_out(vty, "complete: each of the %zu prefixes of customer %s is admitted on "
			     "each of its %zu edges\n",
			sum->prefixes, name, sum->edges);
	else
		vty_out(vty,
			"incomplete: %zu times one of the %zu prefixes of customer %s is refused "
			"on one of its %zu edges\n",
			sum->gaps, sum->prefixes, name, sum->edges);
}

static void json_sum(struct json_object *json, const char *name,
		     const struct complete_sum *sum)
{
	json_object_string_add(json, "customer", name);
	json_object_boolean_add(json, "complete", sum->edges != 0 && sum->gaps == 0);
	json_object_int_add(json, "edgeCount", (int64_t)sum->edges);
	json_object_int_add(json, "prefixCount", (int64_t)sum->prefixes);
	json_object_int_add(json, "incompletePrefixes", (int64_t)sum->gaps);
	json_object_int_add(json, "skippedPeers", (int64_t)sum->skipped);
	json_object_boolean_add(json, "cut", sum->cut);
}

DEFUN (show_customer_completeness,
       show_customer_completeness_cmd,
       "show customer NAME completeness [json]",
       SHOW_STR
       "A customer: record, edges, what its filters refused\n"
       "Its name\n"
       "What of its own its edges would refuse, and why (RFC 3704 sec. 4.2)\n"
       JSON_HELP)
{
	struct lister l = { .vty = vty };
	const char *name = argv[2]->arg;
	struct complete_sum sum;
	struct json_object *json;

	savd_catch_up();
	if (show_wants_json(argv, argc))
		l.list = json_object_new_array();
	if (!engine_complete(savd->engine, name, NULL, NULL, list_gap, &l, &sum)) {
		if (l.list)
			json_object_free(l.list);
		return no_such_customer(vty, name);
	}
	if (!l.list) {
		print_verdict(vty, name, &sum);
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	json_sum(json, name, &sum);
	json_object_object_add(json, "gaps", l.list);
	return show_print_json(vty, json);
}

DEFUN (show_completeness,
       show_completeness_cmd,
       "show customer completeness [json]",
       SHOW_STR
       "A customer: record, edges, what its filters refused\n"
       "Of all customers, what of their own their edges would refuse\n"
       JSON_HELP)
{
	struct json_object *json, *list = NULL;

	savd_catch_up();
	if (show_wants_json(argv, argc))
		list = json_object_new_array();
	else
		vty_out(vty, "%-24s %8s %10s  %s\n", "Customer", "Edges", "Prefixes",
			"Incomplete");
	for (size_t i = 0; i < savd->cfg.n_customers; i++) {
		const char *name = savd->cfg.customers[i].name;
		struct complete_sum sum;

		engine_complete(savd->engine, name, NULL, NULL, NULL, NULL, &sum);
		if (!list) {
			vty_out(vty, "%-24s %8zu %10zu  %zu\n", name, sum.edges, sum.prefixes,
				sum.gaps);
			print_limits(vty, &sum);
			continue;
		}
		json = json_object_new_object();
		json_sum(json, name, &sum);
		json_object_array_add(list, json);
	}
	if (!list)
		return CMD_SUCCESS;
	json = json_object_new_object();
	json_object_object_add(json, "customers", list);
	return show_print_json(vty, json);
}

void customer_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_customer_cmd);
	install_element(VIEW_NODE, &show_customer_completeness_cmd);
	install_element(VIEW_NODE, &show_completeness_cmd);
}
