/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * grammar_vty - what the files of configuration commands share.
 *
 * A command is written so that each argument's position is fixed; its "no" form
 * is one word longer. It copies the object of its node, changes the copy and
 * puts it: config.h checks, stores and tells.
 */
#ifndef SAV_GRAMMAR_VTY_H
#define SAV_GRAMMAR_VTY_H

#include "controller/vty/config_vty.h"

#include "command.h"
#include "qobj.h"

/* libfrr's enum has no room for foreign nodes, but its vector of nodes grows.
 * The order is that of `show running-config`: what is named before who names it. */
enum grammar_node {
	LISTEN_NODE = NODE_TYPE_MAX + 1,
	ROUTER_NODE,
	CUSTOMER_NODE,
	EDGE_NODE,
	RADIUS_NODE,
	RADIUS_CLIENT_NODE,
	RADIUS_RULE_NODE,
};

/* Which object the commands of a node are about. Kept for ever, one for each
 * name ever typed: a VTY may stay in the node of an object that is gone. */
struct place {
	enum grammar_node node;
	char name[CONFIG_NAME_SIZE]; /* or the edge's router */
	char interface[FILTER_IFNAME_SIZE];
	QOBJ_FIELDS;
};
DECLARE_QOBJ_TYPE(place);

/* The configuration that commands are about: config_vty_init()'s, or, while a
 * file is read, that of config_vty_read_into(). */
struct config *grammar_cfg(void);
/* Returns the one before. */
struct config *grammar_use(struct config *cfg);

/* CMD_SUCCESS, or CMD_WARNING_CONFIG_FAILED after saying diag. */
int grammar_result(struct vty *vty, int ret, const struct diag *diag);
/* Says it, and keeps it for the history of commands; returns -1. */
int grammar_error(struct vty *vty, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
const char *grammar_last_error(void); /* "" none since: */
void grammar_forget_error(void);
/* Enter the node of this object; interface "" but for edges. */
int grammar_enter(struct vty *vty, enum grammar_node node, const char *name,
		  const char *interface);

bool grammar_is_no(struct cmd_token *argv[]);
/* The argument at this position of the form without "no". */
const char *grammar_arg(struct cmd_token *argv[], int index);

/* 0, or -1 after saying what is wrong with the text. */
int grammar_prefix(struct vty *vty, const char *text, struct ip_prefix *p);
int grammar_addr(struct vty *vty, const char *text, struct ip_addr *addr);

/* Lines "what PREFIX"; true if there were any. */
int grammar_write_prefixes(struct vty *vty, const char *what, const struct ip_prefix *p,
			   size_t n);

/* The text of one object, as in `show running-config`. */
void config_router_write(struct vty *vty, const struct config_router *r);
void config_customer_write(struct vty *vty, const struct config_customer *c);
void config_edge_write(struct vty *vty, const struct config_edge *e);
void config_radius_client_write(struct vty *vty, const struct config_radius_client *c);
void config_radius_rule_write(struct vty *vty, const struct config_radius_rule *r);
/* What an edge says of RADIUS, as a part of the above. */
void config_radius_edge_write(struct vty *vty, const struct config_edge *e);

/* Of each mode but off, and of each role, in the order of their enums. */
#define EDGE_MODE_HELP                                                                    \
	"The customer's record only\n"                                                   \
	"What the router's best routes send back this way\n"                             \
	"As strict, as if directly learned routes won (RFC 3704 sec. 2.2)\n"             \
	"What the peers on this edge announce (RFC 3704 sec. 2.3)\n"                     \
	"Enhanced feasible path, algorithm A (RFC 8704 sec. 3.1.1)\n"                    \
	"Enhanced feasible path, algorithm B (RFC 8704 sec. 3.4)\n"                      \
	"Whatever any route leads to (RFC 3704 sec. 2.4)\n"                              \
	"As loose, but a default route does not count (RFC 3704 sec. 2.5)\n"             \
	"Provider link of a site: that provider's prefixes only\n"
#define EDGE_ROLE_HELP                                                                    \
	"A customer\nA single-homed customer\nDirectly connected hosts\n"                \
	"A lateral peer\nA transit provider\nOur own network\n"

#define ADDRESS_HELP "IPv4 address\nIPv6 address\n"
#define PREFIX_HELP  "IPv4 prefix\nIPv6 prefix\n"

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN(node, cmd) install_element((enum node_type)(node), &cmd)

/* Each file's nodes and commands. */
void config_global_vty_init(void);
void config_router_vty_init(void);
void config_customer_vty_init(void);
void config_edge_vty_init(void);
void config_radius_vty_init(void);
void config_radius_rule_vty_init(void);

#endif /* SAV_GRAMMAR_VTY_H */
