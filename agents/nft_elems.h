/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_elems - address ranges as the elements of an interval set.
 *
 * The kernel keeps a range as two elements: its first address, and the address
 * after its last one marked as an end. A range that reaches the last address
 * of the family has no end. No need to cut ranges into CIDR blocks.
 */
#ifndef SAV_NFT_ELEMS_H
#define SAV_NFT_ELEMS_H

#include "agents/nft_txn.h"
#include "lib/rangeset.h"

void elems_create_set(struct txn *t, const char *set, enum ip_family family);
void elems_delete_set(struct txn *t, const char *set);
void elems_add(struct txn *t, const char *set, enum ip_family family,
	       const struct rangeset *ranges);
/* From old to new by whole ranges: the kernel refuses elements that cut one. */
void elems_delta(struct txn *t, const char *set, enum ip_family family,
		 const struct rangeset *old, const struct rangeset *new);
/* 0, or a negative errno; -EBADMSG if the elements are not such pairs. */
int elems_read(struct mnl_socket *nl, const char *set, enum ip_family family,
	       struct rangeset *out);

/* The map from addresses to the chains of parts: it covers the family, each
 * part ends where the next begins. */
struct elems_part {
	u128 first;
	char chain[TXN_NAME_SIZE];
};
void elems_create_split(struct txn *t, const char *map, enum ip_family family,
			const struct elems_part *parts, size_t n);
/* In ascending order; the caller frees them. -EBADMSG: not such a map. */
int elems_split_read(struct mnl_socket *nl, const char *map, enum ip_family family,
		     struct elems_part **parts, size_t *n);

/* The map from interface names to the edges' chains. */
void elems_create_map(struct txn *t, const char *map);
void elems_map_add(struct txn *t, const char *map, const char *interface,
		   const char *chain);
void elems_map_delete(struct txn *t, const char *map, const char *interface);
typedef void elems_map_fn(const char *interface, const char *chain, void *arg);
int elems_map_read(struct mnl_socket *nl, const char *map, elems_map_fn *fn, void *arg);

#endif /* SAV_NFT_ELEMS_H */
