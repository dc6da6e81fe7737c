/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * shelld - a libfrr daemon with nothing behind its command line: what savsh is
 * tested against. Its nodes have the shape of savd's, or with --agent that of
 * sav-agent's; "interface" is a node of both.
 */
#include "lib/frr_compat.h"

#include "command.h"
#include "libfrr.h"
#include "memory.h"
#include "prefix.h"
#include "privs.h"
#include "sigevent.h"
#include "version.h"
#include "vty.h"

#include "lib/shell_vty.h"

/* libfrr has no slots for others' nodes, but its tables grow. */
#define EDGE_NODE ((enum node_type)(NODE_TYPE_MAX + 1))
#define BRAKE_NODE ((enum node_type)(NODE_TYPE_MAX + 2))
#define PROVIDER_NODE ((enum node_type)(NODE_TYPE_MAX + 3))
#define IFACE_NODE ((enum node_type)(NODE_TYPE_MAX + 4))

/* libfrr counts its own long options from 1000. */
enum { OPTION_VTY_PATH = 2000, OPTION_AGENT };

static const struct option long_options[] = {
	{ "vty-path", required_argument, NULL, OPTION_VTY_PATH },
	{ "agent", no_argument, NULL, OPTION_AGENT },
	{ 0 },
};

static bool is_agent;
static char edge_name[128] = "-", edge_mode[32] = "off";
static char interface_name[64] = "-";

static void terminate(void)
{
	frr_fini();
	exit(0);
}

static struct frr_signal_t handlers[] = {
	{ .signal = SIGINT, .handler = terminate },
	{ .signal = SIGTERM, .handler = terminate },
};

/* Stays whoever started it: it needs no privileges. */
static struct zebra_privs_t privs = { .cap_num_p = 0 };

FRR_DAEMON_INFO(shelld, SHELL, .proghelp = "test daemon of savsh",
		.flags = FRR_NO_SPLIT_CONFIG | FRR_NO_TCPVTY | FRR_NO_ZCLIENT,
		.signals = handlers, .n_signals = array_size(handlers), .privs = &privs, );

static int edge_config_write(struct vty *vty)
{
	vty_out(vty, "edge %s\n mode %s\nexit\n", edge_name, edge_mode);
	return 1;
}

static int iface_config_write(struct vty *vty)
{
	vty_out(vty, "interface %s\nexit\n", interface_name);
	return 1;
}

static struct cmd_node edge_node = {
	.name = "edge",
	.node = EDGE_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-edge)# ",
	.config_write = edge_config_write,
};
static struct cmd_node brake_node = {
	.name = "brake",
	.node = BRAKE_NODE,
	.parent_node = EDGE_NODE,
	.prompt = "%s(config-edge-brake)# ",
};
static struct cmd_node provider_node = {
	.name = "provider",
	.node = PROVIDER_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-provider)# ",
};
static struct cmd_node iface_node = {
	.name = "interface",
	.node = IFACE_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-if)# ",
	.config_write = iface_config_write,
};

/* ---- commands of both */

DEFUN(show_long, show_long_cmd, "show long (1-10000000)", SHOW_STR "Many lines\nHow many\n")
{
	int i, n = atoi(argv[2]->arg);

	for (i = 1; i <= n; i++)
		vty_out(vty, "line %07d of a long answer that is to fill the socket\n", i);
	return CMD_SUCCESS;
}

DEFUN(show_control, show_control_cmd, "show control", SHOW_STR "Control characters\n")
{
	vty_out(vty, "bad \033[31mred\007 \302\233end \303\244\n");
	return CMD_SUCCESS;
}

DEFUN(fail, fail_cmd, "fail [<silently|config>]",
      "Fail\n"
      "Without a word\n"
      "As a configuration command\n")
{
	if (argc > 1 && argv[1]->arg[0] == 's')
		return CMD_WARNING;
	vty_out(vty, "%% it went wrong, as asked\n");
	return argc > 1 ? CMD_WARNING_CONFIG_FAILED : CMD_WARNING;
}

DEFUN(echo_line, echo_line_cmd, "say LINE...", "Print a text\nText\n")
{
	char *text = argv_concat(argv, argc, 1);

	vty_out(vty, "%s\n", text);
	XFREE(MTYPE_TMP, text);
	return CMD_SUCCESS;
}

DEFUN(hang, hang_cmd, "hang (1-60)", "Answer late\nSeconds\n")
{
	sleep(atoi(argv[1]->arg));
	vty_out(vty, "back\n");
	return CMD_SUCCESS;
}

DEFUN(die, die_cmd, "die", "Die while the shell waits\n")
{
	_exit(0);
}

DEFUN(key, key_cmd, "secret WORD", "Take a secret\nIt\n")
{
	return CMD_SUCCESS;
}

DEFUN(iface, iface_cmd, "interface IFNAME", "Configure an interface\nIts name\n")
{
	strlcpy(interface_name, argv[1]->arg, sizeof(interface_name));
	vty->node = IFACE_NODE;
	return CMD_SUCCESS;
}

DEFUN(iface_mtu, iface_mtu_cmd, "mtu (68-65535)", "Largest packet\nBytes\n")
{
	vty_out(vty, "%s: mtu of %s\n", is_agent ? "agent" : "controller", interface_name);
	return CMD_SUCCESS;
}

/* ---- of the controller */

