/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel_tool - the agent's kernel back end from a shell, for agent-kernel.
 *
 * usage: kernel_tool [-s delta|swap] [-l accept|drop] [-p RANGES] COMMAND
 *   -l: the shape of lists; -p: where they are divided
 *   apply IF off|observe|enforce GENERATION [peer=A|connected=P|PREFIX]...
 *   remove IF | read IF | counters | brake on|off | release | check
 *   fuzz SEED ROUNDS          random filters in random shapes, read back after each
 *   churn IF ROUNDS PREFIX... change everything but PREFIX, over and over, and
 *                             the shape of the lists and where they are divided
 *   guard IF                  repair once what somebody else breaks
 *   bench RANGES...           figures, one per line; times are the processor's
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/kernel.h"
#include "lib/digest.h"
#include "lib/mem.h"

static struct kernel_options options = { .sample_group = 2630 };

static void die(const struct diag *diag)
{
	fprintf(stderr, "kernel_tool: %s\n", diag->text);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void parse_peer(struct filter *f, const char *text)
{
	struct ip_addr peers[FILTER_PEERS_MAX];
	size_t n = f->n_peers;

	memcpy(peers, f->peers ? f->peers : peers, n * sizeof(*peers));
	if (!ip_addr_parse(text, &peers[n]))
		exit(2);
	filter_set_peers(f, peers, n + 1);
}

static void parse_prefix(struct addrset *s, const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(text, &p) == IP_PARSE_SYNTAX)
		exit(2);
	addrset_append(s, &p);
}

static void change(struct kernel *k, const struct filter *new,
		   const struct addrset *connected)
{
	struct filter old = { 0 };
	struct kernel_change c = { .new = new, .connected = connected };
	struct diag diag;
	int rc = kernel_read(k, new->interface, &old, &diag);

	if (rc < 0)
		die(&diag);
	if (rc > 0)
		c.old = &old;
	if (kernel_apply(k, &c, 1, &diag) < 0)
		die(&diag);
	filter_fini(&old);
}

static void check_equal(struct kernel *k, const struct filter *want)
{
	uint8_t a[FILTER_HASH_SIZE], b[FILTER_HASH_SIZE];
	struct filter have = { 0 };
	struct diag diag;

	if (kernel_read(k, want->interface, &have, &diag) != 1)
		die(&diag);
	filter_hash(want, a);
	filter_hash(&have, b);
	if (memcmp(a, b, sizeof(a)) != 0 || have.generation != want->generation) {
		diag_set(&diag, "read back differs: %zu+%zu ranges asked, %zu+%zu found",
			 want->accept.f[0].n, want->accept.f[1].n, have.accept.f[0].n,
			 have.accept.f[1].n);
		die(&diag);
	}
	if (kernel_verify(k, want, false, &diag) < 0 ||
	    kernel_verify(k, want, true, &diag) < 0)
		die(&diag);
	filter_fini(&have);
}

static void cmd_apply(struct kernel *k, int argc, char **argv)
{
	struct filter f = { 0 };
	struct addrset connected = { 0 };

	if (argc < 3 || !filter_action_parse(argv[1], &f.action))
		exit(2);
	snprintf(f.interface, sizeof(f.interface), "%s", argv[0]);
	f.generation = strtoull(argv[2], NULL, 10);
	for (int i = 3; i < argc; i++) {
		if (strncmp(argv[i], "peer=", 5) == 0)
			parse_peer(&f, argv[i] + 5);
		else if (strncmp(argv[i], "connected=", 10) == 0)
			parse_prefix(&connected, argv[i] + 10);
		else
			parse_prefix(&f.accept, argv[i]);
	}
	addrset_normalize(&f.accept);
	addrset_normalize(&connected);
	change(k, &f, &connected);
	check_equal(k, &f);
	filter_fini(&f);
	addrset_fini(&connected);
}

static void print_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	(void)arg;
	printf(" %s", ip_prefix_format(p, text));
}

static void cmd_read(struct kernel *k, const char *interface)
{
	struct filter f = { 0 };
	struct diag diag;
	int rc = kernel_read(k, interface, &f, &diag);

	if (rc < 0)
		die(&diag);
	if (rc == 0) {
		puts("none");
		return;
	}
	printf("%s %llu", filter_action_name(f.action), (unsigned long long)f.generation);
	addrset_each_prefix(&f.accept, print_prefix, NULL);
	putchar('\n');
	filter_fini(&f);
}

static void cmd_counters(struct kernel *k)
{
	struct kernel_counters *c;
	struct diag diag;
	size_t n;

	if (kernel_counters(k, &c, &n, &diag) < 0)
		die(&diag);
	for (size_t i = 0; i < n; i++)
		printf("%s accept %llu drop %llu except %llu\n", c[i].interface,
		       (unsigned long long)c[i].accept_packets,
		       (unsigned long long)c[i].drop_packets,
		       (unsigned long long)c[i].except_packets);
	free(c);
}

