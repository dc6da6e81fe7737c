/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_ipip.h"

#include <stdio.h>
#include <string.h>

#include "ipsec/ike/ts.h"

#define BELOW "-x" /* behind the tunnel's interface's name */

static int check_end(const struct ike_ts_list *selectors, const char *side, const struct ip_addr *end, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	for (unsigned i = 0; i < selectors->n; i++)
		if (selectors->list[i].first.family == end->family && selectors->list[i].first.v <= end->v &&
		    end->v <= selectors->list[i].last.v)
			return 0;
	if (selectors->n == 0)
		return 0;
	ip_addr_format(end, text);
	return diag_set(diag, "no %s selector has %s, which is an end of ipip: \"selector %s %s/%u\"", side, text, side, text,
			ip_bits((enum ip_family)end->family));
}

static int check_ends(const struct esp_ipip *ipip, struct diag *diag)
{
	if (ipip->local.family != ipip->remote.family)
		return diag_set(diag, "ipip: both ends are IPv4, or both are IPv6");
	if (ip_addr_equal(&ipip->local, &ipip->remote))
		return diag_set(diag, "ipip: the two ends are one address");
	return 0;
}

static int check_device(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	char own[IKED_IFNAME], its[IKED_IFNAME];

	iked_tunnel_device(t, own);
	if (strlen(own) + strlen(BELOW) >= IKED_IFNAME)
		return diag_set(diag, "interface %s: with ipip its name has at most %d characters: \"device IFNAME\"", own,
				(int)(IKED_IFNAME - 1 - strlen(BELOW)));
	for (const struct iked_tunnel *o = config->tunnels; o; o = o->next)
		if (strcmp(o->t.name, t->t.name) != 0 && strcmp(iked_tunnel_device(o, its), own) == 0)
			return diag_set(diag, "tunnel %s has the interface %s too, and ipip needs one of its own: \"device IFNAME\"",
					o->t.name, own);
	return 0;
}

int iked_ipip_check(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	if (!iked_has_ipip(t))
		return 0;
	if (t->t.transport)
		return diag_set(diag, "ipip is for mode tunnel: transport mode has no packets inside");
	if (t->t.pool.len || t->t.request_address)
		return diag_set(diag, "ipip has fixed ends: it goes neither with pool nor with request-address");
	return check_ends(&t->ipip, diag) != 0 || check_end(t->t.local_ts, "local", &t->ipip.local, diag) != 0 ||
			       check_end(t->t.remote_ts, "remote", &t->ipip.remote, diag) != 0 ||
			       check_device(config, t, diag) != 0 ?
		       -1 :
		       0;
}

const char *iked_ipip_below(const struct iked_tunnel *t, char out[IKED_IFNAME])
{
	char device[IKED_IFNAME];

	iked_tunnel_device(t, device);
	snprintf(out, IKED_IFNAME, "%.*s" BELOW, (int)(IKED_IFNAME - 1 - strlen(BELOW)), device);
	return out;
}

void iked_ipip_inside(const struct iked_config *config, const struct iked_tunnel *t, struct ike_ts_list *out)
{
	/* the kernel's ipip device takes IPv4 only */
	bool v6 = t->ipip.local.family == IP_V6 || !iked_link_is_kernel(config, t->link);

	out->n = 0;
	for (unsigned f = 0; f < IP_FAMILIES; f++) {
		struct ip_prefix all = ip_prefix_make((enum ip_family)f, 0, 0);

		if (f == IP_V4 || v6)
			out->list[out->n++] = ike_ts_of_prefix(&all);
	}
}
