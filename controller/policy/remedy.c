/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/remedy.h"

#include <stdio.h>

const enum edge_mode remedy_modes[REMEDY_MODES] = {
	MODE_STRICT, MODE_STRICT_DIRECT, MODE_FEASIBLE,
	MODE_EFP_A,  MODE_EFP_B,	 MODE_LOOSE,
};

const char *remedy_format(const struct remedy *r, char text[REMEDY_TEXT_SIZE])
{
	char prefix[IP_TEXT_SIZE];

	ip_prefix_format(&r->prefix, prefix);
	for (size_t m = 0; m < REMEDY_MODES; m++) {
		if (r->admits & 1u << m) {
			snprintf(text, REMEDY_TEXT_SIZE, "mode %s",
				 edge_mode_name(remedy_modes[m]));
			return text;
		}
	}
	if (r->special)
		snprintf(text, REMEDY_TEXT_SIZE,
			 "prefix %s on the edge, or special-purpose permit %s", prefix,
			 prefix);
	else
		snprintf(text, REMEDY_TEXT_SIZE,
			 "prefix %s on the edge, or in the record of its customer%s",
			 prefix, r->has_record ? "" : " (the edge has none yet)");
	return text;
}
