/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_remedy.h"
#include "controller/savd.h"
#include "controller/vty/drops_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "lib/mem.h"

#define TEXT_MAX 40   /* rows of an answer in words */
#define JSON_MAX 1000 /* of one in JSON: each is explained */

static struct savd *savd;

/* A row, and what the engine says of its latest source. */
struct judged {
	const struct drop_seen *seen;
	const struct config_edge *edge; /* NULL: gone meanwhile */
	struct explain why;
	char remedy[REMEDY_TEXT_SIZE];
};

static bool judge(const struct drop_seen *seen, struct judged *j)
{
	const struct drop *d = &seen->drop;

	*j = (struct judged){ .seen = seen };
	j->edge = config_edge_find(&savd->cfg, seen->router, d->interface);
	if (!j->edge || !engine_explain(savd->engine, seen->router, d->interface,
					&d->source, savd_now_ms(), &j->why))
		return false;
	engine_remedy(savd->engine, seen->router, d->interface, &d->source, &j->why,
		      j->remedy);
	return true;
}

/* What the filter makes of it now; when it was sampled it was refused. */
static const char *state_of(const struct judged *j)
{
	if (j->why.admitted)
		return "accepted by now";
	return j->why.enforced ? "dropped" : "would be dropped";
}

/* ---- sums ---- */

struct sum {
	uint64_t samples, packets, bytes; /* packets, bytes: as the kernel counted */
	size_t edges;
};

static void sum_edge(struct sum *s, const struct config_edge *c)
{
	const struct savd_edge *known = savd_edge_find(savd, c->router, c->interface);
	struct drop_total total;

	drop_store_total(savd->drops, c->router, c->interface, savd_now_ms(), &total);
	s->samples += total.samples;
	if (known && known->counted) {
		s->packets += known->c.drop_packets;
		s->bytes += known->c.drop_bytes;
	}
	s->edges++;
}

static bool is_meant(const struct config_edge *c, const char *router,
		     const char *interface)
{
	return (!router || strcmp(c->router, router) == 0) &&
	       (!interface || strcmp(c->interface, interface) == 0);
}

static struct json_object *json_sum(const struct sum *s)
{
	struct json_object *json = json_object_new_object();

	json_object_int_add(json, "samples", (int64_t)s->samples);
	json_object_int_add(json, "dropPackets", (int64_t)s->packets);
	json_object_int_add(json, "dropBytes", (int64_t)s->bytes);
	return json;
}

/* By customer, of those whose edges refused something; edges without a customer
 * together under "". */
static struct sum *sum_customers(const char *router, const char *interface)
{
	const struct config *cfg = &savd->cfg;
	struct sum *sums = mem_calloc(cfg->n_customers + 1, sizeof(*sums));

	for (size_t i = 0; i < cfg->n_edges; i++) {
		const struct config_edge *c = &cfg->edges[i];
		const struct config_customer *customer =
			c->customer[0] ? config_customer_find(cfg, c->customer) : NULL;

		if (is_meant(c, router, interface))
			sum_edge(&sums[customer ? (size_t)(customer - cfg->customers)
						: cfg->n_customers],
				 c);
	}
	return sums;
}

static const char *customer_name(size_t i)
{
	return i < savd->cfg.n_customers ? savd->cfg.customers[i].name : "";
}

static bool refused_something(const struct sum *s)
{
	return s->samples != 0 || s->packets != 0;
}

/* ---- JSON ---- */

