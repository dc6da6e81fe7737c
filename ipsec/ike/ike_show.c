/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an engine has, for people.
 */
#include <string.h>

#include "ipsec/ike/ike_engine_impl.h"

void ike_engine_each_sa(const struct ike_engine *e, void (*fn)(void *ctx, const struct ike_sa_info *sa), void *ctx)
{
	for (const struct ike_sa *sa = e->sas; sa; sa = sa->next) {
		struct ike_sa_info info = {
			.sa = sa->number, .tunnel = sa->tunnel ? sa->tunnel->name : "", .state = sa_state_text(sa->state),
			.initiator = sa->initiator, .path = sa->path, .local_id = &sa->own_id, .remote_id = &sa->peer_id,
			.suite = sa->keys.suite, .nat_local = sa->nat.local, .nat_remote = sa->nat.remote,
			.mobike = sa->peer_mobike, .fragments = sa->peer_fragments, .up_since_ms = sa->up_ms,
			.rekey_at_ms = sa->rekey_at_ms, .n_children = sa->n_children,
		};

		if (sa->state == SA_DEAD)
			continue;
		memcpy(info.spi_i, sa->spi_i, IKE_SPI_SIZE);
		memcpy(info.spi_r, sa->spi_r, IKE_SPI_SIZE);
		fn(ctx, &info);
	}
}

void ike_engine_each_child(const struct ike_engine *e, uint64_t number, void (*fn)(void *ctx, const struct ike_child_info *child),
			   void *ctx)
{
	static const char *const states[] = { "up", "rekeying", "rekeyed", "deleting" };

	for (const struct ike_sa *sa = e->sas; sa; sa = sa->next)
		for (unsigned i = 0; sa->number == number && i < sa->n_children; i++) {
			const struct sa_child *c = sa->children[i];
			const struct ike_child_info info = { number, c->spi_in, c->spi_out, states[c->state], c->suite,
							     c->local_ts, c->remote_ts, c->since_ms, c->rekey_at_ms };

			fn(ctx, &info);
		}
}
