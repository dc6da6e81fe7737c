/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_table - the SAs of one worker: inbound ones by SPI, outbound ones by
 * tunnel and inner destination.
 *
 * Both look-ups cost the same with one SA and with ten thousand.
 */
#ifndef SAV_ESP_TABLE_H
#define SAV_ESP_TABLE_H

#include "ipsec/esp/esp_sa.h"

struct esp_table;

/* seed: secret, so that nobody can choose addresses that collide. */
struct esp_table *esp_table_new(uint64_t seed);
void esp_table_free(struct esp_table *t); /* and all SAs in it */

/* Takes the SA over. -1: its inbound SPI is taken; the SA stays the caller's. */
int esp_table_add(struct esp_table *t, struct esp_sa *sa);
/* Frees it. -1: there is none. */
int esp_table_del(struct esp_table *t, uint32_t spi_in);
struct esp_sa *esp_table_by_spi(const struct esp_table *t, uint32_t spi_in);

/* From now on its tunnel sends with it, before those that could until now
 * (RFC 7296 2.8). */
void esp_table_use(struct esp_table *t, struct esp_sa *sa);

/* It only receives from now on. */
void esp_table_unuse(struct esp_table *t, struct esp_sa *sa);

/* The SA that carries this outbound packet: the longest prefix of the peer's
 * selectors that holds its destination decides, the newest SA first. NULL:
 * none; the packet must not leave. twin: of the peer that it is for (esp_twin.h). */
struct esp_sa *esp_table_choose(const struct esp_table *t, uint32_t tunnel, const struct esp_inner *inner, uint32_t twin);

void esp_table_each(const struct esp_table *t, void (*fn)(void *ctx, struct esp_sa *sa), void *ctx);
size_t esp_table_count(const struct esp_table *t);
size_t esp_table_bytes(const struct esp_table *t);

#endif /* SAV_ESP_TABLE_H */
