/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel_nft - table "inet opensav", and nothing else on this machine.
 *
 *   chain prerouting (raw)   iifname vmap @edges
 *   chain edge/IF            accept set, exceptions, count, drop
 *   sets  accept4/IF/V ...   V: version, counted up for each new object
 *   map   split4/IF/V        of a list divided by address (nft_parts.h)
 *   chain part4/IF/V         looks into one of its sets
 *   counters accept/IF ...   live as long as the edge
 *
 * Raw priority: before connection tracking spends memory on forged packets.
 * The last rule of an edge's chain carries the generation and the hash as a
 * comment, so that an agent that lost its disk still knows what is in force,
 * and sees whether somebody else edited the sets.
 */
#include "agents/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "agents/nft_change.h"
#include "agents/nft_scan.h"
#include "lib/mem.h"

#define RECEIVE_BYTES (8 << 20)

static void privileges(const struct kernel *k, bool raise)
{
	if (k->options.privileges)
		k->options.privileges(raise);
}

/* ---- other people's changes ---- */

static void look_at_generation(struct kernel *k, uint32_t expected)
{
	k->generation = txn_generation(k->nl);
	if (k->generation != expected)
		k->others_changed = true;
}

static int commit(struct kernel *k, struct txn *t, int *error, struct diag *diag)
{
	int rc;

	if (error)
		*error = 0;
	if (txn_is_empty(t))
		return 0;
	look_at_generation(k, k->generation);
	rc = txn_commit(t, k->nl, error, diag);
	look_at_generation(k, rc == 0 ? k->generation + 1 : k->generation);
	return rc;
}

bool kernel_was_changed(struct kernel *k)
{
	bool changed;

	privileges(k, true);
	look_at_generation(k, k->generation);
	privileges(k, false);
	changed = k->others_changed;
	k->others_changed = false;
	return changed;
}

/* ---- open, close ---- */

enum kernel_strategy kernel_strategy_for(const char *release, bool has_array_sets)
{
	unsigned int major = 0, minor = 0;

	/* Before the sorted array (7.0, and stable releases that took it back),
	 * a look-up that runs during a change can miss elements that are not
	 * being changed: honest packets would drop. */
	if (has_array_sets)
		return KERNEL_DELTA;
	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return KERNEL_SWAP;
	return major >= 7 ? KERNEL_DELTA : KERNEL_SWAP;
}

const char *kernel_strategy_name(enum kernel_strategy strategy)
{
	return strategy == KERNEL_DELTA	 ? "delta"
	       : strategy == KERNEL_SWAP ? "swap"
					 : "auto";
}

enum kernel_strategy kernel_strategy(const struct kernel *k)
{
	return k->strategy;
}

/* The names are readable by everybody, unlike the addresses. */
static bool has_array_sets(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " nft_array_lookup_cmp") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void choose_strategy(struct kernel *k)
{
	struct utsname u;

	k->strategy = k->options.strategy;
	if (k->strategy != KERNEL_AUTO)
		return;
	if (uname(&u) < 0)
		u.release[0] = '\0';
	k->strategy = kernel_strategy_for(u.release, has_array_sets());
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int bytes = RECEIVE_BYTES, on = 1;

	if (!nl)
		return NULL;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		   sizeof(bytes));
	/* Answers without a copy of the whole request, but with words. */
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	return nl;
}

/* Tries a rule in a transaction that deletes what it makes: nobody sees it. */
static int probe(struct kernel *k, enum rules_part part, struct diag *diag)
{
	struct txn *t = txn_new();
	int rc;

	if (!k->present)
		change_put_table(t, NFT_MSG_NEWTABLE);
	change_put_probe(t, part);
	if (!k->present)
		change_put_table(t, NFT_MSG_DELTABLE);
	rc = commit(k, t, NULL, diag);
	txn_free(t);
	return rc;
}

