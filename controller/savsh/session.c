/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/savsh/seat.h"
#include "controller/savsh/session_impl.h"
#include "controller/savsh/text.h"
#include "controller/savsh/words.h"
#include "lib/mem.h"

/* A node path is never this long; a daemon that does not leave one is broken. */
#define EXITS_MAX 8

void answer_fini(struct answer *answer)
{
	wr_fini(&answer->text);
	wr_fini(&answer->notes);
}

struct session *session_new(const char *dir, const char *const *names, size_t n,
			    volatile sig_atomic_t *stop)
{
	struct session *session = mem_alloc(sizeof(*session));
	size_t i;

	for (i = 0; i < n && i < SESSION_DAEMONS_MAX; i++) {
		char *path;

		if (asprintf(&path, "%s/%s.vty", dir, names[i]) < 0)
			abort();
		session->seats[i].client = client_new(names[i], path);
		session->seats[i].log_fd = -1;
		client_set_stop(session->seats[i].client, stop);
		free(path);
	}
	session->n = i;
	session->stop = stop;
	return session;
}

void session_free(struct session *session)
{
	size_t i;

	if (!session)
		return;
	for (i = 0; i < session->n; i++) {
		seat_log_close(&session->seats[i]);
		client_free(session->seats[i].client);
	}
	free(session);
}

/* ---- all daemons */

/* The connected daemon in the deepest node, which is where the operator is;
 * ties go to the first. NULL: none is connected. */
static const struct seat *owner_of(const struct session *session)
{
	const struct seat *owner = NULL;
	size_t i;

	for (i = 0; i < session->n; i++) {
		const struct seat *seat = &session->seats[i];

		if (seat_is_open(seat) &&
		    (!owner || seat->place.level > owner->place.level))
			owner = seat;
	}
	return owner;
}

int session_level(const struct session *session)
{
	const struct seat *owner = owner_of(session);

	return owner ? owner->place.level : LEVEL_VIEW;
}

const char *session_prompt(const struct session *session)
{
	const struct seat *owner = owner_of(session);

	return owner ? owner->place.prompt : "savsh (not connected)> ";
}

static size_t count_open(const struct session *session)
{
	size_t n = 0, i;

	for (i = 0; i < session->n; i++)
		n += seat_is_open(&session->seats[i]);
	return n;
}

size_t session_open(struct session *session)
{
	size_t i;

	for (i = 0; i < session->n; i++)
		seat_open(&session->seats[i]);
	return count_open(session);
}

char *session_names(const struct session *session, bool connected)
{
	struct wr out = { 0 };
	size_t i;

	for (i = 0; i < session->n; i++)
		if (seat_is_open(&session->seats[i]) == connected)
			text_addf(&out, "%s%s", out.len ? ", " : "",
				  client_name(session->seats[i].client));
	wr_u8(&out, 0);
	return (char *)out.data;
}

void session_explain(const struct session *session, bool even_absent, struct wr *out)
{
	size_t i;

	for (i = 0; i < session->n; i++) {
		const struct seat *seat = &session->seats[i];
		bool absent = seat->error == -ENOENT || seat->error == -ECONNREFUSED;

		if (!seat_is_open(seat) && (even_absent || !absent))
			seat_explain(seat, out);
	}
}

/* ---- connections that broke */

/* Whether to connect to a daemon that was absent so far. */
static bool is_worth_a_try(const struct session *session, const struct seat *seat,
			   bool in_node)
{
	if (count_open(session) == 0)
		return true;
	/* In a node: it would be in another. Hanging: each try takes seconds. */
	return !in_node && seat->error != -ETIMEDOUT;
}

/* Connects again where possible. True if an operator's node was lost. */
static bool refresh(struct session *session, struct wr *notes)
{
	bool in_node = session_level(session) >= LEVEL_CONFIG;
	bool lost = false;
	size_t i;

	for (i = 0; i < session->n; i++) {
		struct seat *seat = &session->seats[i];
		bool was_open = seat_is_open(seat);

		if (client_is_alive(seat->client))
			continue;
		if (!was_open && !is_worth_a_try(session, seat, in_node && !lost))
			continue;
		client_close(seat->client);
		lost = lost || (was_open && seat->place.level >= LEVEL_CONFIG);
		if (seat_open(seat) == 0)
			text_addf(notes, "%% connected to %s%s\n",
				  client_name(seat->client), was_open ? " again" : "");
		else if (was_open)
			seat_explain(seat, notes);
	}
	if (!lost)
		return false;
	for (i = 0; i < session->n; i++)
		seat_go_up(&session->seats[i]);
	text_add(notes, "% back at the top node: the configuration node went with the "
			"connection\n");
	return true;
}

