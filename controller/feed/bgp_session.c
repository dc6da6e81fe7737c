/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bgp_session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define HOLD_S	     90
#define OPEN_HOLD_MS ((int64_t)240 * 1000) /* RFC 4271 8.2.2: a large value, 4 minutes   \
					    */
#define MESSAGE_MAX  4096		   /* of OPEN and KEEPALIVE always (RFC 8654) */
#define EXTENDED_MAX 65535

struct bgp_session {
	struct bgp_session_config config;
	struct bgp_session_ops ops;
	void *arg;
	enum bgp_session_state state;
	struct bgp_open peer; /* from OPEN_CONFIRM on */
	struct bgp_update_ctx ctx;
	int64_t hold_ms;		       /* agreed on; 0: neither timer runs */
	int64_t hold_due_ms, keepalive_due_ms; /* -1: not running */
	struct wr out;
	struct bgp_session_stats stats;
	struct diag diag; /* why it is closed */
	size_t n_in;
	uint8_t in[EXTENDED_MAX]; /* one message that is not complete yet */
	uint8_t scratch[BGP_PATH_MAX];
};

/* ---- messages out ---- */

static size_t message_begin(struct wr *out, uint8_t type)
{
	size_t at = out->len;

	wr_be64(out, UINT64_MAX);
	wr_be64(out, UINT64_MAX);
	wr_be16(out, 0);
	wr_u8(out, type);
	return at;
}

static void message_end(struct wr *out, size_t at)
{
	wr_patch16(out, at + 16, (uint16_t)(out->len - at));
}

static void put_family(struct wr *out, enum ip_family family)
{
	wr_be16(out, family == IP_V4 ? 1 : 2);
}

static void put_capabilities(struct wr *out, uint32_t as)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		wr_be16(out, 1 << 8 | 4); /* multiprotocol */
		put_family(out, family);
		wr_be16(out, 1);
	}
	wr_be16(out, 6 << 8); /* extended message */
	wr_be16(out, 64 << 8 | 2);
	wr_be16(out,
		0); /* no state kept for any family: End-of-RIB only (RFC 4724 sec. 3) */
	wr_be16(out, 65 << 8 | 4);
	wr_be32(out, as);
	wr_be16(out, 69 << 8 | 8);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		put_family(out, family);
		wr_be16(out, 1 << 8 | 1); /* unicast, able to receive */
	}
}

static void send_open(struct bgp_session *s)
{
	size_t at = message_begin(&s->out, BGP_MSG_OPEN), params, caps;
	uint32_t as = s->config.as;

	wr_u8(&s->out, 4);
	wr_be16(&s->out, as > UINT16_MAX ? BGP_AS_TRANS : (uint16_t)as);
	wr_be16(&s->out, HOLD_S);
	wr_be32(&s->out, s->config.id);
	params = s->out.len;
	wr_u8(&s->out, 0);
	wr_u8(&s->out, 2); /* capabilities */
	caps = s->out.len;
	wr_u8(&s->out, 0);
	put_capabilities(&s->out, as);
	s->out.data[params] = (uint8_t)(s->out.len - params - 1);
	s->out.data[caps] = (uint8_t)(s->out.len - caps - 1);
	message_end(&s->out, at);
}

static void send_keepalive(struct bgp_session *s)
{
	message_end(&s->out, message_begin(&s->out, BGP_MSG_KEEPALIVE));
}

static void send_notification(struct bgp_session *s, uint8_t code, uint8_t subcode,
			      const void *data, size_t len)
{
	size_t at = message_begin(&s->out, BGP_MSG_NOTIFICATION);

	wr_u8(&s->out, code);
	wr_u8(&s->out, subcode);
	wr_bytes(&s->out, data, len);
	message_end(&s->out, at);
}

/* ---- states ---- */

static void restart_hold(struct bgp_session *s, int64_t now_ms)
{
	s->hold_due_ms = s->hold_ms ? now_ms + s->hold_ms : -1;
}

static void set_state(struct bgp_session *s, enum bgp_session_state state, int64_t now_ms)
{
	s->state = state;
	switch (state) {
	case BGP_OPEN_SENT:
		send_open(s);
		s->hold_due_ms = now_ms + OPEN_HOLD_MS;
		break;
	case BGP_OPEN_CONFIRM:
		send_keepalive(s);
		restart_hold(s, now_ms);
		s->keepalive_due_ms = s->hold_ms ? now_ms + s->hold_ms / 3 : -1;
		break;
	case BGP_ESTABLISHED:
		restart_hold(s, now_ms);
		s->ops.established(s->arg, &s->peer);
		break;
	case BGP_CLOSED:
		s->hold_due_ms = s->keepalive_due_ms = -1;
		break;
	}
}

