/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/accept_ra.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ifsetting.h"
#include "lib/mem.h"
#include "lib/pki.h"
#include "lib/wr.h"

#define FIRST_LINE "opensav accept_ra 1\n"

struct accept_ra {
	char *conf, *state_path;
	void (*privileges)(bool raise);
	struct accept_ra_want *found; /* values from before */
	size_t n;
};

static bool parse(struct accept_ra *a, FILE *f)
{
	struct accept_ra_want e;
	char line[128];

	if (!fgets(line, sizeof(line), f) || strcmp(line, FIRST_LINE) != 0)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "interface %15s %d", e.interface, &e.value) != 2 ||
		    !filter_ifname_is_valid(e.interface))
			return false;
		a->found = mem_realloc(a->found, a->n + 1, sizeof(*a->found));
		a->found[a->n++] = e;
	}
	return true;
}

static int save(const struct accept_ra *a, struct diag *diag)
{
	struct wr wr = { 0 };
	char line[64];
	int rc;

	if (a->n == 0) {
		if (unlink(a->state_path) == 0 || errno == ENOENT)
			return 0;
		return diag_set(diag, "cannot delete %s: %s", a->state_path, strerror(errno));
	}
	wr_bytes(&wr, FIRST_LINE, strlen(FIRST_LINE));
	for (size_t i = 0; i < a->n; i++) {
		snprintf(line, sizeof(line), "interface %s %d\n", a->found[i].interface,
			 a->found[i].value);
		wr_bytes(&wr, line, strlen(line));
	}
	rc = pki_file_write(a->state_path, 0600, wr.data, wr.len, diag);
	wr_fini(&wr);
	return rc;
}

struct accept_ra *accept_ra_open(const char *conf, const char *state_path,
				 void (*privileges)(bool raise), struct diag *diag)
{
	struct accept_ra *a = mem_alloc(sizeof(*a));
	FILE *f = fopen(state_path, "re");
	bool ok = f ? parse(a, f) : errno == ENOENT;

	if (f)
		fclose(f);
	a->conf = mem_strdup(conf);
	a->state_path = mem_strdup(state_path);
	a->privileges = privileges;
	if (ok)
		return a;
	diag_set(diag, "%s cannot be read or is damaged: the accept_ra values from before are not "
		       "known; set them as you want them and delete the file", state_path);
	accept_ra_close(a);
	return NULL;
}

void accept_ra_close(struct accept_ra *a)
{
	if (!a)
		return;
	free(a->conf);
	free(a->state_path);
	free(a->found);
	free(a);
}

/* ---- the kernel's values ---- */

/* -1: there is no such interface (any more). */
static int value_read(const struct accept_ra *a, const char *interface)
{
	return ifsetting_read(a->conf, interface, "accept_ra");
}

static int value_write(const struct accept_ra *a, const char *interface, int value,
		       struct diag *diag)
{
	int rc;

	if (value_read(a, interface) == value)
		return 0;
	if (a->privileges)
		a->privileges(true);
	rc = ifsetting_write(a->conf, interface, "accept_ra", value);
	if (a->privileges)
		a->privileges(false);
	return rc == 0 ? 0 :
			 diag_set(diag, "cannot set accept_ra of %s: %s (is /proc/sys read-only, as in a "
					"container?)", interface, strerror(-rc));
}

/* ---- owning ---- */

static bool is_wanted(const struct accept_ra_want *want, size_t n, const char *interface)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(want[i].interface, interface) == 0)
			return true;
	}
	return false;
}

/* Saves what was there, once; true: something new. */
static bool note_found(struct accept_ra *a, const struct accept_ra_want *want)
{
	struct accept_ra_want e = *want;

	e.value = value_read(a, want->interface);
	if (e.value < 0 || is_wanted(a->found, a->n, want->interface))
		return false;
	a->found = mem_realloc(a->found, a->n + 1, sizeof(*a->found));
	a->found[a->n++] = e;
	return true;
}

static int give_back(struct accept_ra *a, const struct accept_ra_want *want, size_t n,
		     struct diag *diag)
{
	size_t kept = 0, before = a->n;
	int rc = 0;

	for (size_t i = 0; i < before; i++) {
		if (is_wanted(want, n, a->found[i].interface) ||
		    (rc == 0 &&
		     (rc = value_write(a, a->found[i].interface, a->found[i].value, diag)) < 0))
			a->found[kept++] = a->found[i];
	}
	a->n = kept;
	return kept != before && save(a, diag) < 0 ? -1 : rc;
}

int accept_ra_own(struct accept_ra *a, const struct accept_ra_want *want, size_t n,
		  struct diag *diag)
{
	bool fresh = false;

	for (size_t i = 0; i < n; i++)
		fresh |= note_found(a, &want[i]);
	if (fresh && save(a, diag) < 0)
		return -1; /* rather not touched than not to be restored */
	for (size_t i = 0; i < n; i++) {
		if (value_write(a, want[i].interface, want[i].value, diag) < 0)
			return -1;
	}
	return give_back(a, want, n, diag);
}

int accept_ra_release(struct accept_ra *a, struct diag *diag)
{
	return give_back(a, NULL, 0, diag);
}