/* The connection broke while the daemon had the command. */
static void seat_lost(struct session *session, struct seat *seat, int error,
		      struct answer *answer)
{
	size_t i;

	answer->verdict = VERDICT_LOST;
	text_addf(&answer->text,
		  "%% %s: no answer: %s. The command may or may not have been carried "
		  "out.\n",
		  client_name(seat->client), seat_break_reason(error));
	if (session->stop)
		*session->stop = 0;
	if (seat_open(seat) < 0)
		seat_explain(seat, &answer->text);
	for (i = 0; i < session->n; i++)
		seat_go_up(&session->seats[i]);
}

/* ---- running a command */

static enum verdict verdict_of(int result)
{
	switch (result) {
	case VTY_SUCCESS:
	case VTY_SUCCESS_DAEMON:
	case VTY_NOTHING_TODO:
		return VERDICT_OK;
	case VTY_NO_MATCH:
	case VTY_NOT_MY_INSTANCE:
		return VERDICT_NO_MATCH;
	case VTY_AMBIGUOUS:
		return VERDICT_AMBIGUOUS;
	case VTY_INCOMPLETE:
		return VERDICT_INCOMPLETE;
	default:
		return VERDICT_FAILED;
	}
}

/* The daemon took the command for its own, well or badly. */
static bool is_taken(enum verdict verdict)
{
	return verdict == VERDICT_OK || verdict == VERDICT_FAILED;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->level == b->level && strcmp(a->node, b->node) == 0;
}

/* Takes seat out of a node that the leader is not in. */
static void leave_to(struct seat *seat, const struct place *leader)
{
	int i;

	for (i = 0; i < EXITS_MAX && seat_is_open(seat); i++) {
		const struct place *place = &seat->place;

		if (place->level > LEVEL_CONFIG && leader->level >= LEVEL_CONFIG &&
		    !same_place(place, leader))
			seat_run_quietly(seat, "exit");
		else if (place->level >= LEVEL_CONFIG && leader->level < LEVEL_CONFIG)
			seat_run_quietly(seat, "end");
		else if (place->level == LEVEL_ENABLE && leader->level == LEVEL_VIEW)
			seat_run_quietly(seat, "disable");
		else
			break;
	}
}

/* leader carried out line (ok: with success) and came from there to its present
 * place: brings the others along. */
static void keep_step(struct session *session, const struct seat *leader,
		      const char *line, bool ok, const struct place *from)
{
	const struct place *to = &leader->place;
	bool entered = ok && to->level >= from->level && !same_place(from, to);
	size_t i;

	for (i = 0; i < session->n && seat_is_open(leader); i++) {
		struct seat *seat = &session->seats[i];

		if (seat == leader || !seat_is_open(seat))
			continue;
		/* If it does not know the node, the command changes nothing. */
		if (entered && !same_place(&seat->place, to))
			seat_run_quietly(seat, line);
		leave_to(seat, to);
	}
}

/* Worse answers give way to ones that say more. */
static void keep_best(struct answer *best, enum verdict verdict,
		      const struct reply *reply)
{
	static const int rank[] = {
		[VERDICT_NO_MATCH] = 1,
		[VERDICT_AMBIGUOUS] = 2,
		[VERDICT_INCOMPLETE] = 3,
	};

	if (best->text.len && rank[verdict] <= rank[best->verdict])
		return;
	best->verdict = verdict;
	best->text.len = 0;
	wr_bytes(&best->text, reply->text, reply->len);
}

/* The owner of the node first, then the others; the number of those. */
static size_t asking_order(struct session *session,
			   struct seat *order[SESSION_DAEMONS_MAX])
{
	const struct seat *owner = owner_of(session);
	size_t n = 0, i;

	if (owner)
		order[n++] = &session->seats[owner - session->seats];
	for (i = 0; i < session->n; i++)
		if (seat_is_open(&session->seats[i]) && &session->seats[i] != owner)
			order[n++] = &session->seats[i];
	return n;
}

