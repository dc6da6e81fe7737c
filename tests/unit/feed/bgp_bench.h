/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp_bench - what tests of BGP's UPDATE share: one is built, decoded and looked at.
 */
#ifndef SAV_BGP_BENCH_H
#define SAV_BGP_BENCH_H

#include "controller/feed/bgp.h"
#include "tests/unit/feed/bmp_build.h"

#define ARRAY(...)                                                                       \
	(const uint32_t[])                                                               \
	{                                                                                \
		__VA_ARGS__                                                              \
	}

/* For the path of what was decoded last. */
extern uint8_t scratch[BGP_PATH_MAX];

/* Decodes what was built. The copy is malloc'ed at its exact size, so that the
 * address sanitizer sees any byte read beyond it; it lives until the next one. */
enum bgp_update_verdict decode_ctx(struct build_update *b, const struct bgp_update_ctx *ctx,
				   struct bgp_update *u);
/* The same, of a plain session. */
enum bgp_update_verdict decode(struct build_update *b, struct bgp_update *u);

/* The next prefix of these, as text, and how it came; and that there is none. */
void assert_next(struct bgp_nlri *nlri, const char *text, uint32_t path_id, bool masked);
void assert_end(struct bgp_nlri *nlri);

#endif
