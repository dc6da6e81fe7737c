/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * filter - the desired state of one edge on its router: what controller,
 * wire, agent, disk cache and kernel read-back all speak about.
 */
#ifndef SAV_FILTER_H
#define SAV_FILTER_H

#include "lib/rangeset.h"

#define FILTER_IFNAME_SIZE 16 /* IFNAMSIZ */
#define FILTER_HASH_SIZE   32 /* SHA-256 */
#define FILTER_PEERS_MAX   256

enum filter_action {
	FILTER_OFF = 0,	    /* nothing is counted, nothing is dropped */
	FILTER_OBSERVE = 1, /* counted as if enforced, nothing is dropped */
	FILTER_ENFORCE = 2,
};

struct filter {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t generation; /* grows with every change of this edge */
	enum filter_action action;
	struct addrset accept; /* sources that may enter here */
	/* BGP peers of this edge: may always talk to the router itself. */
	struct ip_addr *peers; /* sorted, no duplicates */
	size_t n_peers;
};

void filter_fini(struct filter *f);
void filter_copy(struct filter *dst, const struct filter *src);
void filter_set_peers(struct filter *f, const struct ip_addr *peers, size_t n);

/* SHA-256 over a canonical encoding of everything but the generation, so that
 * equal content has an equal hash, whatever history led to it. */
void filter_hash(const struct filter *f, uint8_t hash[FILTER_HASH_SIZE]);

/* Interface names as the kernel accepts them (dev_valid_name) and as they can
 * be printed in a configuration: 1..15 bytes, no '/', no white space, no
 * control or quote characters, not "." or "..". */
bool filter_ifname_is_valid(const char *name);

const char *filter_action_name(enum filter_action action); /* "observe" ... */
bool filter_action_parse(const char *text, enum filter_action *action);

#endif /* SAV_FILTER_H */
