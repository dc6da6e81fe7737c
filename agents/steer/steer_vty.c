/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The providers of a site in configuration mode.
 */
#include "lib/frr_compat.h"

#include <netinet/in.h>

#include "command.h"
#include "memory.h"
#include "qobj.h"
#include "vty.h"

#include "agents/steer/reach_vty.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"
#include "agents/steer/watch_vty.h"
#include "lib/mem.h"

/* What the commands of the node are about. Kept for ever, one for each name ever
 * typed: a VTY may stay in the node of a provider that is gone. */
struct provider_place {
	struct provider_place *next;
	char name[PATH_NAME_SIZE];
	QOBJ_FIELDS;
};
DECLARE_QOBJ_TYPE(provider_place);
DEFINE_QOBJ_TYPE(provider_place);

static struct provider_place *places;

/* ---- provider ---- */

DEFUN_NOSH(provider_begin, provider_begin_cmd, "provider NAME",
	   "A provider of this site\nName of the provider\n")
{
	struct provider_place *place = places;
	struct diag diag;

	if (!site_provider_get(steer_site(), argv[1]->arg, &diag))
		return steer_vty_failed(vty, &diag);
	while (place && strcmp(place->name, argv[1]->arg) != 0)
		place = place->next;
	if (!place) {
		place = mem_alloc(sizeof(*place));
		snprintf(place->name, sizeof(place->name), "%s", argv[1]->arg);
		place->next = places;
		places = place;
		QOBJ_REG(place, provider_place);
	}
	steer_changed();
	VTY_PUSH_CONTEXT(PROVIDER_NODE_SAV, place);
	return CMD_SUCCESS;
}

DEFUN(no_provider, no_provider_cmd, "no provider NAME",
      NO_STR "A provider of this site\nName of the provider\n")
{
	struct diag diag;

	return steer_vty_done(vty, site_provider_del(steer_site(), argv[2]->arg, &diag), &diag);
}

static struct site_provider *current(struct vty *vty)
{
	const struct provider_place *place = VTY_GET_CONTEXT(provider_place);
	struct site_provider *p =
		place ? site_provider_find(steer_site(), place->name) : NULL;

	if (!p)
		vty_out(vty, "%% provider %s is gone: type \"exit\"\n",
			place ? place->name : "");
	return p;
}

/* In a function of a provider's command: p, or the end. */
#define PROVIDER(p)                                     \
	struct site_provider *p = current(vty);         \
                                                        \
	if (!p)                                         \
		return CMD_WARNING_CONFIG_FAILED

DEFUN(provider_number, provider_number_cmd, "number (1-63)",
      "Its number in tables and marks; given by itself\nThe number\n")
{
	struct diag diag;

	PROVIDER(p);
	return steer_vty_done(vty,
		    site_provider_number(steer_site(), p, steer_vty_number_after(argv, argc, "number"),
					 &diag),
		    &diag);
}

DEFUN(provider_prefix, provider_prefix_cmd, "[no] prefix <A.B.C.D/M|X:X::X:X/M>",
      NO_STR "Sources that this provider accepts\nIPv4 prefix\nIPv6 prefix\n")
{
	struct site_prefix prefix = { .source = SITE_STATIC };
	struct diag diag;

	PROVIDER(p);
	if (!steer_vty_parse_prefix(vty, argv[argc - 1]->arg, &prefix.prefix))
		return CMD_WARNING_CONFIG_FAILED;
	return steer_vty_done(vty, site_prefix(steer_site(), p, &prefix, !steer_vty_is_no(argv), &diag), &diag);
}

static bool take_link(struct vty *vty, const char *name, char out[FILTER_IFNAME_SIZE])
{
	if (strlen(name) < FILTER_IFNAME_SIZE) {
		snprintf(out, FILTER_IFNAME_SIZE, "%s", name);
		return true;
	}
	vty_out(vty, "%% %s is no name of an interface\n", name);
	return false;
}

#define FROM_HELP "Sources that this provider accepts\nAs they come\n"

DEFUN(provider_from_address, provider_from_address_cmd, "[no] prefix from address IFNAME",
      NO_STR FROM_HELP "The addresses of a link, by DHCP or SLAAC\nThe link\n")
{
	struct site_prefix prefix = { .source = SITE_ADDRESS };
	struct diag diag;

	PROVIDER(p);
	if (!take_link(vty, argv[argc - 1]->arg, prefix.link))
		return CMD_WARNING_CONFIG_FAILED;
	return steer_vty_done(vty, site_prefix(steer_site(), p, &prefix, !steer_vty_is_no(argv), &diag), &diag);
}

