/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"

#define ANSWER_MS	  3000
#define TRIES		  3    /* of each server */
#define RETRY_MS	  60000 /* after all of them */
#define OUTSTANDING_MAX	  64
#define OUTBOUND	  5 /* Service-Type: not a person who logs in */
#define KEY_SIZE	  (CONFIG_NAME_SIZE + FILTER_IFNAME_SIZE)

struct profile {
	struct profile *next;
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	char name[CONFIG_NAME_SIZE];
	char user[RADIUS_VALUE_MAX + 1];
	enum radius_profile_state state;
	bool wanted, failing;
	bool asking;
	size_t server; /* being asked */
	unsigned int tries;
	uint8_t id, authenticator[RADIUS_AUTH_SIZE];
	int64_t next_ms;
	uint64_t asked, answered, forged;
};

struct radius_profiles {
	const struct config *cfg;
	struct radius_sessions *rs;
	struct radius_profile_ops ops;
	void *ctx;
	struct profile *list;
	uint8_t id;
	unsigned int asking;
};

struct radius_profiles *radius_profiles_new(const struct config *cfg,
					    struct radius_sessions *rs,
					    const struct radius_profile_ops *ops, void *ctx)
{
	struct radius_profiles *rp = mem_alloc(sizeof(*rp));

	rp->cfg = cfg;
	rp->rs = rs;
	rp->ops = *ops;
	rp->ctx = ctx;
	return rp;
}

void radius_profiles_free(struct radius_profiles *rp)
{
	struct profile *p;

	if (!rp)
		return;
	while ((p = rp->list)) {
		rp->list = p->next;
		free(p);
	}
	free(rp);
}

/* ---- which there are ---- */

/* "%r-%n" to "pe1-acme". */
static void make_user(const char *format, const struct config_edge *e, char *dst, size_t size)
{
	size_t n = 0;

	if (format[0] == '\0')
		format = "%n";
	for (const char *f = format; *f != '\0' && n + 1 < size; f++) {
		char plain[2] = { *f, '\0' };
		const char *part = plain;

		if (*f == '%' && f[1] != '\0') {
			f++;
			part = *f == 'n' ? e->profile :
			       *f == 'r' ? e->router :
			       *f == 'i' ? e->interface :
					   "%";
		}
		snprintf(dst + n, size - n, "%s", part);
		n += strlen(dst + n);
	}
}

static const char *session_name(const struct profile *p, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%s %s", p->router, p->interface);
	return key;
}

static void ask_later(struct radius_profiles *rp, struct profile *p, int64_t at_ms)
{
	if (p->asking)
		rp->asking--;
	p->asking = false;
	p->next_ms = at_ms;
}

static struct profile *get(struct radius_profiles *rp, const struct config_edge *e)
{
	struct profile *p;

	for (p = rp->list; p; p = p->next) {
		if (strcmp(p->router, e->router) == 0 &&
		    strcmp(p->interface, e->interface) == 0)
			return p;
	}
	p = mem_alloc(sizeof(*p));
	snprintf(p->router, sizeof(p->router), "%s", e->router);
	snprintf(p->interface, sizeof(p->interface), "%s", e->interface);
	p->next = rp->list;
	rp->list = p;
	return p;
}

static void want(struct radius_profiles *rp, const struct config_edge *e, int64_t now_ms)
{
	struct profile *p = get(rp, e);
	char user[sizeof(p->user)] = "";

	p->wanted = true;
	make_user(rp->cfg->radius.settings.profile_user, e, user, sizeof(user));
	if (strcmp(user, p->user) == 0 && strcmp(e->profile, p->name) == 0)
		return;
	snprintf(p->name, sizeof(p->name), "%s", e->profile);
	memcpy(p->user, user, sizeof(user));
	ask_later(rp, p, now_ms); /* what it has stays until another is known */
}

static void drop(struct radius_profiles *rp, struct profile **at, int64_t now_ms)
{
	struct profile *p = *at;
	char key[KEY_SIZE];

	*at = p->next;
	ask_later(rp, p, now_ms);
	radius_session_profile(rp->rs, session_name(p, key), p->router, p->interface,
			       (struct radius_attrs){ 0 }, now_ms);
	free(p);
}

void radius_profiles_reconfigure(struct radius_profiles *rp, int64_t now_ms)
{
	struct profile *p, **at;

	for (p = rp->list; p; p = p->next) {
		p->wanted = false;
		if (p->failing || p->state == RADIUS_PROFILE_WAITING)
			ask_later(rp, p, now_ms); /* maybe the servers are others */
	}
	for (size_t i = 0; i < rp->cfg->n_edges; i++) {
		if (rp->cfg->edges[i].profile[0] != '\0')
			want(rp, &rp->cfg->edges[i], now_ms);
	}
	for (at = &rp->list; *at;) {
		if ((*at)->wanted)
			at = &(*at)->next;
		else
			drop(rp, at, now_ms);
	}
}

/* ---- asking ---- */

static void send_question(struct radius_profiles *rp, struct profile *p, int64_t now_ms)
{
	const struct config_radius_server *server = &rp->cfg->radius.servers[p->server];
	const struct config_radius_settings *set = &rp->cfg->radius.settings;
	struct wr wr = { 0 };

	if (p->tries++ == 0) { /* sent again it is the same packet */
		p->id = rp->id++;
		digest_random(p->authenticator, sizeof(p->authenticator));
	}
	radius_begin(&wr, RADIUS_ACCESS_REQUEST, p->id);
	radius_put_text(&wr, RADIUS_USER_NAME, p->user);
	radius_put_password(&wr, set->profile_password, p->authenticator, server->secret);
	radius_put_u32(&wr, RADIUS_SERVICE_TYPE, OUTBOUND);
	radius_put_text(&wr, RADIUS_NAS_IDENTIFIER, "opensav");
	radius_put_text(&wr, RADIUS_NAS_PORT_ID, p->interface);
	radius_end_access(&wr, p->authenticator, server->secret);
	p->next_ms = now_ms + ANSWER_MS;
	p->asked++;
	rp->ops.send(rp->ctx, server, wr.data, wr.len);
	wr_fini(&wr);
}

