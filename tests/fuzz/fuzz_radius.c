/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whatever is a packet has attributes that lie in it, gives prefixes without
 * host bits, and is not of somebody who does not know the secret.
 */
#include <string.h>

#include "controller/radius/radius_prefix.h"
#include "tests/fuzz/fuzz_assert.h"

static void check_attributes(const struct radius_packet *p)
{
	struct radius_attr attr;
	struct radius_iter it;
	char text[64];

	radius_iter_init(&it, p->attrs);
	while (radius_next(&it, &attr)) {
		HOLDS(attr.len <= RADIUS_VALUE_MAX);
		HOLDS(attr.data >= p->attrs.data &&
		      attr.data + attr.len <= p->attrs.data + p->attrs.len);
		radius_text(&attr, text, sizeof(text));
		HOLDS(memchr(text, 0, sizeof(text)) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct radius_prefixes prefixes;
	struct radius_packet p;
	struct diag diag;

	if (radius_decode(data, size, &p, &diag) < 0)
		return 0;
	HOLDS(p.len <= size && p.len >= RADIUS_PACKET_MIN);
	check_attributes(&p);
	radius_prefixes_read(p.attrs, &prefixes);
	for (size_t i = 0; i < prefixes.n; i++) {
		const struct ip_prefix *q = &prefixes.p[i].prefix;
		struct ip_prefix again = ip_prefix_make(q->family, q->v, q->len);

		HOLDS(q->len <= ip_bits(q->family) && ip_prefix_cmp(q, &again) == 0);
	}
	HOLDS(!radius_request_is_from(&p, "a secret that no input knows"));
	HOLDS(radius_signature(&p, NULL, "a secret that no input knows") != RADIUS_SIGNED);
	return 0;
}