/* The session ends with a NOTIFICATION of ours; s->diag has been set. */
static void fail(struct bgp_session *s, uint8_t code, uint8_t subcode, const void *data,
		 size_t len)
{
	send_notification(s, code, subcode, data, len);
	set_state(s, BGP_CLOSED, 0);
}

void bgp_session_cease(struct bgp_session *s, uint8_t subcode)
{
	if (s->state == BGP_CLOSED)
		return;
	diag_set(&s->diag, "we have closed the session");
	fail(s, BGP_ERROR_CEASE, subcode, NULL, 0);
}

const char *bgp_session_state_name(enum bgp_session_state state)
{
	switch (state) {
	case BGP_OPEN_SENT:
		return "OpenSent";
	case BGP_OPEN_CONFIRM:
		return "OpenConfirm";
	case BGP_ESTABLISHED:
		return "Established";
	case BGP_CLOSED:
		return "Idle";
	}
	return "?";
}

/* RFC 6608: the subcode names the state. */
static void unexpected(struct bgp_session *s, uint8_t type)
{
	diag_set(&s->diag, "a message of type %u in state %s", type,
		 bgp_session_state_name(s->state));
	fail(s, BGP_ERROR_FSM, (uint8_t)(s->state + 1), NULL, 0);
}

/* ---- OPEN ---- */

static bool as_is_ours(const struct bgp_session *s, const struct bgp_open *open)
{
	if (!open->as4 && s->config.as > UINT16_MAX)
		return open->as == BGP_AS_TRANS;
	return open->as == s->config.as;
}

static bool open_check(struct bgp_session *s, struct rd body, struct bgp_open *open)
{
	static const uint8_t version[] = { 0, 4 };
	struct rd peek = body;

	if (rd_u8(&peek) != 4) {
		diag_set(&s->diag, "the router speaks another version of BGP than 4");
		fail(s, BGP_ERROR_OPEN, 1, version, sizeof(version));
	} else if (!bgp_open_decode(body, open)) {
		diag_set(&s->diag, "the router's OPEN message is malformed");
		fail(s, BGP_ERROR_OPEN, 0, NULL, 0);
	} else if (!as_is_ours(s, open)) {
		diag_set(&s->diag,
			 "the router is in AS %u, not in %u: the session has to be "
			 "internal "
			 "(correct \"bgp neighbor\", or its remote-as there)",
			 open->as, s->config.as);
		fail(s, BGP_ERROR_OPEN, 2, NULL, 0);
	} else if (open->id == 0 || open->id == s->config.id) {
		diag_set(&s->diag, "the router's BGP identifier is %s",
			 open->id ? "our own" : "zero");
		fail(s, BGP_ERROR_OPEN, 3, NULL, 0);
	} else if (open->hold_time == 1 || open->hold_time == 2) {
		diag_set(&s->diag, "the router's hold time of %u s is too short",
			 open->hold_time);
		fail(s, BGP_ERROR_OPEN, 6, NULL, 0);
	} else if (!open->mp[IP_V4] && !open->mp[IP_V6]) {
		/* RFC 5492 sec. 3: with the capabilities that are missing */
		static const uint8_t caps[] = { 1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1 };

		diag_set(&s->diag, "the router offers neither IPv4 nor IPv6 unicast");
		fail(s, BGP_ERROR_OPEN, 7, caps, sizeof(caps));
	}
	return s->state != BGP_CLOSED;
}

static void on_open(struct bgp_session *s, struct rd body, int64_t now_ms)
{
	struct bgp_open open;

	if (s->state != BGP_OPEN_SENT) {
		unexpected(s, BGP_MSG_OPEN);
		return;
	}
	if (!open_check(s, body, &open))
		return;
	s->peer = open;
	s->hold_ms = (int64_t)(open.hold_time < HOLD_S ? open.hold_time : HOLD_S) * 1000;
	s->ctx.as2 = !open.as4;
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		s->ctx.form[family] =
			open.addpath_send[family] ? BGP_NLRI_ADDPATH : BGP_NLRI_PLAIN;
	set_state(s, BGP_OPEN_CONFIRM, now_ms);
}

/* ---- UPDATE ---- */

static void withdraw_all(struct bgp_session *s, struct bgp_nlri nlri)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		if (!s->peer.mp[prefix.family]) {
			s->stats.ignored++;
			continue;
		}
		s->stats.withdrawn++;
		s->ops.withdraw(s->arg, &prefix, path_id);
	}
}