DEFUN(show_edges, show_edges_cmd, "show edges [json]",
      SHOW_STR
      "Edges and their sets\n"
      "As JSON\n")
{
	if (argc > 2)
		vty_out(vty, "{\"edges\":[]}\n");
	else
		vty_out(vty, "edge %s mode %s\n", edge_name, edge_mode);
	return CMD_SUCCESS;
}

DEFUN(show_edge, show_edge_cmd, "show edge WORD", SHOW_STR "One edge\nIts name\n")
{
	return CMD_SUCCESS;
}

DEFUN(edge, edge_cmd, "edge ROUTER INTERFACE",
      "Configure an edge\n"
      "Router\n"
      "Interface\n")
{
	snprintf(edge_name, sizeof(edge_name), "%s %s", argv[1]->arg, argv[2]->arg);
	vty->node = EDGE_NODE;
	return CMD_SUCCESS;
}

DEFUN(own_prefix, own_prefix_cmd, "own-prefix <A.B.C.D/M|X:X::X:X/M>",
      "Prefix of this network\n"
      "IPv4 prefix\n"
      "IPv6 prefix\n")
{
	return CMD_SUCCESS;
}

DEFUN(mode, mode_cmd, "mode <acl|strict|feasible|off>",
      "What the edge accepts\n"
      "Prefixes of the customer's record\n"
      "By the FIB\n"
      "By what the peers announce\n"
      "Everything\n")
{
	strlcpy(edge_mode, argv[1]->text, sizeof(edge_mode));
	return CMD_SUCCESS;
}

DEFUN(customer, customer_cmd, "customer WORD$customer", "Whose edge it is\nName\n")
{
	return CMD_SUCCESS;
}

DEFUN(brake, brake_cmd, "brake", "Limits of change\n")
{
	vty->node = BRAKE_NODE;
	return CMD_SUCCESS;
}

DEFUN(shrink, shrink_cmd, "shrink (1-100)", "Largest loss\nPercent\n")
{
	return CMD_SUCCESS;
}

static void customer_names(vector out, struct cmd_token *token)
{
	static const char *const names[] = { "alpha", "alpine", "beta" };
	size_t i;

	for (i = 0; i < array_size(names); i++)
		vector_set(out, XSTRDUP(MTYPE_COMPLETION, names[i]));
}

static const struct cmd_variable_handler values[] = {
	{ .varname = "customer", .completions = customer_names },
	{ .completions = NULL },
};

/* ---- of the agent */

DEFUN(show_links, show_links_cmd, "show links", SHOW_STR "Links to providers\n")
{
	vty_out(vty, "link wan0 up\n");
	return CMD_SUCCESS;
}

DEFUN(provider, provider_cmd, "provider NAME", "Configure a provider\nName\n")
{
	vty->node = PROVIDER_NODE;
	return CMD_SUCCESS;
}

DEFUN(provider_link, provider_link_cmd, "link IFNAME", "Link to the provider\nInterface\n")
{
	return CMD_SUCCESS;
}

static void install_common(void)
{
	install_element(VIEW_NODE, &show_long_cmd);
	install_element(VIEW_NODE, &show_control_cmd);
	install_element(VIEW_NODE, &fail_cmd);
	install_element(VIEW_NODE, &echo_line_cmd);
	install_element(VIEW_NODE, &hang_cmd);
	install_element(VIEW_NODE, &die_cmd);
	install_element(CONFIG_NODE, &key_cmd);
	install_element(CONFIG_NODE, &fail_cmd);
	install_node(&iface_node);
	install_default(IFACE_NODE);
	install_element(CONFIG_NODE, &iface_cmd);
	install_element(IFACE_NODE, &iface_mtu_cmd);
}

static void install_controller(void)
{
	install_node(&edge_node);
	install_default(EDGE_NODE);
	install_node(&brake_node);
	install_default(BRAKE_NODE);
	install_element(VIEW_NODE, &show_edges_cmd);
	install_element(VIEW_NODE, &show_edge_cmd);
	install_element(CONFIG_NODE, &edge_cmd);
	install_element(CONFIG_NODE, &own_prefix_cmd);
	install_element(EDGE_NODE, &mode_cmd);
	install_element(EDGE_NODE, &customer_cmd);
	install_element(EDGE_NODE, &brake_cmd);
	install_element(BRAKE_NODE, &shrink_cmd);
	cmd_variable_handler_register(values);
}

static void install_agent(void)
{
	install_node(&provider_node);
	install_default(PROVIDER_NODE);
	install_element(VIEW_NODE, &show_links_cmd);
	install_element(CONFIG_NODE, &provider_cmd);
	install_element(PROVIDER_NODE, &provider_link_cmd);
}

int main(int argc, char **argv)
{
	struct event_loop *loop;
	int option;

	frr_preinit(&shelld_di, argc, argv);
	frr_opt_add("", long_options,
		    "      --vty-path     path of the VTY socket\n"
		    "      --agent        have the agent's commands\n");
	while ((option = frr_getopt(argc, argv, NULL)) != EOF) {
		if (option == OPTION_VTY_PATH)
			shelld_di.vty_path = optarg;
		else if (option == OPTION_AGENT)
			is_agent = true;
		else if (option)
			frr_help_exit(1);
	}
	loop = frr_init();
	shell_vty_init(); /* before the nodes: it must find them all the same */
	cmd_hostname_set(is_agent ? "r1" : "ctl");
	install_common();
	if (is_agent)
		install_agent();
	else
		install_controller();
	frr_config_fork();
	frr_run(loop);
	return 0;
}