static int probe_all(struct kernel *k, struct diag *diag)
{
	struct diag ignored;

	k->generation = txn_generation(k->nl);
	if (scan_table_exists(k, &k->present) < 0)
		return diag_set(diag,
				"cannot talk to nftables; is the kernel module "
				"nf_tables there, and has the agent CAP_NET_ADMIN?");
	if (probe(k, RULES_PART_ROUTE, diag) < 0)
		return -1;
	k->secpath = probe(k, RULES_PART_SECPATH, &ignored) == 0;
	if (k->options.sample_group != 0 && probe(k, RULES_PART_SAMPLE, &ignored) < 0)
		k->options.sample_group = 0;
	choose_strategy(k); /* now that the module is loaded */
	return 0;
}

static int open_all(struct kernel *k, struct diag *diag)
{
	k->nl = open_socket();
	if (!k->nl)
		return diag_set(diag, "cannot open a netfilter netlink socket: %s",
				strerror(errno));
	if (probe_all(k, diag) < 0 || scan_all(k, diag) < 0)
		return -1;
	k->others_changed = false;
	return 0;
}

struct kernel *kernel_open(const struct kernel_options *options, struct diag *diag)
{
	struct kernel *k = mem_alloc(sizeof(*k));
	int rc;

	k->options = *options;
	privileges(k, true);
	rc = open_all(k, diag);
	privileges(k, false);
	if (rc == 0)
		return k;
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (k->nl)
		mnl_socket_close(k->nl);
	edges_fini(&k->edges);
	free(k);
}

/* ---- apply ---- */

/* After a refusal that our book-keeping cannot explain, look again. */
static void doubt(struct kernel *k, int error, const struct diag *why)
{
	struct diag ignored;

	if (error != ENOENT && error != EEXIST && error != EBUSY && error != ENOTEMPTY &&
	    error != EPROTO)
		return;
	if (scan_all(k, &ignored) == 0 && k->damage.text[0] == '\0')
		k->damage = *why;
}

static void steps_begin(struct steps *s)
{
	s->prepare = txn_new();
	s->change = txn_new();
}

static void steps_end(struct steps *s)
{
	txn_free(s->prepare);
	txn_free(s->change);
}

static int steps_commit(struct kernel *k, const struct steps *s, int *error,
			struct diag *diag)
{
	if (commit(k, s->prepare, error, diag) < 0)
		return -1;
	if (commit(k, s->change, error, diag) == 0)
		return 0;
	k->halfway = !txn_is_empty(s->prepare);
	return -1;
}

/* What change_put() did, once the kernel has taken it. */
static void adopt(struct kernel *k, const struct kernel_change *c, struct edge *next)
{
	struct edge *e;

	if (!c->new) {
		edges_drop(&k->edges, c->old->interface);
		return;
	}
	e = edges_get(&k->edges, next->interface);
	edge_fini(e);
	*e = *next;
	*next = (struct edge){ 0 };
}

static int apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag)
{
	struct edge *next = mem_calloc(n, sizeof(*next));
	struct steps s;
	int error, rc;

	steps_begin(&s);
	if (!k->present)
		change_put_frame(k, s.prepare);
	for (size_t i = 0; i < n; i++)
		change_put(k, &s, &changes[i], &next[i]);
	rc = steps_commit(k, &s, &error, diag);
	steps_end(&s);
	if (rc < 0)
		doubt(k, error, diag);
	else
		k->present = true;
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			adopt(k, &changes[i], &next[i]);
		edge_fini(&next[i]);
	}
	free(next);
	return rc;
}

int kernel_apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag)
{
	int rc;

	if (k->damage.text[0] != '\0')
		return diag_set(diag,
				"table inet " TXN_TABLE " was changed by somebody "
				"else: %s",
				k->damage.text);
	privileges(k, true);
	rc = apply(k, changes, n, diag);
	privileges(k, false);
	return rc;
}