static void announce_all(struct bgp_session *s, struct bgp_nlri nlri,
			 const struct rib_attr *attr)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		if (!s->peer.mp[prefix.family]) {
			s->stats.ignored++;
			continue;
		}
		s->stats.announced++;
		s->ops.announce(s->arg, &prefix, path_id, attr);
	}
}

static void routes(struct bgp_session *s, struct bgp_update *u,
		   enum bgp_update_verdict verdict)
{
	bool looped = false;
	struct rib_attr mp;

	/* RFC 4271 4.3: a prefix in both fields is announced */
	withdraw_all(s, u->withdrawn[0]);
	withdraw_all(s, u->withdrawn[1]);
	if (verdict == BGP_UPDATE_OK)
		looped = bgp_path_contains(&u->attr, s->config.as);
	if (verdict == BGP_UPDATE_WITHDRAW || looped) {
		/* RFC 4271 9.1.2: a path with a loop is none; what it replaces goes */
		s->stats.treat_as_withdraw += verdict == BGP_UPDATE_WITHDRAW;
		s->stats.looped += looped;
		withdraw_all(s, u->announced[0]);
		withdraw_all(s, u->announced[1]);
		return;
	}
	mp = u->attr;
	mp.next_hop = u->mp_next_hop;
	announce_all(s, u->announced[0], &u->attr);
	announce_all(s, u->announced[1], &mp);
}

#define ATTR_MP_REACH	14
#define ATTR_MP_UNREACH 15

static void on_update(struct bgp_session *s, struct rd body, int64_t now_ms)
{
	enum bgp_update_verdict verdict;
	struct bgp_update u;

	if (s->state != BGP_ESTABLISHED) {
		unexpected(s, BGP_MSG_UPDATE);
		return;
	}
	restart_hold(s, now_ms);
	s->stats.updates++;
	verdict = bgp_update_decode(body, &s->ctx, s->scratch, &u);
	s->stats.attr_discard += u.attr_discarded;
	if (verdict == BGP_UPDATE_SKIP) {
		/* RFC 7606 sec. 3: prefixes that cannot be told are worth a session */
		bool mp = u.bad_attr == ATTR_MP_REACH || u.bad_attr == ATTR_MP_UNREACH;

		diag_set(&s->diag, "an UPDATE message is malformed (attribute %u)",
			 u.bad_attr);
		fail(s, BGP_ERROR_UPDATE, mp ? 9 : 1, NULL, 0);
		return;
	}
	routes(s, &u, verdict);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (u.end_of_rib[family] && s->peer.mp[family])
			s->ops.end_of_rib(s->arg, family);
	}
}

/* ---- the others ---- */

static void on_notification(struct bgp_session *s, struct rd body)
{
	uint8_t code = rd_u8(&body), subcode = rd_u8(&body);

	/* never answered (RFC 4271 6.4) */
	diag_set(&s->diag, "the router has closed the session: NOTIFICATION %u/%u", code,
		 subcode);
	set_state(s, BGP_CLOSED, 0);
}

static void on_keepalive(struct bgp_session *s, int64_t now_ms)
{
	if (s->state == BGP_OPEN_CONFIRM)
		set_state(s, BGP_ESTABLISHED, now_ms);
	else if (s->state == BGP_ESTABLISHED)
		restart_hold(s, now_ms);
	else
		unexpected(s, BGP_MSG_KEEPALIVE);
}

static void on_message(struct bgp_session *s, uint8_t type, struct rd body,
		       int64_t now_ms)
{
	s->stats.messages++;
	switch ((enum bgp_msg_type)type) {
	case BGP_MSG_OPEN:
		on_open(s, body, now_ms);
		break;
	case BGP_MSG_UPDATE:
		on_update(s, body, now_ms);
		break;
	case BGP_MSG_NOTIFICATION:
		on_notification(s, body);
		break;
	case BGP_MSG_KEEPALIVE:
		on_keepalive(s, now_ms);
		break;
	case BGP_MSG_ROUTE_REFRESH:
		/* not offered, so ignored (RFC 2918 sec. 4) */
		if (s->state != BGP_ESTABLISHED)
			unexpected(s, type);
		break;
	}
}

/* Header errors (RFC 4271 6.1). */
static bool length_is_good(uint8_t type, size_t len)
{
	switch ((enum bgp_msg_type)type) {
	case BGP_MSG_OPEN:
		return len >= 29 && len <= MESSAGE_MAX;
	case BGP_MSG_UPDATE:
		return len >= 23;
	case BGP_MSG_NOTIFICATION:
		return len >= 21;
	case BGP_MSG_KEEPALIVE:
		return len == BGP_HEADER_SIZE;
	case BGP_MSG_ROUTE_REFRESH:
		return len >= 23;
	}
	return true;
}

