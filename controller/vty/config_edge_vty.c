/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

DEFUN_NOSH (edge,
       edge_cmd,
       "edge ROUTER INTERFACE",
       "An edge: an interface where packets from outside come in\n"
       "Name of the router\n"
       "Name of the interface on that router\n")
{
	struct config_edge e;
	struct diag diag;
	int ret = 0;

	if (!config_edge_find(grammar_cfg(), argv[1]->arg, argv[2]->arg)) {
		config_edge_init(&e, argv[1]->arg, argv[2]->arg);
		/* what does not fit would be cut to another, valid name */
		if (strlen(argv[2]->arg) >= sizeof(e.interface))
			ret = diag_set(&diag, "\"%s\" is not an interface name",
				       argv[2]->arg);
		else
			ret = config_edge_put(grammar_cfg(), &e, &diag);
	}
	if (ret < 0)
		return grammar_result(vty, ret, &diag);
	return grammar_enter(vty, EDGE_NODE, argv[1]->arg, argv[2]->arg);
}

DEFUN (no_edge,
       no_edge_cmd,
       "no edge ROUTER INTERFACE",
       NO_STR
       "An edge\n"
       "Name of the router\n"
       "Name of the interface on that router\n")
{
	struct diag diag;

	return grammar_result(
		vty, config_edge_del(grammar_cfg(), argv[2]->arg, argv[3]->arg, &diag),
		&diag);
}

static bool edge_edit(struct vty *vty, struct config_edge *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_edge *e =
		config_edge_find(grammar_cfg(), p->name, p->interface);

	if (e)
		config_edge_copy(copy, e);
	else
		grammar_error(vty, "edge %s %s is gone: type \"exit\"", p->name,
			      p->interface);
	return e != NULL;
}

static int edge_done(struct vty *vty, struct config_edge *copy)
{
	struct diag diag;
	int ret = config_edge_put(grammar_cfg(), copy, &diag);

	config_edge_fini(copy);
	return grammar_result(vty, ret, &diag);
}

DEFUN (edge_customer,
       edge_customer_cmd,
       "customer NAME",
       "The customer behind this edge\n"
       "Its name\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	snprintf(e.customer, sizeof(e.customer), "%s", argv[1]->arg);
	return edge_done(vty, &e);
}

DEFUN (no_edge_customer,
       no_edge_customer_cmd,
       "no customer [NAME]",
       NO_STR
       "The customer behind this edge\n"
       "Its name\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.customer[0] = '\0';
	return edge_done(vty, &e);
}

DEFUN (edge_role,
       edge_role_cmd,
       "role <customer|stub|host|peer|provider|internal>",
       "Who is behind this edge (RFC 8704 sec. 3.7 chooses the mode by it)\n"
       "A customer, maybe with customers of its own: efp-b\n"
       "A single-homed customer: strict\n"
       "Directly connected hosts: acl\n"
       "A lateral peer, or the members of an exchange: loose\n"
       "A transit provider: loose\n"
       "Our own network: nothing is filtered\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	edge_role_parse(argv[1]->text, &e.role);
	return edge_done(vty, &e);
}

DEFUN (no_edge_role,
       no_edge_role_cmd,
       "no role [<customer|stub|host|peer|provider|internal>]",
       NO_STR
       "Who is behind this edge\n"
       EDGE_ROLE_HELP)
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.role = ROLE_NONE;
	return edge_done(vty, &e);
}

DEFUN (edge_mode,
       edge_mode_cmd,
       "mode <acl|strict|strict-direct|feasible|efp-a|efp-b|loose|loose-no-default|egress|off>",
       "Which sources may enter\n"
       EDGE_MODE_HELP
       "Everything\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	edge_mode_parse(argv[1]->text, &e.mode);
	e.feasible_paths = 0;
	return edge_done(vty, &e);
}

DEFUN (edge_mode_paths,
       edge_mode_paths_cmd,
       "mode feasible paths (1-64)",
       "Which sources may enter\n"
       "What the peers on this edge announce (RFC 3704 sec. 2.3)\n"
       "Where it is among the router's best paths for the prefix (RFC 4271 sec. 9.1)\n"
       "How many of them count\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.mode = MODE_FEASIBLE;
	e.feasible_paths = (uint32_t)strtoul(argv[3]->arg, NULL, 10);
	return edge_done(vty, &e);
}

