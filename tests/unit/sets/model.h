/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * model - the modes of DESIGN section 4 as loops over routes, one address at a time: no
 * sets, no sorting, nothing kept. A second opinion that is too simple to be wrong
 * in the same way. It includes nothing of the code under test but names of modes.
 */
#ifndef SAV_TEST_MODEL_H
#define SAV_TEST_MODEL_H

#include "controller/policy/config.h"

#define MODEL_EDGES    8
#define MODEL_PEERS    10
#define MODEL_PREFIXES 32
#define MODEL_IDS      2 /* path ids of add-path */
#define MODEL_ROUTERS  2
#define MODEL_SEGMENTS 4
#define MODEL_OWN_AS   64500u

/* RFC 4271 4.3, RFC 5065 3 */
enum {
	MODEL_SET = 1,
	MODEL_SEQUENCE = 2,
	MODEL_CONFED_SEQUENCE = 3,
	MODEL_CONFED_SET = 4
};

struct model_segment {
	unsigned int type, n;
	uint32_t as[6];
};

struct model_path {
	bool there;
	struct model_segment segments[MODEL_SEGMENTS];
	unsigned int n_segments;
	unsigned int origin_code;
	bool has_pref, has_med;
	uint32_t pref, med;
};

struct model_edge {
	unsigned int router;
	enum edge_role role;
	enum edge_mode mode;
	uint32_t port; /* of its router's interface */
};

struct model_peer {
	unsigned int router;
	int edge; /* -1: none */
	bool ibgp;
	uint32_t addr; /* the last tie of the decision process */
};

struct model_fib_route {
	bool there, reject;
	uint32_t ports; /* bits: several is ECMP */
};

struct model {
	unsigned int n_edges, n_peers, n_prefixes;
	struct model_edge edges[MODEL_EDGES];
	struct model_peer peers[MODEL_PEERS];
	struct ip_prefix prefixes[MODEL_PREFIXES];
	struct model_path paths[MODEL_PEERS][MODEL_PREFIXES][MODEL_IDS];
	bool has_fib;
	struct model_fib_route fib[MODEL_ROUTERS][MODEL_PREFIXES];
	struct ip_prefix record; /* of a customer on every edge, and so loose too */
	struct ip_prefix own;
};

/* Does the edge's set have this address? */
bool model_accepts(const struct model *m, unsigned int edge, const struct ip_addr *a);
/* A path with our own number on it is none (RFC 4271 9.1.2). */
bool model_is_loop(const struct model_path *p);

#endif /* SAV_TEST_MODEL_H */
