/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "agents/agent.h"
#include "agents/relay_vty.h"
#include "lib/mem.h"
#include "lib/pki.h"

static struct agent *agent;

#define JSON_HELP   "JavaScript Object Notation\n"
#define AGENT_HELP  "This agent: session with the controller, state, errors\n"
#define FILTER_HELP "Source address filters in this kernel\n"

static bool wants_json(struct cmd_token *argv[], int argc)
{
	return argc > 0 && strcmp(argv[argc - 1]->text, "json") == 0;
}

static int print_json(struct vty *vty, struct json_object *json)
{
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

static int failed(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING;
}

/* ---- show agent ---- */

/* Who the certificate says we are; "" before the enrolment. */
static void own_name(char name[PKI_NAME_SIZE])
{
	struct wr der = { 0 };
	struct pki_cert cert;
	struct diag diag;

	name[0] = '\0';
	if (pki_cert_load(agent->files.cert, &der, &diag) == 0 &&
	    pki_cert_read(der.data, der.len, &cert, &diag) == 0 && cert.has_id)
		snprintf(name, PKI_NAME_SIZE, "%s", cert.id.name);
	wr_fini(&der);
}

static int64_t seconds_ago(int64_t then_ms)
{
	return then_ms < 0 ? -1 : (agent_now_ms() - then_ms) / 1000;
}

static const char *session_word(void)
{
	if (agent->released)
		return "released";
	if (!agent->host[0])
		return "no controller configured";
	return north_state_name(north_status(agent->north)->state);
}

static int show_agent_json(struct vty *vty)
{
	const struct north_status *n = north_status(agent->north);
	const struct apply_totals *t = apply_totals(agent->apply);
	struct json_object *json = json_object_new_object();
	char name[PKI_NAME_SIZE];

	own_name(name);
	json_object_string_add(json, "name", name);
	json_object_string_add(json, "controller", agent->host);
	json_object_int_add(json, "controllerPort", agent->port);
	json_object_string_add(json, "session", session_word());
	json_object_int_add(json, "sessionSeconds", seconds_ago(n->since_ms));
	json_object_int_add(json, "lastContactSeconds", seconds_ago(n->last_contact_ms));
	json_object_int_add(json, "nextAttemptMs", north_packet_retry_ms(agent->packet));
	json_object_string_add(json, "sessionError", n->last_error);
	json_object_int_add(json, "epoch", (int64_t)apply_held(agent->apply)->epoch);
	json_object_int_add(json, "leaseSeconds", n->lease_s);
	json_object_boolean_add(json, "leaseExpired",
				north_lease_expired(agent->north, agent_now_ms()));
	json_object_boolean_add(json, "allOff", kernel_brake_is_on(agent->kernel));
	json_object_boolean_add(json, "released", agent->released);
	json_object_string_add(json, "strategy",
			       kernel_strategy_name(kernel_strategy(agent->kernel)));
	json_object_int_add(json, "filters", (int64_t)apply_held(agent->apply)->n);
	json_object_int_add(json, "applied", (int64_t)t->applied);
	json_object_int_add(json, "refused", (int64_t)t->refused);
	json_object_int_add(json, "repairs", (int64_t)t->repairs);
	json_object_string_add(json, "lastError", t->last_error);
	json_object_string_add(json, "cacheError", agent->cache_error.text);
	json_object_string_add(json, "rpFilterError", agent->rpfilter_error.text);
	json_object_string_add(json, "linksError", agent->links_error.text);
	return print_json(vty, json);
}

static void print_error(struct vty *vty, const char *label, const char *text)
{
	if (text[0])
		vty_out(vty, "%-15s %s\n", label, text);
}

static void print_session(struct vty *vty)
{
	const struct north_status *n = north_status(agent->north);

	if (agent->host[0])
		vty_out(vty, "Controller      %s port %u\n", agent->host, agent->port);
	vty_out(vty, "Session         %s", session_word());
	if (n->state == NORTH_UP)
		vty_out(vty, " for %" PRId64 " s", seconds_ago(n->since_ms));
	if (north_packet_retry_ms(agent->packet) >= 0)
		vty_out(vty, ", next attempt in %" PRId64 " ms",
			north_packet_retry_ms(agent->packet));
	vty_out(vty, "\n");
	if (n->last_contact_ms >= 0)
		vty_out(vty, "Last contact    %" PRId64 " s ago\n",
			seconds_ago(n->last_contact_ms));
	if (n->lease_s != 0)
		vty_out(vty, "Lease           %u s%s\n", n->lease_s,
			north_lease_expired(agent->north, agent_now_ms())
				? ", expired: the filters are held"
				: "");
	print_error(vty, "Session error", n->last_error);
}

DEFUN(show_agent, show_agent_cmd, "show agent [json]", SHOW_STR AGENT_HELP JSON_HELP)
{
	const struct apply_totals *t = apply_totals(agent->apply);
	char name[PKI_NAME_SIZE];

	if (wants_json(argv, argc))
		return show_agent_json(vty);
	own_name(name);
	vty_out(vty, "Agent           %s\n", name[0] ? name : "not enrolled");
	print_session(vty);
	if (kernel_brake_is_on(agent->kernel))
		vty_out(vty,
			"ALL OFF         nothing is filtered until \"no all off\"\n");
	vty_out(vty, "Epoch           %" PRIu64 "\n", apply_held(agent->apply)->epoch);
	vty_out(vty,
		"Filters         %zu held, %" PRIu64 " applied, %" PRIu64
		" refused, %" PRIu64 " repairs\n",
		apply_held(agent->apply)->n, t->applied, t->refused, t->repairs);
	vty_out(vty, "Set changes     %s\n",
		kernel_strategy_name(kernel_strategy(agent->kernel)));
	print_error(vty, "Last error", t->last_error);
	print_error(vty, "Disk", agent->cache_error.text);
	print_error(vty, "rp_filter", agent->rpfilter_error.text);
	print_error(vty, "Interfaces", agent->links_error.text);
	return CMD_SUCCESS;
}

/* ---- show filter ---- */

struct counted {
	struct kernel_counters *c;
	size_t n;
};

static const struct kernel_counters *counters_of(const struct counted *all,
						 const char *interface)
{
	static const struct kernel_counters none;

	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->c[i].interface, interface) == 0)
			return &all->c[i];
	}
	return &none;
}

