/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/store/store_history.h"
#include "controller/vty/history_vty.h"
#include "controller/vty/show_json_vty.h"
#include "lib/stamp.h"

static struct savd *savd;

#define AT_HELP                                                                          \
	"As it was at a time\n"                                                          \
	"YYYY-MM-DD, YYYY-MM-DDThh:mm:ssZ (UTC), or so long ago: 90s, 15m, 2h, 3d\n"     \
	"hh:mm or hh:mm:ss, UTC\n"                                                       \
	JSON_HELP

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is asked about. */
struct question {
	const char *router, *interface;
	int64_t at_ms;
	char at[STAMP_TEXT_SIZE];
	bool json;
	int64_t revision; /* of the configuration then; 0: not known */
};

/* Times as people type them: one word or two. */
static bool time_parse(const char *date, const char *clock, int64_t now_ms, int64_t *ms)
{
	char text[64];

	if (clock)
		snprintf(text, sizeof(text), "%.30sT%.30s", date, clock);
	else
		snprintf(text, sizeof(text), "%s%.60s",
			 date[0] != '-' && !strchr(date, '-') ? "-" : "", date);
	return strlen(date) < 30 && (!clock || strlen(clock) < 30) &&
	       stamp_parse_ago(text, now_ms, ms);
}

static bool keep_revision(const struct store_command *c, void *arg)
{
	struct question *q = arg;

	if (c->revision != 0 && c->at_ms <= q->at_ms)
		q->revision = c->revision;
	return q->revision == 0;
}

