/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/show_compare_vty.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_compare.h"
#include "controller/vty/show_json_vty.h"

static struct savd *savd;

static const char *const family_names[IP_FAMILIES] = { "ipv4", "ipv6" };
static const char *const side_names[COMPARE_SIDES] = { "bmp", "bgp" };
static const char *const side_words[COMPARE_SIDES] = { "BMP", "BGP" };

struct lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	const char *router;	  /* NULL: all */
	bool found;
};

/* ---- text */

static void print_only(struct vty *vty, const struct compare_family *f, enum compare_side side)
{
	for (int kind = 0; kind < COMPARE_KINDS; kind++) {
		size_t n = f->only[side][kind];

		if (n != 0)
			vty_out(vty, "    only %s: %zu, %s\n", side_words[side], n,
				compare_kind_text((enum compare_kind)kind));
	}
}

static void print_family(struct vty *vty, const struct compare_family *f, const char *name)
{
	if (!f->offered) {
		vty_out(vty, "  %s: not compared, the BGP session does not have it\n", name);
		return;
	}
	vty_out(vty, "  %s: %zu paths by BMP, %zu by BGP%s; %zu of BMP's are in both\n", name,
		f->paths[COMPARE_BMP], f->paths[COMPARE_BGP],
		f->addpath ? "" : " (no add-path)", f->both);
	print_only(vty, f, COMPARE_BMP);
	print_only(vty, f, COMPARE_BGP);
	if (f->has_fib && f->not_in_fib != 0)
		vty_out(vty, "    %zu of BMP's have a prefix that the router does not forward by\n",
			f->not_in_fib);
}

static void print_example(struct vty *vty, const struct compare_example *x)
{
	char prefix[IP_TEXT_SIZE], addr[IP_TEXT_SIZE];

	vty_out(vty, "  only %s, unexplained%s: %s %s %s, AS path %s\n", side_words[x->side],
		x->lasting ? " for two rounds" : "", ip_prefix_format(&x->prefix, prefix),
		x->side == COMPARE_BMP ? "from peer" : "with next hop",
		ip_addr_format(&x->addr, addr), x->path[0] ? x->path : "empty");
}

static void print_state(struct vty *vty, const struct engine_compare_status *s)
{
	int64_t now_ms = savd_now_ms();

	vty_out(vty, "router %s: ", s->router);
	if (s->known)
		vty_out(vty, "last compared %lld s ago, in %lld ms%s\n",
			(long long)((now_ms - s->began_ms) / 1000),
			(long long)(s->ended_ms - s->began_ms),
			s->running ? "; being compared again" :
			s->asked   ? "; again in some seconds" :
				     "");
	else
		vty_out(vty, "%s\n", s->running ? "being compared for the first time" :
				     s->why_not ? "nothing to compare" :
						  "to be compared in some seconds");
	if (s->why_not)
		vty_out(vty, "  not now: %s\n", s->why_not);
}

static void print_router(struct vty *vty, const struct engine_compare_status *s)
{
	print_state(vty, s);
	if (!s->known)
		return;
	print_family(vty, &s->family[IP_V4], "IPv4");
	print_family(vty, &s->family[IP_V6], "IPv6");
	if (s->alarm)
		vty_out(vty, "  ALARM: unexplained differences have lasted two rounds\n");
	for (size_t i = 0; i < s->n_examples; i++)
		print_example(vty, &s->examples[i]);
}

/* ---- JSON */

static struct json_object *json_only(const struct compare_family *f, enum compare_side side)
{
	struct json_object *json = json_object_new_object();
	const size_t *n = f->only[side];

	json_object_int_add(json, "unexplained", (int64_t)n[COMPARE_UNEXPLAINED]);
	json_object_int_add(json, "nextHop", (int64_t)n[COMPARE_NEXT_HOP]);
	json_object_int_add(json, "prePolicy", (int64_t)n[COMPARE_PRE_POLICY]);
	json_object_int_add(json, "internal", (int64_t)n[COMPARE_INTERNAL]);
	json_object_int_add(json, "bestOnly", (int64_t)n[COMPARE_BEST_ONLY]);
	json_object_int_add(json, "local", (int64_t)n[COMPARE_LOCAL]);
	json_object_int_add(json, "community", (int64_t)n[COMPARE_COMMUNITY]);
	json_object_int_add(json, "unresolved", (int64_t)n[COMPARE_UNRESOLVED]);
	json_object_int_add(json, "loading", (int64_t)n[COMPARE_LOADING]);
	return json;
}

