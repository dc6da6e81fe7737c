/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "agents/steer/reach_vty.h"

#include "agents/steer/reach_packet.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"
#include "lib/stamp.h"

#define PROBE_STR     "Which provider lets which prefix through\n"
#define RESPONDER_STR "Who says what has arrived\n"
#define ADDRESS_STR   "IPv4 address\nIPv6 address\n"
#define PORT_STR      "UDP port, 2631 if not given\nPort\n"
#define KEY_STR	      "The key shared with the other side\nFile, readable by its owner only\n"

static struct reach_packet *reach;
static struct reach_listen listens[IP_FAMILIES];

static uint16_t port_of(struct cmd_token *argv[], int argc)
{
	const char *text = steer_vty_after(argv, argc, "port");

	return text ? (uint16_t)strtoul(text, NULL, 10) : REACH_PORT;
}

static int refuse(struct vty *vty, const char *what, const char *text)
{
	vty_out(vty, "%% %s %s\n", text, what);
	return CMD_WARNING_CONFIG_FAILED;
}

/* An address and a key's file that fits. */
static bool take(struct vty *vty, const char *address, const char *key, struct ip_addr *a,
		 char file[PATH_HOOK_SIZE])
{
	if (!ip_addr_parse(address, a)) {
		refuse(vty, "is no address", address);
		return false;
	}
	if (key && (key[0] != '/' || strlen(key) >= PATH_HOOK_SIZE)) {
		refuse(vty, "is no absolute name of a file, or too long", key);
		return false;
	}
	if (key)
		snprintf(file, PATH_HOOK_SIZE, "%s", key);
	return true;
}

/* ---- the responder ---- */

static void apply_listen(struct vty *vty, enum ip_family f)
{
	struct diag diag;

	if (reach && reach_packet_listen(reach, f, &listens[f], &diag) < 0 && vty)
		vty_out(vty, "%% %s; it is tried again every 5 seconds\n", diag.text);
}

DEFUN(listen_at, listen_at_cmd,
      "probe responder listen <A.B.C.D|X:X::X:X> [port (1-65535)] key FILE",
      PROBE_STR RESPONDER_STR "Answer here to the questions of others\n" ADDRESS_STR PORT_STR
      KEY_STR)
{
	struct reach_listen l = { .on = true, .port = port_of(argv, argc) };

	if (!take(vty, argv[3]->arg, steer_vty_after(argv, argc, "key"), &l.at, l.key))
		return CMD_WARNING_CONFIG_FAILED;
	listens[l.at.family] = l;
	apply_listen(vty, (enum ip_family)l.at.family);
	return CMD_SUCCESS;
}

DEFUN(no_listen_at, no_listen_at_cmd,
      "no probe responder listen <A.B.C.D|X:X::X:X> [port (1-65535)] [key FILE]",
      NO_STR PROBE_STR RESPONDER_STR "Answer here to the questions of others\n" ADDRESS_STR
      PORT_STR KEY_STR)
{
	struct ip_addr a;

	if (!take(vty, argv[4]->arg, NULL, &a, NULL))
		return CMD_WARNING_CONFIG_FAILED;
	if (!listens[a.family].on || !ip_addr_equal(&listens[a.family].at, &a))
		return refuse(vty, "is not listened on", argv[4]->arg);
	listens[a.family].on = false;
	apply_listen(vty, (enum ip_family)a.family);
	return CMD_SUCCESS;
}

int reach_vty_write_listen(struct vty *vty)
{
	char text[IP_TEXT_SIZE];
	int wrote = 0;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		const struct reach_listen *l = &listens[f];

		if (!l->on)
			continue;
		vty_out(vty, "probe responder listen %s", ip_addr_format(&l->at, text));
		if (l->port != REACH_PORT)
			vty_out(vty, " port %u", l->port);
		vty_out(vty, " key %s\n", l->key);
		wrote = 1;
	}
	if (wrote)
		vty_out(vty, "!\n");
	return wrote;
}

/* ---- the site ---- */

static int changed(void)
{
	if (reach)
		reach_packet_changed(reach);
	return CMD_SUCCESS;
}