static struct counted read_counters(struct vty *vty)
{
	struct counted all = { 0 };
	struct diag diag;

	if (kernel_counters(agent->kernel, &all.c, &all.n, &diag) < 0)
		vty_out(vty, "%% %s\n", diag.text);
	return all;
}

static void add_prefix(const struct ip_prefix *p, void *arg)
{
	struct json_object *list = arg;
	char text[IP_TEXT_SIZE];

	json_object_array_add(list, json_object_new_string(ip_prefix_format(p, text)));
}

static struct json_object *prefix_list(const struct addrset *s, enum ip_family family)
{
	struct json_object *list = json_object_new_array();

	rangeset_each_prefix(&s->f[family], family, add_prefix, list);
	return list;
}

static struct json_object *peer_list(const struct filter *f)
{
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < f->n_peers; i++)
		json_object_array_add(
			list, json_object_new_string(ip_addr_format(&f->peers[i], text)));
	return list;
}

static void add_lists(struct json_object *json, const struct filter *f)
{
	struct kernel_layout lay;

	if (kernel_layout(agent->kernel, f->interface, IP_V4, &lay)) {
		json_object_string_add(json, "ipv4Shape", kernel_shape_name(lay.shape));
		json_object_int_add(json, "ipv4Intervals",
				    (int64_t)kernel_shape_size(&f->accept.f[IP_V4], IP_V4,
							       lay.shape));
		json_object_int_add(json, "ipv4Sets", (int64_t)lay.sets);
	}
	if (kernel_layout(agent->kernel, f->interface, IP_V6, &lay)) {
		json_object_string_add(json, "ipv6Shape", kernel_shape_name(lay.shape));
		json_object_int_add(json, "ipv6Intervals",
				    (int64_t)kernel_shape_size(&f->accept.f[IP_V6], IP_V6,
							       lay.shape));
		json_object_int_add(json, "ipv6Sets", (int64_t)lay.sets);
	}
}

static void print_list(struct vty *vty, const struct filter *f, enum ip_family family)
{
	struct kernel_layout lay;

	if (kernel_layout(agent->kernel, f->interface, family, &lay))
		vty_out(vty, "%-9s %s of %zu intervals in %zu %s\n",
			family == IP_V4 ? "IPv4" : "IPv6", kernel_shape_name(lay.shape),
			kernel_shape_size(&f->accept.f[family], family, lay.shape),
			lay.sets, lay.sets == 1 ? "set" : "sets");
}

