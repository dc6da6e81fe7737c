/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * frame - a byte stream cut into frames of a 4-byte big-endian length and
 * that many bytes.
 *
 * A length beyond the limit fails as soon as its fourth byte is seen, before
 * anything is stored for it, and memory grows with bytes that have really
 * arrived, never with what a length promises.
 */
#ifndef SAV_FRAME_H
#define SAV_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/wr.h"

#define FRAME_HEADER_BYTES 4

struct frame_in;

struct frame_in *frame_in_new(size_t max_bytes); /* of one frame's body */
void frame_in_free(struct frame_in *f);

/* Takes bytes in any chunking. -1 when a frame is too long; the stream is then
 * useless and every later call fails too. Bodies handed out before are no
 * longer valid. Drain with frame_in_next() after each call: that keeps memory
 * at one frame and one chunk. */
int frame_in_bytes(struct frame_in *f, const void *data, size_t len, struct diag *diag);

/* The next complete frame; *body is valid until the next frame_in_bytes(). */
bool frame_in_next(struct frame_in *f, const uint8_t **body, size_t *len);

/* The middle of a frame has been reached: an end of the stream now is a cut. */
bool frame_in_is_partial(const struct frame_in *f);

/* Appends one frame around body. */
void frame_put(struct wr *out, const void *body, size_t len);

#endif /* SAV_FRAME_H */
