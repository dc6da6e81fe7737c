/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_remedy.h"
#include "controller/savd.h"
#include "controller/savd_history.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/radius_vty.h"
#include "controller/vty/show_feed_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "lib/name.h"

static struct savd *savd;

static struct south *south(void)
{
	return south_packet_south(savd->south);
}

static int no_such_edge(struct vty *vty, const char *router, const char *interface)
{
	vty_out(vty, "%% there is no edge %s %s: \"show edge\" lists them\n", router, interface);
	return CMD_WARNING;
}

/* ---- edges ---- */

struct edge_view {
	struct engine_edge_status s;
	const struct savd_edge *known;		/* NULL: nothing yet */
	const struct agent_counters *counters; /* NULL: none reported */
	bool agent_connected;
	bool all_off; /* its router's hand brake is on */
	bool in_sync;
	uint64_t held_generation;
	char agent_error[AGENT_TEXT_SIZE];
};

static void view_held(struct edge_view *v, const struct south_status *status)
{
	v->agent_connected = status->connected;
	v->all_off = status->all_off;
	for (size_t i = 0; i < status->n_edges; i++) {
		const struct south_edge_status *e = &status->edges[i];

		if (strcmp(e->interface, v->s.config->interface) != 0)
			continue;
		v->in_sync = e->in_sync;
		v->held_generation = e->held_generation;
		snprintf(v->agent_error, sizeof(v->agent_error), "%s", e->error);
	}
}

static bool view_edge(struct edge_view *v, const char *router, const char *interface,
		      const struct south_status *status)
{
	*v = (struct edge_view){ 0 };
	if (!engine_edge_status(savd->engine, router, interface, &v->s))
		return false;
	v->known = savd_edge_find(savd, router, interface);
	v->counters = v->known && v->known->counted ? &v->known->c : NULL;
	if (status)
		view_held(v, status);
	return true;
}

static const char *state_word(const struct edge_view *v)
{
	if (!v->s.active)
		return "inactive";
	if (v->s.stale)
		return "stale";
	if (v->s.filter->action == FILTER_OFF)
		return "off";
	if (v->s.brake || v->s.growth)
		return "braked";
	if (v->s.config->action == FILTER_ENFORCE && !v->s.started)
		return "waiting";
	return v->s.filter->action == FILTER_ENFORCE ? "enforcing" : "observing";
}

static struct json_object *json_edge(const struct edge_view *v)
{
	const struct config_edge *c = v->s.config;
	const struct filter *f = v->s.filter;
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "router", c->router);
	json_object_string_add(json, "interface", c->interface);
	json_object_string_add(json, "customer", c->customer);
	json_object_string_add(json, "role", edge_role_name(c->role));
	json_object_string_add(json, "mode", edge_mode_name(config_edge_mode(c)));
	json_object_int_add(json, "paths", c->feasible_paths);
	json_object_string_add(json, "configuredAction", filter_action_name(c->action));
	json_object_string_add(json, "action", filter_action_name(f->action));
	json_object_string_add(json, "state", state_word(v));
	json_object_string_add(json, "reason", v->s.reason);
	json_object_boolean_add(json, "ready", v->s.ready);
	json_object_boolean_add(json, "brake", v->s.brake);
	json_object_boolean_add(json, "growthBrake", v->s.growth);
	json_object_boolean_add(json, "stale", v->s.stale);
	json_object_boolean_add(json, "interfaceSeen", v->s.interface_seen);
	json_object_int_add(json, "radiusSessions", v->s.sessions);
	json_object_boolean_add(json, "agentConnected", v->agent_connected);
	json_object_boolean_add(json, "allOff", v->all_off);
	json_object_int_add(json, "generation", (int64_t)f->generation);
	json_object_int_add(json, "heldGeneration", (int64_t)v->held_generation);
	json_object_boolean_add(json, "inSync", v->in_sync);
	json_object_string_add(json, "agentError", v->agent_error);
	json_object_int_add(json, "ipv4Prefixes",
			    (int64_t)rangeset_prefix_count(&f->accept.f[IP_V4], IP_V4));
	json_object_int_add(json, "ipv6Prefixes",
			    (int64_t)rangeset_prefix_count(&f->accept.f[IP_V6], IP_V6));
	if (v->known && v->known->applied_max_us != 0) {
		json_object_int_add(json, "applyLastMicroseconds", v->known->applied_last_us);
		json_object_int_add(json, "applyMaxMicroseconds", v->known->applied_max_us);
	}
	if (v->counters) {
		json_object_int_add(json, "acceptPackets",
				    (int64_t)v->counters->accept_packets);
		json_object_int_add(json, "acceptBytes", (int64_t)v->counters->accept_bytes);
		json_object_int_add(json, "dropPackets", (int64_t)v->counters->drop_packets);
		json_object_int_add(json, "dropBytes", (int64_t)v->counters->drop_bytes);
		json_object_int_add(json, "exceptPackets",
				    (int64_t)v->counters->except_packets);
		json_object_int_add(json, "exceptBytes", (int64_t)v->counters->except_bytes);
	}
	return json;
}

