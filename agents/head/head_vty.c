/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "agents/head/head_main.h"
#include "agents/head/head_vty.h"
#include "agents/head/head_zebra.h"

#define JSON_HELP "JavaScript Object Notation\n"
#define HEAD_HELP "Clients whose prefixes are announced while their tunnels live\n"

static int done(struct vty *vty, int rc, const struct diag *diag)
{
	if (rc < 0) {
		vty_out(vty, "%% %s\n", diag->text);
		return CMD_WARNING_CONFIG_FAILED;
	}
	head_agent_changed();
	return CMD_SUCCESS;
}

/* ---- configuration ---- */

DEFUN_NOSH(head_begin, head_begin_cmd, "head-end", HEAD_HELP)
{
	vty->node = (enum node_type)HEAD_NODE_SAV;
	return CMD_SUCCESS;
}

DEFUN(no_head, no_head_cmd, "no head-end", NO_STR HEAD_HELP)
{
	head_config_fini(head_agent_config());
	head_config_init(head_agent_config());
	head_agent_again(); /* a line that follows at once may announce the same */
	return done(vty, 0, NULL);
}

#define ANNOUNCE_HELP "Announce the prefixes of a tunnel, or of a tunnel's clients\nIts name, or a client's\n"
#define TABLE_HELP    "Routes in another table than the main one\nNumber of the table\n"

DEFUN(head_announce, head_announce_cmd, "announce NAME [table (1-4294967295)]", ANNOUNCE_HELP TABLE_HELP)
{
	uint32_t table = argc > 3 ? (uint32_t)strtoul(argv[3]->arg, NULL, 10) : 0;
	struct diag diag;

	return done(vty, head_config_announce(head_agent_config(), argv[1]->arg, table == RT_TABLE_MAIN ? 0 : table, &diag),
		    &diag);
}

DEFUN(no_head_announce, no_head_announce_cmd, "no announce NAME [table (1-4294967295)]", NO_STR ANNOUNCE_HELP TABLE_HELP)
{
	struct diag diag;

	return done(vty, head_config_silence(head_agent_config(), argv[2]->arg, &diag), &diag);
}

/* A number that a route bears: those that are there get the new one. */
static int set_number(struct vty *vty, uint32_t *at, uint32_t value)
{
	if (*at != value) {
		*at = value;
		head_agent_again();
	}
	return done(vty, 0, NULL);
}

static uint32_t number(struct cmd_token *argv[])
{
	return (uint32_t)strtoul(argv[1]->arg, NULL, 10);
}

#define DISTANCE_HELP "Administrative distance of the routes; 210, weaker than iBGP, if not given\n"

DEFUN(head_distance, head_distance_cmd, "distance (1-254)", DISTANCE_HELP "The distance\n")
{
	return set_number(vty, &head_agent_config()->distance, number(argv));
}

DEFUN(no_head_distance, no_head_distance_cmd, "no distance [(1-254)]", NO_STR DISTANCE_HELP "The distance\n")
{
	return set_number(vty, &head_agent_config()->distance, HEAD_DISTANCE);
}

#define TAG_HELP "Tag of the routes, for route-maps\n"

DEFUN(head_tag, head_tag_cmd, "tag (1-4294967295)", TAG_HELP "The tag\n")
{
	return set_number(vty, &head_agent_config()->tag, number(argv));
}

DEFUN(no_head_tag, no_head_tag_cmd, "no tag [(1-4294967295)]", NO_STR TAG_HELP "The tag\n")
{
	return set_number(vty, &head_agent_config()->tag, 0);
}

#define HOLD_HELP "So long after it went down, a client is not announced again; 10 if not given\n"

DEFUN(head_hold, head_hold_cmd, "hold (0-3600)", HOLD_HELP "Seconds\n")
{
	head_agent_config()->hold_s = number(argv);
	return done(vty, 0, NULL);
}

DEFUN(no_head_hold, no_head_hold_cmd, "no hold [(0-3600)]", NO_STR HOLD_HELP "Seconds\n")
{
	head_agent_config()->hold_s = HEAD_HOLD_S;
	return done(vty, 0, NULL);
}

#define GRACEFUL_HELP "zebra keeps the routes when this daemon ends, until it is back\n"

DEFUN(head_graceful, head_graceful_cmd, "graceful-restart (1-3600)", GRACEFUL_HELP "For at most so many seconds\n")
{
	struct diag diag;

	return done(vty, head_config_graceful(head_agent_config(), number(argv), &diag), &diag);
}

