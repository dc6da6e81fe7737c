/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * apply - from the controller's messages to the kernel, and back.
 *
 * Read, diff, one transaction, read back: an edge counts as changed when the
 * kernel has been asked and says what was wanted. Whatever fails before that
 * leaves the last good filter in force and tells the controller why. No clock,
 * no socket: tests drive it with kernel_fake.
 */
#ifndef SAV_APPLY_H
#define SAV_APPLY_H

#include "agents/held.h"
#include "agents/kernel.h"
#include "schema/agent_msg.h"

struct apply;

struct apply_ops {
	/* One per Filter: error is "" when the kernel holds it. */
	void (*ack)(void *ctx, const char *interface, uint64_t generation,
		    const uint8_t hash[FILTER_HASH_SIZE], const char *error);
	/* What is held has changed: time to save it. */
	void (*changed)(void *ctx);
	/* One line for the log. */
	void (*note)(void *ctx, bool alarm, const char *text);
	/* The interface's subnets now. */
	const struct addrset *(*connected)(void *ctx, const char *interface);
};

struct apply_totals {
	uint64_t applied;     /* filters put into force */
	uint64_t refused;     /* answered with an error */
	uint64_t repairs;     /* times somebody else had changed our table */
	char last_error[512]; /* "" if there was none */
};

/* kernel and ctx stay the caller's; ops is copied. */
struct apply *apply_new(struct kernel *kernel, const struct apply_ops *ops, void *ctx);
void apply_free(struct apply *a);

/* Brings together what the kernel has (an agent was here before) and what the
 * disk has (the router was restarted). An edge that is intact in the kernel
 * stays as it is: it is never older than the disk. */
void apply_start(struct apply *a, const struct held *saved);

/* The filters that arrived together, in one transaction. If the kernel refuses
 * it, each goes alone, so that one bad edge does not hold up the others. */
void apply_filters(struct apply *a, const struct agent_filter *const *filters, size_t n);
/* The complete list, sorted: edges that are not on it are released. */
void apply_edge_list(struct apply *a, const char (*interfaces)[FILTER_IFNAME_SIZE],
		     size_t n);
void apply_epoch(struct apply *a, uint64_t epoch);

/* Interfaces came, went or changed their addresses. */
void apply_links(struct apply *a);
/* Is all of it still there? Repairs what is not; true if it had to. Deep: reads
 * the contents of every set too, which takes some 60 ms for 100,000 ranges. */
bool apply_verify(struct apply *a, bool deep);
/* All edges out of the kernel, on the operator's explicit command. */
int apply_release(struct apply *a, struct diag *diag);
/* The hand brake, see kernel_brake(). */
int apply_all_off(struct apply *a, bool on, struct diag *diag);

const struct held *apply_held(const struct apply *a);
const struct apply_totals *apply_totals(const struct apply *a);

#endif /* SAV_APPLY_H */