static void print_edge_row(struct vty *vty, const struct edge_view *v)
{
	const struct config_edge *c = v->s.config;
	const struct filter *f = v->s.filter;
	char sync[32];

	if (v->in_sync)
		snprintf(sync, sizeof(sync), "in sync");
	else
		snprintf(sync, sizeof(sync), "%s", v->agent_connected ? "behind" : "no agent");
	vty_out(vty, "%-12s %-15s %-10s %-10s %-10s %6llu %-8s %8zu %8zu %12llu %12llu\n",
		c->router, c->interface, edge_role_name(c->role),
		edge_mode_name(config_edge_mode(c)), state_word(v),
		(unsigned long long)f->generation, sync,
		rangeset_prefix_count(&f->accept.f[IP_V4], IP_V4),
		rangeset_prefix_count(&f->accept.f[IP_V6], IP_V6),
		(unsigned long long)(v->counters ? v->counters->accept_packets : 0),
		(unsigned long long)(v->counters ? v->counters->drop_packets : 0));
	if (v->s.reason[0] != '\0')
		vty_out(vty, "    %s\n", v->s.reason);
	if (v->agent_error[0] != '\0')
		vty_out(vty, "    agent: %s\n", v->agent_error);
	if (v->all_off)
		vty_out(vty, "    ALL OFF on the router: it filters nothing until \"no all off\" there\n");
	if (v->agent_connected && !v->s.interface_seen)
		vty_out(vty, "    the router has no interface of this name now\n");
}

/* Edges come sorted by router: one look at each router's session. */
static void each_edge(void (*fn)(const struct edge_view *v, void *arg), void *arg)
{
	struct south_status status = { 0 };
	const char *router = NULL;
	bool known = false;

	for (size_t i = 0; i < savd->cfg.n_edges; i++) {
		const struct config_edge *c = &savd->cfg.edges[i];
		struct edge_view v;

		if (!router || strcmp(router, c->router) != 0) {
			if (known)
				south_status_fini(&status);
			router = c->router;
			known = south_status(south(), router, &status);
		}
		if (view_edge(&v, c->router, c->interface, known ? &status : NULL))
			fn(&v, arg);
	}
	if (known)
		south_status_fini(&status);
}

static void row_of_edge(const struct edge_view *v, void *arg)
{
	print_edge_row(arg, v);
}

static void json_of_edge(const struct edge_view *v, void *arg)
{
	show_rows_add(arg, json_edge(v));
}

DEFUN (show_edge,
       show_edge_cmd,
       "show edge [json]",
       SHOW_STR
       "Edges: their filters and counters\n"
       JSON_HELP)
{
	struct show_rows rows;

	savd_catch_up();
	if (!show_wants_json(argv, argc)) {
		vty_out(vty, "%-12s %-15s %-10s %-10s %-10s %6s %-8s %8s %8s %12s %12s\n",
			"Router", "Interface", "Role", "Mode", "State", "Gen", "Router", "IPv4",
			"IPv6", "Accepted", "Dropped");
		each_edge(row_of_edge, vty);
		return CMD_SUCCESS;
	}
	show_rows_begin(&rows, vty, NULL, "edges");
	each_edge(json_of_edge, &rows);
	return show_rows_end(&rows);
}

#define WAITS_SHOWN 20

struct wait_lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	unsigned int n;
};