static struct json_object *json_row(const struct judged *j)
{
	struct json_object *json = json_object_new_object();
	const struct drop *d = &j->seen->drop;
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];
	struct ip_prefix net = drop_network(d);
	int64_t now = savd_now_ms();

	json_object_string_add(json, "router", j->seen->router);
	json_object_string_add(json, "interface", d->interface);
	json_object_string_add(json, "customer", j->edge->customer);
	json_object_string_add(json, "network", ip_prefix_format(&net, text));
	json_object_string_add(json, "source", ip_addr_format(&d->source, text));
	json_object_string_add(json, "destination", ip_addr_format(&d->destination, text));
	json_object_string_add(json, "traffic", drop_what(d, what));
	json_object_int_add(json, "samples", (int64_t)d->samples);
	json_object_int_add(json, "doubt", (int64_t)d->doubt);
	json_object_int_add(json, "bytes", (int64_t)d->bytes);
	json_object_int_add(json, "firstSeconds", (now - d->first_ms) / 1000);
	json_object_int_add(json, "lastSeconds", (now - d->last_ms) / 1000);
	json_object_string_add(json, "state", state_of(j));
	show_why_json(json, &j->why);
	show_admits_json(json, savd, j->seen->router, d->interface, &d->source);
	json_object_string_add(json, "remedy", j->remedy);
	return json;
}

static struct json_object *json_customers(const char *router, const char *interface)
{
	struct json_object *list = json_object_new_array();
	struct sum *sums = sum_customers(router, interface);

	for (size_t i = 0; i <= savd->cfg.n_customers; i++) {
		struct json_object *json;

		if (!refused_something(&sums[i]))
			continue;
		json = json_sum(&sums[i]);
		json_object_string_add(json, "customer", customer_name(i));
		json_object_array_add(list, json);
	}
	free(sums);
	return list;
}

static struct json_object *json_rows(const struct drop_seen *rows, size_t n)
{
	struct json_object *list = json_object_new_array();
	struct judged j;

	for (size_t i = 0; i < n; i++) {
		if (judge(&rows[i], &j))
			json_object_array_add(list, json_row(&j));
	}
	return list;
}

static int show_json(struct vty *vty, const struct drop_seen *rows, size_t n, size_t all,
		     const char *router, const char *interface)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "drops", json_rows(rows, n));
	json_object_int_add(json, "sources", (int64_t)all);
	json_object_object_add(json, "customers", json_customers(router, interface));
	return show_print_json(vty, json);
}

/* ---- text ---- */

static void print_row(struct vty *vty, const struct judged *j)
{
	const struct drop *d = &j->seen->drop;
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];
	struct ip_prefix net = drop_network(d);

	vty_out(vty, "%-12s %-15s %-22s %-14s %8llu %8lld  %s\n", j->seen->router,
		d->interface, ip_prefix_format(&net, text), drop_what(d, what),
		(unsigned long long)d->samples,
		(long long)(savd_now_ms() - d->last_ms) / 1000, state_of(j));
	vty_out(vty, "    %s\n", j->why.text);
	if (j->remedy[0] != '\0')
		vty_out(vty, "    if it is honest: %s\n", j->remedy);
}

static void print_customers(struct vty *vty, const char *router, const char *interface)
{
	struct sum *sums = sum_customers(router, interface);

	for (size_t i = 0; i <= savd->cfg.n_customers; i++) {
		const struct sum *s = &sums[i];

		if (refused_something(s))
			vty_out(vty,
				"%s%s: %llu packets, %llu bytes refused in all; %llu samples\n",
				customer_name(i)[0] ? "customer " : "edges without a customer",
				customer_name(i), (unsigned long long)s->packets,
				(unsigned long long)s->bytes, (unsigned long long)s->samples);
	}
	free(sums);
}

static int show_text(struct vty *vty, const struct drop_seen *rows, size_t n, size_t all,
		     const char *router, const char *interface)
{
	struct judged j;

	vty_out(vty, "%-12s %-15s %-22s %-14s %8s %8s  %s\n", "Router", "Interface",
		"Source", "Traffic", "Samples", "Last (s)", "State");
	for (size_t i = 0; i < n; i++) {
		if (judge(&rows[i], &j))
			print_row(vty, &j);
	}
	if (all > n)
		vty_out(vty, "and %zu more: \"show drops json\" has them\n", all - n);
	print_customers(vty, router, interface);
	return CMD_SUCCESS;
}

