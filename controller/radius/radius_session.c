/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_session_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define INTERIMS_KNOWN 2 /* so many, and a session is known to send them */
#define PROFILE_CLIENT "" /* no client has that name */

const char *radius_prefix_state_name(enum radius_prefix_state state)
{
	static const char *const names[] = {
		[RADIUS_ACCEPTED] = "accepted",	 [RADIUS_OUTSIDE_POOL] = "outside-pool",
		[RADIUS_TOO_SHORT] = "too-short", [RADIUS_TOO_LONG] = "too-long",
		[RADIUS_CLAIMED] = "claimed",
		[RADIUS_NO_EDGE] = "no-edge",
	};

	return names[state];
}

struct radius_sessions *radius_sessions_new(const struct config *cfg,
					    const struct radius_session_ops *ops, void *ctx)
{
	struct radius_sessions *rs = mem_alloc(sizeof(*rs));

	rs->cfg = cfg;
	rs->ops = *ops;
	rs->ctx = ctx;
	rs->unsaved_end = &rs->unsaved;
	radius_table_init(rs);
	radius_claims_init(rs);
	return rs;
}

void radius_sessions_free(struct radius_sessions *rs)
{
	if (!rs)
		return;
	radius_table_fini(rs);
	radius_claims_fini(rs);
	free(rs);
}

void radius_session_name(const struct radius_session *s, char *dst, size_t size)
{
	struct radius_attr id = { 0, 0, s->id, s->id_len }, user;
	struct radius_attrs attrs = { s->attrs, s->attrs_len };
	char id_text[64], user_text[64] = "?";

	radius_text(&id, id_text, sizeof(id_text));
	if (s->profile) {
		snprintf(dst, size, "profile of edge %s %s", s->edge ? s->edge->router : "?",
			 s->edge ? s->edge->interface : "?");
		return;
	}
	if (radius_find(attrs, 0, RADIUS_USER_NAME, &user))
		radius_text(&user, user_text, sizeof(user_text));
	snprintf(dst, size, "session %s of %s (user %s)", id_text, s->nas->client, user_text);
}

bool radius_sessions_at_work(const struct radius_sessions *rs, char *dst, size_t size)
{
	if (rs->at_work)
		radius_session_name(rs->at_work, dst, size);
	return rs->at_work;
}

/* ---- attributes that are kept ---- */

static bool is_kept(const struct config *cfg, const struct radius_attr *attr)
{
	if (attr->vendor != 0)
		return attr->vendor == cfg->radius.settings.vendor && attr->type != 0 &&
		       attr->len <= RADIUS_VALUE_MAX - 6;
	switch (attr->type) {
	case RADIUS_USER_NAME:
	case RADIUS_NAS_IP_ADDRESS:
	case RADIUS_NAS_IPV6_ADDRESS:
	case RADIUS_NAS_IDENTIFIER:
	case RADIUS_NAS_PORT:
	case RADIUS_NAS_PORT_ID:
	case RADIUS_CALLED_STATION_ID:
	case RADIUS_CALLING_STATION_ID:
	case RADIUS_ACCT_MULTI_SESSION_ID:
	case RADIUS_CHARGEABLE_USER_IDENTITY:
	case RADIUS_FRAMED_INTERFACE_ID:
		return true;
	default:
		return radius_type_is_prefix(attr->type);
	}
}

/* A rule may look at any attribute. */
static bool is_ruled(const struct config *cfg, const struct radius_attr *attr)
{
	for (size_t i = 0; i < cfg->radius.n_rules; i++) {
		const struct config_radius_rule *r = &cfg->radius.rules[i];

		if (r->attribute != 0 && r->attribute == attr->type && r->vendor == attr->vendor)
			return attr->vendor == 0 || attr->len <= RADIUS_VALUE_MAX - 6;
	}
	return false;
}

static bool is_replaced(struct radius_attrs by, const struct radius_attr *attr)
{
	struct radius_attr found;
	uint8_t type = attr->type;

	/* an address without a mask is none with the old one's */
	if (attr->vendor == 0 && type == RADIUS_FRAMED_IP_NETMASK)
		type = RADIUS_FRAMED_IP_ADDRESS;
	return radius_find(by, attr->vendor, type, &found) ||
	       (type != attr->type && radius_find(by, 0, attr->type, &found));
}

static void put(struct wr *wr, const struct radius_attr *attr)
{
	if (wr->len + attr->len + 8 > RADIUS_ATTRS_MAX)
		return; /* what does not fit is not believed */
	if (attr->vendor != 0)
		radius_put_vendor(wr, attr->vendor, attr->type, attr->data, attr->len);
	else
		radius_put(wr, attr->type, attr->data, attr->len);
}

