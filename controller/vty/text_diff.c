/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/text_diff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"

/* ---- lines ---- */

static int line_cmp(const void *item, const void *key)
{
	return strcmp(*(char *const *)item, key);
}

static void line_add(struct text_object *o, const char *line)
{
	bool found;
	size_t at = array_locate(o->lines, o->n_lines, sizeof(*o->lines), line, line_cmp,
				 &found);
	void *array = o->lines;
	char *copy;

	if (found)
		return;
	copy = mem_strdup(line);
	array_insert(&array, &o->n_lines, sizeof(copy), at, &copy);
	o->lines = array;
}

static void line_remove(struct text_object *o, const char *line)
{
	bool found;
	size_t at = array_locate(o->lines, o->n_lines, sizeof(*o->lines), line, line_cmp,
				 &found);

	if (!found)
		return;
	free(o->lines[at]);
	array_remove(o->lines, &o->n_lines, sizeof(*o->lines), at);
}

/* ---- objects ---- */

/* Customers and edges name what comes before them; of others nobody knows better
 * than that they come last. */
static int kind_of(const char *heading)
{
	static const char *const kinds[] = { "router ", "customer ", "edge " };
	int i = 0;

	if (heading[0] == '\0')
		return 0;
	while (i < 3 && strncmp(heading, kinds[i], strlen(kinds[i])) != 0)
		i++;
	return i + 1;
}

static int heading_cmp(const char *a, const char *b)
{
	int order = kind_of(a) - kind_of(b);

	return order ? order : strcmp(a, b);
}

static int object_cmp(const void *item, const void *key)
{
	return heading_cmp(((const struct text_object *)item)->heading, key);
}

struct text_object *text_config_get(struct text_config *c, const char *heading)
{
	struct text_object fresh = { .exists = heading[0] == '\0' };
	void *array = c->objects;
	bool found;
	size_t at = array_locate(c->objects, c->n_objects, sizeof(*c->objects), heading,
				 object_cmp, &found);

	if (!found) {
		fresh.heading = mem_strdup(heading);
		array_insert(&array, &c->n_objects, sizeof(fresh), at, &fresh);
		c->objects = array;
	}
	return &c->objects[at];
}

void text_config_fini(struct text_config *c)
{
	for (size_t i = 0; i < c->n_objects; i++) {
		for (size_t k = 0; k < c->objects[i].n_lines; k++)
			free(c->objects[i].lines[k]);
		free(c->objects[i].lines);
		free(c->objects[i].heading);
	}
	free(c->objects);
	*c = (struct text_config){ 0 };
}

/* ---- reading ---- */

/* Calls fn for each line that says something. */
static void each_line(const char *text, void (*fn)(const char *line, void *arg), void *arg)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		char *line = mem_alloc(len + 1);

		memcpy(line, text, len);
		line[len] = '\0';
		if (*line != '\0' && strcmp(line, "!") != 0)
			fn(line, arg);
		free(line);
		text += len;
		text += *text == '\n';
	}
}

/* A line of the top level is a heading if lines follow it up to "exit". */
struct parser {
	struct text_config *c;
	char *held; /* of the top level; what it is, the next line tells */
	struct text_object *open;
};

static void settle(struct parser *p, bool heading)
{
	if (!p->held)
		return;
	if (heading) {
		p->open = text_config_get(p->c, p->held);
		p->open->exists = true;
	} else {
		line_add(text_config_get(p->c, ""), p->held);
	}
	free(p->held);
	p->held = NULL;
}

static void parse_line(const char *line, void *arg)
{
	struct parser *p = arg;

	if (strcmp(line, "exit") == 0) {
		settle(p, true);
		p->open = NULL;
	} else if (line[0] == ' ') {
		settle(p, true);
		if (p->open)
			line_add(p->open, line);
	} else {
		settle(p, false);
		p->held = mem_strdup(line);
	}
}

void text_config_parse(struct text_config *c, const char *text)
{
	struct parser p = { .c = c };

	*c = (struct text_config){ 0 };
	each_line(text, parse_line, &p);
	settle(&p, false);
}

/* ---- differences ---- */

static void put_line(struct wr *out, const char *sign, const char *line)
{
	wr_bytes(out, sign, strlen(sign));
	wr_bytes(out, line, strlen(line));
	wr_u8(out, '\n');
}

static const struct text_object absent = { 0 };

/* The lines that only a has. */
static void put_only(const struct text_object *a, const struct text_object *b,
		     const char *sign, struct wr *out)
{
	size_t k = 0;

	if (a->exists && !b->exists && a->heading[0] != '\0')
		put_line(out, sign, a->heading);
	for (size_t i = 0; i < a->n_lines; i++) {
		while (k < b->n_lines && strcmp(b->lines[k], a->lines[i]) < 0)
			k++;
		if (k == b->n_lines || strcmp(b->lines[k], a->lines[i]) != 0)
			put_line(out, sign, a->lines[i]);
	}
}

void text_object_diff(const struct text_object *old, const struct text_object *new,
		      struct wr *out)
{
	old = old ? old : &absent;
	new = new ? new : &absent;
	put_only(old, new, "-", out);
	put_only(new, old, "+", out);
}

int text_config_diff(const struct text_config *old, const struct text_config *new,
		     text_diff_fn *fn, void *arg)
{
	int rc = 0;

	for (size_t o = 0, n = 0; rc == 0 && (o < old->n_objects || n < new->n_objects);) {
		int order = o == old->n_objects ? 1
			    : n == new->n_objects
				    ? -1
				    : heading_cmp(old->objects[o].heading,
						  new->objects[n].heading);
		const struct text_object *a = order <= 0 ? &old->objects[o] : NULL;
		const struct text_object *b = order >= 0 ? &new->objects[n] : NULL;
		const char *heading = order <= 0 ? old->objects[o].heading
						 : new->objects[n].heading;
		struct wr diff = { 0 };

		text_object_diff(a, b, &diff);
		if (diff.len > 0) {
			wr_u8(&diff, '\0');
			rc = fn(heading, (const char *)diff.data, arg);
		}
		wr_fini(&diff);
		o += order <= 0;
		n += order >= 0;
	}
	return rc;
}

static void undo_line(const char *line, void *arg)
{
	struct text_object *o = arg;
	bool came = line[0] == '+';

	if (!came && line[0] != '-')
		return;
	line++;
	if (strcmp(line, o->heading) == 0)
		o->exists = !came;
	else if (came)
		line_remove(o, line);
	else
		line_add(o, line);
}

void text_object_undo(struct text_object *o, const char *diff)
{
	each_line(diff, undo_line, o);
}

/* ---- printing ---- */

void text_config_print(const struct text_config *c, struct wr *out)
{
	for (size_t i = 0; i < c->n_objects; i++) {
		const struct text_object *o = &c->objects[i];

		if (!o->exists || (o->heading[0] == '\0' && o->n_lines == 0))
			continue;
		if (o->heading[0] != '\0')
			put_line(out, "", o->heading);
		for (size_t k = 0; k < o->n_lines; k++)
			put_line(out, "", o->lines[k]);
		put_line(out, "", o->heading[0] != '\0' ? "exit\n!" : "!");
	}
	wr_u8(out, '\0');
}
