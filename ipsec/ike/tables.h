/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tables - an engine's IKE SAs and children, found by what a message names.
 *
 * Private to ike_engine.c and sa*.c. Chains stay short for tens of thousands of
 * SAs; strangers choose only the initiator's SPI, which is mixed with a secret.
 */
#ifndef SAV_TABLES_H
#define SAV_TABLES_H

#include "ipsec/ike/sa.h"

#define TABLES_BUCKETS 16384 /* a power of two */

struct tables {
	uint64_t seed;
	struct ike_sa *spi[TABLES_BUCKETS];    /* by our SPI */
	struct ike_sa *number[TABLES_BUCKETS];
	struct ike_sa *begun[TABLES_BUCKETS];  /* responders, by the initiator's SPI */
	struct ike_sa *address[TABLES_BUCKETS]; /* by the address given to the peer */
	struct sa_child *child[TABLES_BUCKETS]; /* by inbound SPI */
};

/* Own SPI and number being set. */
void tables_add(struct tables *tables, struct ike_sa *sa);
void tables_add_begun(struct tables *tables, struct ike_sa *sa);
void tables_add_address(struct tables *tables, struct ike_sa *sa);
void tables_remove(struct tables *tables, struct ike_sa *sa); /* from all that it is in */

struct ike_sa *tables_by_spi(struct tables *tables, const uint8_t spi[IKE_SPI_SIZE], bool initiator);
struct ike_sa *tables_by_number(struct tables *tables, uint64_t number);
/* The first that may be meant; the next is in sa->in_begun.next. */
struct ike_sa *tables_begun(struct tables *tables, const uint8_t spi_i[IKE_SPI_SIZE]);
/* One that has it and is not dead; NULL: it is free. */
struct ike_sa *tables_by_address(struct tables *tables, const struct ip_addr *addr);

void tables_add_child(struct tables *tables, struct sa_child *child);
void tables_remove_child(struct tables *tables, struct sa_child *child);
struct sa_child *tables_child(struct tables *tables, uint32_t spi_in);

#endif /* SAV_TABLES_H */
