/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What savd's database takes per second, each transaction on disk before the next
 * begins (WAL, synchronous=FULL).
 *
 * usage: bench_store [DIRECTORY [SECONDS]]     default: here, 2 seconds for each row
 *
 * commands: a change of the configuration with its journal, as one command makes it.
 * filters: sets of 24 prefixes that change by two, with the change and the new
 * generation, as savd saves what it has sent: so many edges in one transaction.
 * events: lines of the log, 100 in one transaction. fsync: what the disk itself does,
 * 4 KiB appended and synced; the ratio to it says what is ours.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "controller/store/store_history.h"
#include "lib/mem.h"

#define EDGES	 10000
#define PREFIXES 24

static double limit_s = 2;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(int rc, const struct diag *diag)
{
	if (rc < 0) {
		fprintf(stderr, "%s\n", diag->text);
		exit(1);
	}
}

/* ---- one transaction of each kind ---- */

struct bench {
	double fsyncs; /* a second */
	struct store *store;
	struct config cfg;
	int64_t n; /* so far */
	struct filter filter;
	int fd;
};

static size_t one_command(struct bench *b, size_t batch)
{
	struct ip_prefix p =
		ip_prefix_make(IP_V4, (u128)(0x0a000000u + (uint32_t)b->n * 256), 24);
	char text[IP_TEXT_SIZE], diff[IP_TEXT_SIZE + 16];
	struct store_command c = {
		.at_ms = b->n, .who = "root uid 0 pid 1", .line = diff, .result = ""
	};
	struct diag diag;

	(void)batch;
	b->n++;
	snprintf(diff, sizeof(diff), "+own-prefix %s\n", ip_prefix_format(&p, text));
	must(store_begin(b->store, &diag), &diag);
	must(store_config_sink()->own_prefix(b->store, &p, true, &diag), &diag);
	must(store_command_add(b->store, &c, true, &diag), &diag);
	must(store_command_change(b->store, c.id, 0, "", diff, &diag), &diag);
	must(store_commit(b->store, &diag), &diag);
	return 1;
}

/* A window of prefixes that moves on by one with each generation. */
static void filter_move(struct filter *f, int64_t edge, int64_t generation)
{
	addrset_fini(&f->accept);
	for (int64_t i = 0; i < PREFIXES; i++) {
		struct ip_prefix p = ip_prefix_make(
			IP_V4, (u128)(uint32_t)((edge + 2 * (generation + i)) << 9), 24);

		addrset_append(&f->accept, &p);
	}
	addrset_normalize(&f->accept);
	f->generation = (uint64_t)generation + 1;
	snprintf(f->interface, sizeof(f->interface), "e%u", (unsigned int)edge);
}

static size_t some_filters(struct bench *b, size_t batch)
{
	struct diag diag;

	must(store_begin(b->store, &diag), &diag);
	for (size_t i = 0; i < batch; i++, b->n++) {
		filter_move(&b->filter, b->n % EDGES, b->n / EDGES);
		must(store_set_change_add(b->store, "r1", &b->filter, b->n, "a bench",
					  &diag),
		     &diag);
		must(store_generation_save(b->store, "r1", &b->filter, b->n / 1000, &diag),
		     &diag);
	}
	must(store_commit(b->store, &diag), &diag);
	return batch;
}

static size_t some_events(struct bench *b, size_t batch)
{
	struct store_event e = { 0, false, "router r1: peer 192.0.2.1 is complete, 1000 paths" };
	struct diag diag;

	must(store_begin(b->store, &diag), &diag);
	for (size_t i = 0; i < batch; i++) {
		e.at_ms = b->n++;
		must(store_event_add(b->store, &e, &diag), &diag);
	}
	must(store_commit(b->store, &diag), &diag);
	return batch;
}

static size_t one_fsync(struct bench *b, size_t batch)
{
	char page[4096] = { (char)b->n++ };

	(void)batch;
	if (write(b->fd, page, sizeof(page)) != (ssize_t)sizeof(page) || fsync(b->fd) < 0) {
		perror("fsync");
		exit(1);
	}
	return 1;
}

/* ---- rows ---- */

static void run(struct bench *b, const char *what, size_t batch,
		size_t (*fn)(struct bench *b, size_t batch))
{
	double began = now_s(), longest = 0, before, took, rate;
	size_t done = 0, transactions = 0;

	b->n = 0;
	do {
		before = now_s();
		done += fn(b, batch);
		took = now_s() - before;
		longest = took > longest ? took : longest;
		transactions++;
	} while (now_s() - began < limit_s);
	rate = (double)transactions / (now_s() - began);
	if (b->fsyncs == 0)
		b->fsyncs = rate; /* the first row */
	printf("%s{\"what\":\"%s\",\"per_transaction\":%zu,\"transactions_per_second\":%.0f,"
	       "\"to_fsync\":%.2f,\"per_second\":%.0f,\"longest_seconds\":%.4f}",
	       strcmp(what, "fsync") == 0 ? "" : ",", what, batch, rate, rate / b->fsyncs,
	       (double)done / (now_s() - began), longest);
	fflush(stdout);
}

static char *file_in(const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	char *path = mem_alloc(size);

	snprintf(path, size, "%s/%s", dir, name);
	return path;
}

int main(int argc, char **argv)
{
	static const char *const files[] = { "savd.db", "savd.db-wal", "savd.db-shm",
					     "savd.db.lock", "plain" };
	const char *where = argc > 1 ? argv[1] : ".";
	char *dir = file_in(where, "bench_store.XXXXXX"), *path;
	struct bench b = { .filter = { .action = FILTER_ENFORCE } };
	struct diag diag;

	if (argc > 2)
		limit_s = strtod(argv[2], NULL);
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	path = file_in(dir, "plain");
	b.fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	path = file_in(dir, "savd.db");
	b.store = store_open(path, &diag);
	must(b.store ? 0 : -1, &diag);
	free(path);
	printf("{\"bench\":\"store\",\"durable\":true,\"rows\":[");
	run(&b, "fsync", 1, one_fsync);
	run(&b, "commands", 1, one_command);
	run(&b, "filters", 1, some_filters);
	run(&b, "filters", 100, some_filters);
	run(&b, "filters", EDGES, some_filters);
	run(&b, "events", 100, some_events);
	printf("]}\n");
	filter_fini(&b.filter);
	store_close(b.store);
	close(b.fd);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path = file_in(dir, files[i]);
		unlink(path);
		free(path);
	}
	if (rmdir(dir) < 0)
		perror(dir);
	free(dir);
	return 0;
}
