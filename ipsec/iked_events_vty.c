/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <time.h>

#include "command.h"
#include "json.h"
#include "vty.h"

#include "ipsec/iked.h"
#include "ipsec/iked_events_vty.h"
#include "lib/stamp.h"

#define EVENTS_MAX 512
#define STRANGERS_PER_S 2

static struct noted {
	int64_t at_ms; /* since 1970 */
	const char *word; /* a constant */
	char tunnel[IKE_TUNNEL_NAME];
	char text[PROC_TEXT_MAX];
} ring[EVENTS_MAX];
static size_t n_noted; /* ever */

static bool is_flood(const struct proc_event *e, int64_t at_ms)
{
	static int64_t second;
	static unsigned n;

	if (e->event != IKE_EVENT_FAILED && e->event != IKE_EVENT_REFUSED)
		return false;
	if (second != at_ms / 1000) {
		second = at_ms / 1000;
		n = 0;
	}
	return n++ >= STRANGERS_PER_S;
}

void iked_events_note(const struct proc_event *e, const char *word)
{
	struct noted *noted = &ring[n_noted % EVENTS_MAX];
	struct timespec now;
	int64_t at_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (is_flood(e, at_ms))
		return;
	n_noted++;
	noted->at_ms = at_ms;
	noted->word = word;
	snprintf(noted->tunnel, sizeof(noted->tunnel), "%s", e->tunnel);
	snprintf(noted->text, sizeof(noted->text), "%s", e->text);
}

static void show_one(struct vty *vty, const struct noted *e, struct json_object *list)
{
	struct json_object *json;
	char text[STAMP_TEXT_SIZE];

	if (!list) {
		vty_out(vty, "%-24s  %-15s  %s%s%s\n", stamp_format(e->at_ms, text), e->tunnel, e->word, e->text[0] ? ": " : "",
			e->text);
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "time", stamp_format(e->at_ms, text));
	json_object_string_add(json, "tunnel", e->tunnel);
	json_object_string_add(json, "event", e->word);
	json_object_string_add(json, "text", e->text);
	json_object_array_add(list, json);
}

DEFUN(show_ipsec_events, show_ipsec_events_cmd, "show ipsec events [last (1-512)] [json]",
      SHOW_STR "IPsec tunnels\n"
	       "What happened to tunnels since sav-iked runs: newest first\n"
	       "How many\n"
	       "Number of events\n"
	       "JavaScript Object Notation\n")
{
	bool as_json = strcmp(argv[argc - 1]->text, "json") == 0;
	struct json_object *json = as_json ? json_object_new_object() : NULL, *list = as_json ? json_object_new_array() : NULL;
	size_t wanted = argc >= 5 ? strtoul(argv[4]->arg, NULL, 10) : EVENTS_MAX;

	for (size_t i = 0; i < n_noted && i < EVENTS_MAX && i < wanted; i++)
		show_one(vty, &ring[(n_noted - 1 - i) % EVENTS_MAX], list);
	if (!json)
		return CMD_SUCCESS;
	json_object_object_add(json, "events", list);
	vty_out(vty, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

void iked_events_vty_init(void)
{
	install_element(VIEW_NODE, &show_ipsec_events_cmd);
}
