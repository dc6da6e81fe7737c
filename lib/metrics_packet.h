/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * metrics_packet - GET /metrics of a libfrr daemon, for Prometheus.
 *
 * libmicrohttpd speaks HTTP, driven by libfrr's loop; it has no thread. A
 * snapshot is made in slices of a millisecond with pauses between them, one for
 * all who wait, so that a scrape delays no filter however many edges there are,
 * and however often somebody asks. Anything but GET is answered 405, anything
 * but /metrics 404; connections are few and idle ones are closed.
 */
#ifndef SAV_METRICS_PACKET_H
#define SAV_METRICS_PACKET_H

#include "lib/ip.h"
#include "lib/metrics.h"

#define METRICS_CONNECTIONS	   32 /* of each listen statement; more wait */
#define METRICS_CONNECTIONS_PER_IP 8  /* more are closed */
#define METRICS_IDLE_S		   10
#define METRICS_RETRY_S		   5 /* when an address cannot be listened on */

struct event_loop;
struct metrics_http;

/* What one snapshot has cost so far, for "show" and for the metrics about the
 * metrics. */
struct metrics_http_stats {
	uint64_t snapshots, answered, refused; /* refused: 404 and 405 */
	size_t bytes;			       /* of the last snapshot */
	int64_t work_us, work_last_us;	       /* time spent on snapshots */
	int64_t slice_max_us;		       /* longest without a break */
};

/* loop and registry stay the caller's; two collectors of its own are added. */
struct metrics_http *metrics_http_new(struct event_loop *loop,
				      struct metrics_registry *registry);
void metrics_http_free(struct metrics_http *h);

struct metrics_listen {
	struct ip_addr addr;
	uint16_t port;
};
/* Listens on these and no others. What cannot be listened on is logged and
 * tried again. */
void metrics_http_listen(struct metrics_http *h, const struct metrics_listen *list, size_t n);
/* Why this one does not listen now, "" if it does or is not wanted. */
const char *metrics_http_error(const struct metrics_http *h, const struct metrics_listen *l);
const struct metrics_http_stats *metrics_http_stats(const struct metrics_http *h);

#endif /* SAV_METRICS_PACKET_H */
