/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_twin.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "lib/mem.h"

#define SLOTS	   4096
#define ALIAS_LEAST 32768

#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_UDP   17
#define PROTO_ICMP6 58

struct alias {
	struct alias *next_in, *next_out;
	uint32_t twin;
	struct ip_addr host;
	uint8_t proto;
	uint16_t port, alias;
	uint64_t used_ms;
};

struct esp_twins {
	unsigned int index, of, n;
	uint16_t next;
	struct alias *in[SLOTS], *out[SLOTS];
};

struct esp_twins *esp_twins_new(unsigned int index, unsigned int of)
{
	struct esp_twins *t = mem_alloc(sizeof(*t));

	t->index = index;
	t->of = of;
	return t;
}

void esp_twins_free(struct esp_twins *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < SLOTS; i++)
		for (struct alias *a = t->in[i], *next; a; a = next) {
			next = a->next_in;
			free(a);
		}
	free(t);
}

static unsigned int slot(uint32_t a, uint32_t b, uint32_t c)
{
	return (a * UINT32_C(2654435761) ^ b * UINT32_C(40503) ^ c * UINT32_C(2246822519)) >> 7 & (SLOTS - 1);
}

static struct alias **in_slot(struct esp_twins *t, uint32_t twin, uint8_t proto, uint16_t port)
{
	return &t->in[slot(twin, proto, port)];
}

static struct alias **out_slot(struct esp_twins *t, const struct ip_addr *host, uint8_t proto, uint16_t alias)
{
	return &t->out[slot((uint32_t)host->v, proto, alias)];
}

static struct alias *find_in(struct esp_twins *t, uint32_t twin, uint8_t proto, uint16_t port)
{
	struct alias *a = *in_slot(t, twin, proto, port);

	while (a && (a->twin != twin || a->proto != proto || a->port != port))
		a = a->next_in;
	return a;
}

static struct alias *find_out(struct esp_twins *t, const struct ip_addr *host, uint8_t proto, uint16_t alias)
{
	struct alias *a = *out_slot(t, host, proto, alias);

	while (a && (a->alias != alias || a->proto != proto || !ip_addr_equal(&a->host, host)))
		a = a->next_out;
	return a;
}

static void alias_free(struct esp_twins *t, struct alias *a)
{
	struct alias **in = in_slot(t, a->twin, a->proto, a->port), **out = out_slot(t, &a->host, a->proto, a->alias);

	while (*in != a)
		in = &(*in)->next_in;
	*in = a->next_in;
	while (*out != a)
		out = &(*out)->next_out;
	*out = a->next_out;
	t->n--;
	free(a);
}

static void drop_idle(struct esp_twins *t, uint64_t now_ms)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		for (struct alias *a = t->in[i], *next; a; a = next) {
			next = a->next_in;
			if (a->used_ms + ESP_TWIN_IDLE_MS <= now_ms)
				alias_free(t, a);
		}
}

/* Where the port is from behind the IP header, and the checksum; UINT32_MAX: there is none.
 * An echo's identifier is in the same place in question and answer. */
static uint32_t port_at(const struct esp_inner *in, bool source, uint32_t *sum_at)
{
	uint32_t len = in->len - in->header;
	bool echo = (in->proto == PROTO_ICMP && (in->sport >> 8 == 8 || in->sport >> 8 == 0)) ||
		    (in->proto == PROTO_ICMP6 && (in->sport >> 8 == 128 || in->sport >> 8 == 129));

	*sum_at = in->proto == PROTO_TCP ? 16 : in->proto == PROTO_UDP ? 6 : 2;
	if (!in->has_ports || in->fragment || len < 8 || *sum_at + 2 > len ||
	    (in->proto != PROTO_TCP && in->proto != PROTO_UDP && !echo))
		return UINT32_MAX;
	return echo ? 4 : source ? 0 : 2;
}

static void write_port(uint8_t *packet, struct esp_inner *in, uint32_t at, uint32_t sum_at, bool partial, uint16_t port)
{
	uint8_t *l4 = packet + in->header, new[2];
	bool no_sum = in->proto == PROTO_UDP && esp_get16(l4 + sum_at) == 0;

	esp_put16(new, port);
	if (!partial && !no_sum) {
		esp_sum_change(l4 + sum_at, l4 + at, new, at, sizeof(new));
		if (in->proto == PROTO_UDP && esp_get16(l4 + sum_at) == 0)
			esp_put16(l4 + sum_at, 0xffff);
	}
	memcpy(l4 + at, new, sizeof(new));
	if (at == 0)
		in->sport = port;
	else if (at == 2)
		in->dport = port;
}

static struct alias *alias_new(struct esp_twins *t, uint32_t twin, const struct esp_inner *in, uint16_t port)
{
	const unsigned int tries = ALIAS_LEAST / t->of;
	struct alias *a;

	for (unsigned int i = 0; i < tries; i++) {
		uint16_t alias = (uint16_t)(ALIAS_LEAST + (t->next++ % tries) * t->of + t->index);

		if (find_out(t, &in->src, in->proto, alias))
			continue;
		a = mem_alloc(sizeof(*a));
		*a = (struct alias){ .twin = twin, .host = in->src, .proto = in->proto, .port = port, .alias = alias };
		a->next_in = *in_slot(t, twin, in->proto, port);
		*in_slot(t, twin, in->proto, port) = a;
		a->next_out = *out_slot(t, &in->src, in->proto, alias);
		*out_slot(t, &in->src, in->proto, alias) = a;
		t->n++;
		return a;
	}
	return NULL;
}

bool esp_twins_in(struct esp_twins *t, uint32_t twin, uint8_t *packet, struct esp_inner *in, uint64_t now_ms)
{
	uint32_t sum_at, at = port_at(in, true, &sum_at);
	struct alias *a;
	uint16_t port;

	if (at == UINT32_MAX)
		return true;
	port = esp_get16(packet + in->header + at);
	a = find_in(t, twin, in->proto, port);
	if (!a && t->n >= ESP_TWIN_PORTS)
		drop_idle(t, now_ms);
	if (!a && t->n < ESP_TWIN_PORTS)
		a = alias_new(t, twin, in, port);
	if (!a)
		return false;
	a->used_ms = now_ms;
	write_port(packet, in, at, sum_at, false, a->alias);
	return true;
}

uint32_t esp_twins_out(struct esp_twins *t, uint8_t *packet, struct esp_inner *in, bool partial, uint64_t now_ms)
{
	uint32_t sum_at, at = port_at(in, false, &sum_at);
	struct alias *a;

	if (at == UINT32_MAX)
		return 0;
	a = find_out(t, &in->dst, in->proto, esp_get16(packet + in->header + at));
	if (!a)
		return 0;
	a->used_ms = now_ms;
	write_port(packet, in, at, sum_at, partial, a->port);
	return a->twin;
}
