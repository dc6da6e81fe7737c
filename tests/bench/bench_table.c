/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bench_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t random_state = 1;

void bench_seed(uint64_t seed)
{
	random_state = seed;
}

uint32_t bench_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

/* ---- the table */

static uint8_t some_length(void)
{
	static const struct {
		uint8_t len, percent;
	} mix[] = { { 24, 62 }, { 22, 11 }, { 23, 11 }, { 21, 4 }, { 20, 4 },
		    { 19, 3 },	{ 18, 2 },  { 17, 1 },	{ 16, 2 } };
	uint32_t at = bench_below(100);
	size_t i = 0;

	while (at >= mix[i].percent)
		at -= mix[i++].percent;
	return mix[i].len;
}

void bench_table_init(struct bench_table *t)
{
	*t = (struct bench_table){ .addr = 0x01000000 };
}

struct ip_prefix bench_table_next(struct bench_table *t)
{
	for (;;) {
		uint8_t len = some_length();
		uint32_t size = 1u << (32 - len);
		struct ip_prefix p = ip_prefix_make(IP_V4, t->addr, len);

		t->addr += len <= 20 && size > 512 ? 512 : size;
		if (t->last[len] == (uint32_t)p.v)
			continue;
		t->last[len] = (uint32_t)p.v;
		return p;
	}
}

/* ---- clocks and memory */

uint64_t bench_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double bench_cpu_s(void)
{
	return (double)bench_cpu_ns() / 1e9;
}

size_t bench_resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

size_t bench_peak_bytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss * 1024;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t bench_percentile(uint64_t *values, size_t n, double percent)
{
	size_t at = (size_t)((double)n * percent / 100);

	qsort(values, n, sizeof(*values), by_value);
	return values[at < n ? at : n - 1];
}

void bench_fork(void (*row)(const void *arg), const void *arg)
{
	int status = 1;
	time_t began = time(NULL);
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		row(arg);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "%s: a row failed, wait status 0x%x\n", program_invocation_short_name,
			(unsigned)status);
		exit(1);
	}
	fprintf(stderr, "%s: a row, %ld s\n", program_invocation_short_name, (long)(time(NULL) - began));
}
