/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "log.h"
#include "vty.h"

#include "agents/drops_nl.h"
#include "agents/drops_vty.h"
#include "lib/mem.h"

#define ROWS_MAX 1024 /* of all interfaces; some 150 KiB */
#define SHOW_MAX 40   /* rows of an answer in words */
#define RETRY_S	 30

static struct {
	struct agent *agent;
	struct event_loop *loop;
	struct agent_drops_config config;
	struct drops_nl *nl;
	struct drops drops;
	struct event *t_read, *t_retry;
	struct diag error; /* why nothing is read, "" if it is */
} here;

/* ---- samples ---- */

static const char *name_of(uint32_t ifindex)
{
	const struct agent_inventory *inv = &here.agent->table.inventory;

	for (size_t i = 0; i < inv->n; i++) {
		if (inv->interfaces[i].index == ifindex)
			return inv->interfaces[i].name;
	}
	return NULL;
}

static void take(void *ctx, uint32_t ifindex, const void *packet, size_t len)
{
	const char *name = name_of(ifindex);
	struct drop sample = { .samples = 1 };

	(void)ctx;
	if (!name || !drop_parse(packet, len, &sample))
		return;
	snprintf(sample.interface, sizeof(sample.interface), "%s", name);
	drops_add(&here.drops, &sample, agent_now_ms());
}

static void on_read(struct event *t)
{
	(void)t;
	drops_nl_read(here.nl, take, NULL);
	event_add_read(here.loop, on_read, NULL, drops_nl_fd(here.nl), &here.t_read);
}

static void on_open(struct event *t)
{
	struct diag diag;

	(void)t;
	here.config.privileges(true);
	here.nl = drops_nl_open(here.config.group, &diag);
	here.config.privileges(false);
	if (here.nl) {
		here.error.text[0] = '\0';
		event_add_read(here.loop, on_read, NULL, drops_nl_fd(here.nl),
			       &here.t_read);
		return;
	}
	if (strcmp(here.error.text, diag.text) != 0)
		zlog_warn("%s", diag.text);
	here.error = diag;
	event_add_timer(here.loop, on_open, NULL, RETRY_S, &here.t_retry);
}

void agent_drops_start(struct event_loop *loop, const struct agent_drops_config *config)
{
	here.loop = loop;
	here.config = *config;
	drops_init(&here.drops, ROWS_MAX);
	on_open(NULL);
}

void agent_drops_stop(void)
{
	EVENT_OFF(here.t_read);
	EVENT_OFF(here.t_retry);
	drops_nl_close(here.nl);
	here.nl = NULL;
	drops_fini(&here.drops);
}

size_t agent_drops_take(void *ctx, struct drop *rows, size_t max)
{
	(void)ctx;
	return drops_take(&here.drops, rows, max);
}

/* ---- show ---- */

/* The sets are the controller's, so are the reasons; here it can only be said
 * what the filter makes of the source now. */
static const char *state_of(const struct drop *row)
{
	const struct filter *f = held_find(apply_held(here.agent->apply), row->interface);

	if (kernel_brake_is_on(here.agent->kernel))
		return "passes now: all off";
	if (!f || f->action == FILTER_OFF)
		return "passes now: no filter";
	if (addrset_contains(&f->accept, &row->source))
		return "accepted by now";
	return f->action == FILTER_ENFORCE ? "dropped" : "would be dropped";
}

static struct json_object *json_row(const struct drop *row)
{
	struct json_object *json = json_object_new_object();
	struct ip_prefix net = drop_network(row);
	char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];
	int64_t now = agent_now_ms();

	json_object_string_add(json, "interface", row->interface);
	json_object_string_add(json, "network", ip_prefix_format(&net, text));
	json_object_string_add(json, "source", ip_addr_format(&row->source, text));
	json_object_string_add(json, "destination",
			       ip_addr_format(&row->destination, text));
	json_object_string_add(json, "traffic", drop_what(row, what));
	json_object_int_add(json, "samples", (int64_t)row->samples);
	json_object_int_add(json, "doubt", (int64_t)row->doubt);
	json_object_int_add(json, "bytes", (int64_t)row->bytes);
	json_object_int_add(json, "firstSeconds", (now - row->first_ms) / 1000);
	json_object_int_add(json, "lastSeconds", (now - row->last_ms) / 1000);
	json_object_string_add(json, "state", state_of(row));
	return json;
}

static void show_json(struct vty *vty, const struct drop *rows, size_t n)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_row(&rows[i]));
	json_object_object_add(json, "drops", list);
	json_object_int_add(json, "samples", (int64_t)here.drops.samples);
	json_object_int_add(json, "lost", here.nl ? (int64_t)drops_nl_lost(here.nl) : 0);
	json_object_string_add(json, "error", here.error.text);
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
}

static void show_text(struct vty *vty, const struct drop *rows, size_t n)
{
	if (here.error.text[0])
		vty_out(vty, "%% %s\n", here.error.text);
	vty_out(vty, "%-15s %-22s %-14s %8s %8s  %s\n", "Interface", "Source", "Traffic",
		"Samples", "Last (s)", "State");
	for (size_t i = 0; i < n && i < SHOW_MAX; i++) {
		struct ip_prefix net = drop_network(&rows[i]);
		char text[IP_TEXT_SIZE], what[DROP_WHAT_SIZE];

		vty_out(vty, "%-15s %-22s %-14s %8" PRIu64 " %8" PRId64 "  %s\n",
			rows[i].interface, ip_prefix_format(&net, text),
			drop_what(&rows[i], what), rows[i].samples,
			(agent_now_ms() - rows[i].last_ms) / 1000, state_of(&rows[i]));
	}
	if (n > SHOW_MAX)
		vty_out(vty, "and %zu more: \"show drops json\" has all\n", n - SHOW_MAX);
	vty_out(vty,
		"%" PRIu64 " samples, of a few packets a second of each interface; the "
		"controller's \"show drops\" has the reasons\n",
		here.drops.samples);
}

static int show(struct vty *vty, const char *interface, bool json)
{
	struct drop *rows = mem_calloc(ROWS_MAX, sizeof(*rows));
	size_t n;

	drops_expire(&here.drops, agent_now_ms());
	n = drops_top(&here.drops, interface, rows, ROWS_MAX);
	if (json)
		show_json(vty, rows, n);
	else
		show_text(vty, rows, n);
	free(rows);
	return CMD_SUCCESS;
}

#define DROPS_HELP "Sources that the filters refused, from samples\n"
#define JSON_HELP  "JavaScript Object Notation\n"

DEFUN(show_drops, show_drops_cmd, "show drops [json]", SHOW_STR DROPS_HELP JSON_HELP)
{
	return show(vty, NULL, argc == 3);
}

DEFUN(show_drops_interface, show_drops_interface_cmd, "show drops IFNAME [json]",
      SHOW_STR DROPS_HELP "Interface\n" JSON_HELP)
{
	return show(vty, argv[2]->arg, argc == 4);
}

void agent_drops_init(struct agent *agent)
{
	here.agent = agent;
	install_element(VIEW_NODE, &show_drops_cmd);
	install_element(VIEW_NODE, &show_drops_interface_cmd);
}
