/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What was reported as done is there after kill -9 and after a full disk.
 */
#include "tests/unit/store/store_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 40
#define BATCH  5

/* In a child: cmocka's own checks would jump into the parent's test. */
#define CHECK(x)                                                                         \
	do {                                                                             \
		if (!(x)) {                                                              \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);          \
			_exit(1);                                                        \
		}                                                                        \
	} while (0)

/* ---- kill -9 ---- */

static void put_numbered_edge(struct config *cfg, unsigned int i)
{
	struct diag diag;
	char interface[16];
	struct config_edge e;

	snprintf(interface, sizeof(interface), "eth%u", i);
	e = test_edge("r1", interface);
	e.holddown_s = i % 1000;
	for (unsigned int k = 0; k < 3; k++) {
		struct ip_addr peer = { .v = i * 4 + k + 1 };
		struct ip_prefix p = ip_prefix_make(IP_V4, (u128)(i * 4 + k) << 8, 24);

		config_addrs_set(&e.peers, &e.n_peers, &peer, true);
		config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, true);
	}
	CHECK(config_edge_put(cfg, &e, &diag) == 0);
	config_edge_fini(&e);
}

static void save_batch(struct store *store, uint64_t generation)
{
	struct diag diag;

	CHECK(store_begin(store, &diag) == 0);
	for (int i = 0; i < BATCH; i++) {
		char interface[16];
		struct filter f;

		snprintf(interface, sizeof(interface), "eth%d", i);
		f = test_filter(interface, generation);
		CHECK(store_generation_save(store, "r1", &f, (int64_t)generation,
					    &diag) == 0);
		filter_fini(&f);
	}
	CHECK(store_commit(store, &diag) == 0);
}

/* What a child has reported as done. */
struct done {
	unsigned int edges;
	unsigned int generation;
};

static void report(int fd, unsigned int edges, unsigned int generation)
{
	struct done done = { edges, generation };

	CHECK(write(fd, &done, sizeof(done)) == sizeof(done));
}

/* Changes without end; each one that is done is told through the pipe. */
static void change_until_killed(int fd, unsigned int generation)
{
	struct diag diag;
	struct config cfg;
	struct store *store = store_open(test_path, &diag);
	struct config_router r1 = { .name = "r1" };
	unsigned int first;

	CHECK(store);
	config_init(&cfg);
	CHECK(store_config_load(store, &cfg, &diag) == 0);
	cfg.sink = store_config_sink();
	cfg.sink_ctx = store;
	if (!config_router_find(&cfg, "r1"))
		CHECK(config_router_put(&cfg, &r1, &diag) == 0);
	first = (unsigned int)cfg.n_edges;
	for (unsigned int i = first;; i++) {
		put_numbered_edge(&cfg, i);
		report(fd, i + 1, generation);
		save_batch(store, i + 1);
		generation = i + 1;
		report(fd, i + 1, generation);
	}
}

/* Lets the child report some changes and kills it in the middle of another. */
static void run_and_kill(unsigned int more, struct done *done)
{
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		change_until_killed(ends[1], done->generation);
	}
	close(ends[1]);
	while (more > 0 && read(ends[0], done, sizeof(*done)) == sizeof(*done))
		more--;
	assert_int_equal(more, 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(ends[0], done, sizeof(*done)) == sizeof(*done))
		; /* reported before it died */
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

struct saved {
	uint64_t generation;
	size_t n;
};

static void check_saved(const char *router, const struct filter *f, int64_t saved,
			void *arg)
{
	struct saved *s = arg;

	if (s->n++ == 0)
		s->generation = f->generation;
	assert_true(s->generation == f->generation); /* one batch, not two halves */
}

