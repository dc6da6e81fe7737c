/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ts - what traffic selectors mean: ranges of addresses, protocol and ports.
 *
 * Source: RFC 7296 2.9 (narrowing), RFC 4301 4.4.1.1.
 */
#ifndef SAV_TS_H
#define SAV_TS_H

#include <stdbool.h>

#include "ipsec/ike/payload.h"
#include "lib/diag.h"
#include "lib/ip.h"

/* "PREFIX" or "PREFIX proto N" or "PREFIX proto N port P[-Q]"; N by number, or
 * tcp, udp, icmp, icmp6. */
int ike_ts_parse(const char *text, struct ike_ts *out, struct diag *diag);
#define IKE_TS_TEXT 160
/* As a prefix where it is one, else FIRST-LAST. */
const char *ike_ts_format(const struct ike_ts *ts, char out[IKE_TS_TEXT]);

struct ike_ts ike_ts_of_prefix(const struct ip_prefix *prefix);

/* What both have, into *out. False: nothing. */
bool ike_ts_intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *out);
bool ike_ts_covers(const struct ike_ts *outer, const struct ike_ts *inner);
/* Is each of inner inside one of outer? What the responder chose must be. */
bool ike_ts_list_covers(const struct ike_ts_list *outer, const struct ike_ts_list *inner);
bool ike_ts_list_equal(const struct ike_ts_list *a, const struct ike_ts_list *b);

/* 2.9: what the other side asks for, cut to what policy allows; each pair that
 * has something in common, without those inside another. The result can be
 * empty (TS_UNACCEPTABLE); what does not fit in IKE_TS_MAX is left out. */
void ike_ts_narrow(const struct ike_ts_list *policy, const struct ike_ts_list *asked, struct ike_ts_list *out);

#endif /* SAV_TS_H */
