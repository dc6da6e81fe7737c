/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/savd.h"
#include "controller/vty/show_fib_vty.h"

static struct savd *savd;

struct lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	unsigned int n;
};

static const char *state_name(const struct engine_fib_status *s)
{
	if (s->complete)
		return "complete";
	if (s->loading)
		return s->known ? "reloading" : "loading";
	return s->known ? "frozen" : "none yet";
}

static void list_text(struct vty *vty, const struct engine_fib_status *s, long long age_s)
{
	vty_out(vty, "%-16s %-9s %10zu %10zu ", s->router, state_name(s), s->routes[IP_V4],
		s->routes[IP_V6]);
	if (age_s < 0)
		vty_out(vty, "%10s ", "never");
	else
		vty_out(vty, "%8lld s ", age_s);
	vty_out(vty, "%s\n", s->wanted ? "yes" : "no");
}

static void list_json(struct json_object *list, const struct engine_fib_status *s,
		      long long age_s)
{
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "router", s->router);
	json_object_string_add(json, "state", state_name(s));
	json_object_boolean_add(json, "complete", s->complete);
	json_object_boolean_add(json, "wanted", s->wanted);
	json_object_int_add(json, "ipv4Routes", (int64_t)s->routes[IP_V4]);
	json_object_int_add(json, "ipv6Routes", (int64_t)s->routes[IP_V6]);
	json_object_int_add(json, "memoryBytes", (int64_t)s->bytes);
	if (age_s >= 0)
		json_object_int_add(json, "lastChangeSeconds", age_s);
	json_object_array_add(list, json);
}

static void list_one(const struct engine_fib_status *s, void *arg)
{
	struct lister *l = arg;
	long long age_s = s->known || s->loading ? (savd_now_ms() - s->last_ms) / 1000 : -1;

	l->n++;
	if (l->list)
		list_json(l->list, s, age_s);
	else
		list_text(l->vty, s, age_s);
}

DEFUN (show_fib_summary,
       show_fib_summary_cmd,
       "show fib summary [json]",
       SHOW_STR
       "What routers forward by\n"
       "Routes of each router\n"
       "JavaScript Object Notation\n")
{
	struct lister l = { .vty = vty };
	struct json_object *json = NULL;

	if (argc > 3) {
		json = json_object_new_object();
		l.list = json_object_new_array();
		json_object_object_add(json, "routers", l.list);
	} else {
		vty_out(vty, "%-16s %-9s %10s %10s %10s %s\n", "Router", "State", "IPv4", "IPv6",
			"Last heard", "Wanted");
	}
	engine_fibs_walk(savd->engine, list_one, &l);
	if (json) {
		vty_out(vty, "%s\n",
			json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
								     JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_free(json);
	} else if (l.n == 0) {
		vty_out(vty, "no edge has a mode that reads the FIB (strict, strict-direct, loose)\n");
	}
	return CMD_SUCCESS;
}

void show_fib_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_fib_summary_cmd);
}