static void check_after_kill(const struct done *done)
{
	struct diag diag = { "" };
	struct saved saved = { .n = 0 };
	struct config cfg;
	struct store *store = test_open(&cfg);

	/* the one more may have been written but not reported */
	assert_in_range(cfg.n_edges, done->edges, done->edges + 1);
	for (unsigned int i = 0; i < cfg.n_edges; i++) {
		char interface[16];
		const struct config_edge *e;

		snprintf(interface, sizeof(interface), "eth%u", i);
		e = config_edge_find(&cfg, "r1", interface);
		assert_non_null(e);
		assert_int_equal(e->holddown_s, i % 1000);
		assert_int_equal(e->n_peers, 3);
		assert_int_equal(e->n_prefixes, 3);
	}
	assert_int_equal(store_generations_load(store, check_saved, &saved, &diag), 0);
	assert_string_equal(diag.text, "");
	assert_true(saved.n == 0 || saved.n == BATCH);
	assert_in_range(saved.generation, done->generation, cfg.n_edges);
	test_close(store, &cfg);
}

static void test_kill_during_changes(void **state)
{
	struct done done = { 0 };
	unsigned int seed = 11;

	for (int round = 0; round < ROUNDS; round++) {
		run_and_kill(1 + (unsigned int)rand_r(&seed) % 12, &done);
		check_after_kill(&done);
	}
}

/* At any moment while it is made there is no database, or a whole one. */
static void test_kill_during_creation(void **state)
{
	unsigned int made = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct config cfg;
		int status;
		pid_t child = fork();

		if (child == 0) {
			struct diag diag;

			CHECK(store_open(test_path, &diag));
			_exit(0);
		}
		poll(NULL, 0, round / 2);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		made += access(test_path, F_OK) == 0;
		test_close(test_open(&cfg), &cfg);
		assert_int_equal(unlink(test_path), 0);
	}
	print_message("# the database was there in %u of %d rounds\n", made, ROUNDS);
}

/* ---- a full disk ---- */

#define NO_MOUNT 77

static bool put_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Without root, be root of a user namespace, where that is allowed. */
static bool enter_user_namespace(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", (unsigned int)geteuid());
	snprintf(gid, sizeof(gid), "0 %u 1", (unsigned int)getegid());
	return unshare(CLONE_NEWUSER) == 0 && put_line("/proc/self/setgroups", "deny") &&
	       put_line("/proc/self/uid_map", uid) && put_line("/proc/self/gid_map", gid);
}

/* A small file system of our own that nobody else sees. */
static void enter_small_disk(void)
{
	if (geteuid() != 0 && !enter_user_namespace())
		_exit(NO_MOUNT);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", test_dir, "tmpfs", 0, "size=1m") < 0)
		_exit(NO_MOUNT);
}

/* Takes all room but the given bytes; fill is removed to give it back. */
static void fill_disk(const char *fill, off_t leave)
{
	static char block[4096];
	int fd = open(fill, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	off_t size = 0;

	CHECK(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		size += (off_t)sizeof(block);
	CHECK(errno == ENOSPC);
	CHECK(size > leave && ftruncate(fd, size - leave) == 0);
	close(fd);
}

static void run_on_small_disk(void (*fn)(const char *fill))
{
	char fill[128];
	int status;
	pid_t child;

	snprintf(fill, sizeof(fill), "%s/fill", test_dir);
	child = fork();
	if (child == 0) {
		enter_small_disk();
		fn(fill);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNT)
		skip();
	assert_int_equal(status, 0);
}

static struct store *open_checked(struct config *cfg)
{
	struct diag diag = { "" };
	struct store *store = store_open(test_path, &diag);

	if (!store)
		fprintf(stderr, "%s\n", diag.text);
	CHECK(store);
	config_init(cfg);
	CHECK(store_config_load(store, cfg, &diag) == 0);
	cfg->sink = store_config_sink();
	cfg->sink_ctx = store;
	return store;
}

static void check_text(const struct diag *diag)
{
	if (!strstr(diag->text, test_path) || !strstr(diag->text, "no room"))
		fprintf(stderr, "%s\n", diag->text);
	CHECK(strstr(diag->text, test_path));
	CHECK(strstr(diag->text, "no room"));
	CHECK(strstr(diag->text, "free some space"));
}

/* Customers until the disk is full, then again with room. */
static unsigned int put_until_full(struct config *cfg, unsigned int i, struct diag *diag)
{
	for (; i < 10000; i++) {
		struct config_customer c = { .as = i };
		int rc;

		snprintf(c.name, sizeof(c.name), "c%u", i);
		for (unsigned int k = 0; k < 20; k++) {
			struct ip_prefix p =
				ip_prefix_make(IP_V6, (u128)(i * 20 + k) << 80, 48);

			config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, true);
		}
		rc = config_customer_put(cfg, &c, diag);
		config_customer_fini(&c);
		if (rc < 0)
			return i;
	}
	CHECK(!"the disk never became full");
	return i;
}

static void check_same_after_reopen(struct store **store, struct config *cfg)
{
	char *before = test_config_text(cfg), *after;

	config_fini(cfg);
	store_close(*store);
	*store = open_checked(cfg);
	after = test_config_text(cfg);
	CHECK(strcmp(before, after) == 0);
	free(before);
	free(after);
}

static void changes_on_full_disk(const char *fill)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = open_checked(&cfg);
	unsigned int n = 0;

	for (int round = 0; round < 5; round++) {
		fill_disk(fill, round * 20000);
		n = put_until_full(&cfg, n, &diag);
		check_text(&diag);
		CHECK(cfg.n_customers == n);
		CHECK(put_until_full(&cfg, n, &diag) == n); /* still full, still whole */
		CHECK(unlink(fill) == 0);
		check_same_after_reopen(&store, &cfg);
		CHECK(config_own_set(&cfg, &(struct ip_prefix){ .len = (uint8_t)round },
				     true, &diag) == 0);
	}
	check_same_after_reopen(&store, &cfg);
	config_fini(&cfg);
	store_close(store);
}

