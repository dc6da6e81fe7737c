/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/config_vty.h"

#include "buffer.h"
#include "command.h"
#include "memory.h"
#include "qobj.h"

#include "lib/mem.h"

/* libfrr's enum has no room for foreign nodes, but its vector of nodes grows.
 * The order is that of `show running-config`: what is named before who names it. */
enum config_node {
	LISTEN_NODE = NODE_TYPE_MAX + 1,
	ROUTER_NODE,
	CUSTOMER_NODE,
	EDGE_NODE,
};

/* Which object the commands of a node are about. Kept for ever, one for each
 * name ever typed: a VTY may stay in the node of an object that is gone. */
struct place {
	struct place *next;
	enum config_node node;
	char name[CONFIG_NAME_SIZE]; /* or the edge's router */
	char interface[FILTER_IFNAME_SIZE];
	QOBJ_FIELDS;
};
DECLARE_QOBJ_TYPE(place);
DEFINE_QOBJ_TYPE(place);

static struct {
	struct config *cfg;
	struct place *places;
} grammar;

static struct place *place_get(enum config_node node, const char *name,
			       const char *interface)
{
	struct place *p;

	for (p = grammar.places; p; p = p->next) {
		if (p->node == node && strcmp(p->name, name) == 0 &&
		    strcmp(p->interface, interface) == 0)
			return p;
	}
	p = mem_alloc(sizeof(*p));
	p->node = node;
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->interface, sizeof(p->interface), "%s", interface);
	p->next = grammar.places;
	grammar.places = p;
	QOBJ_REG(p, place);
	return p;
}