DEFUN(provider_from_delegation, provider_from_delegation_cmd,
      "[no] prefix from delegation IFNAME [within X:X::X:X/M]",
      NO_STR FROM_HELP "What a DHCPv6 client has been delegated\nThe link\n"
      "Only what lies within the provider's block\nThe block\n")
{
	struct site_prefix prefix = { .source = SITE_DELEGATION,
				      .prefix = ip_prefix_make(IP_V6, 0, 0) };
	const char *within = steer_vty_after(argv, argc, "within");
	struct diag diag;

	PROVIDER(p);
	if (!take_link(vty, steer_vty_after(argv, argc, "delegation"), prefix.link) ||
	    (within && !steer_vty_parse_prefix(vty, within, &prefix.prefix)))
		return CMD_WARNING_CONFIG_FAILED;
	return steer_vty_done(vty, site_prefix(steer_site(), p, &prefix, !steer_vty_is_no(argv), &diag), &diag);
}

/* The pair of words for both families; a missing word leaves it as it is. */
static void take_pair(struct cmd_token *argv[], int argc, const char *word, const char *word6,
		      bool has[IP_FAMILIES], struct ip_addr addr[IP_FAMILIES])
{
	const char *text[IP_FAMILIES] = { steer_vty_after(argv, argc, word), steer_vty_after(argv, argc, word6) };

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		has[f] = text[f] && ip_addr_parse(text[f], &addr[f]);
}

static int put_path(struct vty *vty, struct site_path *path, const char *name,
		    struct cmd_token *argv[], int argc)
{
	struct diag diag;