/* ---- random filters ---- */

static uint64_t seed;

static uint64_t rnd(void) /* splitmix64 */
{
	uint64_t z = seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Small universes at both ends of the address space make bounds meet. */
static u128 random_address(enum ip_family family)
{
	u128 max = ip_max(family);
	u128 v = (u128)rnd() << 64 | rnd();

	switch (rnd() % 4) {
	case 0:
		return rnd() % 32;
	case 1:
		return max - rnd() % 32;
	case 2:
		return max / 2 + rnd() % 64;
	default:
		return v & max;
	}
}

static void random_ranges(struct rangeset *s, enum ip_family family)
{
	size_t n = rnd() % 4 == 0 ? rnd() % 3 : rnd() % 40;

	for (size_t i = 0; i < n; i++) {
		u128 first = random_address(family);
		u128 room = ip_max(family) - first;
		u128 len = rnd() % 8;

		if (rnd() % 50 == 0)
			len = room;
		rangeset_append(s, first, first + (len < room ? len : room));
	}
	if (rnd() % 40 == 0)
		rangeset_append(s, 0, ip_max(family));
	rangeset_normalize(s);
}

/* Half of the time a small change of the last one, as in real life. */
static void mutate(struct filter *f)
{
	bool keep = rnd() % 2;

	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		struct rangeset s = { 0 };

		random_ranges(&s, family);
		if (!keep)
			rangeset_copy(&f->accept.f[family], &s);
		else if (rnd() % 2)
			rangeset_union(&f->accept.f[family], &f->accept.f[family], &s);
		else
			rangeset_subtract(&f->accept.f[family], &f->accept.f[family], &s);
		rangeset_fini(&s);
	}
	if (rnd() % 3 == 0) {
		struct ip_addr peers[6];
		size_t n = rnd() % 7;

		for (size_t i = 0; i < n; i++) {
			enum ip_family family = rnd() % 2 ? IP_V4 : IP_V6;

			peers[i] = (struct ip_addr){ random_address(family), family };
		}
		filter_set_peers(f, peers, n);
	}
	if (rnd() % 4 == 0)
		f->action = (enum filter_action)(rnd() % 3);
	f->generation++;
}

#define FUZZ_EDGES 3

static void fuzz_round(struct kernel *k, struct filter held[FUZZ_EDGES], bool present[])
{
	struct kernel_change c[FUZZ_EDGES];
	struct filter next[FUZZ_EDGES] = { 0 };
	struct addrset connected[FUZZ_EDGES] = { 0 };
	struct diag diag;
	size_t n = 0;

	for (size_t i = 0; i < FUZZ_EDGES; i++) {
		if (rnd() % 3 == 0)
			continue;
		filter_copy(&next[i], &held[i]);
		mutate(&next[i]);
		c[n].old = present[i] ? &held[i] : NULL;
		if (present[i] && rnd() % 16 == 0)
			c[n].old = NULL; /* content unknown */
		c[n].new = present[i] && c[n].old &&rnd() % 16 == 0 ? NULL : &next[i];
		random_ranges(&connected[i].f[IP_V4], IP_V4);
		random_ranges(&connected[i].f[IP_V6], IP_V6);
		c[n].connected = rnd() % 2 ? &connected[i] : NULL;
		present[i] = c[n++].new != NULL;
	}
	if (kernel_apply(k, c, n, &diag) < 0)
		die(&diag);
	for (size_t i = 0; i < FUZZ_EDGES; i++) {
		if (next[i].interface[0])
			filter_copy(&held[i], &next[i]);
		if (present[i])
			check_equal(k, &held[i]);
		else if (kernel_read(k, held[i].interface, &next[i], &diag) != 0)
			die(&diag);
		filter_fini(&next[i]);
		addrset_fini(&connected[i]);
	}
}

/* A new agent, that likes another shape and divides lists at another size. */
static struct kernel *reopen(struct kernel *k, size_t scale)
{
	static const size_t ranges[] = { 2, 5, 12, 0 };
	struct diag diag;

	kernel_close(k);
	options.shape = (enum kernel_shape)(rnd() % 3);
	options.part_ranges = ranges[rnd() % 4] * scale;
	k = kernel_open(&options, &diag);
	if (!k)
		die(&diag);
	return k;
}

static struct kernel *cmd_fuzz(struct kernel *k, uint64_t from, int rounds)
{
	struct filter held[FUZZ_EDGES] = { 0 };
	bool present[FUZZ_EDGES] = { false };
	struct diag diag;