static void list_wait(const struct engine_wait *wait, void *arg)
{
	struct wait_lister *l = arg;
	char what[IP_TEXT_SIZE + 8] = "bgp", addr[IP_TEXT_SIZE];
	struct json_object *json;

	if (wait->peer.v != 0)
		snprintf(what, sizeof(what), "peer %s", ip_addr_format(&wait->peer, addr));
	if (l->list) {
		json = json_object_new_object();
		json_object_string_add(json, "router", wait->router);
		json_object_string_add(json, "peer", wait->peer.v ? addr : "");
		json_object_string_add(json, "reason", wait->why);
		json_object_array_add(l->list, json);
	} else if (l->n < WAITS_SHOWN) {
		vty_out(l->vty,
			"  waits for %s of router %s: it %s\n"
			"    not to wait, in router %s: \"exclude %s\"\n",
			what, wait->router, wait->why, wait->router, what);
	}
	l->n++;
}

static void print_waits(struct vty *vty, const struct config_edge *c)
{
	struct wait_lister l = { .vty = vty };

	engine_edge_waits(savd->engine, c->router, c->interface, list_wait, &l);
	if (l.n > WAITS_SHOWN)
		vty_out(vty, "  and for %u more: \"show edge %s %s json\"\n",
			l.n - WAITS_SHOWN, c->router, c->interface);
}

static struct json_object *json_waits(const struct config_edge *c)
{
	struct wait_lister l = { .list = json_object_new_array() };

	engine_edge_waits(savd->engine, c->router, c->interface, list_wait, &l);
	return l.list;
}

struct left_lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	unsigned int n;
};

static void list_left(const struct engine_left *left, void *arg)
{
	struct left_lister *l = arg;
	int64_t more_ms = left->due_ms - savd_now_ms();
	long long more_s = more_ms > 0 ? (more_ms + 999) / 1000 : 0;
	char addr[IP_TEXT_SIZE], until[60] = "until the feeds are complete";
	struct json_object *json;

	ip_addr_format(&left->addr, addr);
	if (l->list) {
		json = json_object_new_object();
		json_object_string_add(json, "peer", addr);
		if (left->due_ms >= 0)
			json_object_int_add(json, "seconds", more_s);
		json_object_array_add(l->list, json);
		return;
	}
	if (left->due_ms >= 0)
		snprintf(until, sizeof(until), "for its hold-down, %lld s more", more_s);
	if (l->n++ < WAITS_SHOWN)
		vty_out(l->vty, "  peer %s has left: it may talk to the router %s\n", addr, until);
}

static void print_left(struct vty *vty, const struct config_edge *c)
{
	struct left_lister l = { .vty = vty };

	engine_edge_left_walk(savd->engine, c->router, c->interface, list_left, &l);
	if (l.n > WAITS_SHOWN)
		vty_out(vty, "  and %u more peers: \"show edge %s %s json\"\n", l.n - WAITS_SHOWN,
			c->router, c->interface);
}

static struct json_object *json_left(const struct config_edge *c)
{
	struct left_lister l = { .list = json_object_new_array() };

	engine_edge_left_walk(savd->engine, c->router, c->interface, list_left, &l);
	return l.list;
}

