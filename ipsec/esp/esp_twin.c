/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_twin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"
#include "lib/mem.h"

#define SLOTS	   4096
#define ALIAS_LEAST 32768
#define DROP_EVERY_MS 1000 /* idle ones are looked for so often at most */

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
	pthread_mutex_t lock;
	unsigned int n, n_first; /* of twins, of first hosts */
	uint16_t next;
	uint64_t dropped_ms;
	uint16_t shares[SLOTS]; /* of those that are one twin's, or one first host's */
	struct alias *in[SLOTS], *out[SLOTS];
};

struct esp_twins *esp_twins_new(void)
{
	struct esp_twins *t = mem_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
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
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static unsigned int slot(uint32_t a, uint32_t b, uint32_t c)
{
	return (a * UINT32_C(2654435761) ^ b * UINT32_C(40503) ^ c * UINT32_C(2246822519)) >> 7 & (SLOTS - 1);
}

static struct alias **in_slot(struct esp_twins *t, uint32_t twin, const struct ip_addr *host, uint8_t proto, uint16_t port)
{
	return &t->in[slot(twin ^ (uint32_t)host->v, proto, port)];
}

static struct alias **out_slot(struct esp_twins *t, const struct ip_addr *host, uint8_t proto, uint16_t alias)
{
	return &t->out[slot((uint32_t)host->v, proto, alias)];
}

static struct alias *find_in(struct esp_twins *t, uint32_t twin, const struct ip_addr *host, uint8_t proto, uint16_t port)
{
	struct alias *a = *in_slot(t, twin, host, proto, port);

	while (a && (a->twin != twin || a->proto != proto || a->port != port || !ip_addr_equal(&a->host, host)))
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

static unsigned int *counter(struct esp_twins *t, uint32_t twin)
{
	return twin ? &t->n : &t->n_first;
}

/* Two that have the same place have it together. */
static uint16_t *share(struct esp_twins *t, const struct alias *a)
{
	return &t->shares[slot(a->twin ? a->twin : (uint32_t)a->host.v, a->twin != 0, 0)];
}

static void alias_free(struct esp_twins *t, struct alias *a)
{
	struct alias **in = in_slot(t, a->twin, &a->host, a->proto, a->port),
		     **out = out_slot(t, &a->host, a->proto, a->alias);

	while (*in != a)
		in = &(*in)->next_in;
	*in = a->next_in;
	while (*out != a)
		out = &(*out)->next_out;
	*out = a->next_out;
	*counter(t, a->twin) -= 1;
	*share(t, a) -= 1;
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

static struct alias *alias_put(struct esp_twins *t, const struct alias *what)
{
	struct alias *a = mem_dup(what, sizeof(*what)),
		     **in = in_slot(t, a->twin, &a->host, a->proto, a->port),
		     **out = out_slot(t, &a->host, a->proto, a->alias);

	a->next_in = *in;
	*in = a;
	a->next_out = *out;
	*out = a;
	*counter(t, a->twin) += 1;
	*share(t, a) += 1;
	return a;
}

static bool is_full(struct esp_twins *t, const struct alias *want)
{
	return *counter(t, want->twin) >= ESP_TWIN_PORTS || *share(t, want) >= ESP_TWIN_SHARE;
}

static bool has_room(struct esp_twins *t, const struct alias *want, uint64_t now_ms)
{
	if (is_full(t, want) && now_ms >= t->dropped_ms + DROP_EVERY_MS) {
		t->dropped_ms = now_ms;
		drop_idle(t, now_ms);
	}
	return !is_full(t, want);
}

/* From the highest down: most hosts' own ports begin below. */
static struct alias *alias_new(struct esp_twins *t, struct alias *want, uint64_t now_ms)
{
	const unsigned int aliases = UINT16_MAX + 1 - ALIAS_LEAST;

	if (!has_room(t, want, now_ms))
		return NULL;
	/* the first host's port stays what it is, if nobody has it */
	want->alias = want->port;
	if (want->twin == 0 && !find_out(t, &want->host, want->proto, want->alias))
		return alias_put(t, want);
	for (unsigned int i = 0; i < aliases; i++) {
		want->alias = (uint16_t)(UINT16_MAX - t->next++ % aliases);
		if (!find_out(t, &want->host, want->proto, want->alias))
			return alias_put(t, want);
	}
	return NULL;
}

static struct alias *alias_get(struct esp_twins *t, struct alias *want, uint64_t now_ms)
{
	struct alias *a = find_in(t, want->twin, &want->host, want->proto, want->port);

	return a ? a : alias_new(t, want, now_ms);
}

bool esp_twins_in(struct esp_twins *t, uint32_t twin, uint8_t *packet, struct esp_inner *in, uint64_t now_ms)
{
	uint32_t sum_at, at = port_at(in, true, &sum_at);
	struct alias *a, want = { .twin = twin, .host = in->src, .proto = in->proto };
	uint16_t alias;

	if (at == UINT32_MAX)
		return true;
	want.port = alias = esp_get16(packet + in->header + at);
	if (twin == 0 && want.port < ALIAS_LEAST)
		return true;
	pthread_mutex_lock(&t->lock);
	a = alias_get(t, &want, now_ms);
	if (a) {
		a->used_ms = now_ms;
		alias = a->alias;
	}
	pthread_mutex_unlock(&t->lock);
	if (alias != want.port)
		write_port(packet, in, at, sum_at, false, alias);
	return a || twin == 0;
}

bool esp_twins_find(struct esp_twins *t, const uint8_t *packet, struct esp_inner *in, uint64_t now_ms,
		    struct esp_alias *out)
{
	uint32_t sum_at, at = port_at(in, false, &sum_at);
	struct alias *a, first = { .host = in->dst, .proto = in->proto };
	bool changes;

	if (at == UINT32_MAX)
		return false;
	first.port = esp_get16(packet + in->header + at);
	if (first.port < ALIAS_LEAST)
		return false;
	pthread_mutex_lock(&t->lock);
	a = find_out(t, &first.host, first.proto, first.port);
	/* whoever is spoken to has his port: no twin gets it while he answers */
	if (!a)
		a = alias_get(t, &first, now_ms);
	if (a) {
		a->used_ms = now_ms;
		*out = (struct esp_alias){ a->twin, a->port };
	}
	changes = a && (a->twin != 0 || a->port != first.port);
	pthread_mutex_unlock(&t->lock);
	if (changes && at == 2)
		in->dport = out->port;
	return changes;
}

void esp_twins_out(uint8_t *packet, struct esp_inner *in, bool partial, uint16_t port)
{
	uint32_t sum_at, at = port_at(in, false, &sum_at);

	if (at != UINT32_MAX)
		write_port(packet, in, at, sum_at, partial, port);
}
