/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/special.h"

struct entry {
	const char *prefix;
	const char *name;
	bool usable; /* neither Source nor Globally Reachable is False */
};

/* Shorter prefixes first, so that a later entry overrides an earlier one. */
static const struct entry registry[] = {
	{ "224.0.0.0/4", "multicast", false },
	{ "240.0.0.0/4", "reserved (RFC 1112)", false },
	{ "0.0.0.0/8", "this network (RFC 791)", false },
	{ "10.0.0.0/8", "private use (RFC 1918)", false },
	{ "127.0.0.0/8", "loopback (RFC 1122)", false },
	{ "100.64.0.0/10", "shared address space (RFC 6598)", false },
	{ "172.16.0.0/12", "private use (RFC 1918)", false },
	{ "198.18.0.0/15", "benchmarking (RFC 2544)", false },
	{ "169.254.0.0/16", "link local (RFC 3927)", false },
	{ "192.168.0.0/16", "private use (RFC 1918)", false },
	{ "192.0.0.0/24", "IETF protocol assignments (RFC 6890)", false },
	{ "192.0.2.0/24", "documentation (RFC 5737)", false },
	{ "198.51.100.0/24", "documentation (RFC 5737)", false },
	{ "203.0.113.0/24", "documentation (RFC 5737)", false },
	{ "192.88.99.2/32", "6a44 relay anycast (RFC 6751)", false },
	{ "192.0.0.9/32", "PCP anycast (RFC 7723)", true },
	{ "192.0.0.10/32", "TURN anycast (RFC 8155)", true },
	{ "255.255.255.255/32", "limited broadcast (RFC 919)", false },

	{ "fc00::/7", "unique local (RFC 4193)", false },
	{ "ff00::/8", "multicast", false },
	{ "fe80::/10", "link local (RFC 4291)", false },
	{ "5f00::/16", "SRv6 SIDs (RFC 9602)", false },
	{ "3fff::/20", "documentation (RFC 9637)", false },
	{ "2001::/23", "IETF protocol assignments (RFC 2928)", false },
	{ "2001:20::/28", "ORCHIDv2 (RFC 7343)", true },
	{ "2001:30::/28", "drone remote ID (RFC 9374)", true },
	{ "2001::/32", "Teredo (RFC 4380)", true }, /* Global: N/A */
	{ "2001:3::/32", "AMT (RFC 7450)", true },
	{ "2001:db8::/32", "documentation (RFC 3849)", false },
	{ "64:ff9b:1::/48", "local-use translation (RFC 8215)", false },
	{ "2001:2::/48", "benchmarking (RFC 5180)", false },
	{ "2001:4:112::/48", "AS112 (RFC 7535)", true },
	{ "100::/64", "discard only (RFC 6666)", false },
	{ "100:0:0:1::/64", "dummy prefix (RFC 9780)", false },
	{ "::ffff:0:0/96", "IPv4-mapped (RFC 4291)", false },
	{ "::/128", "unspecified (RFC 4291)", false },
	{ "::1/128", "loopback (RFC 4291)", false },
	{ "2001:1::1/128", "PCP anycast (RFC 7723)", true },
	{ "2001:1::2/128", "TURN anycast (RFC 8155)", true },
	{ "2001:1::3/128", "DNS-SD SRP anycast (RFC 9665)", true },
};
#define ENTRIES (sizeof(registry) / sizeof(registry[0]))

void special_sources(struct addrset *out, const struct ip_prefix *permits,
		     size_t n_permits)
{
	struct addrset one = { 0 };
	struct ip_prefix p;

	addrset_fini(out);
	for (size_t i = 0; i < ENTRIES; i++) {
		ip_prefix_parse(registry[i].prefix, &p);
		addrset_append(&one, &p);
		if (registry[i].usable)
			addrset_subtract(out, out, &one);
		else
			addrset_union(out, out, &one);
		addrset_fini(&one);
	}
	for (size_t i = 0; i < n_permits; i++)
		addrset_append(&one, &permits[i]);
	addrset_normalize(&one);
	addrset_subtract(out, out, &one);
	addrset_fini(&one);
}

const char *special_name(const struct ip_addr *addr)
{
	const char *name = NULL;

	for (size_t i = 0; i < ENTRIES; i++) {
		struct ip_prefix p;

		ip_prefix_parse(registry[i].prefix, &p);
		if (ip_prefix_contains(&p, addr->family, addr->v))
			name = registry[i].usable ? NULL : registry[i].name;
	}
	return name;
}