static void give_up(struct radius_profiles *rp, struct profile *p, int64_t now_ms)
{
	char text[600];

	if (!p->failing) {
		snprintf(text, sizeof(text),
			 "RADIUS: no server answers about profile %s of edge %s %s%s: what it has "
			 "stays; trying again every %d s",
			 p->user, p->router, p->interface,
			 p->forged > 0 ? " with a Message-Authenticator that this savd's secret "
					 "gives (let the server add one, see savd(8))" :
					 "",
			 RETRY_MS / 1000);
		rp->ops.note(rp->ctx, true, text);
	}
	p->failing = true;
	ask_later(rp, p, now_ms + RETRY_MS);
}

static void ask(struct radius_profiles *rp, struct profile *p, int64_t now_ms)
{
	if (rp->cfg->radius.n_servers == 0) {
		ask_later(rp, p, now_ms + RETRY_MS);
		return;
	}
	if (!p->asking) {
		if (rp->asking >= OUTSTANDING_MAX) {
			p->next_ms = now_ms + 100;
			return;
		}
		p->asking = true;
		rp->asking++;
		p->server = p->tries = 0;
	} else if (p->tries >= TRIES) {
		p->server++;
		p->tries = 0;
	}
	if (p->server < rp->cfg->radius.n_servers)
		send_question(rp, p, now_ms);
	else
		give_up(rp, p, now_ms);
}

int64_t radius_profiles_run(struct radius_profiles *rp, int64_t now_ms)
{
	int64_t next = -1;

	for (struct profile *p = rp->list; p; p = p->next) {
		if (p->next_ms <= now_ms)
			ask(rp, p, now_ms);
		if (next < 0 || p->next_ms < next)
			next = p->next_ms;
	}
	return next;
}

/* ---- answers ---- */

static void accepted(struct radius_profiles *rp, struct profile *p, struct radius_attrs attrs,
		     int64_t now_ms)
{
	char key[KEY_SIZE];

	p->state = RADIUS_PROFILE_ACCEPTED;
	radius_session_profile(rp->rs, session_name(p, key), p->router, p->interface, attrs,
			       now_ms);
}

/* FreeRADIUS may send the profile's attributes with a Reject: they are ignored. */
static void rejected(struct radius_profiles *rp, struct profile *p, int64_t now_ms)
{
	char key[KEY_SIZE], text[600];

	if (p->state != RADIUS_PROFILE_REJECTED) {
		snprintf(text, sizeof(text),
			 "RADIUS: profile %s of edge %s %s is rejected: its prefixes leave after "
			 "the hold-down",
			 p->user, p->router, p->interface);
		rp->ops.note(rp->ctx, true, text);
	}
	p->state = RADIUS_PROFILE_REJECTED;
	radius_session_profile(rp->rs, session_name(p, key), p->router, p->interface,
			       (struct radius_attrs){ 0 }, now_ms);
}

static bool is_genuine(const struct radius_packet *packet, const struct profile *p,
		       const struct config_radius_server *server)
{
	return radius_signature(packet, p->authenticator, server->secret) == RADIUS_SIGNED &&
	       radius_response_is_from(packet, p->authenticator, server->secret);
}

static void answer(struct radius_profiles *rp, struct profile *p,
		   const struct radius_packet *packet, int64_t now_ms)
{
	int64_t refresh_ms = (int64_t)rp->cfg->radius.settings.profile_refresh_s * 1000;

	switch (packet->code) {
	case RADIUS_ACCESS_ACCEPT:
		accepted(rp, p, packet->attrs, now_ms);
		break;
	case RADIUS_ACCESS_REJECT:
		rejected(rp, p, now_ms);
		break;
	default: /* a challenge cannot be met */
		p->forged++;
		return;
	}
	p->answered++;
	p->failing = false;
	ask_later(rp, p, now_ms + refresh_ms);
}

void radius_profiles_datagram(struct radius_profiles *rp, const struct ip_addr *from,
			      uint16_t port, const void *data, size_t len, int64_t now_ms)
{
	struct radius_packet packet;
	struct diag diag;

	if (radius_decode(data, len, &packet, &diag) < 0)
		return;
	for (struct profile *p = rp->list; p; p = p->next) {
		const struct config_radius_server *server;

		if (!p->asking || p->server >= rp->cfg->radius.n_servers || p->id != packet.id)
			continue;
		server = &rp->cfg->radius.servers[p->server];
		if (server->port != port || !ip_addr_equal(&server->addr, from))
			continue;
		if (is_genuine(&packet, p, server)) {
			answer(rp, p, &packet, now_ms);
			return;
		}
		p->forged++;
	}
}

void radius_profiles_walk(const struct radius_profiles *rp, radius_profile_fn *fn, void *arg)
{
	for (const struct profile *p = rp->list; p; p = p->next) {
		struct radius_profile_view v = {
			.router = p->router,
			.interface = p->interface,
			.name = p->name,
			.user = p->user,
			.state = p->state,
			.failing = p->failing,
			.asked = p->asked,
			.answered = p->answered,
			.forged = p->forged,
		};

		fn(&v, arg);
	}
}