/* The length of the message that begins in in[], 0 while its header is not
 * complete; the session is closed when there cannot be one. */
static size_t message_length(struct bgp_session *s)
{
	struct rd rd = rd_init(s->in, s->n_in);
	uint64_t marker = rd_be64(&rd) & rd_be64(&rd);
	uint16_t len = rd_be16(&rd);
	uint8_t type = rd_u8(&rd);

	if (rd.failed)
		return 0;
	if (marker != UINT64_MAX) {
		diag_set(&s->diag, "no BGP message begins where one has to");
		fail(s, BGP_ERROR_HEADER, 1, NULL, 0);
	} else if (type < BGP_MSG_OPEN || type > BGP_MSG_ROUTE_REFRESH) {
		diag_set(&s->diag, "a message of unknown type %u", type);
		fail(s, BGP_ERROR_HEADER, 3, &type, 1);
	} else if (len < BGP_HEADER_SIZE || !length_is_good(type, len)) {
		diag_set(&s->diag, "a message of type %u with %u bytes", type, len);
		fail(s, BGP_ERROR_HEADER, 2, &s->in[16], 2);
	}
	return len;
}

/* Takes what the message at the front still lacks; true when it is there. */
static bool fill(struct bgp_session *s, const uint8_t **data, size_t *len)
{
	size_t want = s->n_in < BGP_HEADER_SIZE ? BGP_HEADER_SIZE : message_length(s), n;

	n = want - s->n_in;
	if (n > *len)
		n = *len;
	memcpy(s->in + s->n_in, *data, n);
	s->n_in += n;
	*data += n;
	*len -= n;
	return s->n_in == want;
}

int bgp_session_bytes(struct bgp_session *s, const void *data, size_t len, int64_t now_ms,
		      struct diag *diag)
{
	const uint8_t *p = data;

	if (s->state != BGP_CLOSED)
		s->stats.bytes += len;
	while (s->state != BGP_CLOSED && len > 0) {
		size_t size;

		if (!fill(s, &p, &len))
			break;
		size = message_length(s);
		if (s->state == BGP_CLOSED || s->n_in < size)
			continue;
		s->n_in = 0;
		on_message(s, s->in[18],
			   rd_init(s->in + BGP_HEADER_SIZE, size - BGP_HEADER_SIZE),
			   now_ms);
	}
	if (s->state != BGP_CLOSED)
		return 0;
	*diag = s->diag;
	return -1;
}

/* ---- time ---- */

int64_t bgp_session_next_ms(const struct bgp_session *s)
{
	int64_t next = s->hold_due_ms;

	if (s->keepalive_due_ms >= 0 && (next < 0 || s->keepalive_due_ms < next))
		next = s->keepalive_due_ms;
	return next;
}

int bgp_session_timer(struct bgp_session *s, int64_t now_ms, struct diag *diag)
{
	if (s->hold_due_ms >= 0 && s->hold_due_ms <= now_ms) {
		diag_set(&s->diag, "nothing was heard within the hold time");
		fail(s, BGP_ERROR_HOLD_TIMER, 0, NULL, 0);
	}
	if (s->keepalive_due_ms >= 0 && s->keepalive_due_ms <= now_ms) {
		send_keepalive(s);
		s->keepalive_due_ms = now_ms + s->hold_ms / 3;
	}
	if (s->state != BGP_CLOSED)
		return 0;
	*diag = s->diag;
	return -1;
}

/* ---- the object ---- */

struct bgp_session *bgp_session_new(const struct bgp_session_config *config,
				    const struct bgp_session_ops *ops, void *arg,
				    int64_t now_ms)
{
	struct bgp_session *s = mem_alloc(sizeof(*s));

	s->config = *config;
	s->ops = *ops;
	s->arg = arg;
	s->hold_due_ms = s->keepalive_due_ms = -1;
	set_state(s, BGP_OPEN_SENT, now_ms);
	return s;
}

void bgp_session_free(struct bgp_session *s)
{
	if (!s)
		return;
	wr_fini(&s->out);
	free(s);
}

struct wr *bgp_session_output(struct bgp_session *s)
{
	return &s->out;
}

enum bgp_session_state bgp_session_state(const struct bgp_session *s)
{
	return s->state;
}

bool bgp_session_has_family(const struct bgp_session *s, enum ip_family family)
{
	return s->peer.mp[family];
}

bool bgp_session_has_addpath(const struct bgp_session *s, enum ip_family family)
{
	return s->peer.addpath_send[family];
}

const struct bgp_session_stats *bgp_session_stats(const struct bgp_session *s)
{
	return &s->stats;
}
