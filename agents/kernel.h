/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel - the filters of this router as the kernel holds them.
 *
 * One facade, chosen at link time: kernel_nft.c (nftables, in a table of our
 * own) or kernel_fake.c (tests). What is in the kernel outlives the agent:
 * kernel_open() finds what an earlier agent left and kernel_close() leaves all
 * of it in place. Every change is one transaction: the packets see the state
 * before it or the state after it, and a refused change changes nothing.
 */
#ifndef SAV_KERNEL_H
#define SAV_KERNEL_H

#include "lib/diag.h"
#include "lib/filter.h"

struct kernel;

enum kernel_strategy {
	KERNEL_AUTO,  /* by the kernel's version */
	KERNEL_DELTA, /* change the elements of the live sets */
	KERNEL_SWAP,  /* fill a fresh set and point the rules at it */
};

/* How the accepted addresses of a family lie in the kernel; packets meet the
 * same verdict either way. */
enum kernel_shape {
	KERNEL_SHAPE_AUTO,   /* the smaller one */
	KERNEL_SHAPE_ACCEPT, /* a list of what is accepted */
	KERNEL_SHAPE_DROP,   /* a list of what is not */
};

struct kernel_options {
	enum kernel_strategy strategy;
	enum kernel_shape shape;
	size_t part_ranges;		/* where large lists are split, 0: as measured */
	unsigned int sample_group;	/* NFLOG group of sampled drops, 0 for none */
	void (*privileges)(bool raise); /* around each system call that needs
					 * CAP_NET_ADMIN; may be NULL */
};

struct kernel_change {
	const struct filter *old;	 /* in the kernel now, NULL for none */
	const struct filter *new;	 /* wanted, NULL to remove the edge */
	const struct addrset *connected; /* subnets of the interface; NULL: as they are */
};

struct kernel_counters {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t accept_packets, accept_bytes;
	uint64_t drop_packets, drop_bytes; /* in observe: would have been dropped */
	uint64_t except_packets, except_bytes;
};

/* NULL if the kernel cannot do it at all (diag says what is missing). */
struct kernel *kernel_open(const struct kernel_options *options, struct diag *diag);
void kernel_close(struct kernel *k); /* the filters stay */

/* All changes or none. 0, or -1 and nothing has changed. */
int kernel_apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag);
/* Replaces everything by these (old is not looked at), in one transaction,
 * whatever the present state is; counters go on from their last known value.
 * The way out when somebody else has been at our table. */
int kernel_rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag);

/* Reads an edge back: 1 and *out (the generation too), 0 if there is no such
 * edge, -1 if the state is not one that kernel_apply() leaves (diag says in
 * what) or cannot be read. */
int kernel_read(struct kernel *k, const char *interface, struct filter *out,
		struct diag *diag);
/* Does the kernel hold this filter? Reads what changed since the last time, or
 * all of it. 0, or -1 (diag: what differs, or why it cannot be read). */
int kernel_verify(struct kernel *k, const struct filter *want, bool all,
		  struct diag *diag);
/* Everything but the contents of the accept and peer sets is there and as it
 * was left. Quick: does not grow with the sets. */
int kernel_check(struct kernel *k, struct diag *diag);
/* Names of all edges; the caller frees the array. */
size_t kernel_edges(struct kernel *k, char (**names)[FILTER_IFNAME_SIZE]);
/* Counters of all edges; the caller frees the array. */
int kernel_counters(struct kernel *k, struct kernel_counters **out, size_t *n,
		    struct diag *diag);

struct kernel_layout {
	enum kernel_shape shape;
	size_t sets; /* among which the list is divided, by address */
};
/* How the edge's list of this family lies in the kernel; false: no such edge. */
bool kernel_layout(const struct kernel *k, const char *interface, enum ip_family family,
		   struct kernel_layout *out);
/* Intervals in a list of this shape that accepts these addresses. */
size_t kernel_shape_size(const struct rangeset *accept, enum ip_family family,
			 enum kernel_shape shape);
const char *kernel_shape_name(enum kernel_shape shape); /* "accept-list" ... */

/* The operator's hand brake: nothing is looked at, everything passes. The
 * edges stay as they are underneath and can be changed meanwhile. */
int kernel_brake(struct kernel *k, bool on, struct diag *diag);
bool kernel_brake_is_on(const struct kernel *k);

/* Removes the table and all that is in it. Only on an explicit command. */
int kernel_release(struct kernel *k, struct diag *diag);

/* Has somebody changed anything in nftables since the last call, other than by
 * this handle? A few microseconds; ask often. (Being notified instead would
 * cost everybody on this machine: while anyone listens, the kernel reports
 * every element of every change, which makes large ones ten times slower.) */
bool kernel_was_changed(struct kernel *k);

enum kernel_strategy kernel_strategy(const struct kernel *k);
const char *kernel_strategy_name(enum kernel_strategy strategy);
/* Can interval sets of this kernel be changed while packets look into them? */
enum kernel_strategy kernel_strategy_for(const char *release, bool has_array_sets);

#endif /* SAV_KERNEL_H */