static void put_everything(struct kernel *k, const struct steps *s,
			   const struct kernel_change *all, size_t n, struct edges *next)
{
	change_put_frame(k, s->prepare);
	for (size_t i = 0; i < n; i++) {
		const struct edge *was = edges_find(&k->edges, all[i].new->interface);
		struct edge *e = edges_get(next, all[i].new->interface);

		if (was)
			e->last = was->last;
		if (all[i].connected)
			addrset_copy(&e->connected, all[i].connected);
		else if (was)
			addrset_copy(&e->connected, &was->connected);
		change_create_edge(k, s, all[i].new, e);
	}
}

static int rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag)
{
	struct edges next = { 0 };
	struct steps s;
	bool exists = false;
	int rc;

	steps_begin(&s);
	/* The latest numbers, if they are still there. */
	if (scan_table_exists(k, &exists) == 0 && exists) {
		scan_counters(k, &k->edges);
		change_put_table(s.prepare, NFT_MSG_DELTABLE);
	}
	/* Between the two steps nothing is filtered, rather than everything
	 * dropped; the second one is small and follows at once. */
	put_everything(k, &s, all, n, &next);
	rc = steps_commit(k, &s, NULL, diag);
	steps_end(&s);
	if (rc < 0) {
		edges_fini(&next);
		return rc;
	}
	edges_fini(&k->edges);
	k->edges = next;
	k->present = true;
	k->halfway = false;
	k->damage.text[0] = '\0';
	return 0;
}

int kernel_rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag)
{
	int rc;

	privileges(k, true);
	rc = rebuild(k, all, n, diag);
	privileges(k, false);
	return rc;
}

/* ---- read back ---- */

int kernel_read(struct kernel *k, const char *interface, struct filter *out,
		struct diag *diag)
{
	const struct edge *e = edges_find(&k->edges, interface);
	struct filter f = { 0 };
	int rc;

	if (k->damage.text[0] != '\0') {
		*diag = k->damage;
		return -1;
	}
	if (!e)
		return 0;
	privileges(k, true);
	rc = scan_read_edge(k, e, &f, diag);
	privileges(k, false);
	if (rc < 0) {
		filter_fini(&f);
		return -1;
	}
	filter_fini(out);
	*out = f;
	return 1;
}

static struct edge *known_edge(const struct kernel *k, const char *interface,
			       struct diag *diag)
{
	struct edge *e = edges_find(&k->edges, interface);

	if (k->damage.text[0] != '\0') {
		*diag = k->damage;
		return NULL;
	}
	if (!e)
		diag_set(diag, "edge %s is missing", interface);
	return e;
}

int kernel_verify(struct kernel *k, const struct filter *want, bool all,
		  struct diag *diag)
{
	struct edge *e = known_edge(k, want->interface, diag);
	int rc;

	if (!e)
		return -1;
	privileges(k, true);
	rc = scan_verify_edge(k, e, want, all, diag);
	privileges(k, false);
	return rc;
}

bool kernel_layout(const struct kernel *k, const char *interface, enum ip_family family,
		   struct kernel_layout *out)
{
	const struct edge *e = edges_find(&k->edges, interface);

	if (!e || e->parts[family].n == 0)
		return false;
	out->shape = e->parts[family].shape;
	out->sets = e->parts[family].n;
	return true;
}

static bool same_edge(const struct edge *a, const struct edge *b)
{
	return a->action == b->action && a->others == b->others &&
	       parts_equal(&a->parts[IP_V4], &b->parts[IP_V4]) &&
	       parts_equal(&a->parts[IP_V6], &b->parts[IP_V6]) &&
	       strcmp(a->comment, b->comment) == 0 &&
	       addrset_equal(&a->connected, &b->connected);
}

/* The scan did not read contents; what has been read remains read. */
static void keep_read(struct edge *e, const struct edge *known)
{
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		for (size_t i = 0; i < e->parts[family].n; i++)
			e->parts[family].p[i].unread = known->parts[family].p[i].unread;
	}
	if (e->version < known->version)
		e->version = known->version;
}