	seed = from;
	for (size_t i = 0; i < FUZZ_EDGES; i++)
		snprintf(held[i].interface, sizeof(held[i].interface), "fuzz-%zu.1", i);
	for (int i = 0; i < rounds; i++) {
		fuzz_round(k, held, present);
		if (i % 16 == 0 && kernel_check(k, &diag) < 0)
			die(&diag);
		if (i % 4 == 0)
			k = reopen(k, 1);
	}
	for (size_t i = 0; i < FUZZ_EDGES; i++)
		filter_fini(&held[i]);
	printf("%d rounds, strategy %s\n", rounds,
	       kernel_strategy_name(kernel_strategy(k)));
	return k;
}

/* ---- change while packets flow ---- */

static void churn_once(struct kernel *k, const char *interface,
		       const struct addrset *keep, uint64_t generation)
{
	struct filter f = { .action = FILTER_ENFORCE, .generation = generation };
	size_t n = 200 + rnd() % 2000;

	snprintf(f.interface, sizeof(f.interface), "%s", interface);
	addrset_copy(&f.accept, keep);
	/* 11.0.0.0/8 and 2400::/12: beside, below and above what is kept */
	for (size_t i = 0; i < n; i++) {
		u128 v4 = 0x01000000 + rnd() % 0xc0000000, v6 = (u128)rnd() << 64;

		rangeset_append(&f.accept.f[IP_V4], v4, v4 + rnd() % 256);
		rangeset_append(&f.accept.f[IP_V6], v6, v6 + rnd());
	}
	rangeset_normalize(&f.accept.f[IP_V4]);
	rangeset_normalize(&f.accept.f[IP_V6]);
	/* what is forged in the test stays outside */
	{
		struct addrset forged = { 0 };

		parse_prefix(&forged, "198.18.0.0/15");
		parse_prefix(&forged, "2001:db8:bad::/48");
		addrset_normalize(&forged);
		addrset_subtract(&f.accept, &f.accept, &forged);
		addrset_fini(&forged);
	}
	addrset_union(&f.accept, &f.accept, keep);
	change(k, &f, NULL);
	check_equal(k, &f);
	filter_fini(&f);
}

static struct kernel *cmd_churn(struct kernel *k, int argc, char **argv)
{
	struct addrset keep = { 0 };
	int rounds = atoi(argv[1]);
	double t = now_ms();

	seed = 7;
	for (int i = 2; i < argc; i++)
		parse_prefix(&keep, argv[i]);
	addrset_normalize(&keep);
	for (int i = 0; i < rounds; i++) {
		churn_once(k, argv[0], &keep, 1000 + (uint64_t)i);
		if (i % 3 == 0)
			k = reopen(k, 50);
	}
	printf("%d updates in %.0f ms\n", rounds, now_ms() - t);
	addrset_fini(&keep);
	return k;
}

static void cmd_guard(struct kernel *k, const char *interface)
{
	struct filter held = { 0 };
	struct kernel_change c = { .new = &held };
	struct diag diag;

	if (kernel_read(k, interface, &held, &diag) != 1)
		die(&diag);
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 6000; i++, poll(NULL, 0, 10)) {
		struct filter now = { 0 };
		int rc;

		if (!kernel_was_changed(k))
			continue;
		rc = kernel_check(k, &diag);
		if (rc == 0)
			rc = kernel_read(k, interface, &now, &diag) == 1 ? 0 : -1;
		filter_fini(&now);
		if (rc == 0)
			continue;
		printf("damage: %s\n", diag.text);
		if (kernel_rebuild(k, &c, 1, &diag) < 0 || kernel_check(k, &diag) < 0)
			die(&diag);
		check_equal(k, &held);
		puts("repaired");
		filter_fini(&held);
		return;
	}
	diag_set(&diag, "nobody changed anything");
	die(&diag);
}

/* ---- figures ---- */

#define BENCH_STEP 0xe00 /* a million of them in the IPv4 space */

static u128 bench_address(size_t i)
{
	return 0x01000000 + (u128)i * BENCH_STEP;
}

static void bench_filter(struct filter *f, size_t n)
{
	snprintf(f->interface, sizeof(f->interface), "bench");
	f->action = FILTER_ENFORCE;
	f->generation++;
	for (size_t i = 0; i < n; i++)
		rangeset_append(&f->accept.f[IP_V4], bench_address(i),
				bench_address(i) + 255);
	addrset_normalize(&f->accept);
}

