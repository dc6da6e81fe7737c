/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/complete_vty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_complete.h"
#include "controller/engine_remedy.h"
#include "controller/vty/customer_vty.h"
#include "controller/vty/later_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_vty.h"
#include "lib/array.h"
#include "lib/mem.h"

#define GAPS_SHOWN  40	 /* in words */
#define GAPS_LISTED 1000 /* in JSON: each is explained */

/* Of all customers: in one slice, and the time to the next; and how many may ask at
 * a time. */
#define SLICE	 4096
#define PAUSE_MS 1
#define JOBS_MAX 4
/* One customer is begun anew no more often. */
#define TRIES_MAX 20

static struct savd *savd;
static struct event_loop *loop;

/* ---- of one customer ---- */

struct lister {
	struct vty *vty;
	struct json_object *list; /* NULL: text */
	const struct config_edge *edge;
	size_t n;
};

static const char *wanted_by(const struct complete_gap *gap, char text[128])
{
	char peer[IP_TEXT_SIZE];

	switch (gap->source) {
	case COMPLETE_RECORD:
		return "in its record";
	case COMPLETE_SESSION:
		return "of a RADIUS session";
	case COMPLETE_ANNOUNCED:
		snprintf(text, 128, "announced by peer %s of router %s",
			 ip_addr_format(&rib_peer_key(gap->peer)->addr, peer),
			 gap->peer_router);
		return text;
	case COMPLETE_ORIGIN:
		break;
	}
	return "announced by others, its AS is the origin";
}

static void print_gap(struct lister *l, const struct complete_gap *gap,
		      const struct explain *why, const char *remedy)
{
	char prefix[IP_TEXT_SIZE], text[128];

	if (l->edge != gap->edge)
		vty_out(l->vty, "edge %s %s\n", gap->edge->router, gap->edge->interface);
	l->edge = gap->edge;
	vty_out(l->vty, "  %s, %s\n    %s: %s\n", ip_prefix_format(&gap->prefix, prefix),
		wanted_by(gap, text), why->enforced ? "dropped" : "would be dropped",
		why->text);
	if (remedy[0] != '\0')
		vty_out(l->vty, "    to admit it: %s\n", remedy);
}

static void json_gap(struct lister *l, const struct complete_gap *gap,
		     const struct explain *why, const char *remedy)
{
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "router", gap->edge->router);
	json_object_string_add(json, "interface", gap->edge->interface);
	json_object_string_add(json, "wanted", ip_prefix_format(&gap->prefix, text));
	json_object_string_add(json, "wantedBy", complete_source_name(gap->source));
	if (gap->peer) {
		json_object_string_add(
			json, "announcedBy",
			ip_addr_format(&rib_peer_key(gap->peer)->addr, text));
		json_object_string_add(json, "announcedTo", gap->peer_router);
	}
	json_object_string_add(json, "address", ip_addr_format(&gap->missing, text));
	json_object_boolean_add(json, "enforced", why->enforced);
	show_why_json(json, why);
	show_admits_json(json, savd, gap->edge->router, gap->edge->interface, &gap->missing);
	json_object_string_add(json, "remedy", remedy);
	json_object_array_add(l->list, json);
}

static void list_gap(const struct complete_gap *gap, void *arg)
{
	const struct config_edge *c = gap->edge;
	char remedy[REMEDY_TEXT_SIZE];
	struct lister *l = arg;
	struct explain why;

	if (l->n++ >= (l->list ? GAPS_LISTED : GAPS_SHOWN) ||
	    !engine_explain(savd->engine, c->router, c->interface, &gap->missing,
			    savd_now_ms(), &why))
		return;
	engine_remedy(savd->engine, c->router, c->interface, &gap->missing, &why, remedy);
	if (l->list)
		json_gap(l, gap, &why, remedy);
	else
		print_gap(l, gap, &why, remedy);
}

/* What was left aside; text, empty or some lines. */
static const char *limits(const struct complete_sum *sum, char text[160])
{
	size_t n = 0;

	text[0] = '\0';
	if (sum->skipped != 0)
		n = (size_t)snprintf(text, 160,
				     "not compared: %zu peers with more than %d paths\n",
				     sum->skipped, COMPLETE_PATHS_MAX);
	if (sum->cut)
		snprintf(text + n, 160 - n, "only %d prefixes were compared\n",
			 COMPLETE_PREFIXES_MAX);
	return text;
}