static struct json_object *json_filter(const struct filter *f,
				       const struct kernel_counters *c, bool whole)
{
	const struct addrset *connected =
		link_table_connected(&agent->table, f->interface);
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "interface", f->interface);
	json_object_string_add(json, "action", filter_action_name(f->action));
	json_object_int_add(json, "generation", (int64_t)f->generation);
	json_object_int_add(json, "ipv4Prefixes",
			    (int64_t)rangeset_prefix_count(&f->accept.f[IP_V4], IP_V4));
	json_object_int_add(json, "ipv6Prefixes",
			    (int64_t)rangeset_prefix_count(&f->accept.f[IP_V6], IP_V6));
	add_lists(json, f);
	json_object_int_add(json, "acceptPackets", (int64_t)c->accept_packets);
	json_object_int_add(json, "acceptBytes", (int64_t)c->accept_bytes);
	json_object_int_add(json, "dropPackets", (int64_t)c->drop_packets);
	json_object_int_add(json, "dropBytes", (int64_t)c->drop_bytes);
	json_object_int_add(json, "exceptPackets", (int64_t)c->except_packets);
	json_object_int_add(json, "exceptBytes", (int64_t)c->except_bytes);
	if (!whole)
		return json;
	json_object_object_add(json, "ipv4", prefix_list(&f->accept, IP_V4));
	json_object_object_add(json, "ipv6", prefix_list(&f->accept, IP_V6));
	json_object_object_add(json, "peers", peer_list(f));
	json_object_object_add(json, "connectedIpv4", prefix_list(connected, IP_V4));
	json_object_object_add(json, "connectedIpv6", prefix_list(connected, IP_V6));
	return json;
}

static int show_filters_json(struct vty *vty, const struct counted *all)
{
	const struct held *held = apply_held(agent->apply);
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < held->n; i++) {
		const struct filter *f = &held->filters[i];

		json_object_array_add(
			list, json_filter(f, counters_of(all, f->interface), false));
	}
	json_object_object_add(json, "filters", list);
	return print_json(vty, json);
}

static void show_filters_text(struct vty *vty, const struct counted *all)
{
	const struct held *held = apply_held(agent->apply);

	vty_out(vty, "%-15s %-8s %10s %8s %8s %14s %14s %14s\n", "Interface", "Action",
		"Generation", "IPv4", "IPv6", "Accepted", "Dropped", "Excepted");
	for (size_t i = 0; i < held->n; i++) {
		const struct filter *f = &held->filters[i];
		const struct kernel_counters *c = counters_of(all, f->interface);

		vty_out(vty,
			"%-15s %-8s %10" PRIu64 " %8zu %8zu %14" PRIu64 " %14" PRIu64
			" %14" PRIu64 "\n",
			f->interface, filter_action_name(f->action), f->generation,
			rangeset_prefix_count(&f->accept.f[IP_V4], IP_V4),
			rangeset_prefix_count(&f->accept.f[IP_V6], IP_V6),
			c->accept_packets, c->drop_packets, c->except_packets);
	}
	if (kernel_brake_is_on(agent->kernel))
		vty_out(vty, "ALL OFF: nothing is filtered until \"no all off\"\n");
}

DEFUN(show_filters, show_filters_cmd, "show filter [json]",
      SHOW_STR FILTER_HELP JSON_HELP)
{
	struct counted all = read_counters(vty);

	if (wants_json(argv, argc))
		show_filters_json(vty, &all);
	else
		show_filters_text(vty, &all);
	free(all.c);
	return CMD_SUCCESS;
}

static void print_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	vty_out(arg, "  %s\n", ip_prefix_format(p, text));
}

static void show_filter_text(struct vty *vty, const struct filter *f,
			     const struct kernel_counters *c)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "Interface %s, action %s, generation %" PRIu64 "\n", f->interface,
		filter_action_name(f->action), f->generation);
	vty_out(vty, "accepted  %" PRIu64 " packets, %" PRIu64 " bytes\n",
		c->accept_packets, c->accept_bytes);
	vty_out(vty, "%-9s %" PRIu64 " packets, %" PRIu64 " bytes\n",
		f->action == FILTER_ENFORCE ? "dropped" : "foreign", c->drop_packets,
		c->drop_bytes);
	vty_out(vty, "excepted  %" PRIu64 " packets, %" PRIu64 " bytes\n",
		c->except_packets, c->except_bytes);
	print_list(vty, f, IP_V4);
	print_list(vty, f, IP_V6);
	for (size_t i = 0; i < f->n_peers; i++)
		vty_out(vty, "peer      %s\n", ip_addr_format(&f->peers[i], text));
	vty_out(vty, "connected subnets:\n");
	addrset_each_prefix(link_table_connected(&agent->table, f->interface),
			    print_prefix, vty);
	vty_out(vty, "accepted sources:\n");
	addrset_each_prefix(&f->accept, print_prefix, vty);
}

DEFUN(show_filter, show_filter_cmd, "show filter IFNAME [json]",
      SHOW_STR FILTER_HELP "Interface\n" JSON_HELP)
{
	const struct filter *f = held_find(apply_held(agent->apply), argv[2]->arg);
	struct counted all;

	if (!f) {
		vty_out(vty, "%% no filter on interface %s\n", argv[2]->arg);
		return CMD_WARNING;
	}
	all = read_counters(vty);
	if (wants_json(argv, argc))
		print_json(vty, json_filter(f, counters_of(&all, f->interface), true));
	else
		show_filter_text(vty, f, counters_of(&all, f->interface));
	free(all.c);
	return CMD_SUCCESS;
}

