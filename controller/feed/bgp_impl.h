/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp_impl - what the files of the BGP decoders share.
 */
#ifndef SAV_BGP_IMPL_H
#define SAV_BGP_IMPL_H

#include "controller/feed/bgp.h"

/* False for all but unicast of IPv4 and IPv6. */
bool bgp_family_of(uint16_t afi, uint8_t safi, enum ip_family *family);

/* Checks a path of 2- or 4-octet numbers and counts its hops. */
bool bgp_path_check(struct rd path, size_t as_size, unsigned int *hops);

/* A path of 2-octet numbers written anew with 4-octet ones: all of it, or its
 * first hops in front of an AS4_PATH (RFC 6793 4.2.3). Both have been checked.
 * Returns the length, -1 when it would be longer than BGP_PATH_MAX. */
long bgp_path_widen(uint8_t *dst, struct rd path);
long bgp_path_merge(uint8_t *dst, struct rd path, unsigned int hops, struct rd as4_path);

#endif /* SAV_BGP_IMPL_H */
