/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness_io - liveness with its sockets, for any event loop.
 *
 * The owner waits for the descriptors and for the time that liveness_io_run()
 * returns. Descriptors come and go with the paths: `watch` says which.
 */
#ifndef SAV_LIVENESS_IO_H
#define SAV_LIVENESS_IO_H

#include "agents/steer/liveness.h"

struct liveness_io_ops {
	path_changed_fn *changed;
	/* Sockets are opened between two calls; NULL: no need. */
	void (*privileges)(bool raise);
	void (*note)(void *ctx, bool alarm, const char *text);
	/* Call liveness_io_readable(io, fd) when there is something to read there;
	 * on false the descriptor is about to be closed. */
	void (*watch)(void *ctx, int fd, bool on);
};

struct liveness_io;

struct liveness_io *liveness_io_new(const struct liveness_io_ops *ops, void *ctx);
void liveness_io_free(struct liveness_io *io);
void liveness_io_set(struct liveness_io *io, const struct path *paths, size_t n,
		     int64_t now_us);
void liveness_io_readable(struct liveness_io *io, int fd, int64_t now_us);
/* As liveness_run(); also opens what could not be opened before. */
int64_t liveness_io_run(struct liveness_io *io, int64_t now_us);
struct liveness *liveness_io_core(struct liveness_io *io);

#endif /* SAV_LIVENESS_IO_H */