/* What was known, with the kinds that came replaced. True if it is other now. */
static bool keep_attributes(const struct config *cfg, struct radius_session *s,
			    struct radius_attrs attrs)
{
	struct radius_attrs old = { s->attrs, s->attrs_len };
	struct wr wr = { 0 };
	struct radius_attr attr;
	struct radius_iter it;
	bool changed;

	radius_iter_init(&it, old);
	while (radius_next(&it, &attr)) {
		if (!is_replaced(attrs, &attr))
			put(&wr, &attr);
	}
	radius_iter_init(&it, attrs);
	while (radius_next(&it, &attr)) {
		if (is_kept(cfg, &attr) || is_ruled(cfg, &attr))
			put(&wr, &attr);
	}
	changed = wr.len != old.len || (wr.len > 0 && memcmp(wr.data, old.data, wr.len) != 0);
	if (changed) {
		free(s->attrs);
		s->attrs = wr.len > 0 ? mem_dup(wr.data, wr.len) : NULL;
		s->attrs_len = (uint16_t)wr.len;
	}
	wr_fini(&wr);
	return changed;
}

/* ---- saving ---- */

static void queue(struct radius_sessions *rs, struct radius_session *s)
{
	if (s->queued)
		return;
	s->queued = true;
	s->save_next = NULL;
	*rs->unsaved_end = s;
	rs->unsaved_end = &s->save_next;
}

struct radius_saved radius_session_saved(const struct radius_session *s)
{
	return (struct radius_saved){
		.client = s->nas->client,
		.nas = s->nas->nas,
		.session = s->id,
		.session_len = s->id_len,
		.router = s->edge ? s->edge->router : "",
		.interface = s->edge ? s->edge->interface : "",
		.started = s->started,
		.changed = s->changed,
		.attrs = { s->attrs, s->attrs_len },
	};
}

bool radius_sessions_unsaved(const struct radius_sessions *rs)
{
	return rs->unsaved != NULL;
}

int radius_sessions_save(const struct radius_sessions *rs, radius_save_fn *fn, void *arg)
{
	struct radius_session *s;

	for (s = rs->unsaved; s; s = s->save_next) {
		struct radius_saved saved = radius_session_saved(s);

		if ((!s->ended || s->saved) && fn(&saved, s->ended, arg) < 0)
			return -1;
	}
	return 0;
}

void radius_sessions_saved(struct radius_sessions *rs)
{
	struct radius_session *s;

	while ((s = rs->unsaved)) {
		rs->unsaved = s->save_next;
		s->queued = false;
		s->saved = !s->ended;
	}
	rs->unsaved_end = &rs->unsaved;
}

/* ---- the life of a session ---- */

static void heard(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms)
{
	s->last_ms = now_ms;
	if (s->profile || s->interims < INTERIMS_KNOWN)
		return;
	if (s->silent)
		radius_list_take(&rs->silent, s);
	else if (s->heard_prev || s->heard_next || rs->alive.first == s)
		radius_list_take(&rs->alive, s);
	s->silent = false;
	radius_list_put(&rs->alive, s);
}

static void unlist(struct radius_sessions *rs, struct radius_session *s)
{
	if (s->profile || s->interims < INTERIMS_KNOWN)
		return;
	radius_list_take(s->silent ? &rs->silent : &rs->alive, s);
	s->silent = false;
}

static void text_of(const struct radius_session *s, uint32_t vendor, uint8_t type, char *dst,
		    size_t size)
{
	struct radius_attrs attrs = { s->attrs, s->attrs_len };
	struct radius_attr attr;

	dst[0] = '\0';
	if (radius_find(attrs, vendor, type, &attr))
		radius_text(&attr, dst, size);
}

static void want_edge(struct radius_sessions *rs, const struct radius_session *s,
		      const struct radius_where *where)
{
	uint32_t vendor = rs->cfg->radius.settings.vendor;
	char mode[32], action[32], customer[CONFIG_NAME_SIZE];

	text_of(s, vendor, RADIUS_OPENSAV_MODE, mode, sizeof(mode));
	text_of(s, vendor, RADIUS_OPENSAV_ACTION, action, sizeof(action));
	text_of(s, vendor, RADIUS_OPENSAV_CUSTOMER, customer, sizeof(customer));
	rs->ops.edge_wanted(rs->ctx, where, mode, action, customer);
}

static struct radius_edge *find_edge(struct radius_sessions *rs, struct radius_session *s)
{
	const struct config_radius_client *client =
		config_radius_client_find(rs->cfg, s->nas->client);
	struct radius_attrs attrs = { s->attrs, s->attrs_len };
	struct radius_where where;

