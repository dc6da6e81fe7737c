/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

#include "lib/stamp.h"

DEFUN_NOSH (customer,
       customer_cmd,
       "customer NAME",
       "A customer and its record\n"
       "Its name\n")
{
	struct config_customer c = { 0 };
	struct diag diag;

	if (!config_customer_find(grammar_cfg(), argv[1]->arg)) {
		snprintf(c.name, sizeof(c.name), "%s", argv[1]->arg);
		if (strlen(argv[1]->arg) >= sizeof(c.name))
			c.name[0] = '\0';
		if (config_customer_put(grammar_cfg(), &c, &diag) < 0)
			return grammar_result(vty, -1, &diag);
	}
	return grammar_enter(vty, CUSTOMER_NODE, argv[1]->arg, "");
}

DEFUN (no_customer,
       no_customer_cmd,
       "no customer NAME",
       NO_STR
       "A customer and its record\n"
       "Its name\n")
{
	struct diag diag;

	return grammar_result(
		vty, config_customer_del(grammar_cfg(), argv[2]->arg, &diag), &diag);
}

/* A copy of the customer of this node to change; false: said why. */
static bool customer_edit(struct vty *vty, struct config_customer *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_customer *c = config_customer_find(grammar_cfg(), p->name);

	if (c)
		config_customer_copy(copy, c);
	else
		grammar_error(vty, "customer %s is gone: type \"exit\"", p->name);
	return c != NULL;
}

static int customer_done(struct vty *vty, struct config_customer *copy)
{
	struct diag diag;
	int ret = config_customer_put(grammar_cfg(), copy, &diag);

	config_customer_fini(copy);
	return grammar_result(vty, ret, &diag);
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

#define TERM_HELP                                                                        \
	"It counts from this time on (UTC)\n"                                            \
	"YYYY-MM-DD or YYYY-MM-DDThh:mm\n"                                               \
	"It counts until this time (UTC)\n"                                              \
	"YYYY-MM-DD or YYYY-MM-DDThh:mm\n"                                               \
	"Another customer may hold these addresses too\n"

/* "WORD TIME", if it is there; -1 after saying what is wrong with it. */
static int take_time(struct vty *vty, int argc, struct cmd_token *argv[],
		     const char *word, int64_t *seconds)
{
	int at = 0;
	int64_t ms;

	*seconds = 0;
	if (!argv_find(argv, argc, word, &at))
		return 0;
	if (stamp_parse(argv[at + 1]->arg, &ms) && ms >= 1000) {
		*seconds = ms / 1000;
		return 0;
	}
	return grammar_error(vty,
			     "\"%s\" is not a time: after \"%s\" type YYYY-MM-DD or "
			     "YYYY-MM-DDThh:mm",
			     argv[at + 1]->arg, word);
}

DEFUN (customer_prefix,
       customer_prefix_cmd,
       "prefix <A.B.C.D/M|X:X::X:X/M> [from TIME] [until TIME] [allow-overlap]",
       "Address space of the customer, accepted on each of its edges\n"
       PREFIX_HELP
       TERM_HELP)
{
	VTY_DECLVAR_CONTEXT(place, p);
	struct config_term t = { 0 };
	struct diag diag;
	int at = 0;

	if (grammar_prefix(vty, argv[1]->arg, &t.prefix) < 0 ||
	    take_time(vty, argc, argv, "from", &t.from) < 0 ||
	    take_time(vty, argc, argv, "until", &t.until) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	t.overlap = argv_find(argv, argc, "allow-overlap", &at);
	return grammar_result(
		vty, config_record_put(grammar_cfg(), p->name, &t, &diag), &diag);
}

DEFUN (no_customer_prefix,
       no_customer_prefix_cmd,
       "no prefix <A.B.C.D/M|X:X::X:X/M> [from TIME] [until TIME] [allow-overlap]",
       NO_STR
       "Address space of the customer\n"
       PREFIX_HELP
       TERM_HELP)
{
	struct config_customer c;
	struct ip_prefix p;

	if (grammar_prefix(vty, argv[2]->arg, &p) < 0 || !customer_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	config_record_remove(&c, &p);
	return customer_done(vty, &c);
}

static void write_term(struct vty *vty, const struct config_term *t)
{
	char text[STAMP_TEXT_SIZE];

	if (t->from != 0)
		vty_out(vty, " from %s", stamp_format_short(t->from * 1000, text));
	if (t->until != 0)
		vty_out(vty, " until %s", stamp_format_short(t->until * 1000, text));
	if (t->overlap)
		vty_out(vty, " allow-overlap");
}

/* All statements in their order, whether they count now or not. */
static void write_record(struct vty *vty, const struct config_customer *c)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0, k = 0; i < c->n_prefixes || k < c->n_terms;) {
		int order = i == c->n_prefixes ? 1
			    : k == c->n_terms
				    ? -1
				    : ip_prefix_cmp(&c->prefixes[i], &c->terms[k].prefix);
		const struct ip_prefix *p =
			order < 0 ? &c->prefixes[i] : &c->terms[k].prefix;

		vty_out(vty, " prefix %s", ip_prefix_format(p, text));
		if (order >= 0)
			write_term(vty, &c->terms[k]);
		vty_out(vty, "\n");
		i += order <= 0;
		k += order >= 0;
	}
}

void config_customer_write(struct vty *vty, const struct config_customer *c)
{
	vty_out(vty, "customer %s\n", c->name);
	if (c->as != 0)
		vty_out(vty, " as %u\n", c->as);
	write_record(vty, c);
	vty_out(vty, "exit\n!\n");
}

static int write_customers(struct vty *vty)
{
	for (size_t i = 0; i < grammar_cfg()->n_customers; i++)
		config_customer_write(vty, &grammar_cfg()->customers[i]);
	return grammar_cfg()->n_customers != 0;
}

static struct cmd_node customer_node = {
	.name = "customer",
	.node = (enum node_type)CUSTOMER_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-customer)# ",
	.config_write = write_customers,
};

void config_customer_vty_init(void)
{
	install_node(&customer_node);
	install_default((enum node_type)CUSTOMER_NODE);
	IN(CONFIG_NODE, customer_cmd);
	IN(CONFIG_NODE, no_customer_cmd);
	IN(CUSTOMER_NODE, customer_as_cmd);
	IN(CUSTOMER_NODE, no_customer_as_cmd);
	IN(CUSTOMER_NODE, customer_prefix_cmd);
	IN(CUSTOMER_NODE, no_customer_prefix_cmd);
}
