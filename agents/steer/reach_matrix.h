/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * reach_matrix - which source arrives by which path, and what has changed.
 *
 * Pure: the owner sends what reach_matrix_next() gives, hands over tokens of
 * answers, and says when the time for answers has passed.
 */
#ifndef SAV_REACH_MATRIX_H
#define SAV_REACH_MATRIX_H

#include "agents/steer/plan.h"
#include "agents/steer/reach.h"

#define REACH_CELLS_MAX 512
#define REACH_PACKETS	3 /* of each cell, until one is answered */

enum reach_verdict {
	REACH_PENDING,
	REACH_ARRIVES,
	REACH_LOST,
	REACH_NOT_TRIED, /* why says it */
};
struct reach_cell {
	struct ip_prefix prefix;
	char owner[PATH_NAME_SIZE]; /* the provider of the prefix */
	uint32_t path;
	char path_name[PATH_NAME_SIZE], provider[PATH_NAME_SIZE];
	enum path_kind kind;
	struct ip_addr source; /* in the prefix */
	bool own;	       /* its provider is the path's: it should arrive */
	enum reach_verdict verdict;
	enum reach_verdict known; /* the last that was tried; REACH_PENDING: never */
	int64_t since_ms;	  /* known is so */
	char why[PATH_REASON_SIZE];
	struct ip_addr seen; /* of one that arrives: the source there */
	unsigned int sent;
	uint8_t tokens[REACH_PACKETS][REACH_TOKEN_BYTES];
};
struct reach_matrix {
	struct reach_cell *cells; /* by prefix, then by path */
	size_t n;
	size_t n_columns;
	size_t at; /* the next to send */
};

/* provider: only its paths; NULL: all. has_responder: by family. old: the last
 * one, for what was known. -1 with diag: nothing to probe, or too much. */
int reach_matrix_make(struct reach_matrix *m, const struct plan *plan, const char *provider,
		      const bool has_responder[IP_FAMILIES], const struct reach_matrix *old,
		      struct diag *diag);
void reach_matrix_fini(struct reach_matrix *m);
/* The cell to send a packet of now, with a token for it; NULL: all is sent. */
struct reach_cell *reach_matrix_next(struct reach_matrix *m, uint8_t token[REACH_TOKEN_BYTES]);
/* It could not be sent. */
void reach_cell_refuse(struct reach_cell *c, const char *why);
/* False: of no packet of ours, or known already. */
bool reach_matrix_answer(struct reach_matrix *m, const struct reach_message *answer);

/* Told once for each that has changed, alarm: for the worse. */
typedef void reach_event_fn(void *ctx, bool alarm, const char *text);
/* No answer is awaited any more. Where not one has arrived the responder is
 * taken for dead: that is told, and nothing of the cells. */
void reach_matrix_finish(struct reach_matrix *m, int64_t now_ms, reach_event_fn *event,
			 void *ctx);
/* What is known of the cells of run, into a list of all there are. whole: others
 * are no more, else nothing changes for them. */
void reach_matrix_keep(struct reach_matrix *all, const struct reach_matrix *run, bool whole);
bool reach_matrix_pending(const struct reach_matrix *m);
const char *reach_verdict_name(enum reach_verdict v);

#endif /* SAV_REACH_MATRIX_H */