static void print_edge_long(struct vty *vty, const struct edge_view *v)
{
	const struct config_edge *c = v->s.config;
	struct addrset waiting = { 0 }, computed = { 0 };
	char mode[EDGE_MODE_TEXT_SIZE];

	vty_out(vty, "edge %s %s\n", c->router, c->interface);
	vty_out(vty, "  customer %s, role %s, mode %s, action %s\n",
		c->customer[0] ? c->customer : "-", edge_role_name(c->role),
		edge_mode_text(c, mode), filter_action_name(c->action));
	vty_out(vty, "  state %s%s%s\n", state_word(v), v->s.reason[0] ? ": " : "",
		v->s.reason);
	print_waits(vty, c);
	vty_out(vty, "  generation %llu, %zu prefixes; the router holds %llu%s\n",
		(unsigned long long)v->s.filter->generation,
		addrset_prefix_count(&v->s.filter->accept),
		(unsigned long long)v->held_generation,
		v->in_sync	   ? " (the same)" :
		v->agent_connected ? " (behind)" :
				     " (its agent is not connected)");
	hold_waiting(v->s.hold, &waiting);
	engine_edge_computed(savd->engine, c->router, c->interface, &computed);
	vty_out(vty, "  computed now %zu prefixes, %zu wait for their hold-down of %u s\n",
		addrset_prefix_count(&computed), addrset_prefix_count(&waiting),
		c->holddown_s);
	addrset_fini(&waiting);
	addrset_fini(&computed);
	print_left(vty, c);
	if (v->s.brake)
		vty_out(vty, "  removals are held back: \"brake release %s %s\"\n", c->router,
			c->interface);
	if (v->s.growth)
		vty_out(vty, "  growth is held back: \"brake release %s %s\"\n", c->router,
			c->interface);
	if (v->counters)
		vty_out(vty,
			"  accepted %llu packets %llu bytes, dropped %llu packets %llu bytes, "
			"passed by exceptions %llu packets\n",
			(unsigned long long)v->counters->accept_packets,
			(unsigned long long)v->counters->accept_bytes,
			(unsigned long long)v->counters->drop_packets,
			(unsigned long long)v->counters->drop_bytes,
			(unsigned long long)v->counters->except_packets);
	radius_vty_edge(vty, c->router, c->interface);
	if (v->agent_error[0] != '\0')
		vty_out(vty, "  agent: %s\n", v->agent_error);
	if (v->all_off)
		vty_out(vty, "  ALL OFF on the router: it filters nothing until \"no all off\" there\n");
}

static bool view_one(struct edge_view *v, const char *router, const char *interface)
{
	struct south_status status;
	bool known = south_status(south(), router, &status);
	bool found = view_edge(v, router, interface, known ? &status : NULL);

	if (known)
		south_status_fini(&status);
	return found;
}

void show_edge_text(struct vty *vty, const char *router, const char *interface)
{
	struct edge_view v;

	if (view_one(&v, router, interface))
		print_edge_long(vty, &v);
}

struct json_object *show_edge_json(const char *router, const char *interface)
{
	struct json_object *json;
	struct edge_view v;

	if (!view_one(&v, router, interface))
		return NULL;
	json = json_edge(&v);
	json_object_object_add(json, "waitsFor", json_waits(v.s.config));
	json_object_object_add(json, "leftPeers", json_left(v.s.config));
	json_object_object_add(json, "sessions", radius_json_edge(router, interface));
	return json;
}

DEFUN (show_edge_one,
       show_edge_one_cmd,
       "show edge ROUTER INTERFACE [json]",
       SHOW_STR
       "Edges: their filters and counters\n"
       "Name of the router\n"
       "Name of the interface\n"
       JSON_HELP)
{
	const char *router = argv[2]->arg, *interface = argv[3]->arg;

	savd_catch_up();
	if (!config_edge_find(&savd->cfg, router, interface))
		return no_such_edge(vty, router, interface);
	if (show_wants_json(argv, argc))
		return show_print_json(vty, show_edge_json(router, interface));
	show_edge_text(vty, router, interface);
	return CMD_SUCCESS;
}

static void json_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	json_object_array_add(arg, json_object_new_string(ip_prefix_format(p, text)));
}

static struct json_object *json_rangeset(const struct addrset *set, enum ip_family family)
{
	struct json_object *list = json_object_new_array();

	rangeset_each_prefix(&set->f[family], family, json_prefix, list);
	return list;
}

struct json_object *show_set_json(const struct addrset *set)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "ipv4", json_rangeset(set, IP_V4));
	json_object_object_add(json, "ipv6", json_rangeset(set, IP_V6));
	return json;
}

static void print_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	vty_out(arg, "    %s\n", ip_prefix_format(p, text));
}

void show_set(struct vty *vty, const char *title, const struct addrset *set)
{
	vty_out(vty, "  %s: %zu prefixes\n", title, addrset_prefix_count(set));
	addrset_each_prefix(set, print_prefix, vty);
}

