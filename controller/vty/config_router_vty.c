/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

DEFUN_NOSH (router,
       router_cmd,
       "router NAME",
       "A router that runs an agent or feeds routes\n"
       "Its name: the host name that its BMP carries, and its agent's\n")
{
	struct config_router r = { 0 };
	struct diag diag;

	if (!config_router_find(grammar_cfg(), argv[1]->arg)) {
		snprintf(r.name, sizeof(r.name), "%s", argv[1]->arg);
		if (strlen(argv[1]->arg) >= sizeof(r.name))
			r.name[0] = '\0'; /* told as not valid */
		if (config_router_put(grammar_cfg(), &r, &diag) < 0)
			return grammar_result(vty, -1, &diag);
	}
	return grammar_enter(vty, ROUTER_NODE, argv[1]->arg, "");
}

DEFUN (no_router,
       no_router_cmd,
       "no router NAME",
       NO_STR
       "A router\n"
       "Its name\n")
{
	struct diag diag;

	return grammar_result(vty, config_router_del(grammar_cfg(), argv[2]->arg, &diag),
			      &diag);
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
	const struct config_router *old = config_router_find(grammar_cfg(), p->name);
	struct config_router new;
	struct ip_addr addr;
	struct diag diag;
	int ret;

	if (!old)
		return grammar_result(
			vty, diag_set(&diag, "router %s is gone: type \"exit\"", p->name),
			&diag);
	if (grammar_addr(vty, grammar_arg(argv, 2), &addr) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	config_router_copy(&new, old);
	config_addrs_set(&new.bmp_sources, &new.n_bmp_sources, &addr,
			 !grammar_is_no(argv));
	ret = config_router_put(grammar_cfg(), &new, &diag);
	config_router_fini(&new);
	return grammar_result(vty, ret, &diag);
}

/* A copy of the router of this node to change; false: said why. */
static bool router_edit(struct vty *vty, struct config_router *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_router *r = config_router_find(grammar_cfg(), p->name);

	if (r)
		config_router_copy(copy, r);
	else
		grammar_error(vty, "router %s is gone: type \"exit\"", p->name);
	return r != NULL;
}

static int router_done(struct vty *vty, struct config_router *copy)
{
	struct diag diag;
	int ret = config_router_put(grammar_cfg(), copy, &diag);

	config_router_fini(copy);
	return grammar_result(vty, ret, &diag);
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

	if (grammar_addr(vty, argv[2]->arg, &addr) < 0 || !router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bgp.addr = addr;
	r.bgp.as = (uint32_t)strtoul(argv[4]->arg, NULL, 10);
	r.bgp.port =
		argc > 6 ? (uint16_t)strtoul(argv[6]->arg, NULL, 10) : CONFIG_BGP_PORT;
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
		return grammar_result(vty,
				      diag_set(&diag,
					       "a bgp password has at most %d characters",
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

/* ---- what is expected of the router's feeds ---- */

DEFUN (router_bmp_stats,
       router_bmp_stats_cmd,
       "bmp stats-interval (1-86400)",
       "BGP Monitoring Protocol\n"
       "How often this router reports statistics, as its \"bmp stats interval\" says\n"
       "Seconds: after three of them in silence its BMP is not relied on\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bmp_stats_s = (uint32_t)strtoul(argv[2]->arg, NULL, 10);
	return router_done(vty, &r);
}

DEFUN (no_router_bmp_stats,
       no_router_bmp_stats_cmd,
       "no bmp stats-interval [(1-86400)]",
       NO_STR
       "BGP Monitoring Protocol\n"
       "Any silence is taken for quiet\n"
       "Seconds\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.bmp_stats_s = 0;
	return router_done(vty, &r);
}

DEFUN (router_bmp_redump,
       router_bmp_redump_cmd,
       "bmp redump-interval (600-2592000)",
       "BGP Monitoring Protocol\n"
       "Ask for the whole table again, though nothing seems wrong\n"
       "Seconds\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.redump_s = (uint32_t)strtoul(argv[2]->arg, NULL, 10);
	return router_done(vty, &r);
}

DEFUN (no_router_bmp_redump,
       no_router_bmp_redump_cmd,
       "no bmp redump-interval [(600-2592000)]",
       NO_STR
       "BGP Monitoring Protocol\n"
       "Ask for the table only where there is a reason\n"
       "Seconds\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.redump_s = 0;
	return router_done(vty, &r);
}

#define EXCLUDE_HELP "What no edge waits for; what comes from there counts all the same\n"

DEFUN (router_exclude_peer,
       router_exclude_peer_cmd,
       "[no] exclude peer <A.B.C.D|X:X::X:X>",
       NO_STR
       EXCLUDE_HELP
       "A BGP peer of this router that is known to be down\n"
       ADDRESS_HELP)
{
	struct config_router r;
	struct ip_addr addr;

	if (grammar_addr(vty, grammar_arg(argv, 2), &addr) < 0 || !router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	config_addrs_set(&r.excluded, &r.n_excluded, &addr, !grammar_is_no(argv));
	return router_done(vty, &r);
}

DEFUN (router_exclude_bgp,
       router_exclude_bgp_cmd,
       "[no] exclude bgp",
       NO_STR
       EXCLUDE_HELP
       "This router's BGP as a whole: it has none, or no feed of it\n")
{
	struct config_router r;

	if (!router_edit(vty, &r))
		return CMD_WARNING_CONFIG_FAILED;
	r.exclude_bgp = !grammar_is_no(argv);
	return router_done(vty, &r);
}

static void write_feeds(struct vty *vty, const struct config_router *r)
{
	char text[IP_TEXT_SIZE];

	if (r->bmp_stats_s != 0)
		vty_out(vty, " bmp stats-interval %u\n", r->bmp_stats_s);
	if (r->redump_s != 0)
		vty_out(vty, " bmp redump-interval %u\n", r->redump_s);
	if (r->exclude_bgp)
		vty_out(vty, " exclude bgp\n");
	for (size_t i = 0; i < r->n_excluded; i++)
		vty_out(vty, " exclude peer %s\n", ip_addr_format(&r->excluded[i], text));
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

void config_router_write(struct vty *vty, const struct config_router *r)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "router %s\n", r->name);
	for (size_t i = 0; i < r->n_bmp_sources; i++)
		vty_out(vty, " bmp source %s\n",
			ip_addr_format(&r->bmp_sources[i], text));
	write_feeds(vty, r);
	write_bgp(vty, &r->bgp);
	vty_out(vty, "exit\n!\n");
}

static int write_routers(struct vty *vty)
{
	for (size_t i = 0; i < grammar_cfg()->n_routers; i++)
		config_router_write(vty, &grammar_cfg()->routers[i]);
	return grammar_cfg()->n_routers != 0;
}

static struct cmd_node router_node = {
	.name = "router",
	.node = (enum node_type)ROUTER_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-router)# ",
	.config_write = write_routers,
};

void config_router_vty_init(void)
{
	install_node(&router_node);
	install_default((enum node_type)ROUTER_NODE);
	IN(CONFIG_NODE, router_cmd);
	IN(CONFIG_NODE, no_router_cmd);
	IN(ROUTER_NODE, router_bmp_source_cmd);
	IN(ROUTER_NODE, router_bmp_stats_cmd);
	IN(ROUTER_NODE, no_router_bmp_stats_cmd);
	IN(ROUTER_NODE, router_bmp_redump_cmd);
	IN(ROUTER_NODE, no_router_bmp_redump_cmd);
	IN(ROUTER_NODE, router_exclude_peer_cmd);
	IN(ROUTER_NODE, router_exclude_bgp_cmd);
	IN(ROUTER_NODE, router_bgp_neighbor_cmd);
	IN(ROUTER_NODE, no_router_bgp_neighbor_cmd);
	IN(ROUTER_NODE, router_bgp_password_cmd);
	IN(ROUTER_NODE, no_router_bgp_password_cmd);
}
