/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bench_table - what the benchmarks have in common: a table like the Internet's,
 * clocks and memory.
 */
#ifndef SAV_BENCH_TABLE_H
#define SAV_BENCH_TABLE_H

#include "lib/ip.h"

/* The same numbers in every run; from the beginning again after a seed. */
uint32_t bench_below(uint32_t n);
void bench_seed(uint64_t seed);

/* IPv4 prefixes in ascending order, as a router walks its table; some cover later
 * ones. Lengths are mixed as in the Internet's table. */
struct bench_table {
	uint32_t addr, last[33];
};
void bench_table_init(struct bench_table *t);
struct ip_prefix bench_table_next(struct bench_table *t);

/* Of the processor: what other programs of the machine do is not our work. */
uint64_t bench_cpu_ns(void);
double bench_cpu_s(void);
size_t bench_resident_bytes(void); /* now */
size_t bench_peak_bytes(void);

/* Sorts; percent of the values are not above the result. */
uint64_t bench_percentile(uint64_t *values, size_t n, double percent);
/* row(arg) in a process of its own, so that its memory is its own; says on standard
 * error how long it took, and exits where it fails. */
void bench_fork(void (*row)(const void *arg), const void *arg);

#endif /* SAV_BENCH_TABLE_H */
