/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_server_impl - shared by radius_server.c and radius_dynamic.c only.
 */
#ifndef SAV_RADIUS_SERVER_IMPL_H
#define SAV_RADIUS_SERVER_IMPL_H

#include "controller/radius/radius_server.h"

/* A request that is genuine, and what belongs to it. */
struct radius_request {
	const struct config_radius_client *client;
	struct radius_client_stats *stats;
	struct radius_packet packet;
	bool is_signed;
	int64_t now_ms;
};

/* What to answer; cause: Error-Cause of a NAK (RFC 5176 3.5). */
struct radius_answer {
	enum radius_code code;
	uint32_t cause;
};

/* CoA and Disconnect. */
struct radius_answer radius_dynamic_request(struct radius_sessions *rs,
					    const struct radius_request *req);

#endif /* SAV_RADIUS_SERVER_IMPL_H */