DEFUN (show_edge_sets,
       show_edge_sets_cmd,
       "show edge ROUTER INTERFACE sets [json]",
       SHOW_STR
       "Edges: their filters and counters\n"
       "Name of the router\n"
       "Name of the interface\n"
       "The addresses that may enter\n"
       JSON_HELP)
{
	struct engine_edge_status s;
	struct addrset waiting = { 0 }, computed = { 0 }, excess = { 0 };
	struct json_object *json;

	savd_catch_up();
	if (!engine_edge_status(savd->engine, argv[2]->arg, argv[3]->arg, &s))
		return no_such_edge(vty, argv[2]->arg, argv[3]->arg);
	hold_waiting(s.hold, &waiting);
	engine_edge_computed(savd->engine, argv[2]->arg, argv[3]->arg, &computed);
	engine_edge_excess(savd->engine, argv[2]->arg, argv[3]->arg, &excess);
	if (!show_wants_json(argv, argc)) {
		vty_out(vty, "edge %s %s mode %s generation %llu\n", s.config->router,
			s.config->interface, edge_mode_name(config_edge_mode(s.config)),
			(unsigned long long)s.filter->generation);
		show_set(vty, "accepted", &s.filter->accept);
		show_set(vty, "of these waiting to leave", &waiting);
		show_set(vty, "held back by the growth brake", &excess);
	} else {
		json = json_object_new_object();
		json_object_string_add(json, "router", s.config->router);
		json_object_string_add(json, "interface", s.config->interface);
		json_object_string_add(json, "mode",
				       edge_mode_name(config_edge_mode(s.config)));
		json_object_int_add(json, "generation", (int64_t)s.filter->generation);
		json_object_object_add(json, "accepted", show_set_json(&s.filter->accept));
		json_object_object_add(json, "computed", show_set_json(&computed));
		json_object_object_add(json, "waiting", show_set_json(&waiting));
		json_object_object_add(json, "heldBack", show_set_json(&excess));
		show_print_json(vty, json);
	}
	addrset_fini(&waiting);
	addrset_fini(&computed);
	addrset_fini(&excess);
	return CMD_SUCCESS;
}

/* ---- explain ---- */

static const char *const step_words[] = {
	[EXPLAIN_INACTIVE] = "inactive",   [EXPLAIN_OFF] = "off",
	[EXPLAIN_EXCEPTION] = "exception", [EXPLAIN_SPECIAL] = "special-purpose",
	[EXPLAIN_OWN] = "own-prefix",	   [EXPLAIN_RECORD] = "record",
	[EXPLAIN_SESSION] = "session",	   [EXPLAIN_ROUTE] = "route",
	[EXPLAIN_HOLD] = "holddown",	   [EXPLAIN_GROWTH] = "growth",
	[EXPLAIN_NONE] = "none",
};

void show_why_json(struct json_object *json, const struct explain *x)
{
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "step", step_words[x->step]);
	if (x->prefix.len != 0 || x->prefix.v != 0)
		json_object_string_add(json, "prefix", ip_prefix_format(&x->prefix, text));
	if (x->peer)
		json_object_string_add(json, "peer",
				       ip_addr_format(&rib_peer_key(x->peer)->addr, text));
	json_object_string_add(json, "reason", x->text);
}

void show_admits_json(struct json_object *json, const struct savd *s, const char *router,
		      const char *interface, const struct ip_addr *addr)
{
	unsigned int admits = engine_admits(s->engine, router, interface, addr);
	struct json_object *list = json_object_new_array();

	for (size_t m = 0; m < REMEDY_MODES; m++) {
		if (admits & 1u << m)
			json_object_array_add(list, json_object_new_string(edge_mode_name(
							    remedy_modes[m])));
	}
	json_object_object_add(json, "admittedBy", list);
}

static struct json_object *json_explain(const struct explain *x, const char *router,
					const char *interface, const char *addr)
{
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "router", router);
	json_object_string_add(json, "interface", interface);
	json_object_string_add(json, "address", addr);
	json_object_string_add(json, "verdict", x->accept ? "accept" : "drop");
	json_object_boolean_add(json, "enforced", x->enforced);
	json_object_boolean_add(json, "admitted", x->admitted);
	show_why_json(json, x);
	return json;
}

