/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "lib/metrics_vty.h"

static struct {
	struct metrics_http *http; /* NULL: the daemon is still starting */
	struct metrics_listen *const *listens;
	const size_t *n;
} shown;

static void show_json(struct vty *vty, const struct metrics_http_stats *s)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < *shown.n; i++) {
		const struct metrics_listen *l = &(*shown.listens)[i];
		struct json_object *one = json_object_new_object();

		json_object_string_add(one, "address", ip_addr_format(&l->addr, text));
		json_object_int_add(one, "port", l->port);
		json_object_string_add(one, "error", metrics_http_error(shown.http, l));
		json_object_array_add(list, one);
	}
	json_object_object_add(json, "listen", list);
	json_object_int_add(json, "answered", (int64_t)s->answered);
	json_object_int_add(json, "refused", (int64_t)s->refused);
	json_object_int_add(json, "snapshots", (int64_t)s->snapshots);
	json_object_int_add(json, "lastBytes", (int64_t)s->bytes);
	json_object_int_add(json, "workMicroseconds", s->work_us);
	json_object_int_add(json, "workLastMicroseconds", s->work_last_us);
	json_object_int_add(json, "sliceMaxMicroseconds", s->slice_max_us);
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
}

static void show_text(struct vty *vty, const struct metrics_http_stats *s)
{
	char text[IP_TEXT_SIZE];

	if (*shown.n == 0)
		vty_out(vty, "Off: \"metrics listen ADDRESS port PORT\" in configuration mode "
			     "switches it on\n");
	for (size_t i = 0; i < *shown.n; i++) {
		const struct metrics_listen *l = &(*shown.listens)[i];
		const char *error = metrics_http_error(shown.http, l);

		vty_out(vty, "http://%s%s%s:%u/metrics%s%s\n",
			l->addr.family == IP_V6 ? "[" : "", ip_addr_format(&l->addr, text),
			l->addr.family == IP_V6 ? "]" : "", l->port, error[0] ? ": " : "", error);
	}
	vty_out(vty,
		"%" PRIu64 " requests answered, %" PRIu64 " refused, %" PRIu64
		" snapshots\nlast snapshot %zu bytes in %" PRId64
		" us of work; longest time without a break %" PRId64 " us\n",
		s->answered, s->refused, s->snapshots, s->bytes, s->work_last_us,
		s->slice_max_us);
}

DEFUN (show_metrics,
       show_metrics_cmd,
       "show metrics [json]",
       SHOW_STR
       "Where Prometheus is answered, and what that costs\n"
       "JavaScript Object Notation\n")
{
	if (!shown.http)
		return CMD_SUCCESS;
	if (strcmp(argv[argc - 1]->text, "json") == 0)
		show_json(vty, metrics_http_stats(shown.http));
	else
		show_text(vty, metrics_http_stats(shown.http));
	return CMD_SUCCESS;
}

/* Not an error of the command: the statement stays, and works when the other
 * program is gone. */
void metrics_vty_report(struct vty *vty, const struct metrics_listen *l)
{
	const char *error = shown.http ? metrics_http_error(shown.http, l) : "";

	if (error[0] != '\0')
		vty_out(vty, "%% %s; trying again every %d s\n", error, METRICS_RETRY_S);
}

void metrics_vty_set(struct metrics_http *http, struct metrics_listen *const *listens,
		     const size_t *n)
{
	shown.http = http;
	shown.listens = listens;
	shown.n = n;
}

void metrics_vty_init(void)
{
	install_element(VIEW_NODE, &show_metrics_cmd);
}
