/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "ipsec/host_impl.h"
#include "lib/mem.h"

static struct host_child **place(struct host *host, uint32_t spi_in)
{
	struct host_child **at = &host->children[spi_in % HOST_CHILD_BUCKETS];

	while (*at && (*at)->spi_in != spi_in)
		at = &(*at)->next;
	return at;
}

struct host_child *host_child_find(struct host *host, uint32_t spi_in)
{
	return *place(host, spi_in);
}

uint32_t host_child_new(struct host *host)
{
	struct host_child **at, *child;
	uint32_t spi;

	do
		crypto_random(&spi, sizeof(spi));
	while (spi < 256 || *(at = place(host, spi)));
	child = *at = mem_alloc(sizeof(*child));
	child->spi_in = spi;
	return spi;
}

void host_child_del(struct host *host, uint32_t spi_in)
{
	struct host_child **at = place(host, spi_in), *child = *at;

	if (!child)
		return;
	*at = child->next;
	free(child);
}

void host_children_free(struct host *host)
{
	for (unsigned i = 0; i < HOST_CHILD_BUCKETS; i++)
		while (host->children[i])
			host_child_del(host, host->children[i]->spi_in);
}