static int result(struct vty *vty, int ret, const struct diag *diag)
{
	if (ret == 0)
		return CMD_SUCCESS;
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

static int enter(struct vty *vty, enum config_node node, const char *name,
		 const char *interface)
{
	struct place *p = place_get(node, name, interface);

	VTY_PUSH_CONTEXT((enum node_type)node, p);
	return CMD_SUCCESS;
}

/* The value after the word before it; commands are written so that each
 * argument's position is fixed. "no" forms are one word longer. */
static bool is_no(struct cmd_token *argv[])
{
	return strcmp(argv[0]->text, "no") == 0;
}

static const char *arg_of(struct cmd_token *argv[], int index)
{
	return argv[index + (is_no(argv) ? 1 : 0)]->arg;
}

static int take_prefix(struct vty *vty, const char *text, struct ip_prefix *p)
{
	char buf[IP_TEXT_SIZE];

	switch (ip_prefix_parse(text, p)) {
	case IP_PARSE_OK:
		return 0;
	case IP_PARSE_SYNTAX:
		vty_out(vty, "%% %s is not a prefix: type ADDRESS/LENGTH\n", text);
		return -1;
	case IP_PARSE_HOST_BITS:
		vty_out(vty, "%% %s has bits set beyond its length: type %s\n", text,
			ip_prefix_format(p, buf));
		return -1;
	}
	return -1;
}

static int take_addr(struct vty *vty, const char *text, struct ip_addr *addr)
{
	if (ip_addr_parse(text, addr))
		return 0;
	vty_out(vty, "%% %s is not an IPv4 or IPv6 address\n", text);
	return -1;
}

/* ---- top level ---- */

#define ADDRESS_HELP "IPv4 address\nIPv6 address\n"
#define PREFIX_HELP  "IPv4 prefix\nIPv6 prefix\n"

static int take_listen(struct vty *vty, struct cmd_token *argv[], int addr_at,
		       struct config_listen *l)
{
	*l = (struct config_listen){ 0 };
	if (take_addr(vty, arg_of(argv, addr_at), &l->addr) < 0)
		return -1;
	l->port = (uint16_t)strtoul(arg_of(argv, addr_at + 2), NULL, 10);
	return 0;
}

DEFUN (feed_bmp_listen,
       feed_bmp_listen_cmd,
       "[no] feed bmp listen <A.B.C.D|X:X::X:X> port (1-65535)",
       NO_STR
       "Routing information feeds\n"
       "BGP Monitoring Protocol (RFC 7854)\n"
       "Accept routers' BMP sessions on this address\n"
       ADDRESS_HELP
       "TCP port\n"
       "TCP port number\n")
{
	struct config_listen l;
	struct diag diag;

	if (take_listen(vty, argv, 3, &l) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return result(vty, config_bmp_listen_set(grammar.cfg, &l, !is_no(argv), &diag), &diag);
}

DEFUN (agent_listen,
       agent_listen_cmd,
       "[no] agent listen <A.B.C.D|X:X::X:X> port (1-65535)",
       NO_STR
       "Agents on routers\n"
       "Accept agents' TLS sessions on this address\n"
       ADDRESS_HELP
       "TCP port\n"
       "TCP port number\n")
{
	struct config_listen l;
	struct diag diag;

	if (take_listen(vty, argv, 2, &l) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return result(vty, config_agent_listen_set(grammar.cfg, &l, !is_no(argv), &diag), &diag);
}

DEFUN (own_prefix,
       own_prefix_cmd,
       "[no] own-prefix <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "The operator's own space: never a source from outside\n"
       PREFIX_HELP)
{
	struct ip_prefix p;
	struct diag diag;

	if (take_prefix(vty, arg_of(argv, 1), &p) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return result(vty, config_own_set(grammar.cfg, &p, !is_no(argv), &diag), &diag);
}

DEFUN (special_purpose_permit,
       special_purpose_permit_cmd,
       "[no] special-purpose permit <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "Special-purpose addresses (RFC 6890)\n"
       "Let these be sources where an edge admits them (carrier NAT, labs)\n"
       PREFIX_HELP)
{
	struct ip_prefix p;
	struct diag diag;

	if (take_prefix(vty, arg_of(argv, 2), &p) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return result(vty, config_permit_set(grammar.cfg, &p, !is_no(argv), &diag), &diag);
}

static int write_listens(struct vty *vty, const char *what, const struct config_listen *l,
			 size_t n)
{
	char addr[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		vty_out(vty, "%s listen %s port %u\n", what, ip_addr_format(&l[i].addr, addr),
			l[i].port);
	return n != 0;
}

static int write_prefixes(struct vty *vty, const char *what, const struct ip_prefix *p,
			  size_t n)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		vty_out(vty, "%s %s\n", what, ip_prefix_format(&p[i], text));
	return n != 0;
}

static int write_top(struct vty *vty)
{
	const struct config *cfg = grammar.cfg;
	int wrote = write_listens(vty, "feed bmp", cfg->bmp_listens, cfg->n_bmp_listens) |
		    write_listens(vty, "agent", cfg->agent_listens, cfg->n_agent_listens) |
		    write_prefixes(vty, "own-prefix", cfg->own, cfg->n_own) |
		    write_prefixes(vty, "special-purpose permit", cfg->permits,
				   cfg->n_permits);

	if (wrote)
		vty_out(vty, "!\n");
	return wrote;
}

/* ---- router ---- */

DEFUN_NOSH (router,
       router_cmd,
       "router NAME",
       "A router that runs an agent or feeds routes\n"
       "Its name: the host name that its BMP carries, and its agent's\n")
{
	struct config_router r = { 0 };
	struct diag diag;

	if (!config_router_find(grammar.cfg, argv[1]->arg)) {
		snprintf(r.name, sizeof(r.name), "%s", argv[1]->arg);
		if (strlen(argv[1]->arg) >= sizeof(r.name))
			r.name[0] = '\0'; /* told as not valid */
		if (config_router_put(grammar.cfg, &r, &diag) < 0)
			return result(vty, -1, &diag);
	}
	return enter(vty, ROUTER_NODE, argv[1]->arg, "");
}

DEFUN (no_router,
       no_router_cmd,
       "no router NAME",
       NO_STR
       "A router\n"
       "Its name\n")
{
	struct diag diag;

	return result(vty, config_router_del(grammar.cfg, argv[2]->arg, &diag), &diag);
}

DEFUN (router_bmp_source,
       router_bmp_source_cmd,
       "[no] bmp source <A.B.C.D|X:X::X:X>",
       NO_STR
       "BGP Monitoring Protocol\n"
       "Address that this router's BMP comes from: no other may claim its name\n"
       ADDRESS_HELP)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_router *old = config_router_find(grammar.cfg, p->name);
	struct config_router new;
	struct ip_addr addr;
	struct diag diag;
	int ret;

	if (!old)
		return result(vty, diag_set(&diag, "router %s is gone: type \"exit\"", p->name),
			      &diag);
	if (take_addr(vty, arg_of(argv, 2), &addr) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	config_router_copy(&new, old);
	config_addrs_set(&new.bmp_sources, &new.n_bmp_sources, &addr, !is_no(argv));
	ret = config_router_put(grammar.cfg, &new, &diag);
	config_router_fini(&new);
	return result(vty, ret, &diag);
}

/* A copy of the router of this node to change; false: said why. */
static bool router_edit(struct vty *vty, struct config_router *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_router *r = config_router_find(grammar.cfg, p->name);

	if (r)
		config_router_copy(copy, r);
	else
		vty_out(vty, "%% router %s is gone: type \"exit\"\n", p->name);
	return r != NULL;
}

static int router_done(struct vty *vty, struct config_router *copy)
{
	struct diag diag;
	int ret = config_router_put(grammar.cfg, copy, &diag);

	config_router_fini(copy);
	return result(vty, ret, &diag);
}

#define BGP_HELP "The router's own BGP session with savd (internal, add-path)\n"

DEFUN (router_bgp_neighbor,
       router_bgp_neighbor_cmd,
       "bgp neighbor <A.B.C.D|X:X::X:X> as (1-4294967295) [port (1-65535)]",
       BGP_HELP
       "Where the router listens\n"
       ADDRESS_HELP
       "AS number of both sides\n"
       "AS number\n"
       "TCP port, 179 if not said\n"
       "TCP port number\n")
{
	struct config_router r;
	struct ip_addr addr;

	if (take_addr(vty, argv[2]->arg, &addr) < 0 || !router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bgp.addr = addr;
	r.bgp.as = (uint32_t)strtoul(argv[4]->arg, NULL, 10);
	r.bgp.port = argc > 6 ? (uint16_t)strtoul(argv[6]->arg, NULL, 10) : CONFIG_BGP_PORT;
	return router_done(vty, &r);
}

DEFUN (no_router_bgp_neighbor,
       no_router_bgp_neighbor_cmd,
       "no bgp neighbor [<A.B.C.D|X:X::X:X> [as (1-4294967295) [port (1-65535)]]]",
       NO_STR
       BGP_HELP
       "The session ends, and its routes and password go\n"
       ADDRESS_HELP
       "AS number of both sides\n"
       "AS number\n"
       "TCP port\n"
       "TCP port number\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bgp = (struct config_bgp){ 0 };
	return router_done(vty, &r);
}

DEFUN (router_bgp_password,
       router_bgp_password_cmd,
       "bgp password WORD",
       BGP_HELP
       "TCP MD5 (RFC 2385), as the router's \"neighbor A.B.C.D password\"\n"
       "1 to 80 characters\n")
{
	struct config_router r;
	struct diag diag;

	if (strlen(argv[2]->arg) >= sizeof(r.bgp.password))
		return result(vty, diag_set(&diag, "a bgp password has at most %d characters",
					    CONFIG_BGP_PASSWORD_SIZE - 1),
			      &diag);
	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	snprintf(r.bgp.password, sizeof(r.bgp.password), "%s", argv[2]->arg);
	return router_done(vty, &r);
}

DEFUN (no_router_bgp_password,
       no_router_bgp_password_cmd,
       "no bgp password [WORD]",
       NO_STR
       BGP_HELP
       "TCP MD5 (RFC 2385)\n"
       "The password\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bgp.password[0] = '\0';
	return router_done(vty, &r);
}

static void write_bgp(struct vty *vty, const struct config_bgp *bgp)
{
	char text[IP_TEXT_SIZE];

	if (bgp->as == 0)
		return;
	vty_out(vty, " bgp neighbor %s as %u", ip_addr_format(&bgp->addr, text), bgp->as);
	if (bgp->port != CONFIG_BGP_PORT)
		vty_out(vty, " port %u", bgp->port);
	vty_out(vty, "\n");
	if (bgp->password[0] != '\0')
		vty_out(vty, " bgp password %s\n", bgp->password);
}

static int write_routers(struct vty *vty)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < grammar.cfg->n_routers; i++) {
		const struct config_router *r = &grammar.cfg->routers[i];

		vty_out(vty, "router %s\n", r->name);
		for (size_t k = 0; k < r->n_bmp_sources; k++)
			vty_out(vty, " bmp source %s\n",
				ip_addr_format(&r->bmp_sources[k], text));
		write_bgp(vty, &r->bgp);
		vty_out(vty, "exit\n!\n");
	}
	return grammar.cfg->n_routers != 0;
}

/* ---- customer ---- */

DEFUN_NOSH (customer,
       customer_cmd,
       "customer NAME",
       "A customer and its record\n"
       "Its name\n")
{
	struct config_customer c = { 0 };
	struct diag diag;

	if (!config_customer_find(grammar.cfg, argv[1]->arg)) {
		snprintf(c.name, sizeof(c.name), "%s", argv[1]->arg);
		if (strlen(argv[1]->arg) >= sizeof(c.name))
			c.name[0] = '\0';
		if (config_customer_put(grammar.cfg, &c, &diag) < 0)
			return result(vty, -1, &diag);
	}
	return enter(vty, CUSTOMER_NODE, argv[1]->arg, "");
}

DEFUN (no_customer,
       no_customer_cmd,
       "no customer NAME",
       NO_STR
       "A customer and its record\n"
       "Its name\n")
{
	struct diag diag;

	return result(vty, config_customer_del(grammar.cfg, argv[2]->arg, &diag), &diag);
}

/* A copy of the customer of this node to change; false: said why. */
static bool customer_edit(struct vty *vty, struct config_customer *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_customer *c = config_customer_find(grammar.cfg, p->name);

	if (c)
		config_customer_copy(copy, c);
	else
		vty_out(vty, "%% customer %s is gone: type \"exit\"\n", p->name);
	return c != NULL;
}

static int customer_done(struct vty *vty, struct config_customer *copy)
{
	struct diag diag;
	int ret = config_customer_put(grammar.cfg, copy, &diag);

	config_customer_fini(copy);
	return result(vty, ret, &diag);
}

DEFUN (customer_as,
       customer_as_cmd,
       "as (1-4294967295)",
       "The customer's AS\n"
       "AS number\n")
{
	struct config_customer c;

	if (!customer_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	c.as = (uint32_t)strtoul(argv[1]->arg, NULL, 10);
	return customer_done(vty, &c);
}

DEFUN (no_customer_as,
       no_customer_as_cmd,
       "no as [(1-4294967295)]",
       NO_STR
       "The customer's AS\n"
       "AS number\n")
{
	struct config_customer c;

	if (!customer_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	c.as = 0;
	return customer_done(vty, &c);
}

DEFUN (customer_prefix,
       customer_prefix_cmd,
       "[no] prefix <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "Address space of the customer, accepted on each of its edges\n"
       PREFIX_HELP)
{
	struct config_customer c;
	struct ip_prefix p;

	if (take_prefix(vty, arg_of(argv, 1), &p) < 0 || !customer_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, !is_no(argv));
	return customer_done(vty, &c);
}

static int write_customers(struct vty *vty)
{
	for (size_t i = 0; i < grammar.cfg->n_customers; i++) {
		const struct config_customer *c = &grammar.cfg->customers[i];

		vty_out(vty, "customer %s\n", c->name);
		if (c->as != 0)
			vty_out(vty, " as %u\n", c->as);
		write_prefixes(vty, " prefix", c->prefixes, c->n_prefixes);
		vty_out(vty, "exit\n!\n");
	}
	return grammar.cfg->n_customers != 0;
}

/* ---- edge ---- */

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

	if (!config_edge_find(grammar.cfg, argv[1]->arg, argv[2]->arg)) {
		config_edge_init(&e, argv[1]->arg, argv[2]->arg);
		/* what does not fit would be cut to another, valid name */
		if (strlen(argv[2]->arg) >= sizeof(e.interface))
			ret = diag_set(&diag, "\"%s\" is not an interface name", argv[2]->arg);
		else
			ret = config_edge_put(grammar.cfg, &e, &diag);
	}
	if (ret < 0)
		return result(vty, ret, &diag);
	return enter(vty, EDGE_NODE, argv[1]->arg, argv[2]->arg);
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

	return result(vty, config_edge_del(grammar.cfg, argv[2]->arg, argv[3]->arg, &diag), &diag);
}

static bool edge_edit(struct vty *vty, struct config_edge *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_edge *e = config_edge_find(grammar.cfg, p->name, p->interface);

	if (e)
		config_edge_copy(copy, e);
	else
		vty_out(vty, "%% edge %s %s is gone: type \"exit\"\n", p->name, p->interface);
	return e != NULL;
}

static int edge_done(struct vty *vty, struct config_edge *copy)
{
	struct diag diag;
	int ret = config_edge_put(grammar.cfg, copy, &diag);

	config_edge_fini(copy);
	return result(vty, ret, &diag);
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
       "A customer\nA single-homed customer\nDirectly connected hosts\n"
       "A lateral peer\nA transit provider\nOur own network\n")
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
       "The customer's record only\n"
       "What the router's best routes send back this way\n"
       "As strict, as if directly learned routes won (RFC 3704 sec. 2.2)\n"
       "What the peers on this edge announce (RFC 3704 sec. 2.3)\n"
       "Enhanced feasible path, algorithm A (RFC 8704 sec. 3.1.1)\n"
       "Enhanced feasible path, algorithm B (RFC 8704 sec. 3.4)\n"
       "Whatever any route leads to (RFC 3704 sec. 2.4)\n"
       "As loose, but a default route does not count (RFC 3704 sec. 2.5)\n"
       "Provider link of a site: that provider's prefixes only\n"
       "Everything\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	edge_mode_parse(argv[1]->text, &e.mode);
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
	return edge_done(vty, &e);
}

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

	if (take_addr(vty, arg_of(argv, 1), &addr) < 0 || !edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	config_addrs_set(&e.peers, &e.n_peers, &addr, !is_no(argv));
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

	if (take_prefix(vty, arg_of(argv, 1), &p) < 0 || !edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, !is_no(argv));
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
       "Hold back removals that look like a fault\n"
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
       "Hold back removals that look like a fault\n"
       "The largest part of the set: back to 50\n"
       "Percent of the 24 h maximum\n")
{
	struct config_edge e;

	if (!edge_edit(vty, &e))
		return CMD_WARNING_CONFIG_FAILED;
	e.brake_shrink_percent = CONFIG_BRAKE_SHRINK;
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

static void write_edge(struct vty *vty, const struct config_edge *e)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "edge %s %s\n", e->router, e->interface);
	if (e->customer[0] != '\0')
		vty_out(vty, " customer %s\n", e->customer);
	if (e->role != ROLE_NONE)
		vty_out(vty, " role %s\n", edge_role_name(e->role));
	if (e->mode != MODE_DEFAULT)
		vty_out(vty, " mode %s\n", edge_mode_name(e->mode));
	if (e->action != FILTER_OBSERVE)
		vty_out(vty, " action %s\n", filter_action_name(e->action));
	for (size_t i = 0; i < e->n_peers; i++)
		vty_out(vty, " peer %s\n", ip_addr_format(&e->peers[i], text));
	write_prefixes(vty, " prefix", e->prefixes, e->n_prefixes);
	if (e->holddown_s != CONFIG_HOLDDOWN_S)
		vty_out(vty, " holddown %u\n", e->holddown_s);
	if (e->brake_shrink_percent != CONFIG_BRAKE_SHRINK)
		vty_out(vty, " brake shrink %u\n", e->brake_shrink_percent);
	if (e->stale_s != CONFIG_STALE_S || e->stale_policy != STALE_HOLD)
		vty_out(vty, " stale %u %s\n", e->stale_s,
			stale_policy_name(e->stale_policy));
	vty_out(vty, "exit\n!\n");
}

static int write_edges(struct vty *vty)
{
	for (size_t i = 0; i < grammar.cfg->n_edges; i++)
		write_edge(vty, &grammar.cfg->edges[i]);
	return grammar.cfg->n_edges != 0;
}

/* ---- nodes ---- */

static struct cmd_node listen_node = {
	.name = "opensav",
	.node = (enum node_type)LISTEN_NODE,
	.prompt = "",
	.config_write = write_top,
};
static struct cmd_node router_node = {
	.name = "router",
	.node = (enum node_type)ROUTER_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-router)# ",
	.config_write = write_routers,
};
static struct cmd_node customer_node = {
	.name = "customer",
	.node = (enum node_type)CUSTOMER_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-customer)# ",
	.config_write = write_customers,
};
static struct cmd_node edge_node = {
	.name = "edge",
	.node = (enum node_type)EDGE_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-edge)# ",
	.config_write = write_edges,
};

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN(node, cmd) install_element((enum node_type)(node), &cmd)