/* With some ranges more, in a cluster or all over the set. */
static void bench_more(struct filter *f, const struct filter *base, size_t n, bool spread)
{
	size_t step = spread ? base->accept.f[IP_V4].n / n : 1;
	struct rangeset extra = { 0 };

	filter_copy(f, base);
	f->generation++;
	for (size_t i = 0; i < n; i++)
		rangeset_append(&extra, bench_address(i * step) + 1024,
				bench_address(i * step) + 1279);
	rangeset_normalize(&extra);
	rangeset_union(&f->accept.f[IP_V4], &f->accept.f[IP_V4], &extra);
	rangeset_fini(&extra);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long memory_kib(const char *field)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtol(line + strlen(field) + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return kib;
}

static void timed(struct kernel *k, const char *what, const struct filter *old,
		  const struct filter *new)
{
	struct kernel_change c = { .old = old, .new = new };
	struct diag diag;
	double t[4];

	t[0] = cpu_ms();
	if (kernel_apply(k, &c, 1, &diag) < 0)
		die(&diag);
	t[1] = cpu_ms();
	if (kernel_verify(k, new, false, &diag) < 0)
		die(&diag);
	t[2] = cpu_ms();
	if (kernel_verify(k, new, true, &diag) < 0)
		die(&diag);
	t[3] = cpu_ms();
	printf("%s: apply %.1f ms, read back %.1f ms, read all %.1f ms\n", what,
	       t[1] - t[0], t[2] - t[1], t[3] - t[2]);
}

static void bench_size(struct kernel *k, size_t n)
{
	static const size_t more[] = { 1, 1000 };
	struct filter a = { 0 }, b = { 0 };
	char what[64];

	bench_filter(&a, n);
	snprintf(what, sizeof(what), "fill %zu", n);
	timed(k, what, NULL, &a);
	for (size_t i = 0; i < 2 * sizeof(more) / sizeof(more[0]); i++) {
		size_t count = more[i / 2];

		if (count > n)
			break;
		bench_more(&b, &a, count, i % 2);
		snprintf(what, sizeof(what), "add %zu %s to %zu", count,
			 i % 2 ? "scattered" : "together", n);
		timed(k, what, &a, &b);
		a.generation = b.generation + 1;
		snprintf(what, sizeof(what), "remove %zu from %zu", count, n);
		timed(k, what, &b, &a);
		filter_fini(&b);
	}
	printf("memory with %zu: %ld MiB now, %ld MiB at most\n", n,
	       memory_kib("VmRSS:") / 1024, memory_kib("VmHWM:") / 1024);
	filter_fini(&a);
}

static void cmd_bench(struct kernel *k, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		bench_size(k, strtoul(argv[i], NULL, 10));
}

static int run(struct kernel **kp, int argc, char **argv)
{
	struct kernel *k = *kp;
	struct filter gone = { 0 };
	struct kernel_change c = { .old = &gone };
	struct diag diag;
	int rc = 0;

	if (argc >= 4 && strcmp(argv[0], "apply") == 0) {
		cmd_apply(k, argc - 1, argv + 1);
	} else if (argc == 2 && strcmp(argv[0], "read") == 0) {
		cmd_read(k, argv[1]);
	} else if (argc == 2 && strcmp(argv[0], "remove") == 0) {
		snprintf(gone.interface, sizeof(gone.interface), "%s", argv[1]);
		rc = kernel_apply(k, &c, 1, &diag);
	} else if (argc == 1 && strcmp(argv[0], "counters") == 0) {
		cmd_counters(k);
	} else if (argc == 2 && strcmp(argv[0], "brake") == 0) {
		rc = kernel_brake(k, strcmp(argv[1], "on") == 0, &diag);
	} else if (argc == 1 && strcmp(argv[0], "release") == 0) {
		rc = kernel_release(k, &diag);
	} else if (argc == 1 && strcmp(argv[0], "check") == 0) {
		rc = kernel_check(k, &diag);
	} else if (argc == 3 && strcmp(argv[0], "fuzz") == 0) {
		*kp = cmd_fuzz(k, strtoull(argv[1], NULL, 10), atoi(argv[2]));
	} else if (argc >= 4 && strcmp(argv[0], "churn") == 0) {
		*kp = cmd_churn(k, argc - 1, argv + 1);
	} else if (argc == 2 && strcmp(argv[0], "guard") == 0) {
		cmd_guard(k, argv[1]);
	} else if (argc >= 2 && strcmp(argv[0], "bench") == 0) {
		cmd_bench(k, argc - 1, argv + 1);
	} else {
		return 2;
	}
	if (rc < 0)
		die(&diag);
	return 0;
}

int main(int argc, char **argv)
{
	struct kernel *k;
	struct diag diag;
	int rc;

	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (argv[1][1] == 's')
			options.strategy =
				strcmp(argv[2], "swap") == 0 ? KERNEL_SWAP : KERNEL_DELTA;
		else if (argv[1][1] == 'l')
			options.shape = strcmp(argv[2], "drop") == 0
						? KERNEL_SHAPE_DROP
						: KERNEL_SHAPE_ACCEPT;
		else
			options.part_ranges = strtoul(argv[2], NULL, 10);
	}
	k = kernel_open(&options, &diag);
	if (!k)
		die(&diag);
	rc = run(&k, argc - 1, argv + 1);
	kernel_close(k);
	return rc;
}
