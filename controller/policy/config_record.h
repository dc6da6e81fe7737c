/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_record - what is said of the prefixes of a customer's record: from
 * when until when they count, and that another customer may hold them too.
 *
 * Part of struct config. The prefixes that count now are in the customer's
 * list `prefixes`, which is all that the engine reads.
 */
#ifndef SAV_CONFIG_RECORD_H
#define SAV_CONFIG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/ip.h"

struct config;
struct config_customer;

/* A prefix statement that says more than its prefix. */
struct config_term {
	struct ip_prefix prefix;
	int64_t from, until; /* seconds since 1970, from <= now < until; 0: no bound */
	bool overlap;	     /* confirmed: others' records may overlap it */
};

/* The term of this prefix of the record, or NULL. */
const struct config_term *config_term_find(const struct config_customer *c,
					   const struct ip_prefix *p);
bool config_term_is_valid(const struct config_term *t, int64_t now_s);
/* Adds the statement or replaces it; a term without anything said is a plain
 * prefix. Whether it counts now is found out by config_customer_put(). */
void config_record_set(struct config_customer *c, const struct config_term *t);
/* false: the record has no such statement. */
bool config_record_remove(struct config_customer *c, const struct ip_prefix *p);

/* The statement of the customer of that name, set or replaced as part of cfg: as
 * config_customer_put() of a copy with it, but while nobody watches and nothing is
 * stored (a file is read) without the copy. 0, or -1 with diag. */
int config_record_put(struct config *cfg, const char *name, const struct config_term *t,
		      struct diag *diag);

/* Time has come this far (seconds since 1970): prefixes begin and cease to
 * count, and whoever watches is told. Returns when the next one does, or 0. */
int64_t config_set_time(struct config *cfg, int64_t now_s);

/* Of one prefix: not said, or said with this term (NULL: plainly). */
struct config_statement {
	bool said;
	const struct config_term *term;
};
typedef void config_difference_fn(const struct ip_prefix *p, struct config_statement old,
				  struct config_statement new, void *arg);
/* Each prefix of which the two (or NULL) do not say the same, once. */
void config_record_differences(const struct config_customer *old,
			       const struct config_customer *new,
			       config_difference_fn *fn, void *arg);

/* ---- for config.c ---- */

/* -1 with diag if a statement that is new in c (old: what it replaces, or NULL)
 * overlaps another customer's and neither is confirmed. While cfg->trusts it
 * is confirmed in c instead. */
int config_record_check(struct config *cfg, const struct config_customer *old,
			struct config_customer *c, struct diag *diag);
/* c's list becomes what counts now. */
void config_record_apply(const struct config *cfg, struct config_customer *c);
/* The change from old to new (each may be NULL) is made. */
void config_record_changed(struct config *cfg, const struct config_customer *old,
			   const struct config_customer *new);
/* Forgets what was remembered for speed. */
void config_record_forget(struct config *cfg);

#endif /* SAV_CONFIG_RECORD_H */
