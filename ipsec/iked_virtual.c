/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_virtual.h"

#include "ipsec/ike/ts.h"

/* Besides those of no host at all: of no use behind a tunnel, and some would take
 * what the system says to itself. */
static const char *const refused[] = { "127.0.0.0/8", "169.254.0.0/16", "::/8" };

int iked_virtual_check(const struct ike_tunnel *t, const struct ip_addr *addr, struct diag *diag)
{
	const struct ip_prefix host = ip_prefix_make((enum ip_family)addr->family, addr->v, ip_bits((enum ip_family)addr->family));
	const struct ike_ts_list one = { .n = 1, .list = { ike_ts_of_prefix(&host) } };
	char text[IP_TEXT_SIZE];
	struct ip_prefix p;
	bool bad = !ike_addr_is_host(addr);

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && !bad; i++)
		bad = ip_prefix_parse(refused[i], &p) == IP_PARSE_OK && p.family == addr->family &&
		    ip_prefix_contains(&p, (enum ip_family)addr->family, addr->v);
	if (bad)
		return diag_set(diag, "the peer gives us the address %s, which no host can have there",
					ip_addr_format(addr, text));
	if (t->local_ts->n > 0 && !ike_ts_list_covers(t->local_ts, &one))
		return diag_set(diag, "the peer gives us the address %s, which is in no \"selector local\" of the tunnel",
				ip_addr_format(addr, text));
	return 0;
}