static unsigned int save_many(struct store *store, unsigned int n)
{
	struct diag diag;
	unsigned int failed = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct filter f = test_filter("eth0", i);
		char router[16];

		snprintf(router, sizeof(router), "r%u", i);
		failed += store_generation_save(store, router, &f, 1, &diag) < 0;
		filter_fini(&f);
	}
	return failed;
}

static void batch_on_full_disk(const char *fill)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store = open_checked(&cfg);
	struct config_router r1 = { .name = "r1" };

	CHECK(config_router_put(&cfg, &r1, &diag) == 0);
	/* What fits into SQLite's cache fails at the commit; what does not fails
	 * on the way, and SQLite undoes the batch by itself. */
	for (unsigned int large = 0; large < 2; large++) {
		char *text;

		fill_disk(fill, 0);
		CHECK(store_begin(store, &diag) == 0);
		CHECK((save_many(store, large ? 20000 : 1000) > 0) == (large == 1));
		CHECK(store_commit(store, &diag) < 0);
		check_text(&diag);
		CHECK(unlink(fill) == 0);
		text = test_store_text(store);
		CHECK(text[0] == '\0');
		free(text);
	}
	CHECK(store_begin(store, &diag) == 0);
	put_numbered_edge(&cfg, 1);
	CHECK(store_commit(store, &diag) == 0);
	check_same_after_reopen(&store, &cfg);
	CHECK(cfg.n_edges == 1);
	config_fini(&cfg);
	store_close(store);
}

static void creation_on_full_disk(const char *fill)
{
	struct diag diag = { "" };
	struct config cfg;
	struct store *store;

	for (off_t leave = 0; leave < 200000; leave += 12288) {
		fill_disk(fill, leave);
		store = store_open(test_path, &diag);
		if (!store) {
			CHECK(strstr(diag.text, test_path));
			CHECK(strstr(diag.text, "no room") ||
			      strstr(diag.text, "No space"));
		}
		store_close(store);
		CHECK(unlink(fill) == 0);
		store = open_checked(&cfg);
		config_fini(&cfg);
		store_close(store);
		CHECK(unlink(test_path) == 0);
	}
}

static void test_changes_on_full_disk(void **state)
{
	run_on_small_disk(changes_on_full_disk);
}

static void test_batch_on_full_disk(void **state)
{
	run_on_small_disk(batch_on_full_disk);
}

static void test_creation_on_full_disk(void **state)
{
	run_on_small_disk(creation_on_full_disk);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)
	const struct CMUnitTest tests[] = {
		T(test_kill_during_changes),   T(test_kill_during_creation),
		T(test_changes_on_full_disk),  T(test_batch_on_full_disk),
		T(test_creation_on_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