DEFUN (no_edge_mode,
       no_edge_mode_cmd,
       "no mode [WORD]",
       NO_STR
       "Which sources may enter: back to what the role says\n"
       "The mode\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.mode = MODE_DEFAULT;
	e.feasible_paths = 0;
	return edge_done(vty, &e);
}

ALIAS (no_edge_mode,
       no_edge_mode_paths_cmd,
       "no mode feasible paths [(1-64)]",
       NO_STR
       "Which sources may enter: back to what the role says\n"
       "What the peers on this edge announce\n"
       "Some of the best paths only\n"
       "How many of them count\n")

DEFUN (edge_action,
       edge_action_cmd,
       "action <observe|enforce>",
       "What happens to other sources\n"
       "They are counted and pass\n"
       "They are counted and dropped\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	filter_action_parse(argv[1]->text, &e.action);
	return edge_done(vty, &e);
}

DEFUN (no_edge_action,
       no_edge_action_cmd,
       "no action [<observe|enforce>]",
       NO_STR
       "What happens to other sources: back to observe\n"
       "They are counted and pass\n"
       "They are counted and dropped\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.action = FILTER_OBSERVE;
	return edge_done(vty, &e);
}

DEFUN (edge_peer,
       edge_peer_cmd,
       "[no] peer <A.B.C.D|X:X::X:X>",
       NO_STR
       "BGP peer reached by this edge, where its addresses do not show it\n"
       ADDRESS_HELP)
{
	struct config_edge e;
	struct ip_addr addr;

	if (grammar_addr(vty, grammar_arg(argv, 1), &addr) < 0 || !edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	config_addrs_set(&e.peers, &e.n_peers, &addr, !grammar_is_no(argv));
	return edge_done(vty, &e);
}

DEFUN (edge_prefix,
       edge_prefix_cmd,
       "[no] prefix <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "Exception: always accepted on this edge\n"
       PREFIX_HELP)
{
	struct config_edge e;
	struct ip_prefix p;

	if (grammar_prefix(vty, grammar_arg(argv, 1), &p) < 0 || !edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, !grammar_is_no(argv));
	return edge_done(vty, &e);
}

DEFUN (edge_holddown,
       edge_holddown_cmd,
       "holddown (0-86400)",
       "How long an address stays accepted after nothing admits it any more\n"
       "Seconds\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.holddown_s = (uint32_t)strtoul(argv[1]->arg, NULL, 10);
	return edge_done(vty, &e);
}

DEFUN (no_edge_holddown,
       no_edge_holddown_cmd,
       "no holddown [(0-86400)]",
       NO_STR
       "How long an address stays accepted: back to 900 seconds\n"
       "Seconds\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.holddown_s = CONFIG_HOLDDOWN_S;
	return edge_done(vty, &e);
}

DEFUN (edge_brake,
       edge_brake_cmd,
       "brake shrink (1-100)",
       "Hold back changes that look like a fault\n"
       "The largest part of the set that may leave without the operator\n"
       "Percent of the 24 h maximum\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.brake_shrink_percent = (uint32_t)strtoul(argv[2]->arg, NULL, 10);
	return edge_done(vty, &e);
}

DEFUN (no_edge_brake,
       no_edge_brake_cmd,
       "no brake shrink [(1-100)]",
       NO_STR
       "Hold back changes that look like a fault\n"
       "The largest part of the set: back to 50\n"
       "Percent of the 24 h maximum\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.brake_shrink_percent = CONFIG_BRAKE_SHRINK;
	return edge_done(vty, &e);
}

DEFUN (edge_brake_growth,
       edge_brake_growth_cmd,
       "brake growth (0-100000)",
       "Hold back changes that look like a fault\n"
       "By how much the set may grow without the operator\n"
       "Percent of the 24 h maximum; 0: without bound\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.brake_growth_percent = (uint32_t)strtoul(argv[2]->arg, NULL, 10);
	return edge_done(vty, &e);
}

DEFUN (no_edge_brake_growth,
       no_edge_brake_growth_cmd,
       "no brake growth [(0-100000)]",
       NO_STR
       "Hold back changes that look like a fault\n"
       "By how much the set may grow: back to 1000\n"
       "Percent of the 24 h maximum\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.brake_growth_percent = CONFIG_BRAKE_GROWTH;
	return edge_done(vty, &e);
}

DEFUN (edge_stale,
       edge_stale_cmd,
       "stale (60-4294967) <hold|loose|off>",
       "What becomes of the filter when its feed is dead\n"
       "Seconds without the feed\n"
       "The last good set stays\n"
       "Whatever any route leads to\n"
       "Nothing is filtered\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.stale_s = (uint32_t)strtoul(argv[1]->arg, NULL, 10);
	stale_policy_parse(argv[2]->text, &e.stale_policy);
	return edge_done(vty, &e);
}

DEFUN (no_edge_stale,
       no_edge_stale_cmd,
       "no stale",
       NO_STR
       "What becomes of the filter when its feed is dead: the last good set stays\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.stale_s = CONFIG_STALE_S;
	e.stale_policy = STALE_HOLD;
	return edge_done(vty, &e);
}

void config_edge_write(struct vty *vty, const struct config_edge *e)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "edge %s %s\n", e->router, e->interface);
	if (e->customer[0] != '\0')
		vty_out(vty, " customer %s\n", e->customer);
	if (e->role != ROLE_NONE)
		vty_out(vty, " role %s\n", edge_role_name(e->role));
	if (e->mode != MODE_DEFAULT)
		vty_out(vty, " mode %s", edge_mode_name(e->mode));
	if (e->feasible_paths != 0)
		vty_out(vty, " paths %u", e->feasible_paths);
	if (e->mode != MODE_DEFAULT)
		vty_out(vty, "\n");
	if (e->action != FILTER_OBSERVE)
		vty_out(vty, " action %s\n", filter_action_name(e->action));
	for (size_t i = 0; i < e->n_peers; i++)
		vty_out(vty, " peer %s\n", ip_addr_format(&e->peers[i], text));
	grammar_write_prefixes(vty, " prefix", e->prefixes, e->n_prefixes);
	if (e->holddown_s != CONFIG_HOLDDOWN_S)
		vty_out(vty, " holddown %u\n", e->holddown_s);
	if (e->brake_shrink_percent != CONFIG_BRAKE_SHRINK)
		vty_out(vty, " brake shrink %u\n", e->brake_shrink_percent);
	if (e->brake_growth_percent != CONFIG_BRAKE_GROWTH)
		vty_out(vty, " brake growth %u\n", e->brake_growth_percent);
	config_radius_edge_write(vty, e);
	if (e->stale_s != CONFIG_STALE_S || e->stale_policy != STALE_HOLD)
		vty_out(vty, " stale %u %s\n", e->stale_s,
			stale_policy_name(e->stale_policy));
	vty_out(vty, "exit\n!\n");
}

