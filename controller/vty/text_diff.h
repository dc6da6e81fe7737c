/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * text_diff - the text of a configuration as sets of lines.
 *
 * Within one object ("edge r1 eth0" ... "exit") the order of lines says nothing
 * and no line stands twice, so what a change did is which lines went and came.
 */
#ifndef SAV_TEXT_DIFF_H
#define SAV_TEXT_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wr.h"

struct text_object {
	char *heading; /* "" for lines of the top level */
	bool exists;   /* its heading is there; always for the top level */
	char **lines;  /* below it, sorted */
	size_t n_lines;
};

/* Objects in the order in which they can be read: whom others name comes first. */
struct text_config {
	struct text_object *objects;
	size_t n_objects;
};

/* Text as `show running-config` prints it, from the first of our own nodes on. */
void text_config_parse(struct text_config *c, const char *text);
void text_config_fini(struct text_config *c);
/* The object of a heading; one that does not exist yet if there is none. */
struct text_object *text_config_get(struct text_config *c, const char *heading);

/* From one to the other: "-LINE\n" and "+LINE\n" for each line that only one has,
 * those that go first. Objects of one heading; nothing is written where they are
 * equal. NULL: an object that does not exist. */
void text_object_diff(const struct text_object *old, const struct text_object *new,
		      struct wr *out);
/* Undoes such a text: what came goes, what went comes back. */
void text_object_undo(struct text_object *o, const char *diff);
/* One object that differs. */
typedef int text_diff_fn(const char *heading, const char *diff, void *arg);
/* Calls fn until it returns other than 0, which is returned. */
int text_config_diff(const struct text_config *old, const struct text_config *new,
		     text_diff_fn *fn, void *arg);
/* Ready to be read again, with a NUL at its end. */
void text_config_print(const struct text_config *c, struct wr *out);

#endif /* SAV_TEXT_DIFF_H */
