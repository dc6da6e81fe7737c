/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/replay.h"

struct listing {
	bool first;
};

void replay_put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void print_json_prefix(const struct ip_prefix *p, void *arg)
{
	struct listing *l = arg;
	char text[IP_TEXT_SIZE];

	printf("%s\"%s\"", l->first ? "" : ",", ip_prefix_format(p, text));
	l->first = false;
}

static void print_json_list(const struct addrset *set, enum ip_family family)
{
	struct listing l = { .first = true };

	printf("[");
	rangeset_each_prefix(&set->f[family], family, print_json_prefix, &l);
	printf("]");
}

static void print_json_edge(const struct config_edge *c, const struct addrset *set)
{
	/* names have no character that JSON would have to escape */
	printf("{\"router\":\"%s\",\"interface\":\"%s\",\"mode\":\"%s\",\"ipv4\":", c->router,
	       c->interface, edge_mode_name(config_edge_mode(c)));
	print_json_list(set, IP_V4);
	printf(",\"ipv6\":");
	print_json_list(set, IP_V6);
	printf("}");
}

static void print_text_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	(void)arg;
	printf(" %s\n", ip_prefix_format(p, text));
}

static void print_text_edge(const struct config_edge *c, const struct addrset *set)
{
	char mode[EDGE_MODE_TEXT_SIZE];

	printf("edge %s %s mode %s\n", c->router, c->interface, edge_mode_text(c, mode));
	addrset_each_prefix(set, print_text_prefix, NULL);
}

static void print_sets(struct replay *r, struct sets_pass *pass)
{
	struct addrset set = { 0 };

	for (size_t i = 0; i < r->cfg.n_edges; i++) {
		sets_pass_edge(pass, i, &set);
		if (r->json) {
			printf("%s", i ? "," : "");
			print_json_edge(&r->cfg.edges[i], &set);
		} else {
			print_text_edge(&r->cfg.edges[i], &set);
		}
	}
	addrset_fini(&set);
}

/* Whoever asks a question does not want a million prefixes. */
static void print_text(struct replay *r, struct sets_pass *pass)
{
	if (r->n_explain == 0 && !r->what_if && r->n_traffic == 0)
		print_sets(r, pass);
	replay_explain(r, pass);
	if (r->what_if)
		replay_what_if(r);
	replay_observed(r);
}

void replay_print(struct replay *r, struct sets_pass *pass)
{
	if (!r->json) {
		print_text(r, pass);
		return;
	}
	printf("{\"edges\":[");
	print_sets(r, pass);
	printf("]");
	if (r->n_explain != 0) {
		printf(",\"explain\":");
		replay_explain(r, pass);
	}
	if (r->what_if) {
		printf(",\"whatIf\":");
		replay_what_if(r);
	}
	if (r->n_traffic != 0) {
		printf(",\"observed\":[");
		replay_observed(r);
		printf("]");
	}
	printf("}\n");
}