static void install_edge_commands(void)
{
	IN(EDGE_NODE, edge_customer_cmd);
	IN(EDGE_NODE, no_edge_customer_cmd);
	IN(EDGE_NODE, edge_role_cmd);
	IN(EDGE_NODE, no_edge_role_cmd);
	IN(EDGE_NODE, edge_mode_cmd);
	IN(EDGE_NODE, no_edge_mode_cmd);
	IN(EDGE_NODE, edge_action_cmd);
	IN(EDGE_NODE, no_edge_action_cmd);
	IN(EDGE_NODE, edge_peer_cmd);
	IN(EDGE_NODE, edge_prefix_cmd);
	IN(EDGE_NODE, edge_holddown_cmd);
	IN(EDGE_NODE, no_edge_holddown_cmd);
	IN(EDGE_NODE, edge_brake_cmd);
	IN(EDGE_NODE, no_edge_brake_cmd);
	IN(EDGE_NODE, edge_stale_cmd);
	IN(EDGE_NODE, no_edge_stale_cmd);
}

void config_vty_init(struct config *cfg)
{
	grammar.cfg = cfg;
	install_node(&listen_node);
	install_node(&router_node);
	install_node(&customer_node);
	install_node(&edge_node);
	install_default((enum node_type)ROUTER_NODE);
	install_default((enum node_type)CUSTOMER_NODE);
	install_default((enum node_type)EDGE_NODE);
	IN(CONFIG_NODE, feed_bmp_listen_cmd);
	IN(CONFIG_NODE, agent_listen_cmd);
	IN(CONFIG_NODE, own_prefix_cmd);
	IN(CONFIG_NODE, special_purpose_permit_cmd);
	IN(CONFIG_NODE, router_cmd);
	IN(CONFIG_NODE, no_router_cmd);
	IN(CONFIG_NODE, customer_cmd);
	IN(CONFIG_NODE, no_customer_cmd);
	IN(CONFIG_NODE, edge_cmd);
	IN(CONFIG_NODE, no_edge_cmd);
	IN(ROUTER_NODE, router_bmp_source_cmd);
	IN(ROUTER_NODE, router_bgp_neighbor_cmd);
	IN(ROUTER_NODE, no_router_bgp_neighbor_cmd);
	IN(ROUTER_NODE, router_bgp_password_cmd);
	IN(ROUTER_NODE, no_router_bgp_password_cmd);
	IN(CUSTOMER_NODE, customer_as_cmd);
	IN(CUSTOMER_NODE, no_customer_as_cmd);
	IN(CUSTOMER_NODE, customer_prefix_cmd);
	install_edge_commands();
}

