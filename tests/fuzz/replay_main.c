/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A main for fuzz targets where there is no libFuzzer: gives the target every
 * file of its corpus, which is corpus/NAME for the program fuzz_NAME unless files or
 * directories are named. Each file is also cut short and damaged in ways that
 * are the same in every run, so that "make check" tries some thousand inputs.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CUTS	24
#define DAMAGES 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A block of exactly this size: the address sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL)
		abort();
	if (size != 0)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_variants(uint8_t *data, size_t size)
{
	uint64_t random = size;

	run(data, size);
	for (size_t i = 0; i < CUTS; i++)
		run(data, size * i / CUTS);
	for (size_t i = 0; size != 0 && i < DAMAGES; i++) {
		uint8_t *at, old;

		random = random * 6364136223846793005u + 1442695040888963407u;
		at = data + (random >> 33) % size;
		old = *at;
		*at = (uint8_t)(i % 3 == 0   ? old ^ 1 << i % 8
				: i % 3 == 1 ? 0xff
					     : old + 1);
		run(data, size);
		*at = old;
	}
}

static int replay_file(const char *name)
{
	uint8_t *data = NULL;
	size_t size = 0, cap = 0;
	FILE *f = fopen(name, "rb");

	if (f == NULL) {
		perror(name);
		return 1;
	}
	do {
		size += cap ? fread(data + size, 1, cap - size, f) : 0;
		if (size == cap) {
			cap = cap ? cap * 2 : 4096;
			data = realloc(data, cap);
			if (data == NULL)
				abort();
		}
	} while (!feof(f) && !ferror(f));
	fclose(f);
	run_variants(data, size);
	free(data);
	return 0;
}

static int replay(const char *name, int *n)
{
	struct dirent **entries;
	struct stat st;
	int count, failed = 0;

	if (stat(name, &st) < 0) {
		perror(name);
		return 1;
	}
	if (!S_ISDIR(st.st_mode)) {
		++*n;
		return replay_file(name);
	}
	count = scandir(name, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char path[4096];

		if (entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", name, entries[i]->d_name);
			failed |= replay(path, n);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	const char *src = getenv("OPENSAV_SRC"), *name = strstr(argv[0], "fuzz_");
	char path[4096];
	int n = 0, failed = 0;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", src ? src : ".",
		 name ? name + strlen("fuzz_") : argv[0]);
	if (argc < 2)
		failed = replay(path, &n);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i], &n);
	if (n == 0)
		failed = 1;
	printf("%d passed, %d failed, 0 skipped\n", failed ? 0 : n, failed);
	return failed;
}