	s->rule = 0;
	if (!client || !radius_rule_edge(rs->cfg, client, s->nas->nas, attrs, &where))
		return NULL;
	s->rule = where.rule;
	if (where.create != ROLE_NONE)
		want_edge(rs, s, &where);
	return radius_edge_get(rs, where.router, where.interface);
}

/* From its attributes to its edge and prefixes. */
static void settle(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms)
{
	struct radius_edge *edge = s->profile ? s->edge : find_edge(rs, s), *old = s->edge;
	struct radius_attrs attrs = { s->attrs, s->attrs_len };
	struct radius_prefixes prefixes;
	char name[200];

	radius_prefixes_read(attrs, &prefixes);
	if (prefixes.unusable > s->unusable)
		rs->stats.unusable += prefixes.unusable - s->unusable;
	if (old && edge && old != edge)
		rs->stats.moved++;
	radius_claims_set(rs, s, edge, &prefixes, RADIUS_LEAVE_NOW, now_ms);
	if (edge != old)
		queue(rs, s);
	if (edge)
		return;
	radius_session_name(s, name, sizeof(name));
	radius_sessions_alarm(rs, RADIUS_ALARM_NO_EDGE, now_ms,
			      "RADIUS: %s is on no edge: no radius rule matches it, and its "
			      "client's router has no interface for its NAS-Port-Id",
			      name);
}

static const struct radius_prefixes no_prefixes;

static void end(struct radius_sessions *rs, struct radius_session *s, enum radius_leave leave,
		int64_t at, int64_t now_ms)
{
	unlist(rs, s);
	radius_claims_set(rs, s, NULL, &no_prefixes, leave, now_ms);
	free(s->attrs);
	s->attrs = NULL;
	s->attrs_len = 0;
	s->ended = true;
	s->changed = at;
	s->last_ms = now_ms;
	rs->n--;
	radius_list_put(&rs->ended, s);
	queue(rs, s);
}

static void forget(struct radius_sessions *rs, struct radius_session *s)
{
	radius_list_take(&rs->ended, s);
	radius_table_remove(rs, s);
}

/* What is remembered of the ended goes with time, but not before its row. */
static void forget_old(struct radius_sessions *rs, int64_t now_ms)
{
	struct radius_session *s;

	while ((s = rs->ended.first) && !s->queued &&
	       (s->last_ms + RADIUS_ENDED_MS <= now_ms || rs->ended.n > RADIUS_ENDED_MAX))
		forget(rs, s);
}

static void revive(struct radius_sessions *rs, struct radius_session *s)
{
	radius_list_take(&rs->ended, s);
	s->ended = s->reusable = false;
	s->interims = 0;
	s->edge = NULL;
	rs->n++;
}

static struct radius_session *begin(struct radius_sessions *rs, const struct radius_event *ev)
{
	struct radius_session *s;
	uint32_t duration;

	if (rs->n >= RADIUS_SESSIONS_MAX)
		return NULL;
	s = radius_table_add(rs, ev->client->name, ev->nas, ev->session, ev->session_len);
	s->order = ++rs->order;
	s->started = ev->at;
	/* an Interim-Update of a session that we have missed the Start of */
	if (radius_find_u32(ev->attrs, RADIUS_ACCT_SESSION_TIME, &duration))
		s->started -= duration;
	rs->n++;
	rs->stats.started++;
	return s;
}

/* Nothing that was sent before what is known changes it. Without event times the
 * NAS's word can only be taken as it comes, but not after its own Stop. */
static bool is_late(const struct radius_session *s, const struct radius_event *ev)
{
	if (s->ended)
		return !s->reusable && (!ev->at_known || ev->at <= s->changed);
	return ev->at_known && ev->at < s->changed;
}

static enum radius_outcome update(struct radius_sessions *rs, const struct radius_event *ev,
				  bool interim, int64_t now_ms)
{
	struct radius_session *s = radius_table_find(rs, ev->client->name, ev->nas,
						     ev->session, ev->session_len);
	bool fresh = !s || s->ended;

	if (s && is_late(s, ev)) {
		rs->stats.late++;
		return RADIUS_LATE;
	}
	if (!s) {
		s = begin(rs, ev);
		if (!s)
			return RADIUS_FULL;
	} else if (s->ended) {
		revive(rs, s);
		s->started = ev->at;
		s->order = ++rs->order;
		rs->stats.started++;
	}
	if (ev->at > s->changed)
		s->changed = ev->at;
	if (keep_attributes(rs->cfg, s, ev->attrs) || fresh) {
		settle(rs, s, now_ms);
		queue(rs, s);
	}
	if (interim && s->interims < INTERIMS_KNOWN)
		s->interims++;
	heard(rs, s, now_ms);
	return RADIUS_DONE;
}

