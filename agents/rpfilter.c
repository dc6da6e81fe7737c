/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/rpfilter.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ifsetting.h"
#include "lib/mem.h"
#include "lib/pki.h"
#include "lib/wr.h"

#define FIRST_LINE "opensav rp_filter 1\n"

struct entry {
	char name[FILTER_IFNAME_SIZE];
	int original;  /* as found */
	int effective; /* what packets met then: max(all, original) */
	bool managed;
};

struct rpfilter {
	char *conf, *state_path;
	void (*privileges)(bool raise);
	bool owned;
	int all, def; /* as found */
	struct entry *entries;
	size_t n;
};

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* ---- the kernel's values ---- */

/* -1: there is no such interface (any more). */
static int value_read(const struct rpfilter *rp, const char *name)
{
	return ifsetting_read(rp->conf, name, "rp_filter");
}

static int value_write(const struct rpfilter *rp, const char *name, int value,
		       struct diag *diag)
{
	int rc = ifsetting_write(rp->conf, name, "rp_filter", value);

	return rc == 0 ? 0 :
			 diag_set(diag,
				  "cannot write %s/%s/rp_filter: %s; rp_filter may drop what the filter "
				  "accepts (is /proc/sys read-only, as in a container?)",
				  rp->conf, name, strerror(-rc));
}

/* ---- the state file ---- */

static int save(const struct rpfilter *rp, struct diag *diag)
{
	struct wr wr = { 0 };
	char line[128];
	int rc;

	snprintf(line, sizeof(line), FIRST_LINE "all %d\ndefault %d\n", rp->all, rp->def);
	wr_bytes(&wr, line, strlen(line));
	for (size_t i = 0; i < rp->n; i++) {
		const struct entry *e = &rp->entries[i];

		snprintf(line, sizeof(line), "interface %s %d %d %s\n", e->name,
			 e->original, e->effective, e->managed ? "managed" : "free");
		wr_bytes(&wr, line, strlen(line));
	}
	rc = pki_file_write(rp->state_path, 0600, wr.data, wr.len, diag);
	wr_fini(&wr);
	return rc;
}

static bool parse_entry(const char *line, struct entry *e)
{
	char name[FILTER_IFNAME_SIZE], word[16];

	if (sscanf(line, "interface %15s %d %d %15s", name, &e->original, &e->effective,
		   word) != 4 ||
	    !filter_ifname_is_valid(name))
		return false;
	memcpy(e->name, name, sizeof(name));
	e->managed = strcmp(word, "managed") == 0;
	return true;
}

static bool parse_file(struct rpfilter *rp, FILE *f)
{
	char line[256];
	struct entry e;

	if (!fgets(line, sizeof(line), f) || strcmp(line, FIRST_LINE) != 0 ||
	    fscanf(f, "all %d\ndefault %d\n", &rp->all, &rp->def) != 2)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (!parse_entry(line, &e))
			return false;
		rp->entries = mem_realloc(rp->entries, rp->n + 1, sizeof(*rp->entries));
		rp->entries[rp->n++] = e;
	}
	return true;
}

static int load(struct rpfilter *rp, struct diag *diag)
{
	FILE *f = fopen(rp->state_path, "re");

	if (!f && errno == ENOENT)
		return 0;
	if (!f)
		return diag_set(diag, "cannot read %s: %s", rp->state_path,
				strerror(errno));
	rp->owned = parse_file(rp, f);
	fclose(f);
	if (!rp->owned)
		return diag_set(
			diag,
			"%s is damaged: the rp_filter values from before are "
			"not known; set them as you want them and delete the file",
			rp->state_path);
	return 0;
}

struct rpfilter *rpfilter_open(const char *conf, const char *state_path,
			       void (*privileges)(bool raise), struct diag *diag)
{
	struct rpfilter *rp = mem_alloc(sizeof(*rp));

	rp->conf = mem_strdup(conf);
	rp->state_path = mem_strdup(state_path);
	rp->privileges = privileges;
	if (load(rp, diag) == 0)
		return rp;
	rpfilter_close(rp);
	return NULL;
}

void rpfilter_close(struct rpfilter *rp)
{
	free(rp->conf);
	free(rp->state_path);
	free(rp->entries);
	free(rp);
}

bool rpfilter_is_owned(const struct rpfilter *rp)
{
	return rp->owned;
}

/* ---- owning ---- */

static const struct entry *entry_find(const struct entry *entries, size_t n,
				      const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	}
	return NULL;
}

/* What the interface would have had without us: a new one begins with
 * "default", which we have raised. */
static struct entry new_entry(const struct rpfilter *rp, const char *name, int all)
{
	struct entry e = { .original = value_read(rp, name) };

	memcpy(e.name, name, strnlen(name, sizeof(e.name) - 1));
	e.effective = larger(all, e.original);
	if (rp->owned)
		e.original = rp->def;
	return e;
}

/* The interfaces that exist now, known ones with what is known of them. */
static int list(const struct rpfilter *rp, int all, struct entry **out, size_t *n,
		struct diag *diag)
{
	DIR *dir = opendir(rp->conf);
	struct dirent *d;
	size_t cap = 0;

