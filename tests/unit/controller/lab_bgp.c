/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab_bgp.h"

#include <string.h>

struct engine_bgp *lab_bgp_begin(struct lab *lab, const char *router)
{
	struct bgp_session_config config = { .as = LAB_BGP_AS, .id = 0x0a0000fe };
	struct engine_bgp *b = engine_bgp_open(lab->engine, router, &config, lab->now_ms);

	assert_non_null(b);
	return b;
}

static void flow(struct lab *lab, struct engine_bgp *b, struct wr *bytes)
{
	struct diag diag;

	if (engine_bgp_bytes(b, bytes->data, bytes->len, lab->now_ms, &diag) < 0)
		fail_msg("%s", diag.text);
	wr_fini(bytes);
}

static struct engine_bgp *establish(struct lab *lab, const char *router, uint8_t addpath)
{
	struct build_open open = { .as = LAB_BGP_AS, .id = 1, .role = -1 };
	struct engine_bgp *b = lab_bgp_begin(lab, router);
	struct wr bytes = { 0 }, none = { 0 };

	memset(open.addpath, addpath, sizeof(open.addpath));
	build_open(&bytes, &open);
	build_bgp(&bytes, BGP_MSG_KEEPALIVE, &none);
	flow(lab, b, &bytes);
	return b;
}

struct engine_bgp *lab_bgp_establish(struct lab *lab, const char *router)
{
	return establish(lab, router, 2); /* RFC 7911: it sends */
}

struct engine_bgp *lab_bgp_establish_plain(struct lab *lab, const char *router)
{
	return establish(lab, router, 0);
}

void lab_bgp_update(struct lab *lab, struct engine_bgp *b, struct build_update *u)
{
	struct wr bytes = { 0 }, body = { 0 };

	build_update_body(&body, u);
	build_bgp(&bytes, BGP_MSG_UPDATE, &body);
	build_update_fini(u);
	wr_fini(&body);
	flow(lab, b, &bytes);
}

static void put_prefix(struct wr *out, uint32_t id, const char *prefix)
{
	if (id != 0)
		build_prefix_id(out, id, prefix);
	else
		build_prefix(out, prefix);
}

void lab_bgp_tell(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id,
		  const char *next_hop, const uint32_t *as, size_t n)
{
	struct build_update u = { 0 };
	struct wr nlri = { 0 };

	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, as, n);
	if (strchr(prefix, ':')) {
		put_prefix(&nlri, id, prefix);
		build_mp_reach(&u.attrs, 2, 1, next_hop, &nlri);
		wr_fini(&nlri);
	} else {
		build_next_hop(&u.attrs, next_hop);
		put_prefix(&u.nlri, id, prefix);
	}
	lab_bgp_update(lab, b, &u);
}

void lab_bgp_add(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id,
		 const char *next_hop)
{
	uint32_t as = 65001;

	lab_bgp_tell(lab, b, prefix, id, next_hop, &as, 1);
}

void lab_bgp_del(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id)
{
	struct build_update u = { 0 };

	put_prefix(&u.withdrawn, id, prefix);
	lab_bgp_update(lab, b, &u);
}

void lab_bgp_end_of_rib(struct lab *lab, struct engine_bgp *b)
{
	struct build_update u = { 0 };
	struct wr none = { 0 };

	lab_bgp_update(lab, b, &u);
	build_mp_unreach(&u.attrs, 2, 1, &none);
	lab_bgp_update(lab, b, &u);
}

void lab_bgp_lose(struct lab *lab, struct engine_bgp *b)
{
	engine_bgp_close(b, "closed by the router", lab->now_ms);
}
