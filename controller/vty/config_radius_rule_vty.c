/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules of RADIUS: from what a session says to its edge; and what edges say of
 * RADIUS.
 */
#include "controller/vty/grammar_vty.h"

#define RADIUS_HELP "Provisioning by RADIUS\n"
#define PATTERN_HELP "Pattern: * stands for any text, ? for one character\n"

DEFUN_NOSH (radius_rule,
       radius_rule_cmd,
       "radius rule (1-65535)",
       RADIUS_HELP
       "From what a session says to its edge; the first rule that matches decides\n"
       "Number: rules are looked at in this order\n")
{
	struct config_radius_rule r = { .number = (uint32_t)strtoul(argv[2]->arg, NULL, 10) };
	struct diag diag;
	char name[16];

	if (!config_radius_rule_find(grammar_cfg(), r.number) &&
	    config_radius_rule_put(grammar_cfg(), &r, &diag) < 0)
		return grammar_result(vty, -1, &diag);
	snprintf(name, sizeof(name), "%u", r.number);
	return grammar_enter(vty, RADIUS_RULE_NODE, name, "");
}

DEFUN (no_radius_rule,
       no_radius_rule_cmd,
       "no radius rule (1-65535)",
       NO_STR
       RADIUS_HELP
       "From what a session says to its edge\n"
       "Number\n")
{
	struct diag diag;

	return grammar_result(vty,
			      config_radius_rule_del(grammar_cfg(),
						     (uint32_t)strtoul(argv[3]->arg, NULL, 10),
						     &diag),
			      &diag);
}

static bool rule_edit(struct vty *vty, struct config_radius_rule *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_radius_rule *r = config_radius_rule_find(
		grammar_cfg(), (uint32_t)strtoul(p->name, NULL, 10));

	if (r)
		*copy = *r;
	else
		grammar_error(vty, "radius rule %s is gone: type \"exit\"", p->name);
	return r != NULL;
}

static int rule_done(struct vty *vty, const struct config_radius_rule *r)
{
	struct diag diag;

	return grammar_result(vty, config_radius_rule_put(grammar_cfg(), r, &diag), &diag);
}

/* text NULL: any. */
static int take_text(struct vty *vty, char *dst, size_t size, const char *text)
{
	if (text && strlen(text) >= size)
		return grammar_error(vty, "\"%s\" is too long: use at most %zu characters", text,
				     size - 1);
	snprintf(dst, size, "%s", text ? text : "");
	return 0;
}

static int set_pattern(struct vty *vty, size_t offset, const char *text)
{
	struct config_radius_rule r;

	if (!rule_edit(vty, &r) ||
	    take_text(vty, (char *)&r + offset, RADIUS_PATTERN_SIZE, text) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return rule_done(vty, &r);
}

#define AT(member) offsetof(struct config_radius_rule, member)

DEFUN (rule_client,
       rule_client_cmd,
       "client PATTERN",
       "Only sessions that this client tells of\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(client), argv[1]->arg);
}

DEFUN (no_rule_client,
       no_rule_client_cmd,
       "no client [PATTERN]",
       NO_STR
       "Sessions that any client tells of\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(client), NULL);
}

DEFUN (rule_nas,
       rule_nas_cmd,
       "nas PATTERN",
       "Only sessions of this NAS: its NAS-Identifier, or its address if it has none\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(nas), argv[1]->arg);
}

DEFUN (no_rule_nas,
       no_rule_nas_cmd,
       "no nas [PATTERN]",
       NO_STR
       "Sessions of any NAS\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(nas), NULL);
}

DEFUN (rule_port,
       rule_port_cmd,
       "port PATTERN",
       "Only this NAS-Port-Id, or NAS-Port where there is none\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(port), argv[1]->arg);
}

DEFUN (no_rule_port,
       no_rule_port_cmd,
       "no port [PATTERN]",
       NO_STR
       "Any NAS-Port-Id\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(port), NULL);
}

DEFUN (rule_station,
       rule_station_cmd,
       "station PATTERN",
       "Only this Calling-Station-Id\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(station), argv[1]->arg);
}

DEFUN (no_rule_station,
       no_rule_station_cmd,
       "no station [PATTERN]",
       NO_STR
       "Any Calling-Station-Id\n"
       PATTERN_HELP)
{
	return set_pattern(vty, AT(station), NULL);
}

DEFUN (rule_attribute,
       rule_attribute_cmd,
       "attribute (1-255) [vendor (1-16777215)] [value PATTERN]",
       "Only sessions that have this attribute\n"
       "Its type\n"
       "It is a vendor's own (RFC 2865 sec. 5.26)\n"
       "Private enterprise number\n"
       "And it is this\n"
       PATTERN_HELP)
{
	const char *value = NULL;
	struct config_radius_rule r;

	if (!rule_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.attribute = (uint8_t)strtoul(argv[1]->arg, NULL, 10);
	r.vendor = 0;
	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i]->text, "vendor") == 0)
			r.vendor = (uint32_t)strtoul(argv[i + 1]->arg, NULL, 10);
		else
			value = argv[i + 1]->arg;
	}
	if (take_text(vty, r.value, sizeof(r.value), value) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return rule_done(vty, &r);
}