DEFUN (explain,
       explain_cmd,
       "explain ROUTER INTERFACE <A.B.C.D|X:X::X:X> [json]",
       "Why a source address may enter by an edge, or not\n"
       "Name of the router\n"
       "Name of the interface\n"
       "IPv4 source address\n"
       "IPv6 source address\n"
       JSON_HELP)
{
	char remedy[REMEDY_TEXT_SIZE];
	struct json_object *json;
	struct ip_addr addr;
	struct explain x;

	if (!ip_addr_parse(argv[3]->arg, &addr)) {
		vty_out(vty, "%% %s is not an address\n", argv[3]->arg);
		return CMD_WARNING;
	}
	savd_catch_up();
	if (!engine_explain(savd->engine, argv[1]->arg, argv[2]->arg, &addr, savd_now_ms(), &x))
		return no_such_edge(vty, argv[1]->arg, argv[2]->arg);
	engine_remedy(savd->engine, argv[1]->arg, argv[2]->arg, &addr, &x, remedy);
	if (show_wants_json(argv, argc)) {
		json = json_explain(&x, argv[1]->arg, argv[2]->arg, argv[3]->arg);
		show_admits_json(json, savd, argv[1]->arg, argv[2]->arg, &addr);
		json_object_string_add(json, "remedy", remedy);
		json_object_string_add(json, "toRouter", x.to_router);
		return show_print_json(vty, json);
	}
	if (x.enforced || x.admitted)
		vty_out(vty, "%s: %s\n", x.accept ? "accept" : "drop", x.text);
	else
		vty_out(vty, "accept (the edge does not enforce; it would drop): %s\n", x.text);
	if (x.to_router[0] != '\0')
		vty_out(vty, "  %s\n", x.to_router);
	if (remedy[0] != '\0')
		vty_out(vty, "  if it is honest: %s\n", remedy);
	return CMD_SUCCESS;
}

/* ---- agents ---- */

struct agent_lister {
	struct vty *vty;
	struct json_object *list;
};

static void print_time(int64_t when, char *text, size_t size)
{
	time_t t = (time_t)when;
	struct tm tm;

	strftime(text, size, "%Y-%m-%d", gmtime_r(&t, &tm));
}

static void list_agent(const struct store_agent *a, void *arg)
{
	struct agent_lister *l = arg;
	struct south_status s = { 0 };
	struct json_object *json;
	char until[32];
	bool known;

	if (strcmp(a->kind, pki_kind_name(PKI_RELAY)) == 0)
		return; /* a part of the agent */
	known = south_status(south(), a->name, &s);
	print_time(a->not_after, until, sizeof(until));
	if (!l->list) {
		vty_out(l->vty, "%-16s %-8s %-13s %-40s %-12s %s\n", a->name, a->kind,
			a->revoked	      ? "revoked" :
			known && s.connected ? "connected" :
					       "not connected",
			known && s.connected ? s.address : "-", until,
			known && s.connected ? s.software : "-");
		if (known && !s.connected && s.last_error[0] != '\0')
			vty_out(l->vty, "    last session ended: %s\n", s.last_error);
		if (known && s.all_off)
			vty_out(l->vty,
				"    ALL OFF: the router filters nothing until \"no all off\" in "
				"its agent's shell\n");
	} else {
		json = json_object_new_object();
		json_object_string_add(json, "name", a->name);
		json_object_string_add(json, "kind", a->kind);
		json_object_boolean_add(json, "connected", known && s.connected);
		json_object_boolean_add(json, "revoked", a->revoked);
		json_object_boolean_add(json, "allOff", known && s.all_off);
		json_object_string_add(json, "serial", a->serial_hex);
		json_object_int_add(json, "notAfter", a->not_after);
		json_object_string_add(json, "address", known ? s.address : "");
		json_object_string_add(json, "software", known ? s.software : "");
		json_object_string_add(json, "lastError", known ? s.last_error : "");
		json_object_array_add(l->list, json);
	}
	if (known)
		south_status_fini(&s);
}