static int write_edges(struct vty *vty)
{
	for (size_t i = 0; i < grammar_cfg()->n_edges; i++)
		config_edge_write(vty, &grammar_cfg()->edges[i]);
	return grammar_cfg()->n_edges != 0;
}

static struct cmd_node edge_node = {
	.name = "edge",
	.node = (enum node_type)EDGE_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-edge)# ",
	.config_write = write_edges,
};

void config_edge_vty_init(void)
{
	install_node(&edge_node);
	install_default((enum node_type)EDGE_NODE);
	IN(CONFIG_NODE, edge_cmd);
	IN(CONFIG_NODE, no_edge_cmd);
	IN(EDGE_NODE, edge_customer_cmd);
	IN(EDGE_NODE, no_edge_customer_cmd);
	IN(EDGE_NODE, edge_role_cmd);
	IN(EDGE_NODE, no_edge_role_cmd);
	IN(EDGE_NODE, edge_mode_cmd);
	IN(EDGE_NODE, edge_mode_paths_cmd);
	IN(EDGE_NODE, no_edge_mode_cmd);
	IN(EDGE_NODE, no_edge_mode_paths_cmd);
	IN(EDGE_NODE, edge_action_cmd);
	IN(EDGE_NODE, no_edge_action_cmd);
	IN(EDGE_NODE, edge_peer_cmd);
	IN(EDGE_NODE, edge_prefix_cmd);
	IN(EDGE_NODE, edge_holddown_cmd);
	IN(EDGE_NODE, no_edge_holddown_cmd);
	IN(EDGE_NODE, edge_brake_cmd);
	IN(EDGE_NODE, no_edge_brake_cmd);
	IN(EDGE_NODE, edge_brake_growth_cmd);
	IN(EDGE_NODE, no_edge_brake_growth_cmd);
	IN(EDGE_NODE, edge_stale_cmd);
	IN(EDGE_NODE, no_edge_stale_cmd);
}
