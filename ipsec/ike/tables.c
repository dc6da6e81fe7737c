/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define BITS_FIRST 6

/* What a node is part of. */
#define OWNER(node, type, member) ((node) ? (type *)(void *)((char *)(node) - offsetof(type, member)) : NULL)

void tables_init(struct tables *t)
{
	crypto_random(&t->multiplier, sizeof(t->multiplier));
	crypto_random(&t->seed, sizeof(t->seed));
	t->multiplier |= 1;
}

void tables_fini(struct tables *t)
{
	struct table *const all[] = { &t->spi, &t->number, &t->begun, &t->address, &t->identity, &t->child };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->heads);
}

/* Multiply-shift (Dietzfelbinger): any two keys fall together seldom, as long as
 * the multiplier is not known. The upper bits are the good ones. */
uint64_t tables_mix(const struct tables *t, uint64_t v)
{
	return v * t->multiplier + t->seed;
}

static uint64_t key_of_spi(const struct tables *t, const uint8_t spi[IKE_SPI_SIZE])
{
	uint64_t v;

	memcpy(&v, spi, sizeof(v));
	return tables_mix(t, v);
}

static uint64_t key_of_address(const struct tables *t, const struct ip_addr *addr)
{
	return tables_mix(t, (uint64_t)addr->v ^ tables_mix(t, (uint64_t)(addr->v >> 64)));
}

static uint64_t key_of_identity(const struct tables *t, const struct ike_identity *id)
{
	return tables_mix(t, ike_identity_hash(id));
}

static uint64_t key_of_begun(const struct tables *t, const uint8_t spi_i[IKE_SPI_SIZE], const struct ike_endpoint *from)
{
	return tables_mix(t, key_of_spi(t, spi_i) ^ tables_mix(t, key_of_address(t, &from->addr) ^ from->port));
}

/* ---- one table */

static size_t size_of(const struct table *table)
{
	return table->heads ? (size_t)1 << table->bits : 0;
}

static struct table_node **head_of(const struct table *table, uint64_t key)
{
	return &table->heads[key >> (64 - table->bits)];
}

static void grow(struct table *table)
{
	struct table was = *table;

	table->bits = was.heads ? was.bits + 1 : BITS_FIRST;
	table->heads = mem_calloc((size_t)1 << table->bits, sizeof(struct table_node *));
	for (size_t i = 0; i < size_of(&was); i++)
		for (struct table_node *node = was.heads[i], *next; node; node = next) {
			struct table_node **head = head_of(table, node->key);

			next = node->next;
			node->next = *head;
			*head = node;
		}
	free(was.heads);
}

static void put(struct table *table, struct table_node *node, uint64_t key)
{
	struct table_node **head;

	if (node->in)
		return;
	if (table->n == size_of(table))
		grow(table);
	head = head_of(table, key);
	*node = (struct table_node){ *head, key, true };
	*head = node;
	table->n++;
}

static void take(struct table *table, struct table_node *node)
{
	struct table_node **at;

	if (!node->in)
		return;
	for (at = head_of(table, node->key); *at != node; at = &(*at)->next)
		;
	*at = node->next;
	node->in = false;
	table->n--;
}

/* The next of that key, the first after NULL. */
static struct table_node *get(const struct table *table, uint64_t key, const struct table_node *after)
{
	struct table_node *node = after ? after->next : table->heads ? *head_of(table, key) : NULL;

	while (node && node->key != key)
		node = node->next;
	return node;
}

/* ---- SAs */

static const uint8_t *own_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}

void tables_add(struct tables *t, struct ike_sa *sa)
{
	put(&t->spi, &sa->in_spi, key_of_spi(t, own_spi(sa)));
	put(&t->number, &sa->in_number, tables_mix(t, sa->number));
	if (sa->virtual_addr.v && !sa->began)
		tables_add_address(t, sa);
	if (sa->state == SA_UP)
		tables_add_identity(t, sa);
}

