/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the datapath spends on a packet between its system calls: choosing the SA
 * and sealing, finding it and opening, with 1 to 10,000 SAs, in trains of 40
 * packets of one SA and in random order. Beside it the cipher alone, with one key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ipsec/esp/esp_super.h"
#include "ipsec/esp/esp_table.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/ts.h"

#define INNER	1400
#define PACKETS 80000
#define TRAIN	40
#define BATCH	64
#define SLOT	2048

static const struct crypto_suite suite = { ENCR_AES_GCM_16, 256, AUTH_NONE };

struct end {
	struct esp_table *table;
	struct esp_sa **sas;
	unsigned int n;
};

struct cost {
	double seal_ns, open_ns;
};

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static struct ike_ts_list host(uint32_t net, unsigned int n)
{
	struct ip_prefix prefix = ip_prefix_make(IP_V4, net + n, 32);

	return (struct ike_ts_list){ .n = 1, .list = { ike_ts_of_prefix(&prefix) } };
}

#define LEFT_NET  0x0a000000u
#define RIGHT_NET 0x0b000000u

static void end_init(struct end *end, unsigned int n, bool left)
{
	end->table = esp_table_new(1);
	end->sas = calloc(n, sizeof(struct esp_sa *));
	end->n = n;
	for (unsigned int i = 0; i < n; i++) {
		struct ike_child_keys keys = { .encr = { .len = 36 } };
		struct ike_ts_list l = host(LEFT_NET, i), r = host(RIGHT_NET, i);
		struct esp_sa_conf conf = { .tunnel = 1,
					    .spi_in = 1000 + i,
					    .spi_out = 1000 + i,
					    .suite = suite,
					    .in = &keys,
					    .out = &keys,
					    .esn = true,
					    .local_ts = left ? &l : &r,
					    .remote_ts = left ? &r : &l };

		memcpy(keys.encr.bytes, &i, sizeof(i));
		end->sas[i] = esp_sa_new(&conf);
		if (esp_table_add(end->table, end->sas[i]) != 0)
			abort();
		esp_table_use(end->table, end->sas[i]);
	}
}

static void end_fini(struct end *end)
{
	esp_table_free(end->table);
	free(end->sas);
}

/* An inner packet from host i of the left to host i of the right. */
static void make_inner(uint8_t *p, unsigned int i)
{
	uint32_t src = LEFT_NET + i, dst = RIGHT_NET + i;

	memset(p, 0, 28);
	p[0] = 0x45;
	p[2] = INNER >> 8;
	p[3] = INNER & 0xff;
	p[9] = 17;
	for (unsigned int b = 0; b < 4; b++) {
		p[12 + b] = (uint8_t)(src >> (24 - 8 * b));
		p[16 + b] = (uint8_t)(dst >> (24 - 8 * b));
	}
}

/* As esp_worker.c does it, without devices and sockets. */
static size_t seal_one(struct end *end, const uint8_t *inner, uint8_t *packet)
{
	struct virtio_net_hdr vnet = { 0 };
	struct esp_super s;
	struct esp_sa *sa;

	if (esp_super_read(&vnet, inner, INNER, &s) != 0 || !(sa = esp_table_choose(end->table, 1, &s.inner, 0)))
		abort();
	esp_super_put(&s, 0, packet + ESP_HEADER + sa->iv);
	return esp_sa_seal(sa, packet, INNER, ESP_NEXT_V4);
}

static void open_one(struct end *end, uint8_t *packet, size_t len)
{
	uint32_t spi = (uint32_t)packet[0] << 24 | (uint32_t)packet[1] << 16 | (uint32_t)packet[2] << 8 | packet[3];
	struct esp_sa *sa = esp_table_by_spi(end->table, spi);
	struct esp_plain plain;
	struct esp_inner inner;

	if (!sa || esp_sa_open(sa, packet, len, &plain) != ESP_OK ||
	    esp_inner_read(plain.data, plain.len, &inner) != 0 || !esp_sa_selects(sa, &inner, false))
		abort();
}

static struct cost run(unsigned int n, unsigned int train)
{
	static uint8_t inner[BATCH][SLOT], packets[BATCH][SLOT];
	size_t lens[BATCH];
	struct cost cost = { 0, 0 };
	struct end left, right;
	unsigned int at = 0, left_in_train = 0;

	end_init(&left, n, true);
	end_init(&right, n, false);
	srandom(1);
	for (unsigned int done = 0; done < PACKETS; done += BATCH) {
		double t;

		for (unsigned int i = 0; i < BATCH; i++) {
			if (left_in_train-- == 0) {
				at = (unsigned int)random() % n;
				left_in_train = train - 1;
			}
			make_inner(inner[i], at);
		}
		t = cpu_ns();
		for (unsigned int i = 0; i < BATCH; i++)
			lens[i] = seal_one(&left, inner[i], packets[i]);
		cost.seal_ns += cpu_ns() - t;
		t = cpu_ns();
		for (unsigned int i = 0; i < BATCH; i++)
			open_one(&right, packets[i], lens[i]);
		cost.open_ns += cpu_ns() - t;
	}
	end_fini(&left);
	end_fini(&right);
	cost.seal_ns /= PACKETS;
	cost.open_ns /= PACKETS;
	return cost;
}

static double cipher_alone(void)
{
	static const uint8_t key[36];
	static uint8_t packet[SLOT];
	struct crypto_cipher *cipher = crypto_cipher_new(&suite, true, key, sizeof(key), NULL, 0);
	double t = cpu_ns();

	for (unsigned int i = 1; i <= PACKETS; i++)
		if (crypto_seal(cipher, i, packet, 12, NULL, packet + 12, packet + 20, INNER + 4, packet + 24 + INNER) != 0)
			abort();
	t = (cpu_ns() - t) / PACKETS;
	crypto_cipher_free(cipher);
	return t;
}

static double bytes_per_sa(void)
{
	struct rusage before, after;
	struct end end;

	getrusage(RUSAGE_SELF, &before);
	end_init(&end, 20000, true);
	getrusage(RUSAGE_SELF, &after);
	end_fini(&end);
	return (double)(after.ru_maxrss - before.ru_maxrss) * 1024 / 20000;
}

int main(void)
{
	static const unsigned int counts[] = { 1, 100, 1000, 10000 };
	double memory = bytes_per_sa(), floor_ns;
	struct cost one;

	run(1, TRAIN); /* warm */
	floor_ns = cipher_alone();
	one = run(1, TRAIN);
	printf("{\"bench\":\"esp\",\"innerBytes\":%d,\"cipherNs\":%.0f,\"bytesPerSa\":%.0f,\"runs\":[", INNER, floor_ns,
	       memory);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct cost trains = run(counts[i], TRAIN), any = run(counts[i], 1);

		printf("%s{\"sas\":%u,\"sealNs\":%.0f,\"openNs\":%.0f,\"ratioToOneSa\":%.2f,\"randomSealNs\":%.0f,"
		       "\"randomOpenNs\":%.0f,\"sealToCipher\":%.2f}",
		       i ? "," : "", counts[i], trains.seal_ns, trains.open_ns,
		       (trains.seal_ns + trains.open_ns) / (one.seal_ns + one.open_ns), any.seal_ns, any.open_ns,
		       trains.seal_ns / floor_ns);
	}
	printf("]}\n");
	return 0;
}
