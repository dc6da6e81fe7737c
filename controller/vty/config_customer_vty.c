/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

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
		vty_out(vty, "%% customer %s is gone: type \"exit\"\n", p->name);
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

DEFUN (customer_prefix,
       customer_prefix_cmd,
       "[no] prefix <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "Address space of the customer, accepted on each of its edges\n"
       PREFIX_HELP)
{
	struct config_customer c;
	struct ip_prefix p;

	if (grammar_prefix(vty, grammar_arg(argv, 1), &p) < 0 || !customer_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, !grammar_is_no(argv));
	return customer_done(vty, &c);
}

void config_customer_write(struct vty *vty, const struct config_customer *c)
{
	vty_out(vty, "customer %s\n", c->name);
	if (c->as != 0)
		vty_out(vty, " as %u\n", c->as);
	grammar_write_prefixes(vty, " prefix", c->prefixes, c->n_prefixes);
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
}
