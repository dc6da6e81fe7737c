/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One byte of context (how the session is), then the body of a BGP UPDATE.
 */
#include <string.h>

#include "controller/feed/bgp.h"
#include "tests/fuzz/fuzz_assert.h"

static uint8_t scratch[BGP_PATH_MAX], scratch2[BGP_PATH_MAX];

static struct bgp_update_ctx context(uint8_t bits)
{
	return (struct bgp_update_ctx){
		.as2 = bits & 1,
		.external = bits & 2,
		.next_hop_optional = bits & 4,
		.mrt = bits & 8,
		.form = { (uint8_t)((bits >> 4 & 3) % 3),
			  (uint8_t)((bits >> 6 & 3) % 3) },
	};
}

static size_t check_nlri(struct bgp_nlri nlri)
{
	struct ip_prefix p;
	uint32_t path_id;
	bool masked;
	size_t n = 0;

	for (; bgp_nlri_next(&nlri, &p, &path_id, &masked); n++) {
		struct ip_prefix again =
			ip_prefix_make((enum ip_family)p.family, p.v, p.len);

		HOLDS(p.len <= ip_bits((enum ip_family)p.family));
		HOLDS(p.v <= ip_max((enum ip_family)p.family));
		HOLDS(ip_prefix_cmp(&p, &again) == 0);
		HOLDS(nlri.addpath || path_id == 0);
	}
	/* it was checked before, so nothing can have run out */
	HOLDS(rd_done(&nlri.rd));
	return n;
}

static void check_path(struct rib_attr attr)
{
	struct rib_attr again = { 0 };
	uint16_t len = attr.as_path_len;

	bgp_attr_set_path(&again, attr.as_path, attr.as_path_len);
	HOLDS(again.origin_kind == attr.origin_kind && again.origin_as == attr.origin_as);
	HOLDS(again.as_path_hops == attr.as_path_hops);
	HOLDS(again.neighbor_as == attr.neighbor_as);
	HOLDS(attr.origin_kind == RIB_ORIGIN_AS || attr.origin_as == 0);
	HOLDS(attr.origin_kind != RIB_ORIGIN_AS ||
	      bgp_path_contains(&attr, attr.origin_as));
	HOLDS(!bgp_path_contains(&attr, 0));
	if (attr.neighbor_as == 0)
		return;
	HOLDS(bgp_path_contains(&attr, attr.neighbor_as));
	if (bgp_attr_strip_first(&attr, attr.neighbor_as, scratch2)) {
		HOLDS(attr.as_path_len == len - 4 || attr.as_path_len == len - 6);
		HOLDS(attr.as_path_hops + 1 == again.as_path_hops);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_update_ctx ctx;
	struct bgp_update u;
	enum bgp_update_verdict verdict;
	size_t announced;

	if (size == 0)
		return 0;
	ctx = context(data[0]);
	verdict = bgp_update_decode(rd_init(data + 1, size - 1), &ctx, scratch, &u);
	if (verdict != BGP_UPDATE_SKIP) {
		announced = check_nlri(u.announced[0]) + check_nlri(u.announced[1]);
		check_nlri(u.withdrawn[0]);
		check_nlri(u.withdrawn[1]);
		HOLDS(!(u.end_of_rib[IP_V4] || u.end_of_rib[IP_V6]) || announced == 0);
		HOLDS(u.attr.has_local_pref == 0 || !ctx.external);
		if (verdict == BGP_UPDATE_OK)
			check_path(u.attr);
	}
	verdict = bgp_attrs_decode(rd_init(data + 1, size - 1), &ctx, scratch, &u);
	if (verdict == BGP_UPDATE_OK)
		check_path(u.attr);
	return 0;
}
