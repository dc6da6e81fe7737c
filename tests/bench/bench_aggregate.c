/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A list of prefixes to the fewest CIDR blocks that cover the same addresses.
 * Part of bench-aggregate, which has other programs do the same.
 *
 * usage: aggregate measure FILE    time and memory, as JSON
 *        aggregate same FILE FILE  exit status 0 if both cover the same addresses
 *
 * A file has one IPv4 prefix a line; what stands behind it is ignored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/rangeset.h"

#define ROUNDS 5

struct list {
	struct ip_prefix *p;
	size_t n, cap;
};

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every prefix of a file. */
static bool read_file(const char *path, void (*fn)(const struct ip_prefix *p, void *arg),
		      void *arg)
{
	FILE *f = fopen(path, "re");
	struct ip_prefix p;
	char line[256];

	if (!f) {
		perror(path);
		return false;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (ip_prefix_parse(line, &p) != IP_PARSE_SYNTAX)
			fn(&p, arg);
	}
	fclose(f);
	return true;
}

static void to_list(const struct ip_prefix *p, void *arg)
{
	struct list *list = arg;

	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 1024;
		list->p = mem_realloc(list->p, list->cap, sizeof(*list->p));
	}
	list->p[list->n++] = *p;
}

static void to_set(const struct ip_prefix *p, void *arg)
{
	rangeset_append_prefix(arg, p);
}

static bool read_list(const char *path, struct list *list)
{
	return read_file(path, to_list, list);
}

static void build(const struct list *list, struct rangeset *set)
{
	for (size_t i = 0; i < list->n; i++)
		rangeset_append_prefix(set, &list->p[i]);
	rangeset_normalize(set);
}

static void take_block(const struct ip_prefix *p, void *arg)
{
	struct list *out = arg;

	if (out->p)
		out->p[out->n] = *p;
	out->n++;
}

/* ---- the proof, which shares no code with rangeset.c */

static int by_first(const void *a, const void *b)
{
	const struct ip_prefix *x = a, *y = b;

	return x->v != y->v ? (x->v > y->v) - (x->v < y->v) : x->len - y->len;
}

/* The next gap-free stretch of a sorted list. */
static bool stretch(const struct list *list, size_t *at, u128 *first, u128 *last)
{
	if (*at == list->n)
		return false;
	*first = list->p[*at].v;
	*last = ip_prefix_last(&list->p[(*at)++]);
	while (*at < list->n && list->p[*at].v <= *last + 1) {
		u128 end = ip_prefix_last(&list->p[(*at)++]);

		if (end > *last)
			*last = end;
	}
	return true;
}

static bool same_addresses(struct list *a, struct list *b)
{
	size_t i = 0, j = 0;
	bool more;

	if (a->n != 0)
		qsort(a->p, a->n, sizeof(*a->p), by_first);
	if (b->n != 0)
		qsort(b->p, b->n, sizeof(*b->p), by_first);
	do {
		u128 af = 0, al = 0, bf = 0, bl = 0;

		more = stretch(a, &i, &af, &al);
		if (more != stretch(b, &j, &bf, &bl) || af != bf || al != bl)
			return false;
	} while (more);
	return true;
}

/* ---- */

static void count_block(const struct ip_prefix *p, void *arg)
{
	(void)p;
	++*(size_t *)arg;
}

/* From the text to the blocks, in a process of its own: its peak in bytes, and
 * what it takes before it has read anything. */
static bool whole_job(const char *path, long *peak, long *empty)
{
	struct rangeset set = { 0 };
	long kib[2] = { 0, 0 };
	struct rusage usage;
	size_t blocks = 0;
	int fd[2];
	pid_t pid;

	if (pipe(fd) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		getrusage(RUSAGE_SELF, &usage);
		kib[1] = usage.ru_maxrss;
		read_file(path, to_set, &set);
		rangeset_normalize(&set);
		rangeset_each_prefix(&set, IP_V4, count_block, &blocks);
		getrusage(RUSAGE_SELF, &usage);
		kib[0] = usage.ru_maxrss;
		_exit(write(fd[1], kib, sizeof(kib)) != sizeof(kib));
	}
	close(fd[1]);
	if (pid < 0 || read(fd[0], kib, sizeof(kib)) != sizeof(kib))
		kib[0] = 0;
	close(fd[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	*peak = kib[0] * 1024;
	*empty = kib[1] * 1024;
	return kib[0] != 0;
}

static int measure(const char *path)
{
	struct list list = { 0 }, out = { 0 };
	double best = 0, read_s;
	long peak, empty;

	/* before this process has grown */
	if (!whole_job(path, &peak, &empty))
		return 1;
	read_s = seconds();
	if (!read_list(path, &list) || list.n == 0)
		return 1;
	read_s = seconds() - read_s;
	out.p = mem_calloc(list.n, sizeof(*out.p));
	for (int i = 0; i < ROUNDS; i++) {
		struct rangeset set = { 0 };
		double t = seconds();

		out.n = 0;
		build(&list, &set);
		rangeset_each_prefix(&set, IP_V4, take_block, &out);
		t = seconds() - t;
		best = i == 0 || t < best ? t : best;
		rangeset_fini(&set);
	}
	if (!same_addresses(&list, &out)) {
		fprintf(stderr, "the blocks do not cover the same addresses\n");
		return 1;
	}
	printf("{\"prefixes\":%zu,\"blocks\":%zu,\"read_seconds\":%.4f,\"seconds\":%.4f,"
	       "\"peak_bytes\":%ld,\"empty_bytes\":%ld}\n",
	       list.n, out.n, read_s, best, peak, empty);
	free(list.p);
	free(out.p);
	return 0;
}

int main(int argc, char **argv)
{
	struct list a = { 0 }, b = { 0 };

	if (argc == 3 && strcmp(argv[1], "measure") == 0)
		return measure(argv[2]);
	if (argc == 4 && strcmp(argv[1], "same") == 0)
		return !read_list(argv[2], &a) || !read_list(argv[3], &b) ||
		       !same_addresses(&a, &b);
	fprintf(stderr, "usage: aggregate measure FILE | same FILE FILE\n");
	return 2;
}