DEFUN(no_head_graceful, no_head_graceful_cmd, "no graceful-restart [(1-3600)]", NO_STR GRACEFUL_HELP "Seconds\n")
{
	struct diag diag;

	return done(vty, head_config_graceful(head_agent_config(), 0, &diag), &diag);
}

static int write_head(struct vty *vty)
{
	const struct head_config *c = head_agent_config();
	const bool usual = c->distance == HEAD_DISTANCE && c->hold_s == HEAD_HOLD_S && !c->tag && !c->graceful_s;

	if (c->n == 0 && usual)
		return 0;
	vty_out(vty, "head-end\n");
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].table)
			vty_out(vty, " announce %s table %u\n", c->list[i].name, c->list[i].table);
		else
			vty_out(vty, " announce %s\n", c->list[i].name);
	}
	if (c->distance != HEAD_DISTANCE)
		vty_out(vty, " distance %u\n", c->distance);
	if (c->tag)
		vty_out(vty, " tag %u\n", c->tag);
	if (c->hold_s != HEAD_HOLD_S)
		vty_out(vty, " hold %u\n", c->hold_s);
	if (c->graceful_s)
		vty_out(vty, " graceful-restart %u\n", c->graceful_s);
	vty_out(vty, "exit\n!\n");
	return 1;
}

/* ---- show head-end ---- */