static void print_verdict(struct vty *vty, const char *name, const struct complete_sum *sum)
{
	char text[160];

	if (sum->gaps > GAPS_SHOWN)
		vty_out(vty, "and %zu more: \"show customer %s completeness json\"\n",
			sum->gaps - GAPS_SHOWN, name);
	vty_out(vty, "%s", limits(sum, text));
	if (sum->edges == 0)
		vty_out(vty, "customer %s has no edge that filters\n", name);
	else if (sum->gaps == 0)
		vty_out(vty, "complete: each of the %zu prefixes of customer %s is admitted on "
			     "each of its %zu edges\n",
			sum->prefixes, name, sum->edges);
	else
		vty_out(vty,
			"incomplete: %zu times one of the %zu prefixes of customer %s is refused "
			"on one of its %zu edges\n",
			sum->gaps, sum->prefixes, name, sum->edges);
}

static void json_sum(struct json_object *json, const char *name,
		     const struct complete_sum *sum)
{
	json_object_string_add(json, "customer", name);
	json_object_boolean_add(json, "complete", sum->edges != 0 && sum->gaps == 0);
	json_object_int_add(json, "edgeCount", (int64_t)sum->edges);
	json_object_int_add(json, "prefixCount", (int64_t)sum->prefixes);
	json_object_int_add(json, "incompletePrefixes", (int64_t)sum->gaps);
	json_object_int_add(json, "skippedPeers", (int64_t)sum->skipped);
	json_object_boolean_add(json, "cut", sum->cut);
}

DEFUN (show_customer_completeness,
       show_customer_completeness_cmd,
       "show customer NAME completeness [json]",
       SHOW_STR
       "A customer: record, edges, what its filters refused\n"
       "Its name\n"
       "What of its own its edges would refuse, and why (RFC 3704 sec. 4.2)\n"
       JSON_HELP)
{
	struct lister l = { .vty = vty };
	const char *name = argv[2]->arg;
	struct complete_sum sum;
	struct json_object *json;

	savd_catch_up();
	if (show_wants_json(argv, argc))
		l.list = json_object_new_array();
	if (!engine_complete(savd->engine, name, NULL, NULL, list_gap, &l, &sum)) {
		if (l.list)
			json_object_free(l.list);
		return customer_vty_unknown(vty, name);
	}
	if (!l.list) {
		print_verdict(vty, name, &sum);
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	json_sum(json, name, &sum);
	json_object_object_add(json, "gaps", l.list);
	return show_print_json(vty, json);
}

/* ---- of all customers ---- */

/* One customer after the other, in the order of their names, and each by what is
 * configured while it is looked at. */
static struct job {
	struct job *next;
	struct later *later; /* NULL: it is all done at once */
	struct event *t_slice;
	bool json;
	FILE *out;
	char *text; /* what was written to it */
	size_t size;
	size_t rows;
	struct complete_walk *walk; /* NULL: the next customer is to be begun */
	char name[CONFIG_NAME_SIZE]; /* its, or the last one's; "": none yet */
	unsigned int tries;	     /* of this one */
	unsigned int changes;	     /* the configuration was another one so often */
} *jobs;

static struct job *job_new(bool json)
{
	struct job *j = mem_alloc(sizeof(*j));

	j->json = json;
	j->out = open_memstream(&j->text, &j->size);
	if (!j->out)
		abort(); /* no memory */
	if (json)
		fprintf(j->out, "{\n\"customers\":[");
	else
		fprintf(j->out, "%-24s %8s %10s  %s\n", "Customer", "Edges", "Prefixes",
			"Incomplete");
	j->next = jobs;
	jobs = j;
	return j;
}

static void job_free(struct job *j)
{
	struct job **at = &jobs;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
	EVENT_OFF(j->t_slice);
	complete_walk_free(j->walk);
	if (j->out)
		fclose(j->out);
	free(j->text);
	free(j);
}

static int by_name(const void *item, const void *key)
{
	return strcmp(((const struct config_customer *)item)->name, key);
}

/* false: that was the last. */
static bool next_customer(struct job *j)
{
	const struct config *cfg = &savd->cfg;
	const size_t at = array_after(cfg->customers, cfg->n_customers, sizeof(*cfg->customers),
				      j->name, by_name);

	if (at == cfg->n_customers)
		return false;
	snprintf(j->name, sizeof(j->name), "%s", cfg->customers[at].name);
	j->walk = complete_walk_new(savd->engine, j->name);
	j->tries = 1;
	return true;
}

static void row(struct job *j, const struct complete_sum *sum)
{
	struct json_object *json;
	char text[160];

	if (!j->json) {
		fprintf(j->out, "%-24s %8zu %10zu  %zu\n%s", j->name, sum->edges,
			sum->prefixes, sum->gaps, limits(sum, text));
		return;
	}
	json = json_object_new_object();
	json_sum(json, j->name, sum);
	fprintf(j->out, "%s\n%s", j->rows++ == 0 ? "" : ",",
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
}

static void begin_anew(struct job *j)
{
	complete_walk_free(j->walk);
	j->walk = complete_walk_new(savd->engine, j->name); /* NULL: it is gone */
	j->tries++;
	j->changes++;
}

/* false: that was all. */
static bool work(struct job *j, int64_t steps)
{
	struct complete_sum sum;

	savd_catch_up(); /* engine_complete wants what the commands have done */
	while (steps > 0) {
		steps--;
		if (!j->walk && !next_customer(j))
			return false;
		switch (complete_walk_run(j->walk, &steps, &sum)) {
		case COMPLETE_MORE:
			break;
		case COMPLETE_DONE:
			row(j, &sum);
			complete_walk_free(j->walk);
			j->walk = NULL;
			break;
		case COMPLETE_CHANGED:
			begin_anew(j);
			if (j->tries > TRIES_MAX)
				return false;
			break;
		}
	}
	return true;
}

static int give_up(struct job *j)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "%% customer %s: the configuration has changed %d times before it was compared: "
		 "try again later\n",
		 j->name, TRIES_MAX);
	free(j->text);
	j->text = mem_strdup(text);
	return CMD_WARNING;
}

