/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The site itself in configuration mode, and what its commands share with the
 * providers'.
 */
#include "lib/frr_compat.h"

#include "command.h"
#include "vty.h"

#include "agents/steer/bfd_key.h"
#include "agents/steer/reach_vty.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"

/* ---- shared ---- */

int steer_vty_failed(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

int steer_vty_done(struct vty *vty, int rc, const struct diag *diag)
{
	if (rc < 0)
		return steer_vty_failed(vty, diag);
	steer_changed();
	return CMD_SUCCESS;
}

bool steer_vty_is_no(struct cmd_token *argv[])
{
	return strcmp(argv[0]->text, "no") == 0;
}

const char *steer_vty_after(struct cmd_token *argv[], int argc, const char *word)
{
	int at = 0;

	return argv_find(argv, argc, word, &at) && at + 1 < argc ? argv[at + 1]->arg : NULL;
}

uint32_t steer_vty_number_after(struct cmd_token *argv[], int argc, const char *word)
{
	const char *text = steer_vty_after(argv, argc, word);

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

bool steer_vty_parse_prefix(struct vty *vty, const char *text, struct ip_prefix *p)
{
	char right[IP_TEXT_SIZE];

	switch (ip_prefix_parse(text, p)) {
	case IP_PARSE_OK:
		return true;
	case IP_PARSE_HOST_BITS:
		vty_out(vty, "%% %s has host bits set; did you mean %s?\n", text,
			ip_prefix_format(p, right));
		return false;
	case IP_PARSE_SYNTAX:
		break;
	}
	vty_out(vty, "%% %s is no prefix\n", text);
	return false;
}

/* ---- site ---- */

DEFUN_NOSH(site_begin, site_begin_cmd, "site", "A site behind several providers\n")
{
	vty->node = (enum node_type)SITE_NODE_SAV;
	return CMD_SUCCESS;
}

DEFUN(site_inside_if, site_inside_cmd, "[no] inside IFNAME",
      NO_STR "Packets that enter here are steered by their source\nInterface\n")
{
	struct diag diag;
	int rc = site_inside(steer_site(), argv[argc - 1]->arg, !steer_vty_is_no(argv), &diag);

	return steer_vty_done(vty, rc, &diag);
}

DEFUN(site_private_prefix, site_private_cmd, "[no] private <A.B.C.D/M|X:X::X:X/M>",
      NO_STR "Inside sources that providers translate; RFC 1918 and ULA if none is given\n"
	     "IPv4 prefix\nIPv6 prefix\n")
{
	struct ip_prefix p;
	struct diag diag;

	if (!steer_vty_parse_prefix(vty, argv[argc - 1]->arg, &p))
		return CMD_WARNING_CONFIG_FAILED;
	return steer_vty_done(vty, site_private(steer_site(), &p, !steer_vty_is_no(argv), &diag), &diag);
}

DEFUN(site_default, site_default_cmd, "default-provider NAME",
      "The provider of this machine's own traffic, and the first for private sources\n"
      "Name of the provider\n")
{
	struct site *s = steer_site();

	if (strlen(argv[1]->arg) >= sizeof(s->default_provider)) {
		vty_out(vty, "%% the name is too long\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	snprintf(s->default_provider, sizeof(s->default_provider), "%s", argv[1]->arg);
	if (!site_provider_find(s, s->default_provider) && vty->type != VTY_FILE)
		vty_out(vty, "%% there is no provider %s yet\n", s->default_provider);
	return steer_vty_done(vty, 0, NULL);
}

DEFUN(no_site_default, no_site_default_cmd, "no default-provider [NAME]",
      NO_STR "The provider of this machine's own traffic\nName of the provider\n")
{
	steer_site()->default_provider[0] = '\0';
	return steer_vty_done(vty, 0, NULL);
}

static int set_base(struct vty *vty, struct cmd_token *argv[], int argc,
		    int (*set)(struct site *s, uint32_t base, struct diag *diag))
{
	struct diag diag;
	int rc = set(steer_site(), steer_vty_number_after(argv, argc, "base"), &diag);

	return steer_vty_done(vty, rc, &diag);
}

DEFUN(site_tables, site_table_cmd, "table base (1000-4294967000)",
      "Routing tables of ours\nThe first of 256 numbers\n26300 if not given\n")
{
	return set_base(vty, argv, argc, site_table_base);
}

DEFUN(no_site_table, no_site_table_cmd, "no table base [(1000-4294967000)]",
      NO_STR "Routing tables of ours\nThe first of 256 numbers\nThe number\n")
{
	steer_site()->table_base = SITE_TABLE_BASE;
	return steer_vty_done(vty, 0, NULL);
}

DEFUN(site_rules, site_rule_cmd, "rule base (1-32660)",
      "Routing rules of ours\nThe first of 100 priorities\n1000 if not given\n")
{
	return set_base(vty, argv, argc, site_rule_base);
}

DEFUN(no_site_rule, no_site_rule_cmd, "no rule base [(1-32660)]",
      NO_STR "Routing rules of ours\nThe first of 100 priorities\nThe priority\n")
{
	steer_site()->rule_base = SITE_RULE_BASE;
	return steer_vty_done(vty, 0, NULL);
}

DEFUN(site_mask, site_mask_cmd, "mark mask WORD",
      "Marks of packets and flows\nThe eight bits of them that are ours\n"
      "0xff0000 if not given\n")
{
	char *end;
	unsigned long long mask = strtoull(argv[2]->arg, &end, 0);
	struct diag diag;

	if (*end != '\0' || mask > UINT32_MAX)
		mask = 0;
	return steer_vty_done(vty, site_mark_mask(steer_site(), (uint32_t)mask, &diag), &diag);
}

DEFUN(no_site_mask, no_site_mask_cmd, "no mark mask [WORD]",
      NO_STR "Marks of packets and flows\nThe bits of them that are ours\nThe bits\n")
{
	steer_site()->mark_mask = SITE_MARK_MASK;
	return steer_vty_done(vty, 0, NULL);
}

/* ---- keys ---- */

void site_vty_reload(void (*failed)(void *ctx, const char *text), void *ctx)
{
	bfd_keys_reload(steer_site(), failed, ctx);
	reach_vty_reload(failed, ctx);
	steer_changed();
}

struct reloading {
	struct vty *vty;
	int result;
};

static void say_failed(void *ctx, const char *text)
{
	struct reloading *r = ctx;

	vty_out(r->vty, "%% %s\n", text);
	r->result = CMD_WARNING;
}

DEFUN(site_reload, site_reload_cmd, "site reload",
      "A site behind several providers\n"
      "Read the files of keys anew: of BFD, and of the completeness probe's responder\n")
{
	struct reloading r = { vty, CMD_SUCCESS };

	site_vty_reload(say_failed, &r);
	return r.result;
}

/* ---- the node ---- */

static struct cmd_node site_node = {
	.name = "site",
	.node = (enum node_type)SITE_NODE_SAV,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-site)# ",
	.config_write = steer_write_site,
};

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN_SITE(cmd) install_element((enum node_type)SITE_NODE_SAV, &cmd)

void site_vty_init(void)
{
	install_node(&site_node);
	install_default((enum node_type)SITE_NODE_SAV);
	install_element(CONFIG_NODE, &site_begin_cmd);
	install_element(ENABLE_NODE, &site_reload_cmd);
	IN_SITE(site_inside_cmd);
	IN_SITE(site_private_cmd);
	IN_SITE(site_default_cmd);
	IN_SITE(no_site_default_cmd);
	IN_SITE(site_table_cmd);
	IN_SITE(no_site_table_cmd);
	IN_SITE(site_rule_cmd);
	IN_SITE(no_site_rule_cmd);
	IN_SITE(site_mask_cmd);
	IN_SITE(no_site_mask_cmd);
}
