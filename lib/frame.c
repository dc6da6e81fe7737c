/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frame.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/rd.h"

/* A buffer that one large frame has grown is given back once it is empty. */
#define KEEP_BYTES 65536

struct frame_in {
	size_t max;
	struct wr buf;
	size_t off; /* of the first byte in buf that is not handed out yet */
	bool failed;
	/* Where the stream stands, ahead of what has been handed out. */
	uint8_t header[FRAME_HEADER_BYTES];
	size_t n_header;
	size_t body_left;
};

struct frame_in *frame_in_new(size_t max_bytes)
{
	struct frame_in *f = mem_alloc(sizeof(*f));

	f->max = max_bytes;
	return f;
}

void frame_in_free(struct frame_in *f)
{
	if (!f)
		return;
	wr_fini(&f->buf);
	free(f);
}

static size_t header_length(const uint8_t header[FRAME_HEADER_BYTES])
{
	struct rd rd = rd_init(header, FRAME_HEADER_BYTES);

	return rd_be32(&rd);
}

/* Follows the headers through a chunk without storing it. */
static int scan(struct frame_in *f, const uint8_t *p, size_t len, struct diag *diag)
{
	while (len != 0) {
		if (f->body_left != 0) {
			size_t n = len < f->body_left ? len : f->body_left;

			f->body_left -= n;
			p += n;
			len -= n;
			continue;
		}
		f->header[f->n_header++] = *p++;
		len--;
		if (f->n_header < FRAME_HEADER_BYTES)
			continue;
		f->n_header = 0;
		f->body_left = header_length(f->header);
		if (f->body_left > f->max)
			return diag_set(diag, "frame of %zu bytes, limit is %zu",
					f->body_left, f->max);
	}
	return 0;
}

/* Moves the rest to the front only when it is no larger than what is already
 * consumed, so that every byte is moved at most once on average. */
static void compact(struct frame_in *f)
{
	size_t rest = f->buf.len - f->off;

	if (rest == 0) {
		if (f->buf.cap > KEEP_BYTES)
			wr_fini(&f->buf);
		f->buf.len = 0;
		f->off = 0;
	} else if (f->off >= rest) {
		wr_consume(&f->buf, f->off);
		f->off = 0;
	}
}

int frame_in_bytes(struct frame_in *f, const void *data, size_t len, struct diag *diag)
{
	if (f->failed)
		return diag_set(diag, "bytes after a frame beyond the limit");
	if (scan(f, data, len, diag) < 0) {
		f->failed = true;
		return -1;
	}
	compact(f);
	wr_bytes(&f->buf, data, len);
	return 0;
}

bool frame_in_next(struct frame_in *f, const uint8_t **body, size_t *len)
{
	size_t left = f->buf.len - f->off;
	size_t n;

	if (f->failed || left < FRAME_HEADER_BYTES)
		return false;
	n = header_length(f->buf.data + f->off);
	if (left - FRAME_HEADER_BYTES < n)
		return false;
	*body = f->buf.data + f->off + FRAME_HEADER_BYTES;
	*len = n;
	f->off += FRAME_HEADER_BYTES + n;
	return true;
}

bool frame_in_is_partial(const struct frame_in *f)
{
	return f->n_header != 0 || f->body_left != 0;
}

void frame_put(struct wr *out, const void *body, size_t len)
{
	wr_be32(out, (uint32_t)len);
	wr_bytes(out, body, len);
}
