/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * net - a small network for tests: policy, peers and routes from texts.
 */
#ifndef SAV_TEST_NET_H
#define SAV_TEST_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controller/sets/sets.h"

#define NET_PEERS_MAX 64

struct net_peer {
	struct rib_peer *rib;
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE]; /* "": on no edge */
	bool ibgp;
};

struct net {
	struct config cfg;
	struct rib *rib;
	struct net_peer peers[NET_PEERS_MAX];
	size_t n_peers;
	/* As for sets_pass_set_fibs(); NULL: offline. */
	const struct fib *const *fibs;
	const uint32_t *index;
};

void net_init(struct net *net);
void net_fini(struct net *net);

struct ip_addr net_addr(const char *text);
struct ip_prefix net_prefix(const char *text);

/* An edge, and its router where that is new. */
void net_edge(struct net *net, const char *router, const char *interface,
	      enum edge_role role, enum edge_mode mode);
void net_edge_mode(struct net *net, const char *router, const char *interface,
		   enum edge_mode mode);
void net_edge_exception(struct net *net, const char *router, const char *interface,
			const char *prefix);
/* A customer with these prefixes (separated by blanks), on this edge if one is named. */
void net_record(struct net *net, const char *customer, const char *prefixes,
		const char *router, const char *interface);
void net_own(struct net *net, const char *prefix);
void net_permit(struct net *net, const char *prefix);

/* interface NULL: on no edge. */
struct rib_peer *net_peer(struct net *net, const char *router, const char *interface,
			  const char *addr);
struct rib_peer *net_ibgp_peer(struct net *net, const char *router, const char *addr);

/* path: AS numbers; a last word "{}" is an AS_SET, no number at all the empty
 * path; pref=N, med=N and code=N (ORIGIN) may follow. */
void net_route(struct rib_peer *peer, const char *prefix, const char *path);
void net_route_id(struct rib_peer *peer, const char *prefix, uint32_t path_id,
		  const char *path);
struct rib_attr net_attr(const char *path);

/* The computed set of an edge; the caller frees it with addrset_fini(). */
void net_set(const struct net *net, const char *router, const char *interface,
	     struct addrset *out);
bool net_accepts(const struct net *net, const char *router, const char *interface,
		 const char *addr);
/* Prefixes in ascending order, separated by blanks; "" for the empty set. */
char *net_set_text(const struct addrset *set);

#define assert_net_set(net, router, interface, text)                                     \
	net_assert_set(net, router, interface, text, __FILE__, __LINE__)
void net_assert_set(const struct net *net, const char *router, const char *interface,
		    const char *text, const char *file, int line);

#endif /* SAV_TEST_NET_H */
