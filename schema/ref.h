/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ref - a text that a message is packed from, for the generated structs, which know
 * no const: packing does not write. Private to the packers.
 */
#ifndef SAV_SCHEMA_REF_H
#define SAV_SCHEMA_REF_H

static inline char *text_ref(const char *text)
{
	union {
		const char *in;
		char *out;
	} cast = { text };

	return cast.out;
}

#endif /* SAV_SCHEMA_REF_H */