void tables_add_begun(struct tables *t, struct ike_sa *sa)
{
	put(&t->begun, &sa->in_begun, key_of_begun(t, sa->spi_i, &sa->path.remote));
}

void tables_add_address(struct tables *t, struct ike_sa *sa)
{
	put(&t->address, &sa->in_address, key_of_address(t, &sa->virtual_addr));
}

void tables_add_identity(struct tables *t, struct ike_sa *sa)
{
	put(&t->identity, &sa->in_identity, key_of_identity(t, &sa->peer_id));
}

void tables_remove(struct tables *t, struct ike_sa *sa)
{
	take(&t->spi, &sa->in_spi);
	take(&t->number, &sa->in_number);
	take(&t->begun, &sa->in_begun);
	take(&t->address, &sa->in_address);
	take(&t->identity, &sa->in_identity);
}

struct ike_sa *tables_by_spi(struct tables *t, const uint8_t spi[IKE_SPI_SIZE], bool initiator)
{
	uint64_t key = key_of_spi(t, spi);
	struct ike_sa *sa = OWNER(get(&t->spi, key, NULL), struct ike_sa, in_spi);

	while (sa && (sa->initiator != initiator || memcmp(own_spi(sa), spi, IKE_SPI_SIZE) != 0))
		sa = OWNER(get(&t->spi, key, &sa->in_spi), struct ike_sa, in_spi);
	return sa;
}

struct ike_sa *tables_by_number(struct tables *t, uint64_t number)
{
	uint64_t key = tables_mix(t, number);
	struct ike_sa *sa = OWNER(get(&t->number, key, NULL), struct ike_sa, in_number);

	while (sa && sa->number != number)
		sa = OWNER(get(&t->number, key, &sa->in_number), struct ike_sa, in_number);
	return sa;
}

struct ike_sa *tables_begun(struct tables *t, const uint8_t spi_i[IKE_SPI_SIZE], const struct ike_endpoint *from,
			    const struct ike_sa *after)
{
	uint64_t key = key_of_begun(t, spi_i, from);
	struct ike_sa *sa = OWNER(get(&t->begun, key, after ? &after->in_begun : NULL), struct ike_sa, in_begun);

	while (sa && memcmp(sa->spi_i, spi_i, IKE_SPI_SIZE) != 0)
		sa = OWNER(get(&t->begun, key, &sa->in_begun), struct ike_sa, in_begun);
	return sa;
}

struct ike_sa *tables_by_identity(struct tables *t, const struct ike_identity *id, const struct ike_sa *after)
{
	uint64_t key = key_of_identity(t, id);
	struct ike_sa *sa = OWNER(get(&t->identity, key, after ? &after->in_identity : NULL), struct ike_sa, in_identity);

	while (sa && !ike_identity_equal(&sa->peer_id, id))
		sa = OWNER(get(&t->identity, key, &sa->in_identity), struct ike_sa, in_identity);
	return sa;
}

struct ike_sa *tables_by_address(struct tables *t, const struct ip_addr *addr)
{
	uint64_t key = key_of_address(t, addr);
	struct ike_sa *sa = OWNER(get(&t->address, key, NULL), struct ike_sa, in_address);

	while (sa && (sa->state == SA_DEAD || !ip_addr_equal(&sa->virtual_addr, addr)))
		sa = OWNER(get(&t->address, key, &sa->in_address), struct ike_sa, in_address);
	return sa;
}

/* ---- children */

void tables_add_child(struct tables *t, struct sa_child *child)
{
	put(&t->child, &child->in_table, tables_mix(t, child->spi_in));
}

void tables_remove_child(struct tables *t, struct sa_child *child)
{
	take(&t->child, &child->in_table);
}

struct sa_child *tables_child(struct tables *t, uint32_t spi_in)
{
	uint64_t key = tables_mix(t, spi_in);
	struct sa_child *child = OWNER(get(&t->child, key, NULL), struct sa_child, in_table);

	while (child && child->spi_in != spi_in)
		child = OWNER(get(&t->child, key, &child->in_table), struct sa_child, in_table);
	return child;
}
