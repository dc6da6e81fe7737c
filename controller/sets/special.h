/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * special - sources that no edge but an internal one may ever send.
 *
 * The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, its
 * columns as amended by RFC 8190): an entry whose Source or Globally
 * Reachable is False; the most specific entry decides, and N/A is not False.
 * Plus multicast (never a source, RFC 1112 sec. 4, RFC 4291 sec. 2.7) and
 * 240.0.0.0/4.
 */
#ifndef SAV_SPECIAL_H
#define SAV_SPECIAL_H

#include "lib/rangeset.h"

/* *out: all special-purpose sources less what the operator permits. */
void special_sources(struct addrset *out, const struct ip_prefix *permits,
		     size_t n_permits);

/* The registry's name for the address, NULL where there is none to object to. */
const char *special_name(const struct ip_addr *addr);

#endif /* SAV_SPECIAL_H */
