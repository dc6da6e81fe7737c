/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

static int take_listen(struct vty *vty, struct cmd_token *argv[], int addr_at,
		       struct config_listen *l)
{
	*l = (struct config_listen){ 0 };
	if (grammar_addr(vty, grammar_arg(argv, addr_at), &l->addr) < 0)
		return -1;
	l->port = (uint16_t)strtoul(grammar_arg(argv, addr_at + 2), NULL, 10);
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
	return grammar_result(
		vty,
		config_bmp_listen_set(grammar_cfg(), &l, !grammar_is_no(argv), &diag),
		&diag);
}

static int take_allow(struct vty *vty, const char *prefix, struct config_bmp_allow *a)
{
	*a = (struct config_bmp_allow){ 0 };
	return grammar_prefix(vty, prefix, &a->prefix);
}

DEFUN (feed_bmp_allow,
       feed_bmp_allow_cmd,
       "feed bmp allow <A.B.C.D/M|X:X::X:X/M> [password WORD]",
       "Routing information feeds\n"
       "BGP Monitoring Protocol (RFC 7854)\n"
       "Let only these connect, and the routers' own \"bmp source\"\n"
       PREFIX_HELP
       "They have to sign their packets (TCP MD5, RFC 2385)\n"
       "The password\n")
{
	struct config_bmp_allow a;
	struct diag diag;

	if (take_allow(vty, argv[3]->arg, &a) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	if (argc > 5 && strlen(argv[5]->arg) >= sizeof(a.password)) {
		diag_set(&diag, "a password has at most %d characters",
			 CONFIG_BMP_PASSWORD_SIZE - 1);
		return grammar_result(vty, -1, &diag);
	}
	if (argc > 5)
		snprintf(a.password, sizeof(a.password), "%s", argv[5]->arg);
	return grammar_result(vty, config_bmp_allow_set(grammar_cfg(), &a, true, &diag),
			      &diag);
}

DEFUN (no_feed_bmp_allow,
       no_feed_bmp_allow_cmd,
       "no feed bmp allow <A.B.C.D/M|X:X::X:X/M> [password WORD]",
       NO_STR
       "Routing information feeds\n"
       "BGP Monitoring Protocol (RFC 7854)\n"
       "Let only these connect; without any such line, everybody\n"
       PREFIX_HELP
       "They have to sign their packets (TCP MD5, RFC 2385)\n"
       "The password\n")
{
	struct config_bmp_allow a;
	struct diag diag;

	if (take_allow(vty, argv[4]->arg, &a) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return grammar_result(vty, config_bmp_allow_set(grammar_cfg(), &a, false, &diag),
			      &diag);
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
	return grammar_result(
		vty,
		config_agent_listen_set(grammar_cfg(), &l, !grammar_is_no(argv), &diag),
		&diag);
}

static config_vty_listen_fn *on_metrics_listen;

void config_vty_on_metrics_listen(config_vty_listen_fn *fn)
{
	on_metrics_listen = fn;
}

DEFUN (metrics_listen,
       metrics_listen_cmd,
       "[no] metrics listen <A.B.C.D|X:X::X:X> port (1-65535)",
       NO_STR
       "Numbers for Prometheus, over HTTP\n"
       "Answer GET /metrics on this address; best a loopback address\n"
       ADDRESS_HELP
       "TCP port\n"
       "TCP port number\n")
{
	struct config_listen l;
	struct diag diag;

	if (take_listen(vty, argv, 2, &l) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	if (config_metrics_listen_set(grammar_cfg(), &l, !grammar_is_no(argv), &diag) < 0)
		return grammar_result(vty, -1, &diag);
	if (on_metrics_listen && !grammar_is_no(argv))
		on_metrics_listen(vty, &l);
	return CMD_SUCCESS;
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

	if (grammar_prefix(vty, grammar_arg(argv, 1), &p) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return grammar_result(
		vty, config_own_set(grammar_cfg(), &p, !grammar_is_no(argv), &diag),
		&diag);
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

	if (grammar_prefix(vty, grammar_arg(argv, 2), &p) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return grammar_result(
		vty, config_permit_set(grammar_cfg(), &p, !grammar_is_no(argv), &diag),
		&diag);
}

static int write_listens(struct vty *vty, const char *what, const struct config_listen *l,
			 size_t n)
{
	char addr[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		vty_out(vty, "%s listen %s port %u\n", what,
			ip_addr_format(&l[i].addr, addr), l[i].port);
	return n != 0;
}

static int write_allows(struct vty *vty, const struct config *cfg)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < cfg->n_bmp_allows; i++) {
		const struct config_bmp_allow *a = &cfg->bmp_allows[i];

		vty_out(vty, "feed bmp allow %s%s%s\n", ip_prefix_format(&a->prefix, text),
			a->password[0] ? " password " : "", a->password);
	}
	return cfg->n_bmp_allows != 0;
}

static int set_max_paths(struct vty *vty, const char *text)
{
	uint32_t max_paths = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
	struct diag diag;

	return grammar_result(vty, config_max_paths_set(grammar_cfg(), max_paths, &diag),
			      &diag);
}

DEFUN (feed_max_paths,
       feed_max_paths_cmd,
       "feed max-paths (1000-1000000000)",
       "Routing information feeds\n"
       "Paths of one BGP neighbor that are kept; what it sends beyond is left out\n"
       "Number of paths\n")
{
	return set_max_paths(vty, argv[2]->arg);
}

DEFUN (no_feed_max_paths,
       no_feed_max_paths_cmd,
       "no feed max-paths [(1000-1000000000)]",
       NO_STR
       "Routing information feeds\n"
       "Back to 5000000 paths of one BGP neighbor\n"
       "Number of paths\n")
{
	return set_max_paths(vty, NULL);
}

static int write_max_paths(struct vty *vty, const struct config *cfg)
{
	if (cfg->max_paths != 0)
		vty_out(vty, "feed max-paths %u\n", cfg->max_paths);
	return cfg->max_paths != 0;
}

#define HISTORY_HELP "How much of the past is kept: commands, filters, events\n"

/* 0: back to the default. */
static int set_history(struct vty *vty, uint32_t *value, struct config_history *h,
		       const char *text)
{
	struct diag diag;

	*value = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
	return grammar_result(vty, config_history_set(grammar_cfg(), h, &diag), &diag);
}

DEFUN (history_days,
       history_days_cmd,
       "history days (1-3650)",
       HISTORY_HELP
       "Nothing that is older, but what a filter was at that time\n"
       "Days\n")
{
	struct config_history h = grammar_cfg()->history;

	return set_history(vty, &h.days, &h, argv[2]->arg);
}

DEFUN (no_history_days,
       no_history_days_cmd,
       "no history days [(1-3650)]",
       NO_STR
       HISTORY_HELP
       "Back to 30 days\n"
       "Days\n")
{
	struct config_history h = grammar_cfg()->history;

	return set_history(vty, &h.days, &h, NULL);
}

DEFUN (history_megabytes,
       history_megabytes_cmd,
       "history megabytes (1-1048576)",
       HISTORY_HELP
       "No more than this much of the database\n"
       "Megabytes\n")
{
	struct config_history h = grammar_cfg()->history;

	return set_history(vty, &h.megabytes, &h, argv[2]->arg);
}

DEFUN (no_history_megabytes,
       no_history_megabytes_cmd,
       "no history megabytes [(1-1048576)]",
       NO_STR
       HISTORY_HELP
       "Back to 512 megabytes\n"
       "Megabytes\n")
{
	struct config_history h = grammar_cfg()->history;

	return set_history(vty, &h.megabytes, &h, NULL);
}

static int write_history(struct vty *vty, const struct config_history *h)
{
	if (h->days != 0)
		vty_out(vty, "history days %u\n", h->days);
	if (h->megabytes != 0)
		vty_out(vty, "history megabytes %u\n", h->megabytes);
	return h->days != 0 || h->megabytes != 0;
}

static int write_top(struct vty *vty)
{
	const struct config *cfg = grammar_cfg();
	int wrote =
		write_listens(vty, "feed bmp", cfg->bmp_listens, cfg->n_bmp_listens) |
		write_allows(vty, cfg) | write_max_paths(vty, cfg) |
		write_listens(vty, "agent", cfg->agent_listens, cfg->n_agent_listens) |
		write_listens(vty, "metrics", cfg->metrics_listens,
			      cfg->n_metrics_listens) |
		grammar_write_prefixes(vty, "own-prefix", cfg->own, cfg->n_own) |
		grammar_write_prefixes(vty, "special-purpose permit", cfg->permits,
				       cfg->n_permits);

	wrote |= write_history(vty, &cfg->history);
	if (wrote)
		vty_out(vty, "!\n");
	return wrote;
}

static struct cmd_node listen_node = {
	.name = "opensav",
	.node = (enum node_type)LISTEN_NODE,
	.prompt = "",
	.config_write = write_top,
};

void config_global_vty_init(void)
{
	install_node(&listen_node);
	IN(CONFIG_NODE, feed_bmp_listen_cmd);
	IN(CONFIG_NODE, feed_bmp_allow_cmd);
	IN(CONFIG_NODE, no_feed_bmp_allow_cmd);
	IN(CONFIG_NODE, feed_max_paths_cmd);
	IN(CONFIG_NODE, no_feed_max_paths_cmd);
	IN(CONFIG_NODE, agent_listen_cmd);
	IN(CONFIG_NODE, metrics_listen_cmd);
	IN(CONFIG_NODE, own_prefix_cmd);
	IN(CONFIG_NODE, special_purpose_permit_cmd);
	IN(CONFIG_NODE, history_days_cmd);
	IN(CONFIG_NODE, no_history_days_cmd);
	IN(CONFIG_NODE, history_megabytes_cmd);
	IN(CONFIG_NODE, no_history_megabytes_cmd);
}
