/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/tables.h"

#include <stddef.h>
#include <string.h>

static size_t mix(const struct tables *t, uint64_t v)
{
	return (size_t)(((v ^ t->seed) * 0x9e3779b97f4a7c15ULL) >> 50) % TABLES_BUCKETS;
}

static size_t of_spi(const struct tables *t, const uint8_t spi[IKE_SPI_SIZE])
{
	uint64_t v;

	memcpy(&v, spi, sizeof(v));
	return mix(t, v);
}

static size_t of_address(const struct tables *t, const struct ip_addr *addr)
{
	return mix(t, (uint64_t)addr->v ^ (uint64_t)(addr->v >> 64));
}

static const uint8_t *own_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}

/* ---- SAs */

static void put(struct ike_sa **head, struct ike_sa *sa, struct sa_place *place)
{
	place->next = *head;
	place->in = true;
	*head = sa;
}

void tables_add(struct tables *t, struct ike_sa *sa)
{
	put(&t->spi[of_spi(t, own_spi(sa))], sa, &sa->in_spi);
	put(&t->number[mix(t, sa->number)], sa, &sa->in_number);
	if (sa->virtual_addr.v && !sa->initiator)
		tables_add_address(t, sa);
}

void tables_add_begun(struct tables *t, struct ike_sa *sa)
{
	put(&t->begun[of_spi(t, sa->spi_i)], sa, &sa->in_begun);
}

void tables_add_address(struct tables *t, struct ike_sa *sa)
{
	if (!sa->in_address.in)
		put(&t->address[of_address(t, &sa->virtual_addr)], sa, &sa->in_address);
}

/* Each list has its links at another place of the SA. */
static void take(struct ike_sa **head, struct ike_sa *sa, size_t place)
{
#define PLACE(of) ((struct sa_place *)(void *)((char *)(of) + place))
	if (!PLACE(sa)->in)
		return;
	while (*head != sa)
		head = &PLACE(*head)->next;
	*head = PLACE(sa)->next;
	PLACE(sa)->in = false;
#undef PLACE
}

void tables_remove(struct tables *t, struct ike_sa *sa)
{
	take(&t->spi[of_spi(t, own_spi(sa))], sa, offsetof(struct ike_sa, in_spi));
	take(&t->number[mix(t, sa->number)], sa, offsetof(struct ike_sa, in_number));
	take(&t->begun[of_spi(t, sa->spi_i)], sa, offsetof(struct ike_sa, in_begun));
	take(&t->address[of_address(t, &sa->virtual_addr)], sa, offsetof(struct ike_sa, in_address));
}

struct ike_sa *tables_by_spi(struct tables *t, const uint8_t spi[IKE_SPI_SIZE], bool initiator)
{
	struct ike_sa *sa = t->spi[of_spi(t, spi)];

	while (sa && (sa->initiator != initiator || memcmp(own_spi(sa), spi, IKE_SPI_SIZE) != 0))
		sa = sa->in_spi.next;
	return sa;
}

struct ike_sa *tables_by_number(struct tables *t, uint64_t number)
{
	struct ike_sa *sa = t->number[mix(t, number)];

	while (sa && sa->number != number)
		sa = sa->in_number.next;
	return sa;
}

struct ike_sa *tables_begun(struct tables *t, const uint8_t spi_i[IKE_SPI_SIZE])
{
	return t->begun[of_spi(t, spi_i)];
}

struct ike_sa *tables_by_address(struct tables *t, const struct ip_addr *addr)
{
	struct ike_sa *sa = t->address[of_address(t, addr)];

	while (sa && (sa->state == SA_DEAD || !ip_addr_equal(&sa->virtual_addr, addr)))
		sa = sa->in_address.next;
	return sa;
}

/* ---- children */

void tables_add_child(struct tables *t, struct sa_child *child)
{
	struct sa_child **head = &t->child[mix(t, child->spi_in)];

	child->next_hash = *head;
	*head = child;
}

void tables_remove_child(struct tables *t, struct sa_child *child)
{
	struct sa_child **at = &t->child[mix(t, child->spi_in)];

	while (*at != child)
		at = &(*at)->next_hash;
	*at = child->next_hash;
}

struct sa_child *tables_child(struct tables *t, uint32_t spi_in)
{
	struct sa_child *child = t->child[mix(t, spi_in)];

	while (child && child->spi_in != spi_in)
		child = child->next_hash;
	return child;
}