/* ---- files ---- */

struct reading {
	const char *path;
	config_vty_error_fn *fn;
	void *arg;
	unsigned int line;
	int errors;
};

static void tell(struct reading *r, const char *text)
{
	char line[VTY_BUFSIZ + 600];

	snprintf(line, sizeof(line), "%s:%u: %s", r->path, r->line, text);
	r->fn(line, r->arg);
	r->errors++;
}

static int run_line(struct vty *vty, const char *line)
{
	bool indented = line[0] == ' ' || line[0] == '\t';
	enum node_type before = vty->node;
	int ret;

	snprintf(vty->buf, VTY_BUFSIZ, "%s", line);
	if (!indented && strcmp(line, "exit") != 0)
		vty->node = CONFIG_NODE;
	ret = command_config_read_one_line(vty, NULL, 0, 0);
	if (ret == CMD_ERR_NO_MATCH && vty->node == CONFIG_NODE && before != CONFIG_NODE) {
		vty->node = before;
		ret = command_config_read_one_line(vty, NULL, 0, 0);
	}
	return ret;
}

static void read_line(struct reading *r, struct vty *vty, char *line)
{
	char text[VTY_BUFSIZ + 64], *out, *first;
	int ret;

	line[strcspn(line, "\r\n")] = '\0';
	first = line + strspn(line, " \t");
	if (*first == '\0' || *first == '!' || *first == '#' || strcmp(first, "end") == 0)
		return;
	/* libfrr's heading of `show running-config` */
	if (strncmp(first, "frr version ", 12) == 0 || strncmp(first, "frr defaults ", 13) == 0)
		return;
	ret = run_line(vty, line);
	out = buffer_getstr(vty->obuf);
	buffer_reset(vty->obuf);
	if (ret == CMD_ERR_NO_MATCH || ret == CMD_ERR_INCOMPLETE || ret == CMD_ERR_AMBIGUOUS) {
		snprintf(text, sizeof(text), "%s: \"%s\"",
			 ret == CMD_ERR_NO_MATCH   ? "unknown command" :
			 ret == CMD_ERR_INCOMPLETE ? "the command is not complete" :
						     "the command is ambiguous",
			 first);
		tell(r, text);
	} else if (ret != CMD_SUCCESS && ret != CMD_WARNING) {
		out[strcspn(out, "\n")] = '\0';
		tell(r, strncmp(out, "% ", 2) == 0 ? out + 2 : out);
	}
	XFREE(MTYPE_TMP, out);
}