/* at: the word after "at". false: said what is wrong. */
static bool ask(struct vty *vty, struct question *q, struct cmd_token *argv[], int argc,
		int at)
{
	int64_t now_ms = wall_ms();
	const char *clock;
	struct diag diag;

	q->json = show_wants_json(argv, argc);
	clock = at + 1 < argc - (q->json ? 1 : 0) ? argv[at + 1]->arg : NULL;
	if (!time_parse(argv[at]->arg, clock, now_ms, &q->at_ms)) {
		vty_out(vty,
			"%% \"%s%s%s\" is not a time: type YYYY-MM-DDThh:mm:ssZ, YYYY-MM-DD "
			"hh:mm, or so long ago: 90s, 15m, 2h, 3d\n",
			argv[at]->arg, clock ? " " : "", clock ? clock : "");
		return false;
	}
	stamp_format(q->at_ms, q->at);
	if (q->at_ms > now_ms) {
		vty_out(vty, "%% %s is still to come\n", q->at);
		return false;
	}
	savd_catch_up();
	savd_save();
	if (store_commands_walk(savd->store, keep_revision, q, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return false;
	}
	return true;
}

static bool keep_time(const struct store_set_change *c, void *arg)
{
	*(int64_t *)arg = c->at_ms;
	return true;
}

/* Before the oldest that is kept, or never. */
static int nothing_then(struct vty *vty, const struct question *q)
{
	char text[STAMP_TEXT_SIZE];
	int64_t oldest = 0;
	struct diag diag;

	if (store_set_changes_walk(savd->store, q->router, q->interface, INT64_MAX,
				   keep_time, &oldest, &diag) < 0)
		vty_out(vty, "%% %s\n", diag.text);
	else if (oldest == 0)
		vty_out(vty,
			"%% nothing is kept of an edge %s %s: \"show edge\" lists the edges of "
			"today\n",
			q->router, q->interface);
	else
		vty_out(vty, "%% what is kept of edge %s %s begins at %s: type that or later\n",
			q->router, q->interface, stamp_format(oldest, text));
	return CMD_WARNING;
}

/* ---- the newest change until then ---- */

struct newest {
	char reason[400];
};

static bool keep_reason(const struct store_set_change *c, void *arg)
{
	struct newest *n = arg;

	snprintf(n->reason, sizeof(n->reason), "%s", c->reason);
	return false;
}

static bool set_then(struct vty *vty, const struct question *q, struct store_set *set,
		     struct newest *n)
{
	struct diag diag;
	int got = store_set_at(savd->store, q->router, q->interface, q->at_ms, set, &diag);

	*n = (struct newest){ "" };
	if (got == 1)
		got = store_set_changes_walk(savd->store, q->router, q->interface, q->at_ms,
					     keep_reason, n, &diag) < 0
			      ? -1
			      : 1;
	if (got < 0)
		vty_out(vty, "%% %s\n", diag.text);
	else if (got == 0)
		nothing_then(vty, q);
	return got == 1;
}

static void json_question(struct json_object *json, const struct question *q,
			  const struct store_set *set, const struct newest *n)
{
	char text[STAMP_TEXT_SIZE];

	json_object_string_add(json, "router", q->router);
	json_object_string_add(json, "interface", q->interface);
	json_object_string_add(json, "time", q->at);
	json_object_string_add(json, "action", set->action[0] ? set->action : "removed");
	json_object_int_add(json, "generation", (int64_t)set->generation);
	json_object_string_add(json, "since", stamp_format(set->at_ms, text));
	json_object_string_add(json, "reason", n->reason);
	if (q->revision != 0)
		json_object_int_add(json, "revision", q->revision);
}

static void print_question(struct vty *vty, const struct question *q,
			   const struct store_set *set, const struct newest *n)
{
	char text[STAMP_TEXT_SIZE];

	vty_out(vty, "edge %s %s at %s\n", q->router, q->interface, q->at);
	if (set->action[0] == '\0')
		vty_out(vty, "  there was no such edge since %s\n",
			stamp_format(set->at_ms, text));
	else
		vty_out(vty, "  generation %llu, action %s, since %s: %s\n",
			(unsigned long long)set->generation, set->action,
			stamp_format(set->at_ms, text), n->reason);
	if (q->revision != 0)
		vty_out(vty, "  configuration revision %lld\n", (long long)q->revision);
}

DEFUN (show_edge_at,
       show_edge_at_cmd,
       "show edge ROUTER INTERFACE at TIME [CLOCK] [json]",
       SHOW_STR
       "Edges: their filters and counters\n"
       "Name of the router\n"
       "Name of the interface\n"
       AT_HELP)
{
	struct question q = { argv[2]->arg, argv[3]->arg };
	struct store_set set;
	struct newest n;
	struct json_object *json;

	if (!ask(vty, &q, argv, argc, 5) || !set_then(vty, &q, &set, &n))
		return CMD_WARNING;
	if (q.json) {
		json = json_object_new_object();
		json_question(json, &q, &set, &n);
		json_object_object_add(json, "accepted", show_set_json(&set.accept));
		show_print_json(vty, json);
	} else {
		print_question(vty, &q, &set, &n);
		show_set(vty, "accepted", &set.accept);
	}
	store_set_fini(&set);
	return CMD_SUCCESS;
}

/* ---- one address ---- */

struct decision {
	const struct ip_addr *addr;
	bool found;
	int64_t at_ms, oldest_ms;
	uint64_t generation;
	char reason[400];
};

/* The newest change that names the address decided it. */
static bool look_for(const struct store_set_change *c, void *arg)
{
	struct decision *d = arg;

	d->oldest_ms = c->at_ms;
	if (!addrset_contains(&c->added, d->addr) && !addrset_contains(&c->removed, d->addr))
		return true;
	d->found = true;
	d->at_ms = c->at_ms;
	d->generation = c->generation;
	snprintf(d->reason, sizeof(d->reason), "%s", c->reason);
	return false;
}

static const char *verdict(const struct store_set *set, bool admitted)
{
	return admitted || strcmp(set->action, "enforce") != 0 ? "accept" : "drop";
}

static void print_decision(struct vty *vty, const struct store_set *set,
			   const struct decision *d, bool admitted)
{
	char addr[IP_TEXT_SIZE], text[STAMP_TEXT_SIZE];

	ip_addr_format(d->addr, addr);
	if (!admitted && strcmp(set->action, "enforce") != 0)
		vty_out(vty, "accept (the edge did not enforce; it would drop): ");
	else
		vty_out(vty, "%s: ", verdict(set, admitted));
	if (d->found)
		vty_out(vty, "%s %s the set at %s, generation %llu: %s\n", addr,
			admitted ? "came into" : "left", stamp_format(d->at_ms, text),
			(unsigned long long)d->generation, d->reason);
	else
		vty_out(vty, "%s was %s the set all the time since %s, where what is kept "
			     "begins\n",
			addr, admitted ? "in" : "not in", stamp_format(d->oldest_ms, text));
}

static void json_decision(struct json_object *json, const struct store_set *set,
			  const struct decision *d, bool admitted)
{
	char addr[IP_TEXT_SIZE], text[STAMP_TEXT_SIZE];
	struct json_object *by = json_object_new_object();

	json_object_string_add(json, "address", ip_addr_format(d->addr, addr));
	json_object_string_add(json, "verdict", verdict(set, admitted));
	json_object_boolean_add(json, "admitted", admitted);
	if (d->found) {
		json_object_string_add(by, "time", stamp_format(d->at_ms, text));
		json_object_int_add(by, "generation", (int64_t)d->generation);
		json_object_string_add(by, "reason", d->reason);
	}
	json_object_object_add(json, "decidedBy", by);
}

DEFUN (explain_at,
       explain_at_cmd,
       "explain ROUTER INTERFACE <A.B.C.D|X:X::X:X> at TIME [CLOCK] [json]",
       "Why a source address may enter by an edge, or not\n"
       "Name of the router\n"
       "Name of the interface\n"
       "IPv4 source address\n"
       "IPv6 source address\n"
       AT_HELP)
{
	struct question q = { argv[1]->arg, argv[2]->arg };
	struct json_object *json;
	struct decision d = { 0 };
	struct store_set set;
	struct ip_addr addr;
	struct newest n;
	struct diag diag;
	bool admitted;

	if (!ip_addr_parse(argv[3]->arg, &addr)) {
		vty_out(vty, "%% %s is not an address\n", argv[3]->arg);
		return CMD_WARNING;
	}
	if (!ask(vty, &q, argv, argc, 5) || !set_then(vty, &q, &set, &n))
		return CMD_WARNING;
	d.addr = &addr;
	admitted = addrset_contains(&set.accept, &addr);
	if (store_set_changes_walk(savd->store, q.router, q.interface, q.at_ms, look_for, &d,
				   &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		store_set_fini(&set);
		return CMD_WARNING;
	}
	if (q.json) {
		json = json_object_new_object();
		json_question(json, &q, &set, &n);
		json_decision(json, &set, &d, admitted);
		show_print_json(vty, json);
	} else {
		print_question(vty, &q, &set, &n);
		print_decision(vty, &set, &d, admitted);
	}
	store_set_fini(&set);
	return CMD_SUCCESS;
}

void past_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_edge_at_cmd);
	install_element(VIEW_NODE, &explain_at_cmd);
}