/* What was known, held against what a new scan has found. */
static void compare(struct kernel *k, const struct edges *known, bool was_present,
		    bool was_braked)
{
	if (was_present && !k->present) {
		diag_set(&k->damage, "table inet " TXN_TABLE " was deleted");
	} else if (was_braked != k->brake) {
		diag_set(&k->damage,
			 "the rules of chain " RULES_BASE_CHAIN " are not ours");
	} else if (known->n != k->edges.n) {
		diag_set(&k->damage, "there are %zu edges instead of %zu", k->edges.n,
			 known->n);
	}
	for (size_t i = 0; i < known->n && k->damage.text[0] == '\0'; i++) {
		struct edge *e = edges_find(&k->edges, known->e[i].interface);

		if (!e || !same_edge(e, &known->e[i]))
			diag_set(&k->damage, "edge %s is not as it was left",
				 known->e[i].interface);
		else
			keep_read(e, &known->e[i]);
	}
}

int kernel_check(struct kernel *k, struct diag *diag)
{
	struct edges known = k->edges;
	bool was_present = k->present, was_braked = k->brake;
	int rc;

	k->edges = (struct edges){ 0 };
	privileges(k, true);
	rc = scan_all(k, diag);
	privileges(k, false);
	if (rc == 0 && k->damage.text[0] == '\0')
		compare(k, &known, was_present, was_braked);
	k->brake = was_braked;
	if (rc == 0 && k->damage.text[0] == '\0') {
		edges_fini(&known);
		return 0;
	}
	/* For kernel_rebuild(): counters and subnets as last known. */
	edges_fini(&k->edges);
	k->edges = known;
	if (rc == 0)
		*diag = k->damage;
	return -1;
}

size_t kernel_edges(struct kernel *k, char (**names)[FILTER_IFNAME_SIZE])
{
	*names = mem_calloc(k->edges.n, sizeof(**names));
	for (size_t i = 0; i < k->edges.n; i++)
		memcpy((*names)[i], k->edges.e[i].interface, FILTER_IFNAME_SIZE);
	return k->edges.n;
}

int kernel_counters(struct kernel *k, struct kernel_counters **out, size_t *n,
		    struct diag *diag)
{
	int rc = 0;

	*out = NULL;
	*n = 0;
	privileges(k, true);
	if (k->present)
		rc = scan_counters(k, &k->edges);
	privileges(k, false);
	if (rc < 0)
		return diag_set(diag, "cannot read the counters: %s", strerror(-rc));
	*out = mem_calloc(k->edges.n, sizeof(**out));
	*n = k->edges.n;
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = k->edges.e[i].last;
	return 0;
}

/* ---- brake, release ---- */

static int brake(struct kernel *k, bool on, struct diag *diag)
{
	const struct rules_base base = { on, k->secpath };
	struct txn *t = txn_new();
	int error, rc;

	rules_flush(t, RULES_BASE_CHAIN);
	rules_put_base(t, &base);
	rc = commit(k, t, &error, diag);
	txn_free(t);
	if (rc < 0)
		doubt(k, error, diag);
	return rc;
}

int kernel_brake(struct kernel *k, bool on, struct diag *diag)
{
	int rc = 0;

	if (k->brake == on)
		return 0;
	if (k->damage.text[0] != '\0')
		return diag_set(diag,
				"table inet " TXN_TABLE " was changed by somebody "
				"else: %s",
				k->damage.text);
	privileges(k, true);
	if (k->present)
		rc = brake(k, on, diag);
	privileges(k, false);
	if (rc == 0)
		k->brake = on;
	return rc;
}

bool kernel_brake_is_on(const struct kernel *k)
{
	return k->brake;
}

int kernel_release(struct kernel *k, struct diag *diag)
{
	struct txn *t = txn_new();
	bool exists = false;
	int rc = 0;

	privileges(k, true);
	scan_table_exists(k, &exists);
	if (exists) {
		change_put_table(t, NFT_MSG_DELTABLE);
		rc = commit(k, t, NULL, diag);
	}
	privileges(k, false);
	txn_free(t);
	if (rc < 0)
		return rc;
	edges_fini(&k->edges);
	k->present = false;
	k->brake = false;
	k->halfway = false;
	k->damage.text[0] = '\0';
	return 0;
}