DEFUN(site_responder, site_responder_cmd,
      "probe responder <A.B.C.D|X:X::X:X> [port (1-65535)] key FILE",
      PROBE_STR RESPONDER_STR ADDRESS_STR PORT_STR KEY_STR)
{
	struct site_reach *r = &steer_site()->reach;
	char key[PATH_HOOK_SIZE] = "";
	struct reach_key check;
	struct diag diag;
	struct ip_addr a;

	if (!take(vty, argv[2]->arg, steer_vty_after(argv, argc, "key"), &a, key))
		return CMD_WARNING_CONFIG_FAILED;
	r->has[a.family] = true;
	r->to[a.family] = a;
	r->port[a.family] = port_of(argv, argc);
	memcpy(r->key[a.family], key, sizeof(key));
	if (vty->type != VTY_FILE && reach_key_read(key, &check, &diag) < 0)
		vty_out(vty, "%% %s\n", diag.text);
	reach_key_wipe(&check);
	return changed();
}

DEFUN(no_site_responder, no_site_responder_cmd,
      "no probe responder <A.B.C.D|X:X::X:X> [port (1-65535)] [key FILE]",
      NO_STR PROBE_STR RESPONDER_STR ADDRESS_STR PORT_STR KEY_STR)
{
	struct site_reach *r = &steer_site()->reach;
	struct ip_addr a;

	if (!take(vty, argv[3]->arg, NULL, &a, NULL))
		return CMD_WARNING_CONFIG_FAILED;
	if (!r->has[a.family] || !ip_addr_equal(&r->to[a.family], &a))
		return refuse(vty, "is not the responder", argv[3]->arg);
	r->has[a.family] = false;
	return changed();
}

DEFUN(site_return, site_return_cmd, "[no] probe return <A.B.C.D|X:X::X:X>",
      NO_STR PROBE_STR "Where answers come to, else to a link in use\n" ADDRESS_STR)
{
	struct site_reach *r = &steer_site()->reach;
	struct ip_addr a;

	if (!take(vty, argv[argc - 1]->arg, NULL, &a, NULL))
		return CMD_WARNING_CONFIG_FAILED;
	if (steer_vty_is_no(argv) && (!r->has_back[a.family] || !ip_addr_equal(&r->back[a.family], &a)))
		return refuse(vty, "is not the return address", argv[argc - 1]->arg);
	r->has_back[a.family] = !steer_vty_is_no(argv);
	r->back[a.family] = a;
	return changed();
}

DEFUN(site_every, site_every_cmd, "probe every (1-10080)",
      PROBE_STR "Look again and again, and tell what has changed\nMinutes\n")
{
	steer_site()->reach.every_min = (uint32_t)strtoul(argv[2]->arg, NULL, 10);
	return changed();
}

DEFUN(no_site_every, no_site_every_cmd, "no probe every [(1-10080)]",
      NO_STR PROBE_STR "Look again and again, and tell what has changed\nMinutes\n")
{
	steer_site()->reach.every_min = 0;
	return changed();
}

bool reach_vty_is_used(const struct site *s)
{
	const struct site_reach *r = &s->reach;

	return r->has[IP_V4] || r->has[IP_V6] || r->has_back[IP_V4] || r->has_back[IP_V6] ||
	       r->every_min != 0;
}

void reach_vty_write_site(struct vty *vty, const struct site *s)
{
	const struct site_reach *r = &s->reach;
	char text[IP_TEXT_SIZE];

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (r->has[f]) {
			vty_out(vty, " probe responder %s", ip_addr_format(&r->to[f], text));
			if (r->port[f] != REACH_PORT)
				vty_out(vty, " port %u", r->port[f]);
			vty_out(vty, " key %s\n", r->key[f]);
		}
		if (r->has_back[f])
			vty_out(vty, " probe return %s\n", ip_addr_format(&r->back[f], text));
	}
	if (r->every_min != 0)
		vty_out(vty, " probe every %u\n", r->every_min);
}

/* ---- to probe ---- */

DEFUN(probe_provider, probe_provider_cmd, "probe provider <all|NAME>",
      PROBE_STR "Send from each prefix by each path of a provider\nOf all providers\n"
      "Name of the provider\n")
{
	const char *name = argv[2]->arg;
	struct diag diag;

	if (!reach) {
		vty_out(vty, "%% not started yet\n");
		return CMD_WARNING;
	}
	if (reach_packet_probe(reach, strcmp(name, "all") == 0 ? NULL : name, &diag) < 0) {
		vty_out(vty, "%% %s\n", diag.text);
		return CMD_WARNING;
	}
	vty_out(vty, "probing; \"show site probe\" has the result in a few seconds\n");
	return CMD_SUCCESS;
}