static int print_json(struct vty *vty, struct json_object *json)
{
	vty_out(vty, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

static struct head_totals totals(void)
{
	struct head_totals t = { 0 };

	if (head_agent_head())
		head_totals(head_agent_head(), head_agent_now_ms(), &t);
	return t;
}

static struct json_object *json_status(void)
{
	const struct head_config *c = head_agent_config();
	struct json_object *json = json_object_new_object();
	const struct head_totals t = totals();

	json_object_boolean_add(json, "zebra", head_zebra_is_up());
	json_object_string_add(json, "zebraSocket", head_zebra_path());
	json_object_string_add(json, "zebraError", head_zebra_error());
	json_object_boolean_add(json, "tunnelsKnown", t.known && c->n != 0);
	json_object_string_add(json, "tunnelsError", head_agent_error());
	json_object_int_add(json, "clients", (int64_t)t.clients);
	json_object_int_add(json, "up", (int64_t)t.up);
	json_object_int_add(json, "held", (int64_t)t.held);
	json_object_int_add(json, "prefixes", (int64_t)t.announced);
	json_object_int_add(json, "prefixesInUse", (int64_t)t.in_use);
	json_object_int_add(json, "added", (int64_t)t.added);
	json_object_int_add(json, "withdrawn", (int64_t)t.withdrawn);
	json_object_int_add(json, "distance", c->distance);
	json_object_int_add(json, "tag", c->tag);
	json_object_int_add(json, "holdSeconds", c->hold_s);
	json_object_int_add(json, "gracefulRestartSeconds", c->graceful_s);
	return json;
}

static const char *why(const char *error)
{
	return error[0] ? error : "not yet";
}

static void print_routes(struct vty *vty, const struct head_config *c)
{
	vty_out(vty, "Routes            distance %u", c->distance);
	if (c->tag)
		vty_out(vty, ", tag %u", c->tag);
	vty_out(vty, "; not again within %u s after a tunnel went down; ", c->hold_s);
	if (c->graceful_s)
		vty_out(vty, "kept for %u s when sav-agent ends\n", c->graceful_s);
	else
		vty_out(vty, "withdrawn when sav-agent ends\n");
}

static int show_head_text(struct vty *vty)
{
	const struct head_config *c = head_agent_config();
	struct head_totals t = totals();

	if (c->n == 0) {
		vty_out(vty, "Nothing is announced: \"head-end\", \"announce NAME\"\n");
		return CMD_SUCCESS;
	}
	vty_out(vty, "zebra             ");
	if (head_zebra_is_up())
		vty_out(vty, "connected at %s\n", head_zebra_path());
	else
		vty_out(vty, "not connected at %s: %s\n", head_zebra_path(), why(head_zebra_error()));
	if (t.known)
		vty_out(vty, "sav-iked          heard\n");
	else
		vty_out(vty, "sav-iked          not heard: %s\n", why(head_agent_error()));
	vty_out(vty, "Clients           %zu: %zu up, %zu on hold\n", t.clients, t.up, t.held);
	vty_out(vty, "Prefixes          %zu announced, packets of %zu take a tunnel\n", t.announced, t.in_use);
	vty_out(vty, "Since the start   %" PRIu64 " routes announced, %" PRIu64 " withdrawn\n", t.added, t.withdrawn);
	print_routes(vty, c);
	return CMD_SUCCESS;
}

DEFUN(show_head, show_head_cmd, "show head-end [json]", SHOW_STR HEAD_HELP JSON_HELP)
{
	return argc > 2 ? print_json(vty, json_status()) : show_head_text(vty);
}

/* ---- show head-end clients ---- */

static void add_prefix(void *ctx, const struct ip_prefix *prefix, bool announced, enum head_fate fate)
{
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "prefix", ip_prefix_format(prefix, text));
	json_object_boolean_add(json, "announced", announced);
	json_object_string_add(json, "route", announced ? head_fate_name(fate) : "");
	json_object_array_add(ctx, json);
}

static void add_client(void *ctx, const struct head_row *row, const void *client)
{
	struct json_object *json = json_object_new_object(), *prefixes = json_object_new_array();

	json_object_string_add(json, "name", row->name);
	json_object_string_add(json, "clientOf", row->of);
	json_object_string_add(json, "identity", row->identity);
	json_object_string_add(json, "state", row->up ? "up" : "down");
	json_object_int_add(json, "since", row->since_s);
	json_object_string_add(json, "interface", row->interface);
	json_object_int_add(json, "table", row->table);
	json_object_string_add(json, "why", row->why);
	json_object_int_add(json, "heldSeconds", (row->held_ms + 999) / 1000);
	head_each_prefix(client, add_prefix, prefixes);
	json_object_object_add(json, "prefixes", prefixes);
	json_object_array_add(ctx, json);
}

static void print_prefix(void *ctx, const struct ip_prefix *prefix, bool announced, enum head_fate fate)
{
	char text[IP_TEXT_SIZE];

	vty_out(ctx, "  %-43s %s\n", ip_prefix_format(prefix, text), announced ? head_fate_name(fate) : "not announced");
}

static void print_client(void *ctx, const struct head_row *row, const void *client)
{
	vty_out(ctx, "%-24s %-5s %-16s %s\n", row->name, row->up ? "up" : "down", row->interface, row->identity);
	if (row->held_ms)
		vty_out(ctx, "  not announced: %s; in %lld s\n", row->why, (long long)(row->held_ms + 999) / 1000);
	else if (row->why[0])
		vty_out(ctx, "  not announced: %s\n", row->why);
	head_each_prefix(client, print_prefix, ctx);
}

DEFUN(show_head_clients, show_head_clients_cmd, "show head-end clients [json]",
      SHOW_STR HEAD_HELP "Each client, its tunnel and its prefixes\n" JSON_HELP)
{
	struct json_object *list = json_object_new_array();

	if (head_agent_head())
		head_each(head_agent_head(), head_agent_now_ms(), argc > 3 ? add_client : print_client,
			  argc > 3 ? (void *)list : (void *)vty);
	if (argc > 3)
		return print_json(vty, list);
	json_object_free(list);
	return CMD_SUCCESS;
}

/* ---- node ---- */

static struct cmd_node head_node = {
	.name = "head-end",
	.node = (enum node_type)HEAD_NODE_SAV,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-head-end)# ",
	.config_write = write_head,
};

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN_HEAD(cmd) install_element((enum node_type)HEAD_NODE_SAV, &cmd)

void head_vty_init(void)
{
	install_node(&head_node);
	install_default((enum node_type)HEAD_NODE_SAV);
	install_element(CONFIG_NODE, &head_begin_cmd);
	install_element(CONFIG_NODE, &no_head_cmd);
	IN_HEAD(head_announce_cmd);
	IN_HEAD(no_head_announce_cmd);
	IN_HEAD(head_distance_cmd);
	IN_HEAD(no_head_distance_cmd);
	IN_HEAD(head_tag_cmd);
	IN_HEAD(no_head_tag_cmd);
	IN_HEAD(head_hold_cmd);
	IN_HEAD(no_head_hold_cmd);
	IN_HEAD(head_graceful_cmd);
	IN_HEAD(no_head_graceful_cmd);
	install_element(VIEW_NODE, &show_head_cmd);
	install_element(VIEW_NODE, &show_head_clients_cmd);
}
