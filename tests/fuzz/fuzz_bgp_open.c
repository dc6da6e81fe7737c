/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The body of a BGP OPEN.
 */
#include <string.h>

#include "controller/feed/bgp.h"
#include "tests/fuzz/fuzz_assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_open open, again;

	memset(&open, 0xa5, sizeof(open));
	memset(&again, 0xa5, sizeof(again));
	if (!bgp_open_decode(rd_init(data, size), &open)) {
		/* complete or untouched */
		HOLDS(memcmp(&open, &again, sizeof(open)) == 0);
		return 0;
	}
	HOLDS(size >= 10);
	HOLDS(open.role >= BGP_ROLE_NONE && open.role <= BGP_ROLE_PEER);
	HOLDS(open.as4 || open.as <= UINT16_MAX);
	HOLDS(bgp_open_decode(rd_init(data, size), &again));
	HOLDS(open.as == again.as && open.role == again.role);
	/* nothing may trail, nothing may be missing */
	HOLDS(!bgp_open_decode(rd_init(data, size - 1), &again));
	return 0;
}
