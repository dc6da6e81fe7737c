/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * dynset - a set of addresses of one family that is edited in place.
 *
 * Holds what a struct rangeset holds, sorted ranges that neither overlap nor
 * touch, but in chunks: an edit costs a search and the moving of one chunk,
 * not a pass over the set. 8 bytes for an IPv4 range, 32 for an IPv6 one, and
 * about a quarter on top where chunks are not full.
 */
#ifndef SAV_DYNSET_H
#define SAV_DYNSET_H

#include "lib/rangeset.h"

struct dynset_chunk;

struct dynset {
	enum ip_family family;
	struct dynset_chunk *chunks;
	size_t n_chunks, cap_chunks;
	size_t n; /* ranges */
};

void dynset_init(struct dynset *s, enum ip_family family);
void dynset_fini(struct dynset *s); /* the set is empty and usable */
size_t dynset_bytes(const struct dynset *s);

/* What lies in [first, last] becomes *with, whose ranges are canonical and lie
 * in there. Appended to *added and *removed, where not NULL, is what differs;
 * the caller normalizes them after the last of several edits. */
void dynset_replace(struct dynset *s, u128 first, u128 last, const struct rangeset *with,
		    struct rangeset *added, struct rangeset *removed);
void dynset_add(struct dynset *s, u128 first, u128 last, struct rangeset *added);
void dynset_remove(struct dynset *s, u128 first, u128 last, struct rangeset *removed);
/* All of *what: what goes to one place goes there together, if it is canonical. */
void dynset_add_all(struct dynset *s, const struct rangeset *what, struct rangeset *added);

/* The lowest address; false: there is none. */
bool dynset_first(const struct dynset *s, u128 *v);
bool dynset_contains(const struct dynset *s, u128 v);
bool dynset_covers(const struct dynset *s, u128 first, u128 last); /* all of it */
/* Appends what of the set lies in [first, last]: canonical if *out was empty. */
void dynset_part(const struct dynset *s, u128 first, u128 last, struct rangeset *out);
void dynset_export(const struct dynset *s, struct rangeset *out); /* replaces *out */

/* What changed since some moment, net: r came to (or went from) the set whose
 * arrivals (departures) *to holds; *opposite holds the others. */
void dynset_note(struct dynset *to, struct dynset *opposite, const struct ip_range *r);

/* Of both families, indexed by enum ip_family. */
struct dynaddrset {
	struct dynset f[IP_FAMILIES];
};

void dynaddrset_init(struct dynaddrset *s);
void dynaddrset_fini(struct dynaddrset *s); /* the set is empty and usable */
bool dynaddrset_is_empty(const struct dynaddrset *s);
bool dynaddrset_first(const struct dynaddrset *s, struct ip_addr *addr); /* IPv4 first */
bool dynaddrset_contains(const struct dynaddrset *s, const struct ip_addr *addr);
/* What was not there, or was, is appended to *changed, which may be NULL. */
void dynaddrset_add(struct dynaddrset *s, const struct addrset *what,
		    struct addrset *changed);
void dynaddrset_remove(struct dynaddrset *s, const struct addrset *what,
		       struct addrset *changed);
void dynaddrset_note(struct dynaddrset *to, struct dynaddrset *opposite,
		     const struct addrset *what);
/* What of the set lies in *what; *out is replaced. */
void dynaddrset_intersect(const struct dynaddrset *s, const struct addrset *what,
			  struct addrset *out);
void dynaddrset_export(const struct dynaddrset *s, struct addrset *out);
size_t dynaddrset_bytes(const struct dynaddrset *s);

#endif /* SAV_DYNSET_H */
