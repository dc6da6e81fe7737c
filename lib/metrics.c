/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct family {
	const struct metric *what;
	struct wr text;
};

/* Some dozens of families, found by pointer in an open table: a snapshot of ten
 * thousand edges adds a hundred thousand samples. */
#define SLOTS	  1024
#define STEADY_MS 500

struct metrics {
	struct family *slots[SLOTS];
	struct family **order; /* by first sample */
	const struct wr **pieces;
	size_t n;
};

static void wr_text(struct wr *wr, const char *text)
{
	wr_bytes(wr, text, strlen(text));
}

/* ---- labels ---- */

void metric_labels_fini(struct metric_labels *l)
{
	wr_fini(&l->text);
}

void metric_labels_clear(struct metric_labels *l)
{
	l->text.len = 0;
}

void metric_labels_cut(struct metric_labels *l, size_t len)
{
	assert(len <= l->text.len);
	l->text.len = len;
}

/* A label's value is UTF-8 with three escapes. Interfaces may be named by any
 * bytes: those that are not plain stay distinct and readable this way. */
static void add_value(struct wr *wr, const char *value)
{
	char hex[8];

	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '\\' || *p == '"') {
			wr_u8(wr, '\\');
			wr_u8(wr, *p);
		} else if (*p == '\n') {
			wr_text(wr, "\\n");
		} else if (*p < 0x20 || *p > 0x7e) {
			snprintf(hex, sizeof(hex), "\\\\x%02x", *p);
			wr_text(wr, hex);
		} else {
			wr_u8(wr, *p);
		}
	}
}

size_t metric_label(struct metric_labels *l, const char *name, const char *value)
{
	size_t before = l->text.len;

	if (before > 0)
		wr_u8(&l->text, ',');
	wr_text(&l->text, name);
	wr_text(&l->text, "=\"");
	add_value(&l->text, value);
	wr_u8(&l->text, '"');
	return before;
}

/* ---- samples ---- */

struct metrics *metrics_new(void)
{
	return mem_alloc(sizeof(struct metrics));
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		wr_fini(&m->order[i]->text);
		free(m->order[i]);
	}
	free(m->order);
	free(m->pieces);
	free(m);
}

static struct family *family_new(struct metrics *m, const struct metric *what)
{
	struct family *f = mem_alloc(sizeof(*f));
	char line[512];

	assert(m->n < SLOTS / 2); /* the families are ours, not a peer's */
	f->what = what;
	m->order = mem_realloc(m->order, m->n + 1, sizeof(*m->order));
	m->pieces = mem_realloc(m->pieces, m->n + 1, sizeof(*m->pieces));
	m->order[m->n] = f;
	m->pieces[m->n++] = &f->text;
	snprintf(line, sizeof(line), "# HELP %s %s\n# TYPE %s %s\n", what->name, what->help,
		 what->name, what->type == METRIC_COUNTER ? "counter" : "gauge");
	wr_text(&f->text, line);
	return f;
}

static struct family *family_get(struct metrics *m, const struct metric *what)
{
	size_t at = ((uintptr_t)what / sizeof(*what)) % SLOTS;

	while (m->slots[at] && m->slots[at]->what != what)
		at = (at + 1) % SLOTS;
	if (!m->slots[at])
		m->slots[at] = family_new(m, what);
	return m->slots[at];
}

static void add_text(struct metrics *m, const struct metric *what,
		     const struct metric_labels *labels, const char *value, size_t len)
{
	struct wr *wr = &family_get(m, what)->text;

	wr_text(wr, what->name);
	if (labels && labels->text.len > 0) {
		wr_u8(wr, '{');
		wr_bytes(wr, labels->text.data, labels->text.len);
		wr_u8(wr, '}');
	}
	wr_u8(wr, ' ');
	wr_bytes(wr, value, len);
	wr_u8(wr, '\n');
}

void metric_add(struct metrics *m, const struct metric *f, const struct metric_labels *labels,
		uint64_t value)
{
	char text[24], *end = text + sizeof(text), *p = end;

	do
		*--p = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	add_text(m, f, labels, p, (size_t)(end - p));
}

void metric_add_bool(struct metrics *m, const struct metric *f,
		     const struct metric_labels *labels, bool value)
{
	metric_add(m, f, labels, value ? 1 : 0);
}

static void add_fraction(struct metrics *m, const struct metric *f,
			 const struct metric_labels *labels, int64_t v, int64_t unit,
			 int digits)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char text[48];
	int n = snprintf(text, sizeof(text), "%s%" PRIu64 ".%0*" PRIu64, v < 0 ? "-" : "",
			 u / (uint64_t)unit, digits, u % (uint64_t)unit);

	add_text(m, f, labels, text, (size_t)n);
}

void metric_add_ms(struct metrics *m, const struct metric *f,
		   const struct metric_labels *labels, int64_t ms)
{
	add_fraction(m, f, labels, ms, 1000, 3);
}

void metric_add_us(struct metrics *m, const struct metric *f,
		   const struct metric_labels *labels, int64_t us)
{
	add_fraction(m, f, labels, us, 1000000, 6);
}

int64_t metric_steady_ms(int64_t *kept, int64_t ms)
{
	if (*kept == 0 || ms - *kept > STEADY_MS || *kept - ms > STEADY_MS)
		*kept = ms;
	return *kept;
}

size_t metrics_pieces(const struct metrics *m, const struct wr *const **pieces)
{
	*pieces = m->pieces;
	return m->n;
}

size_t metrics_bytes(const struct metrics *m)
{
	size_t bytes = 0;

	for (size_t i = 0; i < m->n; i++)
		bytes += m->pieces[i]->len;
	return bytes;
}

/* ---- collectors ---- */

struct collector {
	metrics_collect_fn *fn; /* NULL: removed */
	void *arg;
};

struct metrics_registry {
	struct collector *collectors;
	size_t n;
};

struct metrics_registry *metrics_registry_new(void)
{
	return mem_alloc(sizeof(struct metrics_registry));
}

void metrics_registry_free(struct metrics_registry *r)
{
	if (!r)
		return;
	free(r->collectors);
	free(r);
}

void metrics_registry_add(struct metrics_registry *r, metrics_collect_fn *fn, void *arg)
{
	r->collectors = mem_realloc(r->collectors, r->n + 1, sizeof(*r->collectors));
	r->collectors[r->n++] = (struct collector){ .fn = fn, .arg = arg };
}

/* Its place stays: a walk may be under way. */
void metrics_registry_remove(struct metrics_registry *r, metrics_collect_fn *fn, void *arg)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->collectors[i].fn == fn && r->collectors[i].arg == arg)
			r->collectors[i] = (struct collector){ 0 };
	}
}

bool metrics_walk_step(struct metrics_registry *r, struct metrics_walk *w, struct metrics *m)
{
	const struct collector *c;

	if (w->collector >= r->n)
		return false;
	c = &r->collectors[w->collector];
	if (!c->fn || c->fn(m, &w->step, c->arg)) {
		w->collector++;
		w->step = 0;
	}
	return w->collector < r->n;
}