/* The command's status; its answer is in j->text. */
static int end(struct job *j)
{
	if (j->json)
		fprintf(j->out, "%s],\n\"configurationChanges\":%u\n}\n",
			j->rows == 0 ? "" : "\n", j->changes);
	else if (j->changes != 0)
		fprintf(j->out,
			"the configuration has changed %u times meanwhile: each line is of its "
			"own time\n",
			j->changes);
	fclose(j->out);
	j->out = NULL;
	return j->tries > TRIES_MAX ? give_up(j) : CMD_SUCCESS;
}

static void on_slice(struct event *t)
{
	struct job *j = EVENT_ARG(t);
	int status;

	if (work(j, SLICE)) {
		event_add_timer_msec(loop, on_slice, j, PAUSE_MS, &j->t_slice);
		return;
	}
	status = end(j);
	later_answer(j->later, j->text, status);
	j->text = NULL;
	job_free(j);
}

static size_t job_count(void)
{
	size_t n = 0;

	for (const struct job *j = jobs; j; j = j->next)
		n++;
	return n;
}

DEFUN (show_completeness,
       show_completeness_cmd,
       "show customer completeness [json]",
       SHOW_STR
       "A customer: record, edges, what its filters refused\n"
       "Of all customers, what of their own their edges would refuse\n"
       JSON_HELP)
{
	struct job *j;
	int status;

	if (job_count() == JOBS_MAX) {
		vty_out(vty, "%% %d others are being answered that: try again in a moment\n",
			JOBS_MAX);
		return CMD_WARNING;
	}
	j = job_new(show_wants_json(argv, argc));
	j->later = later_new(loop, vty);
	if (j->later) {
		event_add_event(loop, on_slice, j, 0, &j->t_slice);
		return CMD_SUSPEND;
	}
	while (work(j, SLICE))
		;
	status = end(j);
	vty_out(vty, "%s", j->text);
	job_free(j);
	return status;
}

void complete_vty_init(struct event_loop *l, struct savd *s)
{
	loop = l;
	savd = s;
	install_element(VIEW_NODE, &show_customer_completeness_cmd);
	install_element(VIEW_NODE, &show_completeness_cmd);
}

void complete_vty_stop(void)
{
	while (jobs)
		job_free(jobs);
}