/* ---- what came of it ---- */

static const char *translated(const struct reach_cell *c, char text[IP_TEXT_SIZE])
{
	if (c->verdict != REACH_ARRIVES || ip_addr_equal(&c->seen, &c->source))
		return "";
	return ip_addr_format(&c->seen, text);
}

static struct json_object *json_cell(const struct reach_cell *c)
{
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE], stamp[STAMP_TEXT_SIZE];

	json_object_string_add(json, "prefix", ip_prefix_format(&c->prefix, text));
	json_object_string_add(json, "prefixProvider", c->owner);
	json_object_string_add(json, "source", ip_addr_format(&c->source, text));
	json_object_string_add(json, "provider", c->provider);
	json_object_string_add(json, "kind", path_kind_name(c->kind));
	json_object_string_add(json, "path", c->path_name);
	json_object_string_add(json, "result", reach_verdict_name(c->verdict));
	json_object_string_add(json, "expected",
			       reach_verdict_name(c->own ? REACH_ARRIVES : REACH_LOST));
	json_object_string_add(json, "whyNotTried", c->why);
	json_object_string_add(json, "translatedTo", translated(c, text));
	json_object_string_add(json, "since",
			       c->known == REACH_PENDING ? "" : stamp_format(c->since_ms, stamp));
	return json;
}

static struct json_object *json_responder(enum ip_family f)
{
	struct json_object *json = json_object_new_object();
	const char *error;
	const struct reach_guard *g = reach_packet_guard(reach, f, &error);
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "listen", ip_addr_format(&listens[f].at, text));
	json_object_int_add(json, "port", listens[f].port);
	json_object_string_add(json, "error", error);
	json_object_int_add(json, "answered", (int64_t)g->counts[REACH_OK]);
	json_object_int_add(json, "malformed", (int64_t)g->counts[REACH_MALFORMED]);
	json_object_int_add(json, "wrongKey", (int64_t)g->counts[REACH_KEY]);
	json_object_int_add(json, "old", (int64_t)g->counts[REACH_OLD]);
	json_object_int_add(json, "replayed", (int64_t)g->counts[REACH_REPLAY]);
	json_object_int_add(json, "busy", (int64_t)g->counts[REACH_BUSY]);
	return json;
}

static int show_json(struct vty *vty, const struct reach_view *v)
{
	struct json_object *json = json_object_new_object();
	struct json_object *cells = json_object_new_array();
	struct json_object *events = json_object_new_array();
	struct json_object *responders = json_object_new_array();
	char stamp[STAMP_TEXT_SIZE];

	json_object_boolean_add(json, "running", v->running);
	json_object_int_add(json, "runs", (int64_t)v->runs);
	json_object_string_add(json, "finished",
			       v->finished_ms ? stamp_format(v->finished_ms, stamp) : "");
	json_object_int_add(json, "everyMinutes", steer_site()->reach.every_min);
	for (size_t i = 0; i < v->matrix->n; i++)
		json_object_array_add(cells, json_cell(&v->matrix->cells[i]));
	json_object_object_add(json, "matrix", cells);
	for (size_t i = 0; i < v->n_events; i++) {
		struct json_object *event = json_object_new_object();

		json_object_string_add(event, "time", stamp_format(v->events[i].ms, stamp));
		json_object_boolean_add(event, "alarm", v->events[i].alarm);
		json_object_string_add(event, "text", v->events[i].text);
		json_object_array_add(events, event);
	}
	json_object_object_add(json, "events", events);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (listens[f].on)
			json_object_array_add(responders, json_responder(f));
	}
	json_object_object_add(json, "responders", responders);
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

/* The result, and what it should be: "!" where they differ. */
static void print_cell(struct vty *vty, const struct reach_cell *c)
{
	const bool judged = c->verdict == REACH_ARRIVES || c->verdict == REACH_LOST;
	const bool wrong = judged && (c->verdict == REACH_ARRIVES) != c->own;
	char text[64];

	snprintf(text, sizeof(text), "%s%s (%s)", wrong ? "! " : "",
		 reach_verdict_name(c->verdict), c->own ? "should" : "should not");
	vty_out(vty, "  %-23s", text);
}

