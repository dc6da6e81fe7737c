/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tables - an engine's IKE SAs and children, found by what a message names.
 *
 * Private to the engine's files. Each table grows with what is in it, so a chain
 * has one or two. Strangers choose the initiator's SPI and identities: keys are
 * multiplied by a secret, so nobody can make many that fall together.
 */
#ifndef SAV_TABLES_H
#define SAV_TABLES_H

#include "ipsec/ike/sa.h"

struct table {
	size_t n;
	unsigned bits; /* the logarithm of its size; heads is NULL before the first */
	struct table_node **heads;
};

struct tables {
	uint64_t multiplier, seed; /* secret; the multiplier is odd */
	struct table spi;      /* SAs by our SPI */
	struct table number;
	struct table begun;    /* responders, by the initiator's SPI and where they began */
	struct table address;  /* by the address given to the peer */
	struct table identity; /* that are up, by the peer's */
	struct table child;    /* by inbound SPI */
};

void tables_init(struct tables *tables);
void tables_fini(struct tables *tables); /* of tables only: SAs and children are others' */

/* A number whose upper bits fall anywhere. */
uint64_t tables_mix(const struct tables *tables, uint64_t v);

/* Own SPI and number being set. */
void tables_add(struct tables *tables, struct ike_sa *sa);
void tables_add_begun(struct tables *tables, struct ike_sa *sa);
void tables_add_address(struct tables *tables, struct ike_sa *sa);
void tables_add_identity(struct tables *tables, struct ike_sa *sa);
void tables_remove(struct tables *tables, struct ike_sa *sa); /* from all that it is in */

struct ike_sa *tables_by_spi(struct tables *tables, const uint8_t spi[IKE_SPI_SIZE], bool initiator);
struct ike_sa *tables_by_number(struct tables *tables, uint64_t number);
/* The next that began with this SPI from there, the first after NULL. */
struct ike_sa *tables_begun(struct tables *tables, const uint8_t spi_i[IKE_SPI_SIZE], const struct ike_endpoint *from,
			    const struct ike_sa *after);
/* The same, of peers with this identity. */
struct ike_sa *tables_by_identity(struct tables *tables, const struct ike_identity *id, const struct ike_sa *after);
/* One that has it and is not dead; NULL: it is free. */
struct ike_sa *tables_by_address(struct tables *tables, const struct ip_addr *addr);

void tables_add_child(struct tables *tables, struct sa_child *child);
void tables_remove_child(struct tables *tables, struct sa_child *child);
struct sa_child *tables_child(struct tables *tables, uint32_t spi_in);

#endif /* SAV_TABLES_H */