	PROVIDER(p);
	if (strlen(name) >= sizeof(path->name)) {
		vty_out(vty, "%% the name is too long\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	snprintf(path->name, sizeof(path->name), "%s", name);
	path->number = steer_vty_number_after(argv, argc, "number");
	path->preference = (uint8_t)steer_vty_number_after(argv, argc, "preference");
	return steer_vty_done(vty, site_path_put(steer_site(), p, path, &diag), &diag);
}

#define NUMBER_HELP                                                                   \
	"Its number in tables and marks; given by itself\nThe number\n"                \
	"The lowest that lives is taken\n100 of links and 200 of tunnels if not given\n"

#define LINK_HELP                                                                     \
	"A direct link to this provider\nIts interface\n"                              \
	"IPv4 gateway, if no default route by this interface names it\nThe gateway\n"  \
	"IPv6 gateway\nThe gateway\n" NUMBER_HELP
#define TUNNEL_HELP                                                                   \
	"A tunnel to this provider, over any provider's link\nIts name in sav-iked\n"  \
	"The link under it\nThe link's interface\n"                                    \
	"An IPv4 address at the far end, which answers probes\nThe address\n"          \
	"An IPv6 address at the far end\nThe address\n"                                \
	"The interface of a tunnel that is not sav-iked's\nThe interface\n" NUMBER_HELP

DEFUN(provider_link, provider_link_cmd,
      "link IFNAME [{gateway A.B.C.D|gateway6 X:X::X:X|number (1-63)|preference (1-255)}]",
      LINK_HELP)
{
	struct site_path path = { .kind = PATH_LINK };

	take_pair(argv, argc, "gateway", "gateway6", path.has_gateway, path.gateway);
	return put_path(vty, &path, argv[1]->arg, argv, argc);
}

DEFUN(provider_tunnel, provider_tunnel_cmd,
      "tunnel NAME via IFNAME [{head A.B.C.D|head6 X:X::X:X|device IFNAME|number (1-63)|preference (1-255)}]",
      TUNNEL_HELP)
{
	struct site_path path = { .kind = PATH_TUNNEL };
	const char *device = steer_vty_after(argv, argc, "device");

	take_pair(argv, argc, "head", "head6", path.has_head, path.head);
	snprintf(path.via, sizeof(path.via), "%s", argv[3]->arg);
	if (device && !take_link(vty, device, path.device))
		return CMD_WARNING_CONFIG_FAILED;
	return put_path(vty, &path, argv[1]->arg, argv, argc);
}

DEFUN(no_provider_link, no_provider_link_cmd, "no link IFNAME [{gateway A.B.C.D|gateway6 X:X::X:X|number (1-63)|preference (1-255)}]",
      NO_STR LINK_HELP)
{
	struct diag diag;

	PROVIDER(p);
	return steer_vty_done(vty, site_path_del(steer_site(), p, PATH_LINK, argv[2]->arg, &diag), &diag);
}

DEFUN(no_provider_tunnel, no_provider_tunnel_cmd,
      "no tunnel NAME [via IFNAME [{head A.B.C.D|head6 X:X::X:X|device IFNAME|number (1-63)|preference (1-255)}]]",
      NO_STR TUNNEL_HELP)
{
	struct diag diag;

	PROVIDER(p);
	return steer_vty_done(vty, site_path_del(steer_site(), p, PATH_TUNNEL, argv[2]->arg, &diag),
		    &diag);
}

/* ---- translation ---- */

#define NAT_HELP "Private sources are translated to this provider's address\n"

DEFUN(provider_nat, provider_nat_cmd, "nat [to <A.B.C.D|X:X::X:X>]",
      NAT_HELP "Not to the link's address, but to another one\nIPv4 address\nIPv6 address\n")
{
	const char *text = steer_vty_after(argv, argc, "to");
	struct ip_addr to;
	struct diag diag;
	int rc = 0;

	PROVIDER(p);
	if (text && ip_addr_parse(text, &to))
		rc = site_nat_to(steer_site(), p, &to, &diag);
	else
		p->nat = true;
	return steer_vty_done(vty, rc, &diag);
}

DEFUN(no_provider_nat, no_provider_nat_cmd, "no nat [to <A.B.C.D|X:X::X:X>]",
      NO_STR NAT_HELP "Not to another address\nIPv4 address\nIPv6 address\n")
{
	const char *text = steer_vty_after(argv, argc, "to");
	struct ip_addr to;

	PROVIDER(p);
	if (text && ip_addr_parse(text, &to)) {
		p->has_nat_to[to.family] = false;
		return steer_vty_done(vty, 0, NULL);
	}
	p->nat = p->has_nat_to[IP_V4] = p->has_nat_to[IP_V6] = false;
	return steer_vty_done(vty, 0, NULL);
}

static void take_forward(struct cmd_token *argv[], int argc, struct site_forward *f)
{
	const char *to = steer_vty_after(argv, argc, "to");
	int at = 0;

	f->protocol = argv_find(argv, argc, "tcp", &at) ? IPPROTO_TCP : IPPROTO_UDP;
	at = 0;
	argv_find(argv, argc, "port-forward", &at);
	f->port = (uint16_t)strtoul(argv[at + 2]->arg, NULL, 10);
	f->to_port = (uint16_t)steer_vty_number_after(argv, argc, "port");
	if (f->to_port == 0)
		f->to_port = f->port;
	if (to)
		ip_addr_parse(to, &f->to);
}

#define FORWARD_HELP \
	"A port of this provider's address leads to a host inside\nTCP\nUDP\nThe port\n"

DEFUN(provider_forward, provider_forward_cmd,
      "port-forward <tcp|udp> (1-65535) to <A.B.C.D|X:X::X:X> [port (1-65535)]",
      FORWARD_HELP "The host\nIPv4 address\nIPv6 address\nAnother port there\nThe port\n")
{
	struct site_forward f = { 0 };
	struct diag diag;

	PROVIDER(p);
	take_forward(argv, argc, &f);
	return steer_vty_done(vty, site_forward(steer_site(), p, &f, true, &diag), &diag);
}

DEFUN(no_provider_forward, no_provider_forward_cmd,
      "no port-forward <tcp|udp> (1-65535) to <A.B.C.D|X:X::X:X> [port (1-65535)]",
      NO_STR FORWARD_HELP
      "The host\nIPv4 address\nIPv6 address\nAnother port there\nThe port\n")
{
	struct site_forward f = { 0 };
	struct diag diag;

	PROVIDER(p);
	take_forward(argv, argc, &f);
	return steer_vty_done(vty, site_forward(steer_site(), p, &f, false, &diag), &diag);
}

/* ---- nodes ---- */

static struct cmd_node provider_node = {
	.name = "provider",
	.node = (enum node_type)PROVIDER_NODE_SAV,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-provider)# ",
	.config_write = steer_write_providers,
};

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN_PROVIDER(cmd) install_element((enum node_type)PROVIDER_NODE_SAV, &cmd)

static void install_provider(void)
{
	install_node(&provider_node);
	install_default((enum node_type)PROVIDER_NODE_SAV);
	install_element(CONFIG_NODE, &provider_begin_cmd);
	install_element(CONFIG_NODE, &no_provider_cmd);
	IN_PROVIDER(provider_number_cmd);
	IN_PROVIDER(provider_prefix_cmd);
	IN_PROVIDER(provider_from_address_cmd);
	IN_PROVIDER(provider_from_delegation_cmd);
	IN_PROVIDER(provider_link_cmd);
	IN_PROVIDER(no_provider_link_cmd);
	IN_PROVIDER(provider_tunnel_cmd);
	IN_PROVIDER(no_provider_tunnel_cmd);
	IN_PROVIDER(provider_nat_cmd);
	IN_PROVIDER(no_provider_nat_cmd);
	IN_PROVIDER(provider_forward_cmd);
	IN_PROVIDER(no_provider_forward_cmd);
	watch_vty_init(current, steer_changed);
}

void steer_vty_init(void)
{
	/* libfrr writes nodes in the order of their numbers: providers, then what
	 * names one */
	install_provider();
	site_vty_init();
	reach_vty_init();
	steer_show_vty_init();
}
