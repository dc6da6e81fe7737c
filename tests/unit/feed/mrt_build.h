/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mrt_build - MRT records for tests, and a RIB that takes them.
 */
#ifndef SAV_TEST_MRT_BUILD_H
#define SAV_TEST_MRT_BUILD_H

#include "controller/feed/mrt_feed.h"
#include "tests/unit/feed/bmp_build.h"

#define PEER1 "192.0.2.85"
#define PEER2 "2001:db8::2"

void build_mrt_addr(struct wr *out, const char *text);
/* Empties body. */
void build_mrt_record(struct wr *out, uint16_t type, uint16_t subtype, struct wr *body);
/* PEER1 of AS 65541 and PEER2 of AS 64496, in two octets */
void build_mrt_index(struct wr *out);
void build_mrt_entry(struct wr *out, uint16_t peer, const struct wr *attrs);
/* One entry of TABLE_DUMP_V2. */
void build_mrt_rib(struct wr *out, uint16_t subtype, const char *prefix, uint16_t peer,
		   const struct wr *attrs);

struct build_session {
	bool et, as2;
	const char *peer;
	uint32_t peer_as, local_as;
};
extern const struct build_session build_ext; /* PEER1, AS 64496, to AS 64500 */

/* Empties u. */
void build_mrt_update(struct wr *out, const struct build_session *s, uint16_t subtype,
		      struct build_update *u);
void build_mrt_announce(struct wr *out, const struct build_session *s, const char *prefix,
			const uint32_t *as, size_t n);
void build_mrt_withdraw(struct wr *out, const struct build_session *s, const char *prefix);
void build_mrt_state(struct wr *out, const struct build_session *s, uint16_t old,
		     uint16_t new);

/* The state of every case. */
struct mrt_world {
	struct rib *rib;
	struct wr in; /* the stream */
	struct mrt_feed_stats stats;
	size_t pending;
	unsigned int sessions; /* told */
	struct diag diag;
};
int mrt_world_setup(void **state);
int mrt_world_teardown(void **state);
/* The stream so far, from its beginning, into the RIB as it is. */
void mrt_world_run(struct mrt_world *w);
int mrt_world_run_piecewise(struct mrt_world *w, size_t piece);
const struct rib_attr *mrt_world_route(const struct mrt_world *w, const char *peer,
				       const char *prefix);
size_t mrt_world_paths(const struct mrt_world *w);

#define MRT_CASE(name) \
	cmocka_unit_test_setup_teardown(name, mrt_world_setup, mrt_world_teardown)

#endif /* SAV_TEST_MRT_BUILD_H */
