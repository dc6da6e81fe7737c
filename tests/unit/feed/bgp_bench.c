/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/feed/bgp_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

uint8_t scratch[BGP_PATH_MAX];

enum bgp_update_verdict decode_ctx(struct build_update *b, const struct bgp_update_ctx *ctx,
				   struct bgp_update *u)
{
	static uint8_t *copy;
	struct wr body = { 0 };
	enum bgp_update_verdict verdict;

	build_update_body(&body, b);
	free(copy);
	copy = malloc(body.len);
	assert_non_null(copy);
	memcpy(copy, body.data, body.len);
	verdict = bgp_update_decode(rd_init(copy, body.len), ctx, scratch, u);
	wr_fini(&body);
	build_update_fini(b);
	return verdict;
}

enum bgp_update_verdict decode(struct build_update *b, struct bgp_update *u)
{
	return decode_ctx(b, &(struct bgp_update_ctx){ 0 }, u);
}

void assert_next(struct bgp_nlri *nlri, const char *text, uint32_t path_id, bool masked)
{
	char buf[IP_TEXT_SIZE];
	struct ip_prefix p;
	uint32_t id;
	bool m;

	assert_true(bgp_nlri_next(nlri, &p, &id, &m));
	assert_string_equal(ip_prefix_format(&p, buf), text);
	assert_int_equal(id, path_id);
	assert_int_equal(m, masked);
}

void assert_end(struct bgp_nlri *nlri)
{
	struct ip_prefix p;
	uint32_t id;
	bool masked;

	assert_false(bgp_nlri_next(nlri, &p, &id, &masked));
}
