/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ref - what a message is packed from, for the generated structs, which know no
 * const: packing does not write. Private to the packers.
 */
#ifndef SAV_SCHEMA_REF_H
#define SAV_SCHEMA_REF_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

static inline ProtobufCBinaryData bytes_ref(const void *data, size_t len)
{
	union {
		const void *in;
		uint8_t *out;
	} cast = { data };

	return (ProtobufCBinaryData){ .len = len, .data = cast.out };
}

static inline char *text_ref(const char *text)
{
	union {
		const char *in;
		char *out;
	} cast = { text };

	return cast.out;
}

#endif /* SAV_SCHEMA_REF_H */