/* ---- show interface-inventory ---- */

static struct json_object *json_interface(const struct agent_interface *in)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE], whole[IP_TEXT_SIZE + 8];

	json_object_string_add(json, "name", in->name);
	json_object_int_add(json, "index", in->index);
	json_object_boolean_add(json, "up", in->up);
	for (size_t i = 0; i < in->n_addresses; i++) {
		snprintf(whole, sizeof(whole), "%s/%u",
			 ip_addr_format(&in->addresses[i].addr, text),
			 in->addresses[i].len);
		json_object_array_add(list, json_object_new_string(whole));
	}
	json_object_object_add(json, "addresses", list);
	return json;
}

DEFUN(show_inventory, show_inventory_cmd, "show interface-inventory [json]",
      SHOW_STR "Interfaces as reported to the controller\n" JSON_HELP)
{
	const struct agent_inventory *inv = &agent->table.inventory;
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < inv->n; i++) {
		const struct agent_interface *in = &inv->interfaces[i];

		json_object_array_add(list, json_interface(in));
		if (wants_json(argv, argc))
			continue;
		vty_out(vty, "%-15s index %-5u %s\n", in->name, in->index,
			in->up ? "up" : "down");
		for (size_t j = 0; j < in->n_addresses; j++)
			vty_out(vty, "  %s/%u\n",
				ip_addr_format(&in->addresses[j].addr, text),
				in->addresses[j].len);
	}
	if (wants_json(argv, argc))
		return print_json(vty, list);
	json_object_free(list);
	return CMD_SUCCESS;
}

/* ---- commands of the operator ---- */

DEFUN(all_off, all_off_cmd, "all off",
      "All filters of this router\nHand brake: accept everything until \"no all off\"\n")
{
	struct diag diag;

	return agent_all_off(agent, true, &diag) < 0 ? failed(vty, &diag) : CMD_SUCCESS;
}

DEFUN(no_all_off, no_all_off_cmd, "no all off",
      NO_STR "All filters of this router\nRelease the hand brake\n")
{
	struct diag diag;

	return agent_all_off(agent, false, &diag) < 0 ? failed(vty, &diag) : CMD_SUCCESS;
}

DEFUN(filter_release, filter_release_cmd, "filter release",
      FILTER_HELP
      "Remove all filters, restore rp_filter, stay away until the next start\n")
{
	struct diag diag;

	return agent_release(agent, &diag) < 0 ? failed(vty, &diag) : CMD_SUCCESS;
}

DEFUN(controller, controller_cmd, "controller WORD [port (1-65535)]",
      "Where the filters come from\nAddress (or name) of the controller\n"
      "TCP port\nTCP port, 2630 if not given\n")
{
	uint16_t port = argc > 3 ? (uint16_t)strtoul(argv[3]->arg, NULL, 10) : NORTH_PORT;

	if (strlen(argv[1]->arg) >= sizeof(agent->host)) {
		vty_out(vty, "%% the name is too long\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	/* at start the command line is stronger than the file */
	if (vty->type == VTY_FILE && agent->host_from_command_line)
		return CMD_SUCCESS;
	agent_set_controller(agent, argv[1]->arg, port);
	return CMD_SUCCESS;
}

DEFUN(no_controller, no_controller_cmd, "no controller [WORD [port (1-65535)]]",
      NO_STR "Where the filters come from\nAddress (or name) of the controller\n"
	     "TCP port\nTCP port\n")
{
	agent_set_controller(agent, "", 0);
	return CMD_SUCCESS;
}

static int write_config(struct vty *vty)
{
	if (agent->host[0])
		vty_out(vty, "controller %s port %u\n!\n", agent->host, agent->port);
	return relay_vty_write(vty) || agent->host[0];
}

/* Has no commands of its own: libfrr writes configurations by node. */
static struct cmd_node agent_node = {
	.name = "agent",
	.node = (enum node_type)(NODE_TYPE_MAX + 1),
	.parent_node = CONFIG_NODE,
	.prompt = "",
	.config_write = write_config,
};

void agent_vty_init(struct agent *the_agent)
{
	agent = the_agent;
	relay_vty_init(the_agent);
	install_node(&agent_node);
	install_element(VIEW_NODE, &show_agent_cmd);
	install_element(VIEW_NODE, &show_filters_cmd);
	install_element(VIEW_NODE, &show_filter_cmd);
	install_element(VIEW_NODE, &show_inventory_cmd);
	install_element(ENABLE_NODE, &all_off_cmd);
	install_element(ENABLE_NODE, &no_all_off_cmd);
	install_element(ENABLE_NODE, &filter_release_cmd);
	install_element(CONFIG_NODE, &controller_cmd);
	install_element(CONFIG_NODE, &no_controller_cmd);
}