static void print_matrix(struct vty *vty, const struct reach_matrix *m)
{
	char text[IP_TEXT_SIZE], line[2 * PATH_NAME_SIZE + IP_TEXT_SIZE];

	vty_out(vty, "%-34s", "From");
	for (size_t i = 0; i < m->n_columns && i < m->n; i++) {
		snprintf(line, sizeof(line), "%s (%s)", m->cells[i].path_name,
			 m->cells[i].provider);
		vty_out(vty, "  %-23s", line);
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct reach_cell *c = &m->cells[i];

		if (i % m->n_columns == 0) {
			snprintf(line, sizeof(line), "%s (%s)",
				 ip_prefix_format(&c->prefix, text), c->owner);
			vty_out(vty, "\n%-34s", line);
		}
		print_cell(vty, c);
	}
	vty_out(vty, "\n");
	for (size_t i = 0; i < m->n; i++) {
		const struct reach_cell *c = &m->cells[i];
		char seen[IP_TEXT_SIZE];

		ip_prefix_format(&c->prefix, text);
		if (c->why[0])
			vty_out(vty, "%s by %s not tried: %s\n", text, c->path_name, c->why);
		if (translated(c, seen)[0])
			vty_out(vty, "%s by %s is translated to %s\n", text, c->path_name, seen);
	}
}

static void print_responder(struct vty *vty, enum ip_family f)
{
	const char *error;
	const struct reach_guard *g = reach_packet_guard(reach, f, &error);
	char text[IP_TEXT_SIZE];

	vty_out(vty, "Responder on %s port %u: %s\n", ip_addr_format(&listens[f].at, text),
		listens[f].port, error[0] ? error : "listens");
	for (enum reach_fault i = REACH_OK; i < REACH_FAULTS; i++) {
		if (g->counts[i] != 0)
			vty_out(vty, "  %s %" PRIu64 "\n", reach_fault_name(i), g->counts[i]);
	}
}

static void show_text(struct vty *vty, const struct reach_view *v)
{
	const uint32_t every_min = steer_site()->reach.every_min;
	char stamp[STAMP_TEXT_SIZE];

	vty_out(vty, "Probe %s%s", v->running ? "running" : v->finished_ms ? "of " : "never run",
		!v->running && v->finished_ms ? stamp_format(v->finished_ms, stamp) : "");
	if (every_min != 0)
		vty_out(vty, ", every %u minutes", every_min);
	vty_out(vty, "\n");
	if (v->matrix->n != 0)
		print_matrix(vty, v->matrix);
	for (size_t i = 0; i < v->n_events; i++)
		vty_out(vty, "%s %s\n", stamp_format(v->events[i].ms, stamp), v->events[i].text);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (listens[f].on)
			print_responder(vty, f);
	}
}

DEFUN(show_probe, show_probe_cmd, "show site probe [json]",
      SHOW_STR "A site behind several providers\nWhich prefix arrives by which path\n"
      "JavaScript Object Notation\n")
{
	struct reach_view view;

	if (!reach) {
		vty_out(vty, "%% not started yet\n");
		return CMD_WARNING;
	}
	reach_packet_view(reach, &view);
	if (strcmp(argv[argc - 1]->text, "json") == 0)
		return show_json(vty, &view);
	show_text(vty, &view);
	return CMD_SUCCESS;
}

/* ---- start ---- */

void reach_vty_start(struct reach_packet *rp)
{
	reach = rp;
	if (!rp)
		return;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		apply_listen(NULL, f);
	changed();
}

void reach_vty_reload(void (*failed)(void *ctx, const char *text), void *ctx)
{
	struct diag diag;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES && reach; f++) {
		if (reach_packet_reload(reach, f, &diag) < 0)
			failed(ctx, diag.text);
	}
}

void reach_vty_init(void)
{
	install_element(CONFIG_NODE, &listen_at_cmd);
	install_element(CONFIG_NODE, &no_listen_at_cmd);
	install_element((enum node_type)SITE_NODE_SAV, &site_responder_cmd);
	install_element((enum node_type)SITE_NODE_SAV, &no_site_responder_cmd);
	install_element((enum node_type)SITE_NODE_SAV, &site_return_cmd);
	install_element((enum node_type)SITE_NODE_SAV, &site_every_cmd);
	install_element((enum node_type)SITE_NODE_SAV, &no_site_every_cmd);
	install_element(ENABLE_NODE, &probe_provider_cmd);
	install_element(VIEW_NODE, &show_probe_cmd);
}
