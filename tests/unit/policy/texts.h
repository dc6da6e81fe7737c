/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * texts - addresses and prefixes that tests write as text; one that is none fails the test.
 * After <cmocka.h>.
 */
#ifndef SAV_TEXTS_H
#define SAV_TEXTS_H

#include "lib/ip.h"

static inline struct ip_addr addr_of(const char *text)
{
	struct ip_addr addr;

	assert_true(ip_addr_parse(text, &addr));
	return addr;
}

static inline struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

#endif