DEFUN (show_agent,
       show_agent_cmd,
       "show agent [json]",
       SHOW_STR
       "Agents: sessions and certificates\n"
       JSON_HELP)
{
	struct agent_lister l = { .vty = vty };
	struct json_object *json = NULL;
	struct diag diag;
	int ret;

	if (show_wants_json(argv, argc)) {
		json = json_object_new_object();
		l.list = json_object_new_array();
		json_object_object_add(json, "agents", l.list);
	} else {
		vty_out(vty, "%-16s %-8s %-13s %-40s %-12s %s\n", "Name", "Kind", "Session",
			"Address", "Valid until", "Software");
	}
	ret = store_agents_walk(savd->store, list_agent, &l, &diag);
	if (ret < 0)
		vty_out(vty, "%% %s\n", diag.text);
	if (json)
		show_print_json(vty, json);
	return ret < 0 ? CMD_WARNING : CMD_SUCCESS;
}

#define TOKEN_S 3600

DEFUN (agent_enroll,
       agent_enroll_cmd,
       "agent enroll NAME",
       "Agents\n"
       "Print a token with which the agent of a router enrols, once, within an hour\n"
       "Name of the router\n")
{
	char text[PKI_TOKEN_TEXT_SIZE];
	const struct wr *ca = signer_ca(savd->signer);
	struct pki_token token;
	struct pki_cert cert;
	uint8_t hash[32];
	struct diag diag;
	int ret;

	if (!name_is_valid(argv[2]->arg)) {
		vty_out(vty, "%% \"%s\" is not a valid name\n", argv[2]->arg);
		return CMD_WARNING;
	}
	if (pki_cert_read(ca->data, ca->len, &cert, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	pki_token_make(&token, argv[2]->arg, cert.fingerprint);
	pki_secret_hash(token.secret, hash);
	ret = store_token_add(savd->store, argv[2]->arg, pki_kind_name(PKI_ROUTER), hash,
			      time(NULL) + TOKEN_S, &diag);
	if (ret < 0) {
		vty_out(vty, "%% %s\n", diag.text);
	} else {
		journal_action();
		pki_token_format(&token, text);
		vty_out(vty, "%s\n", text);
		pki_wipe(text, sizeof(text));
		if (!config_router_find(&savd->cfg, argv[2]->arg))
			vty_out(vty,
				"! there is no router %s yet: type \"router %s\" in "
				"configuration mode\n",
				argv[2]->arg, argv[2]->arg);
	}
	pki_wipe(&token, sizeof(token));
	return ret < 0 ? CMD_WARNING : CMD_SUCCESS;
}

DEFUN (agent_revoke,
       agent_revoke_cmd,
       "agent revoke NAME",
       "Agents\n"
       "Revoke all certificates of an agent and cut its session; its filters stay\n"
       "Name of the router\n")
{
	struct diag diag;
	int n;

	if (store_agent_revoke(savd->store, argv[2]->arg, time(NULL), &n, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	if (n == 0) {
		vty_out(vty, "%% agent %s has no valid certificate: \"show agent\" lists them\n",
			argv[2]->arg);
		return CMD_WARNING;
	}
	journal_action();
	south_session_cut(south(), argv[2]->arg, "its certificate was revoked", savd_now_ms());
	vty_out(vty, "%d certificate%s revoked\n", n, n == 1 ? "" : "s");
	return CMD_SUCCESS;
}

DEFUN (do_brake_release,
       brake_release_cmd,
       "brake release ROUTER INTERFACE",
       "Held back removals\n"
       "Let them happen\n"
       "Name of the router\n"
       "Name of the interface\n")
{
	char who[STORE_WHO_SIZE];

	if (!engine_brake_release(savd->engine, argv[2]->arg, argv[3]->arg))
		return no_such_edge(vty, argv[2]->arg, argv[3]->arg);
	journal_who(who);
	savd_history_because(savd->history, argv[2]->arg, argv[3]->arg, "brake release by %s",
			     who);
	journal_action();
	return CMD_SUCCESS;
}

void show_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_edge_cmd);
	install_element(VIEW_NODE, &show_edge_one_cmd);
	install_element(VIEW_NODE, &show_edge_sets_cmd);
	show_feed_vty_init(s);
	install_element(VIEW_NODE, &show_agent_cmd);
	install_element(VIEW_NODE, &explain_cmd);
	install_element(ENABLE_NODE, &agent_enroll_cmd);
	install_element(ENABLE_NODE, &agent_revoke_cmd);
	install_element(ENABLE_NODE, &brake_release_cmd);
}
