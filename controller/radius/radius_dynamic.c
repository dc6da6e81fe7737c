/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * CoA and Disconnect (RFC 5176): which sessions are meant, and what becomes of
 * them.
 */
#include "controller/radius/radius_server_impl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define AUTHORIZE_ONLY 17
#define MATCHES_MAX    4096 /* sessions that one request may concern */

enum cause {
	CAUSE_UNSUPPORTED_ATTRIBUTE = 401,
	CAUSE_MISSING_ATTRIBUTE = 402,
	CAUSE_NAS_MISMATCH = 403,
	CAUSE_UNSUPPORTED_SERVICE = 405,
	CAUSE_INVALID_VALUE = 407,
	CAUSE_NO_SESSION = 503,
	CAUSE_RESOURCES = 506,
};

/* Sec. 3: what names the NAS, and what names a session on it. */
static bool names_nas(uint8_t type)
{
	return type == RADIUS_NAS_IP_ADDRESS || type == RADIUS_NAS_IDENTIFIER ||
	       type == RADIUS_NAS_IPV6_ADDRESS;
}

static bool names_session(uint8_t type)
{
	switch (type) {
	case RADIUS_USER_NAME:
	case RADIUS_NAS_PORT:
	case RADIUS_FRAMED_IP_ADDRESS:
	case RADIUS_CALLED_STATION_ID:
	case RADIUS_CALLING_STATION_ID:
	case RADIUS_ACCT_SESSION_ID:
	case RADIUS_ACCT_MULTI_SESSION_ID:
	case RADIUS_NAS_PORT_ID:
	case RADIUS_CHARGEABLE_USER_IDENTITY:
	case RADIUS_FRAMED_INTERFACE_ID:
	case RADIUS_FRAMED_IPV6_PREFIX:
		return true;
	default:
		return false;
	}
}

/* The session has an attribute of this kind and value. */
static bool has(const struct radius_session_view *v, const struct radius_attr *want)
{
	struct radius_attr attr;
	struct radius_iter it;

	if (want->type == RADIUS_ACCT_SESSION_ID)
		return v->saved.session_len == want->len &&
		       memcmp(v->saved.session, want->data, want->len) == 0;
	radius_iter_init(&it, v->saved.attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor == 0 && attr.type == want->type && attr.len == want->len &&
		    memcmp(attr.data, want->data, attr.len) == 0)
			return true;
	}
	return false;
}

struct matches {
	struct radius_attrs attrs; /* of the request */
	struct radius_session **found;
	size_t n;
	bool nas_seen; /* some session is on that NAS */
};

static bool match(struct radius_session *s, const struct radius_session_view *v, void *arg)
{
	struct matches *m = arg;
	bool nas = true, session = true;
	struct radius_attr attr;
	struct radius_iter it;

	if (v->profile)
		return true;
	radius_iter_init(&it, m->attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor != 0)
			continue;
		if (names_nas(attr.type))
			nas = nas && has(v, &attr);
		else if (names_session(attr.type))
			session = session && has(v, &attr);
	}
	m->nas_seen = m->nas_seen || nas;
	if (nas && session)
		m->found[m->n++] = s;
	return m->n < MATCHES_MAX;
}

/* By its address if it has one: then not every session has to be looked at. */
static void find_sessions(struct radius_sessions *rs, struct matches *m)
{
	struct ip_addr addr;
	struct ip_prefix p;

	if (radius_find_addr(m->attrs, RADIUS_FRAMED_IP_ADDRESS, &addr)) {
		p = ip_prefix_make(addr.family, addr.v, ip_bits(addr.family));
		radius_sessions_at(rs, &p, match, m);
	}
	if (m->n == 0)
		radius_sessions_walk(rs, match, m);
}

