/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * trouble - what is wrong with something that is tried again and again, told once.
 *
 * A text is news once, until it has worked for TROUBLE_CALM_MS without a break: who
 * connects each second and fails each second in the same way, or comes and goes, fills
 * no log. Pure; times are milliseconds of one monotonic clock.
 */
#ifndef SAV_TROUBLE_H
#define SAV_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TROUBLE_CALM_MS	 10000
#define TROUBLE_TEXT	 512
#define TROUBLE_TOLD_MAX 8 /* different texts without calm between; more are not told */

/* All zero: nothing has been said. */
struct trouble {
	char text[TROUBLE_TEXT]; /* for show; "": it works */
	uint32_t told[TROUBLE_TOLD_MAX];
	size_t n_told;
	bool works;
	int64_t works_ms; /* since then */
};

/* It does not work, or no more. True: say so, it is news. */
bool trouble_begins(struct trouble *t, const char *text, int64_t now_ms);
/* It works. True: that is news, for it did not, and that was told. */
bool trouble_ends(struct trouble *t, int64_t now_ms);

#endif /* SAV_TROUBLE_H */
