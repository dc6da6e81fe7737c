/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ip - addresses and prefixes of both families as plain numbers.
 *
 * An address is an unsigned 128-bit number in host order; IPv4 uses the low
 * 32 bits. Arithmetic on ranges is then the same code for both families.
 */
#ifndef SAV_IP_H
#define SAV_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 u128;

enum ip_family {
	IP_V4,
	IP_V6,
};
#define IP_FAMILIES 2

struct ip_addr {
	u128 v;
	uint8_t family; /* enum ip_family */
};

struct ip_prefix {
	u128 v; /* host bits are zero */
	uint8_t family;
	uint8_t len; /* bits, 0..ip_bits(family) */
};

/* "2001:db8:0123:4567:89ab:cdef:0123:4567/128" and the NUL fit. */
#define IP_TEXT_SIZE 64

unsigned int ip_bits(enum ip_family family);  /* 32 or 128 */
unsigned int ip_bytes(enum ip_family family); /* 4 or 16 */
u128 ip_max(enum ip_family family);	      /* the all-ones address */

/* Network byte order, ip_bytes(family) bytes. */
u128 ip_from_bytes(const uint8_t *src, enum ip_family family);
void ip_to_bytes(u128 v, enum ip_family family, uint8_t *dst);

/* Text of either family; false (and *addr untouched) if it is not one.
 * IPv4-mapped IPv6 text stays IPv6. */
bool ip_addr_parse(const char *text, struct ip_addr *addr);
const char *ip_addr_format(const struct ip_addr *addr, char buf[IP_TEXT_SIZE]);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);

struct ip_prefix ip_prefix_make(enum ip_family family, u128 v, unsigned int len);
u128 ip_prefix_last(const struct ip_prefix *p);
bool ip_prefix_contains(const struct ip_prefix *p, enum ip_family family, u128 v);
bool ip_prefix_covers(const struct ip_prefix *outer, const struct ip_prefix *inner);
/* Family, then address, then length. */
int ip_prefix_cmp(const struct ip_prefix *a, const struct ip_prefix *b);

enum ip_parse {
	IP_PARSE_OK,
	IP_PARSE_SYNTAX,
	IP_PARSE_HOST_BITS, /* *p holds the prefix with host bits cleared */
};
/* "ADDRESS/LENGTH"; *p is untouched on IP_PARSE_SYNTAX. */
enum ip_parse ip_prefix_parse(const char *text, struct ip_prefix *p);
const char *ip_prefix_format(const struct ip_prefix *p, char buf[IP_TEXT_SIZE]);

#endif /* SAV_IP_H */