static void run_first(struct session *session, const char *line, struct answer *answer)
{
	struct seat *order[SESSION_DAEMONS_MAX], *leader = NULL;
	struct answer refused = { .verdict = VERDICT_NO_MATCH };
	struct place from = { 0 };
	size_t n = asking_order(session, order), i;

	for (i = 0; i < n; i++) {
		struct place before = order[i]->place;
		struct reply reply;
		enum verdict verdict;
		int rc;

		/* Once it is taken, only those in the same node get it as well. */
		if (leader && (from.level <= LEVEL_CONFIG || !same_place(&before, &from)))
			continue;
		rc = seat_run(order[i], line, &reply);
		if (rc < 0) {
			seat_lost(session, order[i], rc, answer);
			break;
		}
		verdict = verdict_of(reply.result);
		if (is_taken(verdict)) {
			wr_bytes(&answer->text, reply.text, reply.len);
			if (!leader || verdict == VERDICT_FAILED)
				answer->verdict = verdict;
			if (!leader) {
				leader = order[i];
				from = before;
			}
		} else if (!leader) {
			keep_best(&refused, verdict, &reply);
		}
		reply_fini(&reply);
	}
	if (leader && answer->verdict != VERDICT_LOST && !line_is_do(line))
		keep_step(session, leader, line, answer->verdict == VERDICT_OK, &from);
	if (!leader && answer->verdict != VERDICT_LOST) {
		answer->verdict = refused.verdict;
		wr_bytes(&answer->text, refused.text.data, refused.text.len);
	}
	wr_fini(&refused.text);
}

/* Headings are comments, so that a configuration stays one. */
static void run_all(struct session *session, const char *line, struct answer *answer)
{
	bool headings = count_open(session) > 1, taken = false, failed = false;
	struct answer refused = { .verdict = VERDICT_NO_MATCH };
	size_t i;

	for (i = 0; i < session->n && answer->verdict != VERDICT_LOST; i++) {
		struct seat *seat = &session->seats[i];
		struct reply reply;
		enum verdict verdict;
		int rc;

		if (!seat_is_open(seat))
			continue;
		rc = seat_run(seat, line, &reply);
		if (rc < 0) {
			seat_lost(session, seat, rc, answer);
			break;
		}
		verdict = verdict_of(reply.result);
		if (is_taken(verdict)) {
			taken = true;
			failed = failed || verdict == VERDICT_FAILED;
			if (headings)
				text_addf(&answer->text, "! %s\n",
					  client_name(seat->client));
			wr_bytes(&answer->text, reply.text, reply.len);
		} else {
			keep_best(&refused, verdict, &reply);
		}
		reply_fini(&reply);
	}
	if (answer->verdict != VERDICT_LOST) {
		answer->verdict =
			taken ? failed ? VERDICT_FAILED : VERDICT_OK : refused.verdict;
		if (!taken)
			wr_bytes(&answer->text, refused.text.data, refused.text.len);
	}
	wr_fini(&refused.text);
}

static bool is_for_all(const char *line)
{
	return line_is(line, "sh.ow ru.nning-config") || line_is(line, "sh.ow ve.rsion") ||
	       line_is(line, "wr.ite") || line_is(line, "lis.t") ||
	       line_is(line, "fin.d") ||
	       line_is(line, "cop.y ru.nning-config s.tartup-config");
}

void session_run(struct session *session, const char *line, struct answer *answer)
{
	*answer = (struct answer){ .verdict = VERDICT_OK };
	if (strlen(line) > CLIENT_COMMAND_MAX) {
		answer->verdict = VERDICT_FAILED;
		text_addf(&answer->text, "%% the command is longer than %d bytes\n",
			  CLIENT_COMMAND_MAX);
		return;
	}
	if (refresh(session, &answer->notes)) {
		answer->verdict = VERDICT_LOST;
		text_add(&answer->text,
			 "% the command was not sent; enter the node again\n");
		return;
	}
	if (count_open(session) == 0) {
		answer->verdict = VERDICT_LOST;
		if (answer->notes.len == 0)
			session_explain(session, true, &answer->text);
		return;
	}
	if (is_for_all(line))
		run_all(session, line, answer);
	else
		run_first(session, line, answer);
}
