/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * vtyframe - decoder of one answer on libfrr's unix VTY socket.
 *
 * An answer is text without NUL, then three NUL and one byte of result. It
 * comes in pieces of any size: the four bytes may be split over reads.
 */
#ifndef SAVSH_VTYFRAME_H
#define SAVSH_VTYFRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lib/wr.h"

enum vtyframe_state {
	VTYFRAME_MORE,	  /* not all of the answer is here */
	VTYFRAME_DONE,	  /* text and result are valid */
	VTYFRAME_BAD,	  /* not this protocol */
	VTYFRAME_TOO_BIG, /* more text than the limit */
};

struct vtyframe {
	struct wr text; /* NUL-terminated once done; the NUL is not counted */
	size_t limit;	/* bytes of text */
	unsigned int nuls;
	uint8_t result;
	enum vtyframe_state state;
};

void vtyframe_init(struct vtyframe *frame, size_t limit);
void vtyframe_fini(struct vtyframe *frame);

/* Takes the next bytes. Every state but VTYFRAME_MORE is final; bytes after the
 * result are VTYFRAME_BAD, because nobody asked for them. */
enum vtyframe_state vtyframe_feed(struct vtyframe *frame, const void *data, size_t len);

#endif /* SAVSH_VTYFRAME_H */