	*out = NULL;
	*n = 0;
	if (!dir)
		return diag_set(diag, "cannot list %s: %s", rp->conf, strerror(errno));
	while ((d = readdir(dir))) {
		const struct entry *known = entry_find(rp->entries, rp->n, d->d_name);

		if (!filter_ifname_is_valid(d->d_name) || strcmp(d->d_name, "all") == 0 ||
		    strcmp(d->d_name, "default") == 0)
			continue;
		if (*n == cap) {
			cap = cap * 2 + 16;
			*out = mem_realloc(*out, cap, sizeof(**out));
		}
		(*out)[(*n)++] = known ? *known : new_entry(rp, d->d_name, all);
	}
	closedir(dir);
	return 0;
}

static bool is_named(const char (*names)[FILTER_IFNAME_SIZE], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* Before "all" goes to 0, and when an interface is not managed any more. */
static int settle(const struct rpfilter *rp, const struct entry *e, bool was_managed,
		  int all, struct diag *diag)
{
	int now = value_read(rp, e->name), want = now;

	if (now < 0)
		return 0;
	if (e->managed)
		want = 0;
	else if (was_managed)
		want = e->effective;
	else if (all != 0)
		want = larger(now, all);
	return want == now ? 0 : value_write(rp, e->name, want, diag);
}

static int settle_all(struct rpfilter *rp, const struct entry *before, size_t n_before,
		      int all, struct diag *diag)
{
	int def = value_read(rp, "default"), rc = 0;

	/* First those that keep rp_filter, so that no moment is laxer. */
	for (int managed = 0; managed < 2; managed++) {
		for (size_t i = 0; rc == 0 && i < rp->n; i++) {
			const struct entry *e = &rp->entries[i];
			const struct entry *was = entry_find(before, n_before, e->name);

			if (e->managed == (bool)managed)
				rc = settle(rp, e, was && was->managed, all, diag);
		}
	}
	if (rc == 0 && def >= 0 && larger(def, all) != def)
		rc = value_write(rp, "default", larger(def, all), diag);
	if (rc == 0 && all != 0)
		rc = value_write(rp, "all", 0, diag);
	return rc;
}

static bool same_entries(const struct entry *a, size_t n, const struct entry *b, size_t m)
{
	for (size_t i = 0; n == m && i < n; i++) {
		const struct entry *e = entry_find(b, m, a[i].name);

		if (!e || e->managed != a[i].managed)
			return false;
	}
	return n == m;
}

static int own(struct rpfilter *rp, const char (*managed)[FILTER_IFNAME_SIZE], size_t n,
	       struct diag *diag)
{
	struct entry *before = rp->entries, *after;
	size_t n_before = rp->n, n_after;
	int all = value_read(rp, "all"), rc = 0;

	if (all < 0)
		return diag_set(diag, "%s has no rp_filter", rp->conf);
	if (list(rp, all, &after, &n_after, diag) < 0)
		return -1;
	for (size_t i = 0; i < n_after; i++)
		after[i].managed = is_named(managed, n, after[i].name);
	if (!rp->owned) {
		rp->all = all;
		rp->def = larger(value_read(rp, "default"), 0);
	}
	rp->entries = after;
	rp->n = n_after;
	/* On disk before the first value changes. */
	if (!rp->owned || !same_entries(after, n_after, before, n_before))
		rc = save(rp, diag);
	if (rc < 0) {
		free(after);
		rp->entries = before;
		rp->n = n_before;
		return rc;
	}
	rp->owned = true;
	rc = settle_all(rp, before, n_before, all, diag);
	free(before);
	return rc;
}

static void raise_privileges(const struct rpfilter *rp, bool raise)
{
	if (rp->privileges)
		rp->privileges(raise);
}

int rpfilter_own(struct rpfilter *rp, const char (*managed)[FILTER_IFNAME_SIZE], size_t n,
		 struct diag *diag)
{
	int rc;

	if (n == 0 && !rp->owned)
		return 0; /* nothing of ours drops: not our business */
	raise_privileges(rp, true);
	rc = own(rp, managed, n, diag);
	raise_privileges(rp, false);
	return rc;
}

int rpfilter_release(struct rpfilter *rp, struct diag *diag)
{
	int rc;

	if (!rp->owned)
		return 0;
	raise_privileges(rp, true);
	/* "all" first: it covers the rest while they are written. */
	rc = value_write(rp, "all", rp->all, diag);
	for (size_t i = 0; rc == 0 && i < rp->n; i++)
		rc = value_write(rp, rp->entries[i].name, rp->entries[i].original, diag);
	if (rc == 0)
		rc = value_write(rp, "default", rp->def, diag);
	raise_privileges(rp, false);
	if (rc < 0)
		return rc;
	if (unlink(rp->state_path) < 0 && errno != ENOENT)
		return diag_set(diag, "cannot delete %s: %s", rp->state_path,
				strerror(errno));
	free(rp->entries);
	rp->entries = NULL;
	rp->n = 0;
	rp->owned = false;
	return 0;
}