enum radius_outcome radius_session_start(struct radius_sessions *rs,
					 const struct radius_event *ev, int64_t now_ms)
{
	forget_old(rs, now_ms);
	return update(rs, ev, false, now_ms);
}

enum radius_outcome radius_session_interim(struct radius_sessions *rs,
					   const struct radius_event *ev, int64_t now_ms)
{
	forget_old(rs, now_ms);
	return update(rs, ev, true, now_ms);
}

enum radius_outcome radius_session_stop(struct radius_sessions *rs,
					const struct radius_event *ev, int64_t now_ms)
{
	struct radius_session *s = radius_table_find(rs, ev->client->name, ev->nas,
						     ev->session, ev->session_len);

	forget_old(rs, now_ms);
	if (s && is_late(s, ev)) {
		rs->stats.late++;
		return RADIUS_LATE;
	}
	if (!s) { /* its Start may still be on the way */
		s = radius_table_add(rs, ev->client->name, ev->nas, ev->session,
				     ev->session_len);
		s->ended = true;
		s->changed = ev->at;
		s->last_ms = now_ms;
		radius_list_put(&rs->ended, s);
		return RADIUS_NONE;
	}
	rs->stats.stopped++;
	end(rs, s, RADIUS_LEAVE_NOW, ev->at, now_ms);
	return RADIUS_DONE;
}

void radius_nas_restart(struct radius_sessions *rs, const struct radius_event *ev,
			int64_t now_ms)
{
	struct radius_nas *nas = radius_nas_get(rs, ev->client->name, ev->nas);
	struct radius_session *s, *next;
	unsigned int n = 0;
	char text[600];

	if (nas->restarted && ev->at <= nas->restart_at)
		return; /* sent again, or late */
	nas->restarted = true;
	nas->restart_at = ev->at;
	for (s = nas->sessions; s; s = next) {
		next = s->nas_next;
		if (!s->ended && s->changed <= ev->at) {
			end(rs, s, RADIUS_LEAVE_HOLD, ev->at, now_ms);
			n++;
		}
		s->reusable = s->ended; /* it counts its sessions anew */
	}
	snprintf(text, sizeof(text),
		 "RADIUS: NAS %s of client %s says that it began anew: %u sessions are over, and "
		 "their prefixes leave after the hold-down",
		 nas->nas, nas->client, n);
	rs->ops.note(rs->ctx, false, text);
}

/* ---- by others ---- */

void radius_session_change(struct radius_sessions *rs, struct radius_session *s,
			   struct radius_attrs attrs, int64_t now_ms)
{
	if (!keep_attributes(rs->cfg, s, attrs))
		return;
	settle(rs, s, now_ms);
	queue(rs, s);
}

void radius_session_end(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms)
{
	rs->stats.stopped++;
	end(rs, s, RADIUS_LEAVE_NOW, s->changed, now_ms);
}

void radius_session_profile(struct radius_sessions *rs, const char *name, const char *router,
			    const char *interface, struct radius_attrs attrs, int64_t now_ms)
{
	const uint8_t *id = (const uint8_t *)name;
	struct radius_session *s =
		radius_table_find(rs, PROFILE_CLIENT, "", id, strlen(name));
	struct radius_prefixes prefixes;
	struct radius_edge *edge;

	if (!attrs.data) {
		if (s && !s->ended)
			end(rs, s, RADIUS_LEAVE_HOLD, s->changed, now_ms);
		return;
	}
	if (!s) {
		s = radius_table_add(rs, PROFILE_CLIENT, "", id, strlen(name));
		s->order = ++rs->order;
		s->profile = true;
		rs->n++;
	} else if (s->ended) {
		revive(rs, s);
	}
	free(s->attrs);
	s->attrs = NULL;
	s->attrs_len = 0;
	keep_attributes(rs->cfg, s, attrs);
	edge = radius_edge_get(rs, router, interface);
	attrs = (struct radius_attrs){ s->attrs, s->attrs_len };
	radius_prefixes_read(attrs, &prefixes);
	radius_claims_set(rs, s, edge, &prefixes, RADIUS_LEAVE_NOW, now_ms);
	s->last_ms = now_ms;
	queue(rs, s);
}

