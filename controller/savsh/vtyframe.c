/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/vtyframe.h"

#include <string.h>

/* Three of them end the text; libfrr writes no NUL elsewhere. */
#define TRAILER_NULS 3

void vtyframe_init(struct vtyframe *frame, size_t limit)
{
	*frame = (struct vtyframe){ .limit = limit };
}

void vtyframe_fini(struct vtyframe *frame)
{
	wr_fini(&frame->text);
}

/* Text up to the first NUL; returns the number of bytes taken. */
static size_t take_text(struct vtyframe *frame, const uint8_t *p, size_t len)
{
	const uint8_t *nul = memchr(p, '\0', len);
	size_t n = nul ? (size_t)(nul - p) : len;

	if (n > frame->limit - frame->text.len) {
		frame->state = VTYFRAME_TOO_BIG;
		return len;
	}
	wr_bytes(&frame->text, p, n);
	return n;
}

static void take_trailer(struct vtyframe *frame, uint8_t byte)
{
	if (frame->nuls < TRAILER_NULS) {
		if (byte == 0)
			frame->nuls++;
		else
			frame->state = VTYFRAME_BAD;
		return;
	}
	frame->result = byte;
	frame->state = VTYFRAME_DONE;
	wr_u8(&frame->text, 0);
	frame->text.len--;
}

enum vtyframe_state vtyframe_feed(struct vtyframe *frame, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i = 0;

	while (i < len && frame->state == VTYFRAME_MORE) {
		if (frame->nuls == 0) {
			i += take_text(frame, p + i, len - i);
			if (i == len)
				break;
		}
		take_trailer(frame, p[i++]);
	}
	if (i < len && frame->state == VTYFRAME_DONE)
		frame->state = VTYFRAME_BAD;
	return frame->state;
}
