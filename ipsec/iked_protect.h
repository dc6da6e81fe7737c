/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_protect - what must not leave in clear when the interface of its tunnel is
 * away: at boot, while sav-iked does not run, when somebody deletes it.
 *
 * Whatever leads there by a route of its own is the operator's; the default route
 * and others for more than that are not good enough.
 */
#ifndef SAV_IKED_PROTECT_H
#define SAV_IKED_PROTECT_H

#include "ipsec/iked_config.h"

struct iked_prefixes {
	struct ip_prefix *list; /* sorted, each once */
	size_t n;
};

void iked_prefixes_append(struct iked_prefixes *prefixes, const struct ip_prefix *prefix);
void iked_prefixes_sort(struct iked_prefixes *prefixes);
int iked_prefixes_compare(const void *a, const void *b); /* for bsearch() */
void iked_prefixes_fini(struct iked_prefixes *prefixes);

/* What the remote selectors of a tunnel name that is to be protected, sorted; *out
 * is empty before. Not: selectors of ports; selectors shorter than /8 or IPv6's /7,
 * which are for routing to decide; those with the peer's own address, to which IKE
 * must come; and nothing of transport mode, which has no interface, and of tunnels
 * whose peers come from anywhere with records of their own (iked_clients.h): theirs
 * are public networks that have other ways. */
void iked_protected(const struct iked_config *config, struct iked_prefixes *out);

/* Somebody deletes what is put back: with another program there shall be no fight at
 * full speed. All zero at first. */
struct iked_pause {
	bool began;
	uint64_t last_ms;
	uint32_t next_ms;
};

#define IKED_PAUSE_FIRST_MS 1000
#define IKED_PAUSE_MOST_MS  64000
#define IKED_CALM_MS	    120000 /* longer than a pause */

/* How long to wait now before the next time: not at all after a calm, and else each
 * time twice as long, up to about a minute. */
uint32_t iked_pause_take(struct iked_pause *pause, uint64_t now_ms);

#endif /* SAV_IKED_PROTECT_H */