int config_vty_read(const char *path, config_vty_error_fn *fn, void *arg)
{
	struct reading r = { .path = path, .fn = fn, .arg = arg };
	FILE *file = fopen(path, "re");
	char line[VTY_BUFSIZ], text[300];
	struct vty *vty;

	if (!file) {
		snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
		fn(text, arg);
		return -1;
	}
	vty = vty_new();
	vty->type = VTY_FILE;
	vty->node = CONFIG_NODE;
	while (fgets(line, sizeof(line), file)) {
		r.line++;
		if (!strchr(line, '\n') && !feof(file)) {
			tell(&r, "the line is too long");
			while (fgets(line, sizeof(line), file) && !strchr(line, '\n'))
				;
			continue;
		}
		read_line(&r, vty, line);
	}
	if (ferror(file)) {
		tell(&r, strerror(errno));
		r.errors = -1;
	}
	fclose(file);
	vty_close(vty);
	return r.errors;
}

int config_vty_read_into(struct config *cfg, const char *path, config_vty_error_fn *fn,
			 void *arg)
{
	struct config *running = grammar.cfg;
	int errors;

	grammar.cfg = cfg;
	errors = config_vty_read(path, fn, arg);
	grammar.cfg = running;
	return errors;
}

int config_vty_check(const char *path, config_vty_error_fn *fn, void *arg)
{
	struct config scratch;
	int errors;

	config_clone(&scratch, grammar.cfg);
	errors = config_vty_read_into(&scratch, path, fn, arg);
	config_fini(&scratch);
	return errors;
}
