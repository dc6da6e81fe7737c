/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * remedy - the least that would have to change for an address to be admitted.
 *
 * Whoever asks has found out which modes would admit it (by live sets, or by a
 * recording); here it becomes a statement of the configuration, in words.
 */
#ifndef SAV_REMEDY_H
#define SAV_REMEDY_H

#include "controller/policy/config.h"

#define REMEDY_TEXT_SIZE 256
#define REMEDY_MODES	 6

/* The strictest first: the first that admits an address gives the least away. */
extern const enum edge_mode remedy_modes[REMEDY_MODES];

struct remedy {
	unsigned int admits;	 /* bit m: remedy_modes[m] would admit it */
	bool special;		 /* it is refused as a special-purpose source */
	bool has_record;	 /* the edge has a customer */
	struct ip_prefix prefix; /* that a statement would name */
};
const char *remedy_format(const struct remedy *r, char text[REMEDY_TEXT_SIZE]);

#endif /* SAV_REMEDY_H */