static int show(struct vty *vty, const char *router, const char *interface, bool json)
{
	size_t max = json ? JSON_MAX : TEXT_MAX, n, all;
	struct drop_seen *rows;
	int ret;

	if (interface && !config_edge_find(&savd->cfg, router, interface)) {
		vty_out(vty, "%% there is no edge %s %s: \"show edge\" lists them\n", router,
			interface);
		return CMD_WARNING;
	}
	if (router && !config_router_find(&savd->cfg, router)) {
		vty_out(vty, "%% there is no router %s: \"show edge\" lists them\n", router);
		return CMD_WARNING;
	}
	savd_catch_up();
	rows = mem_calloc(max, sizeof(*rows));
	n = drop_store_top(savd->drops, router, interface, savd_now_ms(), rows, max, &all);
	ret = (json ? show_json : show_text)(vty, rows, n, all, router, interface);
	free(rows);
	return ret;
}

/* ---- parts of other answers ---- */

void drops_vty_edge(struct vty *vty, const char *router, const char *interface,
		    size_t max)
{
	struct drop_seen *rows = mem_calloc(max, sizeof(*rows));
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];
	struct judged j;
	size_t n, all;

	n = drop_store_top(savd->drops, router, interface, savd_now_ms(), rows, max, &all);
	for (size_t i = 0; i < n; i++) {
		const struct drop *d = &rows[i].drop;
		struct ip_prefix net = drop_network(d);

		if (judge(&rows[i], &j))
			vty_out(vty, "  refused %s %s, %llu samples, last %lld s ago: %s\n",
				ip_prefix_format(&net, text), drop_what(d, what),
				(unsigned long long)d->samples,
				(long long)(savd_now_ms() - d->last_ms) / 1000, j.why.text);
	}
	if (all > n)
		vty_out(vty, "  and %zu more sources: \"show drops %s %s\"\n", all - n, router,
			interface);
	free(rows);
}

struct json_object *drops_json_edge(const char *router, const char *interface, size_t max)
{
	struct drop_seen *rows = mem_calloc(max, sizeof(*rows));
	struct json_object *list;
	size_t n;

	n = drop_store_top(savd->drops, router, interface, savd_now_ms(), rows, max, NULL);
	list = json_rows(rows, n);
	free(rows);
	return list;
}

static struct sum sum_customer(const char *customer)
{
	struct sum s = { 0 };

	for (size_t i = 0; i < savd->cfg.n_edges; i++) {
		if (strcmp(savd->cfg.edges[i].customer, customer) == 0)
			sum_edge(&s, &savd->cfg.edges[i]);
	}
	return s;
}

void drops_vty_customer(struct vty *vty, const char *customer)
{
	struct sum s = sum_customer(customer);

	vty_out(vty, "  refused on its %zu edges: %llu packets, %llu bytes\n", s.edges,
		(unsigned long long)s.packets, (unsigned long long)s.bytes);
}

struct json_object *drops_json_customer(const char *customer)
{
	struct sum s = sum_customer(customer);

	return json_sum(&s);
}

/* ---- commands ---- */

#define DROPS_HELP "Sources that the filters refused, and why; from samples\n"

DEFUN (show_drops,
       show_drops_cmd,
       "show drops [json]",
       SHOW_STR
       DROPS_HELP
       JSON_HELP)
{
	return show(vty, NULL, NULL, show_wants_json(argv, argc));
}

DEFUN (show_drops_router,
       show_drops_router_cmd,
       "show drops ROUTER [json]",
       SHOW_STR
       DROPS_HELP
       "Name of the router\n"
       JSON_HELP)
{
	return show(vty, argv[2]->arg, NULL, show_wants_json(argv, argc));
}

DEFUN (show_drops_edge,
       show_drops_edge_cmd,
       "show drops ROUTER INTERFACE [json]",
       SHOW_STR
       DROPS_HELP
       "Name of the router\n"
       "Name of the interface\n"
       JSON_HELP)
{
	return show(vty, argv[2]->arg, argv[3]->arg, show_wants_json(argv, argc));
}

void drops_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_drops_cmd);
	install_element(VIEW_NODE, &show_drops_router_cmd);
	install_element(VIEW_NODE, &show_drops_edge_cmd);
}