void radius_sessions_applied(struct radius_sessions *rs, const char *router,
			     const char *interface, int64_t now_ms)
{
	const struct radius_edge *edge = radius_edge_find(rs, router, interface);

	if (edge && rs->leaving)
		radius_claims_leave(rs, edge, now_ms);
}

typedef void each_fn(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms);

static void each_session(struct radius_sessions *rs, each_fn *fn, int64_t now_ms)
{
	for (size_t i = 0; i < rs->n_slots; i++) {
		for (struct radius_session *s = rs->slots[i], *next; s; s = next) {
			next = s->slot_next;
			if (!s->ended)
				fn(rs, s, now_ms);
		}
	}
}

/* One whose client is gone has nobody any more who could end it. */
static void resettle(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms)
{
	if (s->profile)
		return;
	if (config_radius_client_find(rs->cfg, s->nas->client))
		settle(rs, s, now_ms);
	else
		end(rs, s, RADIUS_LEAVE_NOW, s->changed, now_ms);
}

void radius_sessions_reconfigure(struct radius_sessions *rs, int64_t now_ms)
{
	each_session(rs, resettle, now_ms);
	each_session(rs, radius_claims_judge, now_ms);
}

/* ---- time ---- */

static void fall_silent(struct radius_sessions *rs, int64_t now_ms)
{
	int64_t silence_ms = (int64_t)rs->cfg->radius.settings.silence_s * 1000;
	struct radius_session *s;
	char name[200];

	while (silence_ms > 0 && (s = rs->alive.first) && s->last_ms + silence_ms <= now_ms) {
		radius_list_take(&rs->alive, s);
		s->silent = true;
		radius_list_put(&rs->silent, s);
		radius_session_name(s, name, sizeof(name));
		radius_sessions_alarm(rs, RADIUS_ALARM_SILENT, now_ms,
				      "RADIUS: %s has sent no Interim-Update for %u s: it ends in "
				      "%u s if that stays so",
				      name, rs->cfg->radius.settings.silence_s,
				      rs->cfg->radius.settings.silence_hold_s);
	}
}

static void end_silent(struct radius_sessions *rs, int64_t now_ms)
{
	const struct config_radius_settings *set = &rs->cfg->radius.settings;
	int64_t after_ms = ((int64_t)set->silence_s + set->silence_hold_s) * 1000;
	struct radius_session *s;

	while (set->silence_s > 0 && (s = rs->silent.first) &&
	       s->last_ms + after_ms <= now_ms) {
		rs->stats.lost++;
		end(rs, s, RADIUS_LEAVE_HOLD, s->changed, now_ms);
	}
}

static void earliest(int64_t *next, int64_t at)
{
	if (*next < 0 || at < *next)
		*next = at;
}

int64_t radius_sessions_run(struct radius_sessions *rs, int64_t now_ms)
{
	const struct config_radius_settings *set = &rs->cfg->radius.settings;
	int64_t next = -1;

	radius_claims_leave(rs, NULL, now_ms);
	fall_silent(rs, now_ms);
	end_silent(rs, now_ms);
	forget_old(rs, now_ms);
	if (rs->leaving)
		earliest(&next, rs->leaving->due_ms);
	if (set->silence_s > 0 && rs->alive.first)
		earliest(&next, rs->alive.first->last_ms + (int64_t)set->silence_s * 1000);
	if (set->silence_s > 0 && rs->silent.first)
		earliest(&next,
			 rs->silent.first->last_ms +
				 ((int64_t)set->silence_s + set->silence_hold_s) * 1000);
	return next;
}

bool radius_sessions_restore(struct radius_sessions *rs, const struct radius_saved *saved,
			     int64_t now_ms)
{
	bool profile = strcmp(saved->client, PROFILE_CLIENT) == 0;
	struct radius_session *s;

	if (rs->n >= RADIUS_SESSIONS_MAX ||
	    (!profile && !config_radius_client_find(rs->cfg, saved->client)))
		return false;
	s = radius_table_add(rs, saved->client, saved->nas, saved->session, saved->session_len);
	s->order = ++rs->order;
	s->started = saved->started;
	s->changed = saved->changed;
	s->profile = profile;
	s->saved = true;
	rs->n++;
	keep_attributes(rs->cfg, s, saved->attrs);
	if (profile) {
		struct radius_attrs attrs = { s->attrs, s->attrs_len };
		struct radius_prefixes prefixes;

		radius_prefixes_read(attrs, &prefixes);
		radius_claims_set(rs, s, radius_edge_get(rs, saved->router, saved->interface),
				  &prefixes, RADIUS_LEAVE_NOW, now_ms);
	} else {
		settle(rs, s, now_ms);
	}
	heard(rs, s, now_ms);
	return true;
}