DEFUN (no_rule_attribute,
       no_rule_attribute_cmd,
       "no attribute [(1-255) [vendor (1-16777215)] [value PATTERN]]",
       NO_STR
       "Whatever attributes they have\n"
       "Its type\n"
       "It is a vendor's own\n"
       "Private enterprise number\n"
       "And it is this\n"
       PATTERN_HELP)
{
	struct config_radius_rule r;

	if (!rule_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.attribute = 0;
	r.vendor = 0;
	r.value[0] = '\0';
	return rule_done(vty, &r);
}

DEFUN (rule_edge,
       rule_edge_cmd,
       "edge ROUTER INTERFACE [create <customer|stub|host|peer|provider|internal>]",
       "Their edge\n"
       "Name of the router\n"
       "Name of the interface: %p is the NAS-Port-Id, %n the NAS-Port, %a the attribute's value\n"
       "Make the edge if there is none, with mode, action and customer of the session\n"
       EDGE_ROLE_HELP)
{
	enum edge_role role = ROLE_NONE;
	struct config_radius_rule r;

	if (!rule_edit(vty, &r) ||
	    take_text(vty, r.router, sizeof(r.router), argv[1]->arg) < 0 ||
	    take_text(vty, r.interface, sizeof(r.interface), argv[2]->arg) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	if (argc > 4)
		edge_role_parse(argv[4]->text, &role);
	r.create = (uint8_t)role;
	return rule_done(vty, &r);
}

DEFUN (no_rule_edge,
       no_rule_edge_cmd,
       "no edge [ROUTER INTERFACE]",
       NO_STR
       "Their edge: without it the rule matches nothing\n"
       "Name of the router\n"
       "Name of the interface\n")
{
	struct config_radius_rule r;

	if (!rule_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.router[0] = r.interface[0] = '\0';
	r.create = ROLE_NONE;
	return rule_done(vty, &r);
}

/* ---- text ---- */

static void write_pattern(struct vty *vty, const char *what, const char *pattern)
{
	if (pattern[0] != '\0')
		vty_out(vty, " %s %s\n", what, pattern);
}

static void write_attribute(struct vty *vty, const struct config_radius_rule *r)
{
	if (r->attribute == 0)
		return;
	vty_out(vty, " attribute %u", r->attribute);
	if (r->vendor != 0)
		vty_out(vty, " vendor %u", r->vendor);
	if (r->value[0] != '\0')
		vty_out(vty, " value %s", r->value);
	vty_out(vty, "\n");
}

void config_radius_rule_write(struct vty *vty, const struct config_radius_rule *r)
{
	vty_out(vty, "radius rule %u\n", r->number);
	write_pattern(vty, "client", r->client);
	write_pattern(vty, "nas", r->nas);
	write_pattern(vty, "port", r->port);
	write_pattern(vty, "station", r->station);
	write_attribute(vty, r);
	if (r->router[0] != '\0') {
		vty_out(vty, " edge %s %s", r->router, r->interface);
		if (r->create != ROLE_NONE)
			vty_out(vty, " create %s", edge_role_name((enum edge_role)r->create));
		vty_out(vty, "\n");
	}
	vty_out(vty, "exit\n!\n");
}

static int write_rules(struct vty *vty)
{
	const struct config_radius *r = &grammar_cfg()->radius;

	for (size_t i = 0; i < r->n_rules; i++)
		config_radius_rule_write(vty, &r->rules[i]);
	return r->n_rules != 0;
}

static struct cmd_node rule_node = {
	.name = "radius rule",
	.node = (enum node_type)RADIUS_RULE_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-radius-rule)# ",
	.config_write = write_rules,
};

/* ---- edges ---- */

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

DEFUN (edge_pending,
       edge_pending_cmd,
       "pending <observe|drop>",
       "What happens while no RADIUS session is there\n"
       "Other sources are counted and pass\n"
       "They are counted and dropped, as \"action\" says\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	edge_pending_parse(argv[1]->text, &e.pending);
	return edge_done(vty, &e);
}

DEFUN (no_edge_pending,
       no_edge_pending_cmd,
       "no pending [<observe|drop>]",
       NO_STR
       "What happens while no RADIUS session is there: drop, if anything else is admitted\n"
       "Other sources are counted and pass\n"
       "They are counted and dropped\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.pending = PENDING_NONE;
	return edge_done(vty, &e);
}

DEFUN (edge_profile,
       edge_profile_cmd,
       "profile NAME",
       "What may enter is asked of \"radius server\" under this name\n"
       "See \"radius profile user-name\"\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	if (take_text(vty, e.profile, sizeof(e.profile), argv[1]->arg) < 0) {
		config_edge_fini(&e);
		return CMD_WARNING_CONFIG_FAILED;
	}
	return edge_done(vty, &e);
}

DEFUN (no_edge_profile,
       no_edge_profile_cmd,
       "no profile [NAME]",
       NO_STR
       "What may enter is not asked of a RADIUS server\n"
       "The name\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.profile[0] = '\0';
	return edge_done(vty, &e);
}

void config_radius_edge_write(struct vty *vty, const struct config_edge *e)
{
	if (e->pending != PENDING_NONE)
		vty_out(vty, " pending %s\n", edge_pending_name(e->pending));
	if (e->profile[0] != '\0')
		vty_out(vty, " profile %s\n", e->profile);
}

void config_radius_rule_vty_init(void)
{
	install_node(&rule_node);
	install_default((enum node_type)RADIUS_RULE_NODE);
	IN(CONFIG_NODE, radius_rule_cmd);
	IN(CONFIG_NODE, no_radius_rule_cmd);
	IN(RADIUS_RULE_NODE, rule_client_cmd);
	IN(RADIUS_RULE_NODE, no_rule_client_cmd);
	IN(RADIUS_RULE_NODE, rule_nas_cmd);
	IN(RADIUS_RULE_NODE, no_rule_nas_cmd);
	IN(RADIUS_RULE_NODE, rule_port_cmd);
	IN(RADIUS_RULE_NODE, no_rule_port_cmd);
	IN(RADIUS_RULE_NODE, rule_station_cmd);
	IN(RADIUS_RULE_NODE, no_rule_station_cmd);
	IN(RADIUS_RULE_NODE, rule_attribute_cmd);
	IN(RADIUS_RULE_NODE, no_rule_attribute_cmd);
	IN(RADIUS_RULE_NODE, rule_edge_cmd);
	IN(RADIUS_RULE_NODE, no_rule_edge_cmd);
	IN(EDGE_NODE, edge_pending_cmd);
	IN(EDGE_NODE, no_edge_pending_cmd);
	IN(EDGE_NODE, edge_profile_cmd);
	IN(EDGE_NODE, no_edge_profile_cmd);
}