static struct json_object *json_family(const struct compare_family *f)
{
	struct json_object *json = json_object_new_object();

	json_object_boolean_add(json, "compared", f->offered);
	json_object_boolean_add(json, "addPath", f->addpath);
	json_object_int_add(json, "bmpPaths", (int64_t)f->paths[COMPARE_BMP]);
	json_object_int_add(json, "bgpPaths", (int64_t)f->paths[COMPARE_BGP]);
	json_object_int_add(json, "both", (int64_t)f->both);
	json_object_object_add(json, "onlyBmp", json_only(f, COMPARE_BMP));
	json_object_object_add(json, "onlyBgp", json_only(f, COMPARE_BGP));
	if (f->has_fib)
		json_object_int_add(json, "notInFib", (int64_t)f->not_in_fib);
	return json;
}

static struct json_object *json_examples(const struct engine_compare_status *s)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->n_examples; i++) {
		const struct compare_example *x = &s->examples[i];
		struct json_object *json = json_object_new_object();
		char text[IP_TEXT_SIZE], addr[IP_TEXT_SIZE];

		json_object_string_add(json, "only", side_names[x->side]);
		json_object_string_add(json, "prefix", ip_prefix_format(&x->prefix, text));
		ip_addr_format(&x->addr, addr);
		if (x->side == COMPARE_BMP)
			json_object_string_add(json, "peer", addr);
		else
			json_object_string_add(json, "nextHop", addr);
		json_object_string_add(json, "asPath", x->path);
		json_object_boolean_add(json, "lasting", x->lasting);
		json_object_array_add(list, json);
	}
	return list;
}

static struct json_object *json_router(const struct engine_compare_status *s)
{
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "router", s->router);
	json_object_boolean_add(json, "possible", s->why_not == NULL);
	json_object_string_add(json, "reason", s->why_not ? s->why_not : "");
	json_object_boolean_add(json, "running", s->running);
	json_object_boolean_add(json, "asked", s->asked);
	json_object_boolean_add(json, "known", s->known);
	if (!s->known)
		return json;
	json_object_int_add(json, "ageSeconds", (savd_now_ms() - s->began_ms) / 1000);
	json_object_int_add(json, "tookMilliseconds", s->ended_ms - s->began_ms);
	json_object_boolean_add(json, "alarm", s->alarm);
	for (int f = 0; f < IP_FAMILIES; f++)
		json_object_object_add(json, family_names[f], json_family(&s->family[f]));
	json_object_object_add(json, "examples", json_examples(s));
	return json;
}

/* ---- the command */

static void list_router(const struct engine_compare_status *s, void *arg)
{
	struct lister *l = arg;

	if (l->router && strcmp(l->router, s->router) != 0)
		return;
	l->found = true;
	if (l->list)
		json_object_array_add(l->list, json_router(s));
	else
		print_router(l->vty, s);
}

static int no_router(struct vty *vty, const char *router)
{
	if (config_router_find(&savd->cfg, router))
		vty_out(vty, "%% router %s has no feed of BMP or BGP: \"show feed\"\n", router);
	else
		vty_out(vty, "%% there is no router %s\n", router);
	return CMD_WARNING;
}

/* What was found last is shown, and a fresh round is on its way for the next look. */
DEFUN (show_feed_compare,
       show_feed_compare_cmd,
       "show feed compare [ROUTER] [json]",
       SHOW_STR
       "Routing information feeds\n"
       "The BMP feeds of routers against their own BGP sessions\n"
       "Name of the router\n"
       JSON_HELP)
{
	bool wants_json = show_wants_json(argv, argc);
	struct lister l = { .vty = vty };
	struct json_object *json;

	if (argc - wants_json > 3)
		l.router = argv[3]->arg;
	if (wants_json)
		l.list = json_object_new_array();
	engine_compare_walk(savd->engine, list_router, &l);
	engine_compare_ask(savd->engine, l.router);
	if (l.router && !l.found) {
		json_object_free(l.list);
		return no_router(vty, l.router);
	}
	if (!wants_json) {
		if (!l.found)
			vty_out(vty, "no router has a feed\n");
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	json_object_object_add(json, "routers", l.list);
	return show_print_json(vty, json);
}

void show_compare_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_feed_compare_cmd);
}