static uint32_t check(const struct radius_request *req)
{
	bool names = false, disconnect = req->packet.code == RADIUS_DISCONNECT_REQUEST;
	struct radius_attr attr;
	struct radius_iter it;
	uint32_t service;

	if (radius_find_u32(req->packet.attrs, RADIUS_SERVICE_TYPE, &service) &&
	    service == AUTHORIZE_ONLY)
		return CAUSE_UNSUPPORTED_SERVICE;
	radius_iter_init(&it, req->packet.attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor != 0)
			continue;
		names = names || names_session(attr.type);
		if (!disconnect || names_nas(attr.type) || names_session(attr.type))
			continue;
		switch (attr.type) {
		case RADIUS_PROXY_STATE:
		case RADIUS_EVENT_TIMESTAMP:
		case RADIUS_MESSAGE_AUTHENTICATOR:
		case RADIUS_ACCT_TERMINATE_CAUSE:
		case RADIUS_CLASS:
		case RADIUS_REPLY_MESSAGE:
		case RADIUS_VENDOR_SPECIFIC:
			break;
		default: /* sec. 3: it MUST contain only what identifies */
			return CAUSE_UNSUPPORTED_ATTRIBUTE;
		}
	}
	return names ? 0 : CAUSE_MISSING_ATTRIBUTE;
}

/* What a CoA-Request changes: all that does not identify. */
static void changes(struct radius_attrs attrs, struct wr *wr)
{
	struct radius_attr attr;
	struct radius_iter it;

	radius_iter_init(&it, attrs);
	while (radius_next(&it, &attr)) {
		if (attr.vendor != 0 && attr.type != 0 && attr.len <= RADIUS_VALUE_MAX - 6)
			radius_put_vendor(wr, attr.vendor, attr.type, attr.data, attr.len);
		else if (attr.vendor == 0 && !names_nas(attr.type) && !names_session(attr.type))
			radius_put(wr, attr.type, attr.data, attr.len);
	}
}

/* A change that cannot be made as a whole is not made at all. */
static bool is_readable(struct radius_attrs attrs)
{
	struct radius_prefixes prefixes;

	radius_prefixes_read(attrs, &prefixes);
	return prefixes.unusable == 0;
}

static uint32_t apply(struct radius_sessions *rs, const struct radius_request *req,
		      const struct matches *m)
{
	struct wr wr = { 0 };
	uint32_t cause = 0;

	if (req->packet.code == RADIUS_DISCONNECT_REQUEST) {
		for (size_t i = 0; i < m->n; i++)
			radius_session_end(rs, m->found[i], req->now_ms);
		return 0;
	}
	changes(req->packet.attrs, &wr);
	if (is_readable((struct radius_attrs){ wr.data, wr.len })) {
		for (size_t i = 0; i < m->n; i++)
			radius_session_change(rs, m->found[i],
					      (struct radius_attrs){ wr.data, wr.len },
					      req->now_ms);
	} else {
		cause = CAUSE_INVALID_VALUE;
	}
	wr_fini(&wr);
	return cause;
}

static uint32_t handle(struct radius_sessions *rs, const struct radius_request *req)
{
	struct matches m = { .attrs = req->packet.attrs };
	uint32_t cause = check(req);

	if (cause != 0)
		return cause;
	m.found = mem_calloc(MATCHES_MAX, sizeof(struct radius_session *));
	find_sessions(rs, &m);
	if (m.n == 0)
		cause = m.nas_seen ? CAUSE_NO_SESSION : CAUSE_NAS_MISMATCH;
	else if (m.n == MATCHES_MAX)
		cause = CAUSE_RESOURCES;
	else
		cause = apply(rs, req, &m);
	free(m.found);
	return cause;
}

struct radius_answer radius_dynamic_request(struct radius_sessions *rs,
					    const struct radius_request *req)
{
	struct radius_answer a = { .cause = handle(rs, req) };

	if (req->packet.code == RADIUS_COA_REQUEST)
		a.code = a.cause ? RADIUS_COA_NAK : RADIUS_COA_ACK;
	else
		a.code = a.cause ? RADIUS_DISCONNECT_NAK : RADIUS_DISCONNECT_ACK;
	return a;
}
