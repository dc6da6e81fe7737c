/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * random - numbers for randomised tests, the same for the same seed.
 */
#ifndef SAV_TEST_RANDOM_H
#define SAV_TEST_RANDOM_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Printed, so that OPENSAV_TEST_SEED=... repeats the run. */
static inline uint64_t random_seed(void)
{
	const char *text = getenv("OPENSAV_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text ? strtoull(text, NULL, 0)
		    : (uint64_t)now.tv_sec * 1000003 ^ (uint64_t)now.tv_nsec;
	printf("# OPENSAV_TEST_SEED=%" PRIu64 "\n", seed);
	fflush(stdout);
	return seed;
}

/* splitmix64 */
static inline uint64_t random_u64(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to n - 1 */
static inline unsigned int random_below(uint64_t *seed, unsigned int n)
{
	return (unsigned int)(random_u64(seed) % n);
}

#endif /* SAV_TEST_RANDOM_H */
