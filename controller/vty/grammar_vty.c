/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

#include "buffer.h"
#include "memory.h"

#include "lib/array.h"
#include "lib/mem.h"

DEFINE_QOBJ_TYPE(place);

static struct {
	struct config *cfg;
	struct place **places; /* sorted */
	size_t n_places;
	char error[600];
} grammar;

struct config *grammar_cfg(void)
{
	return grammar.cfg;
}

struct config *grammar_use(struct config *cfg)
{
	struct config *before = grammar.cfg;

	grammar.cfg = cfg;
	return before;
}

static int place_cmp(const void *item, const void *key)
{
	const struct place *a = *(struct place *const *)item, *b = key;
	int c = (int)a->node - (int)b->node;

	c = c ? c : strcmp(a->name, b->name);
	return c ? c : strcmp(a->interface, b->interface);
}

static struct place *place_get(enum grammar_node node, const char *name,
			       const char *interface)
{
	struct place key = { .node = node }, *p;
	void *array = grammar.places;
	bool found;
	size_t at;

	snprintf(key.name, sizeof(key.name), "%s", name);
	snprintf(key.interface, sizeof(key.interface), "%s", interface);
	at = array_locate(grammar.places, grammar.n_places, sizeof(p), &key, place_cmp,
			  &found);
	if (found)
		return grammar.places[at];
	p = mem_dup(&key, sizeof(key));
	array_insert(&array, &grammar.n_places, sizeof(p), at, &p);
	grammar.places = array;
	QOBJ_REG(p, place);
	return p;
}

int grammar_result(struct vty *vty, int ret, const struct diag *diag)
{
	if (ret == 0)
		return CMD_SUCCESS;
	grammar_error(vty, "%s", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

int grammar_error(struct vty *vty, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(grammar.error, sizeof(grammar.error), fmt, ap);
	va_end(ap);
	vty_out(vty, "%% %s\n", grammar.error);
	return -1;
}

const char *grammar_last_error(void)
{
	return grammar.error;
}

void grammar_forget_error(void)
{
	grammar.error[0] = '\0';
}

int grammar_enter(struct vty *vty, enum grammar_node node, const char *name,
		  const char *interface)
{
	struct place *p = place_get(node, name, interface);

	VTY_PUSH_CONTEXT((enum node_type)node, p);
	return CMD_SUCCESS;
}

bool grammar_is_no(struct cmd_token *argv[])
{
	return strcmp(argv[0]->text, "no") == 0;
}

const char *grammar_arg(struct cmd_token *argv[], int index)
{
	return argv[index + (grammar_is_no(argv) ? 1 : 0)]->arg;
}

int grammar_prefix(struct vty *vty, const char *text, struct ip_prefix *p)
{
	char buf[IP_TEXT_SIZE];

	switch (ip_prefix_parse(text, p)) {
	case IP_PARSE_OK:
		return 0;
	case IP_PARSE_SYNTAX:
		return grammar_error(vty, "%s is not a prefix: type ADDRESS/LENGTH",
				     text);
	case IP_PARSE_HOST_BITS:
		return grammar_error(vty, "%s has bits set beyond its length: type %s",
				     text, ip_prefix_format(p, buf));
	}
	return -1;
}

int grammar_addr(struct vty *vty, const char *text, struct ip_addr *addr)
{
	if (ip_addr_parse(text, addr))
		return 0;
	return grammar_error(vty, "%s is not an IPv4 or IPv6 address", text);
}

int grammar_write_prefixes(struct vty *vty, const char *what, const struct ip_prefix *p,
			   size_t n)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		vty_out(vty, "%s %s\n", what, ip_prefix_format(&p[i], text));
	return n != 0;
}

/* ---- text ---- */

char *config_vty_text(struct config *cfg)
{
	struct config *running = grammar_use(cfg);
	struct vty *vty = vty_new();
	char *text, *copy;

	vty->type = VTY_FILE;
	for (unsigned int i = NODE_TYPE_MAX + 1; i < vector_active(cmdvec); i++) {
		struct cmd_node *node = vector_slot(cmdvec, i);

		if (node && node->config_write)
			node->config_write(vty);
	}
	text = buffer_getstr(vty->obuf);
	copy = mem_strdup(text);
	XFREE(MTYPE_TMP, text);
	vty_close(vty);
	grammar_use(running);
	return copy;
}
