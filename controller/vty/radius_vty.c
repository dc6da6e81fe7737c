/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/radius_vty.h"

#include "controller/savd_radius_packet.h"
#include "lib/mem.h"

#define EDGE_SESSIONS_SHOWN 20
#define SHOW_RADIUS_STR	    SHOW_STR "Provisioning by RADIUS\n"

static struct savd *savd;

static struct savd_radius *radius(void)
{
	return savd->radius;
}

/* ---- one session as text ---- */

static void id_text(const struct radius_saved *s, char *dst, size_t size)
{
	const struct radius_attr id = { 0, 0, s->session, s->session_len };

	radius_text(&id, dst, size);
}

static void attr_text(const struct radius_saved *s, uint8_t type, char *dst, size_t size)
{
	struct radius_attr attr;

	dst[0] = '\0';
	if (radius_find(s->attrs, 0, type, &attr))
		radius_text(&attr, dst, size);
}

static const char *state_of(const struct radius_session_view *v)
{
	if (v->silent)
		return "silent";
	if (v->saved.router[0] == '\0')
		return "no edge";
	return "up";
}

static void time_text(int64_t s, char dst[32])
{
	time_t t = (time_t)s;
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(dst, 32, "%Y-%m-%d %H:%M:%S", &tm);
}

static void print_session(struct vty *vty, const struct radius_session_view *v)
{
	char id[64], user[64], began[32], prefix[IP_TEXT_SIZE];

	id_text(&v->saved, id, sizeof(id));
	attr_text(&v->saved, RADIUS_USER_NAME, user, sizeof(user));
	time_text(v->saved.started, began);
	vty_out(vty, "%-14s %-16s %-18s %-20s %-8s %-19s %s %s\n",
		v->profile ? "(profile)" : v->saved.client, v->saved.nas, id, user,
		state_of(v), v->profile ? "" : began, v->saved.router, v->saved.interface);
	for (size_t i = 0; i < v->n_prefixes; i++)
		vty_out(vty, "    %s %s%s%s\n",
			ip_prefix_format(&v->prefixes[i].prefix, prefix),
			radius_type_name(v->prefixes[i].type),
			v->states[i] == RADIUS_ACCEPTED ? "" : ": not accepted, ",
			v->states[i] == RADIUS_ACCEPTED ?
				"" :
				radius_prefix_state_name(v->states[i]));
	if (v->unusable > 0)
		vty_out(vty, "    %zu attributes that name no prefix\n", v->unusable);
}

static struct json_object *json_prefixes(const struct radius_session_view *v)
{
	struct json_object *list = json_object_new_array();
	char prefix[IP_TEXT_SIZE];

	for (size_t i = 0; i < v->n_prefixes; i++) {
		struct json_object *json = json_object_new_object();

		json_object_string_add(json, "prefix",
				       ip_prefix_format(&v->prefixes[i].prefix, prefix));
		json_object_string_add(json, "attribute",
				       radius_type_name(v->prefixes[i].type));
		json_object_string_add(json, "state", radius_prefix_state_name(v->states[i]));
		json_object_array_add(list, json);
	}
	return list;
}

static struct json_object *json_session(const struct radius_session_view *v)
{
	struct json_object *json = json_object_new_object();
	char text[256];

	json_object_string_add(json, "client", v->saved.client);
	json_object_string_add(json, "nas", v->saved.nas);
	id_text(&v->saved, text, sizeof(text));
	json_object_string_add(json, "session", text);
	attr_text(&v->saved, RADIUS_USER_NAME, text, sizeof(text));
	json_object_string_add(json, "user", text);
	attr_text(&v->saved, RADIUS_CALLING_STATION_ID, text, sizeof(text));
	json_object_string_add(json, "station", text);
	attr_text(&v->saved, RADIUS_NAS_PORT_ID, text, sizeof(text));
	json_object_string_add(json, "port", text);
	json_object_boolean_add(json, "profile", v->profile);
	json_object_string_add(json, "state", state_of(v));
	json_object_string_add(json, "router", v->saved.router);
	json_object_string_add(json, "interface", v->saved.interface);
	json_object_int_add(json, "rule", v->rule);
	json_object_int_add(json, "startedSeconds", v->saved.started);
	json_object_int_add(json, "heardSecondsAgo", (savd_now_ms() - v->last_ms) / 1000);
	json_object_object_add(json, "prefixes", json_prefixes(v));
	json_object_int_add(json, "unusableAttributes", (int64_t)v->unusable);
	return json;
}

/* ---- show radius sessions ---- */

struct lister {
	struct vty *vty;
	struct json_object *list; /* where rows are to go, or */
	struct show_rows *rows;	  /* there; neither: text */
	const char *name;	  /* of a client or NAS; NULL: all */
	const char *router, *interface;
	unsigned int n, max; /* max 0: all */
};

static bool is_wanted(const struct lister *l, const struct radius_saved *s)
{
	if (l->router)
		return strcmp(s->router, l->router) == 0 &&
		       strcmp(s->interface, l->interface) == 0;
	return !l->name || strcmp(s->client, l->name) == 0 || strcmp(s->nas, l->name) == 0;
}

static bool list_session(struct radius_session *s, const struct radius_session_view *v,
			 void *arg)
{
	struct lister *l = arg;

	(void)s;
	if (!is_wanted(l, &v->saved))
		return true;
	l->n++;
	if (l->max != 0 && l->n > l->max)
		return true;
	if (l->list)
		json_object_array_add(l->list, json_session(v));
	else if (l->rows)
		show_rows_add(l->rows, json_session(v));
	else
		print_session(l->vty, v);
	return true;
}

static void print_session_head(struct vty *vty)
{
	vty_out(vty, "%-14s %-16s %-18s %-20s %-8s %-19s %s\n", "Client", "NAS", "Session",
		"User", "State", "Since", "Edge");
}

static int finish_list(struct vty *vty, const struct lister *l, const char *member)
{
	struct json_object *json;

	if (l->list) {
		json = json_object_new_object();
		json_object_object_add(json, member, l->list);
		return show_print_json(vty, json);
	}
	if (l->n == 0 && l->name)
		vty_out(vty,
			"no sessions of %s: \"show radius clients\" lists who sends them\n",
			l->name);
	else if (l->n == 0)
		vty_out(vty, "no sessions\n");
	return CMD_SUCCESS;
}

DEFUN (show_radius_sessions,
       show_radius_sessions_cmd,
       "show radius sessions [NAS] [json]",
       SHOW_RADIUS_STR
       "Sessions that are up, and what they may send\n"
       "Of this client or NAS\n"
       JSON_HELP)
{
	bool wants_json = show_wants_json(argv, argc);
	struct lister l = { .vty = vty };
	struct show_rows rows;

	if (argc - wants_json > 3)
		l.name = argv[3]->arg;
	if (wants_json) {
		l.rows = &rows;
		show_rows_begin(&rows, vty, NULL, "sessions");
		radius_sessions_walk(radius()->sessions, list_session, &l);
		return show_rows_end(&rows);
	}
	print_session_head(vty);
	radius_sessions_walk(radius()->sessions, list_session, &l);
	return finish_list(vty, &l, "sessions");
}

DEFUN (show_radius_session_address,
       show_radius_session_address_cmd,
       "show radius session <A.B.C.D|X:X::X:X> [json]",
       SHOW_RADIUS_STR
       "Sessions that have an address\n"
       "IPv4 address\nIPv6 address\n"
       JSON_HELP)
{
	struct lister l = { .vty = vty };
	struct ip_prefix p;
	struct ip_addr a;

	if (!ip_addr_parse(argv[3]->arg, &a)) {
		vty_out(vty, "%% %s is not an IPv4 or IPv6 address\n", argv[3]->arg);
		return CMD_WARNING;
	}
	p = ip_prefix_make(a.family, a.v, ip_bits(a.family));
	if (show_wants_json(argv, argc))
		l.list = json_object_new_array();
	else
		print_session_head(vty);
	radius_sessions_at(radius()->sessions, &p, list_session, &l);
	return finish_list(vty, &l, "sessions");
}

void radius_vty_edge(struct vty *vty, const char *router, const char *interface)
{
	struct lister l = { .vty = vty, .router = router, .interface = interface,
			    .max = EDGE_SESSIONS_SHOWN };
	unsigned int n = radius_edge_sessions(radius()->sessions, router, interface);

	if (n == 0)
		return;
	vty_out(vty, "  %u RADIUS session%s\n", n, n == 1 ? "" : "s");
	radius_sessions_walk(radius()->sessions, list_session, &l);
	if (l.n > l.max)
		vty_out(vty, "  and %u more: \"show radius sessions\"\n", l.n - l.max);
}

struct json_object *radius_json_edge(const char *router, const char *interface)
{
	struct lister l = { .list = json_object_new_array(), .router = router,
			    .interface = interface };

	if (radius_edge_sessions(radius()->sessions, router, interface) > 0)
		radius_sessions_walk(radius()->sessions, list_session, &l);
	return l.list;
}

/* ---- show radius clients ---- */

static void take_stats(const struct radius_client_stats *s, void *arg)
{
	struct radius_client_stats *out = arg;

	if (strcmp(s->client, out->client) == 0)
		*out = *s;
}

static struct radius_client_stats stats_of(const char *client)
{
	struct radius_client_stats s = { 0 };

	snprintf(s.client, sizeof(s.client), "%s", client);
	radius_server_clients(radius()->server, take_stats, &s);
	return s;
}

static uint64_t dropped(const struct radius_client_stats *s)
{
	return s->malformed + s->not_genuine + s->unsigned_count + s->stale + s->not_permitted +
	       s->dropped;
}

static void print_client(struct vty *vty, const struct config_radius_client *c)
{
	struct radius_client_stats s = stats_of(c->name);
	char heard[32] = "never", text[IP_TEXT_SIZE];

	if (s.last_ms != 0)
		snprintf(heard, sizeof(heard), "%lld s",
			 (long long)(savd_now_ms() - s.last_ms) / 1000);
	vty_out(vty, "%-16s %10llu %10llu %10llu %10llu %10s\n", c->name,
		(unsigned long long)s.received, (unsigned long long)s.answered,
		(unsigned long long)s.duplicates, (unsigned long long)dropped(&s), heard);
	if (c->secret[0] == '\0')
		vty_out(vty, "    no secret: nothing is taken; type \"secret WORD\" in \"radius "
			     "client %s\"\n", c->name);
	if (c->n_addresses == 0)
		vty_out(vty, "    no address: type \"address ADDRESS\" in \"radius client %s\"\n",
			c->name);
	if (c->n_pool == 0)
		vty_out(vty, "    no pool: all prefixes are refused; type \"pool PREFIX\" in "
			     "\"radius client %s\"\n", c->name);
	for (size_t i = 0; i < c->n_addresses; i++)
		vty_out(vty, "    from %s\n", ip_prefix_format(&c->addresses[i], text));
	if (s.not_genuine > 0)
		vty_out(vty, "    %llu requests were not genuine: is the secret the same on both "
			     "sides?\n", (unsigned long long)s.not_genuine);
	if (s.stale > 0)
		vty_out(vty, "    %llu requests had an Event-Timestamp that is not of now: are the "
			     "clocks set?\n", (unsigned long long)s.stale);
}

static void json_counters(struct json_object *json, const struct radius_client_stats *s)
{
	json_object_int_add(json, "received", (int64_t)s->received);
	json_object_int_add(json, "answered", (int64_t)s->answered);
	json_object_int_add(json, "duplicates", (int64_t)s->duplicates);
	json_object_int_add(json, "start", (int64_t)s->start);
	json_object_int_add(json, "interim", (int64_t)s->interim);
	json_object_int_add(json, "stop", (int64_t)s->stop);
	json_object_int_add(json, "onOff", (int64_t)s->on_off);
	json_object_int_add(json, "other", (int64_t)s->other);
	json_object_int_add(json, "coa", (int64_t)s->coa);
	json_object_int_add(json, "disconnect", (int64_t)s->disconnect);
	json_object_int_add(json, "naks", (int64_t)s->naks);
	json_object_int_add(json, "malformed", (int64_t)s->malformed);
	json_object_int_add(json, "notGenuine", (int64_t)s->not_genuine);
	json_object_int_add(json, "unsigned", (int64_t)s->unsigned_count);
	json_object_int_add(json, "stale", (int64_t)s->stale);
	json_object_int_add(json, "notPermitted", (int64_t)s->not_permitted);
	json_object_int_add(json, "overload", (int64_t)s->dropped);
	if (s->last_ms != 0)
		json_object_int_add(json, "heardSecondsAgo",
				    (savd_now_ms() - s->last_ms) / 1000);
}

static struct json_object *json_client(const struct config_radius_client *c)
{
	struct radius_client_stats s = stats_of(c->name);
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "client", c->name);
	for (size_t i = 0; i < c->n_addresses; i++)
		json_object_array_add(list, json_object_new_string(ip_prefix_format(
						    &c->addresses[i], text)));
	json_object_object_add(json, "addresses", list);
	json_object_boolean_add(json, "hasSecret", c->secret[0] != '\0');
	json_object_boolean_add(json, "dynamicAuthorization", c->dynamic_authorization);
	json_counters(json, &s);
	return json;
}

DEFUN (show_radius_clients,
       show_radius_clients_cmd,
       "show radius clients [json]",
       SHOW_RADIUS_STR
       "Who sends requests, and what came of them\n"
       JSON_HELP)
{
	const struct config_radius *r = &savd->cfg.radius;
	struct lister l = { .vty = vty, .n = (unsigned int)r->n_clients };

	if (show_wants_json(argv, argc))
		l.list = json_object_new_array();
	else
		vty_out(vty, "%-16s %10s %10s %10s %10s %10s\n", "Client", "Received",
			"Answered", "Repeated", "Dropped", "Last heard");
	for (size_t i = 0; i < r->n_clients; i++) {
		if (l.list)
			json_object_array_add(l.list, json_client(&r->clients[i]));
		else
			print_client(vty, &r->clients[i]);
	}
	if (!l.list && l.n == 0)
		vty_out(vty, "no clients: type \"radius client NAME\" in configuration mode\n");
	l.n += l.n == 0;
	return finish_list(vty, &l, "clients");
}

/* ---- show radius, counters ---- */

static struct json_object *json_all(const struct radius_session_stats *s,
				    const struct savd_radius_stats *st)
{
	struct json_object *json = json_object_new_object();

	json_object_int_add(json, "started", (int64_t)s->started);
	json_object_int_add(json, "stopped", (int64_t)s->stopped);
	json_object_int_add(json, "lost", (int64_t)s->lost);
	json_object_int_add(json, "moved", (int64_t)s->moved);
	json_object_int_add(json, "late", (int64_t)s->late);
	json_object_int_add(json, "conflicts", (int64_t)s->conflicts_seen);
	json_object_int_add(json, "refused", (int64_t)s->refused);
	json_object_int_add(json, "unusable", (int64_t)s->unusable);
	json_object_int_add(json, "unknownClients",
			    (int64_t)radius_server_unknown(radius()->server));
	json_object_int_add(json, "commits", (int64_t)st->commits);
	json_object_int_add(json, "commitLastMicroseconds", (int64_t)st->commit_last_us);
	json_object_int_add(json, "commitMaxMicroseconds", (int64_t)st->commit_max_us);
	json_object_int_add(json, "restored", (int64_t)st->restored);
	json_object_int_add(json, "restoreMicroseconds", (int64_t)st->restore_us);
	return json;
}

static void print_counter(struct vty *vty, uint64_t value, const char *text)
{
	vty_out(vty, "%12llu %s\n", (unsigned long long)value, text);
}

static void print_all(struct vty *vty, const struct radius_session_stats *s,
		      const struct savd_radius_stats *st)
{
	print_counter(vty, s->started, "sessions started");
	print_counter(vty, s->stopped, "sessions stopped");
	print_counter(vty, s->lost, "sessions that fell silent and were ended");
	print_counter(vty, s->moved, "sessions that moved");
	print_counter(vty, s->late, "requests older than what was known");
	print_counter(vty, s->conflicts_seen, "prefixes that two sessions claimed");
	print_counter(vty, s->refused, "prefixes refused: outside the pool, too short or too long");
	print_counter(vty, s->unusable, "attributes that name no prefix");
	print_counter(vty, radius_server_unknown(radius()->server),
		      "requests from unknown clients");
	print_counter(vty, st->commits, "transactions of sessions");
	print_counter(vty, (uint64_t)st->commit_last_us, "microseconds of the last one");
	print_counter(vty, (uint64_t)st->commit_max_us, "microseconds of the longest");
	print_counter(vty, st->restored, "sessions known from before the start");
	print_counter(vty, (uint64_t)st->restore_us, "microseconds to load them");
}

DEFUN (show_radius_counters,
       show_radius_counters_cmd,
       "show radius counters [json]",
       SHOW_RADIUS_STR
       "What was counted since the start\n"
       JSON_HELP)
{
	const struct savd_radius_stats *st = &radius()->stats;
	struct radius_session_stats s;

	radius_session_stats(radius()->sessions, &s);
	if (show_wants_json(argv, argc))
		return show_print_json(vty, json_all(&s, st));
	print_all(vty, &s, st);
	return CMD_SUCCESS;
}

static struct json_object *json_summary(const struct radius_session_stats *s)
{
	const struct config_radius *r = &savd->cfg.radius;
	struct json_object *json = json_object_new_object(), *one;
	struct json_object *list = json_object_new_array();
	char addr[IP_TEXT_SIZE];

	json_object_int_add(json, "sessions", (int64_t)s->sessions);
	json_object_int_add(json, "silentSessions", (int64_t)s->silent);
	json_object_int_add(json, "sessionsOnNoEdge", (int64_t)s->without_edge);
	json_object_int_add(json, "prefixes", (int64_t)s->prefixes);
	json_object_int_add(json, "conflicts", (int64_t)s->conflicts);
	json_object_int_add(json, "leaving", (int64_t)s->leaving);
	json_object_int_add(json, "clients", (int64_t)r->n_clients);
	json_object_int_add(json, "rules", (int64_t)r->n_rules);
	for (size_t i = 0; i < r->n_listens; i++) {
		const struct config_radius_listen *l = &r->listens[i];

		one = json_object_new_object();
		json_object_string_add(one, "kind",
				       l->dynamic ? "dynamic-authorization" : "accounting");
		json_object_string_add(one, "address", ip_addr_format(&l->addr, addr));
		json_object_int_add(one, "port", l->port);
		json_object_boolean_add(one, "open", radius_net_is_open(radius()->net, l));
		json_object_array_add(list, one);
	}
	json_object_object_add(json, "listen", list);
	return json;
}

static void print_summary(struct vty *vty, const struct radius_session_stats *s)
{
	const struct config_radius *r = &savd->cfg.radius;
	char addr[IP_TEXT_SIZE];

	vty_out(vty, "%zu sessions, %zu silent, %zu on no edge; %zu prefixes accepted\n",
		s->sessions, s->silent, s->without_edge, s->prefixes);
	if (s->conflicts > 0)
		vty_out(vty, "%zu prefixes are claimed by sessions of several edges (radius "
			     "conflict %s)\n",
			s->conflicts, radius_conflict_name(r->settings.conflict));
	if (s->leaving > 0)
		vty_out(vty, "%zu prefixes stay on an old edge until the new one has them\n",
			s->leaving);
	vty_out(vty, "%zu clients, %zu rules, %zu servers for profiles\n", r->n_clients,
		r->n_rules, r->n_servers);
	for (size_t i = 0; i < r->n_listens; i++)
		vty_out(vty, "%s on %s port %u%s\n",
			r->listens[i].dynamic ? "CoA and Disconnect" : "accounting",
			ip_addr_format(&r->listens[i].addr, addr), r->listens[i].port,
			radius_net_is_open(radius()->net, &r->listens[i]) ?
				"" :
				": NOT OPEN, see the log");
	if (r->n_listens == 0)
		vty_out(vty, "nothing is listened on: type \"radius listen accounting ADDRESS\" in "
			     "configuration mode\n");
}

DEFUN (show_radius,
       show_radius_cmd,
       "show radius [json]",
       SHOW_RADIUS_STR
       JSON_HELP)
{
	struct radius_session_stats s;

	radius_session_stats(radius()->sessions, &s);
	if (show_wants_json(argv, argc))
		return show_print_json(vty, json_summary(&s));
	print_summary(vty, &s);
	return CMD_SUCCESS;
}

/* ---- show radius profiles ---- */

static const char *profile_state(enum radius_profile_state state)
{
	static const char *const names[] = {
		[RADIUS_PROFILE_WAITING] = "waiting",
		[RADIUS_PROFILE_ACCEPTED] = "accepted",
		[RADIUS_PROFILE_REJECTED] = "rejected",
	};

	return names[state];
}

static void list_profile(const struct radius_profile_view *v, void *arg)
{
	struct lister *l = arg;
	struct json_object *json;

	l->n++;
	if (!l->list) {
		vty_out(l->vty, "%-12s %-15s %-20s %-9s %s\n", v->router, v->interface, v->user,
			profile_state(v->state),
			v->failing ? "no server answers: what it has stays" : "");
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", v->router);
	json_object_string_add(json, "interface", v->interface);
	json_object_string_add(json, "profile", v->name);
	json_object_string_add(json, "user", v->user);
	json_object_string_add(json, "state", profile_state(v->state));
	json_object_boolean_add(json, "failing", v->failing);
	json_object_int_add(json, "asked", (int64_t)v->asked);
	json_object_int_add(json, "answered", (int64_t)v->answered);
	json_object_int_add(json, "forged", (int64_t)v->forged);
	json_object_array_add(l->list, json);
}

DEFUN (show_radius_profiles,
       show_radius_profiles_cmd,
       "show radius profiles [json]",
       SHOW_RADIUS_STR
       "Edges whose prefixes are asked of a server\n"
       JSON_HELP)
{
	struct lister l = { .vty = vty };

	if (show_wants_json(argv, argc))
		l.list = json_object_new_array();
	else
		vty_out(vty, "%-12s %-15s %-20s %s\n", "Router", "Interface", "User-Name",
			"State");
	radius_profiles_walk(radius()->profiles, list_profile, &l);
	if (!l.list && l.n++ == 0)
		vty_out(vty, "no edge has a profile: type \"profile NAME\" in an edge\n");
	return finish_list(vty, &l, "profiles");
}

/* ---- clear ---- */

struct doomed {
	const char *client, *id; /* id NULL: by address, which the walk looks for */
	struct radius_session **list;
	size_t n;
};

static bool doom(struct radius_session *s, const struct radius_session_view *v, void *arg)
{
	struct doomed *d = arg;
	char id[256];

	id_text(&v->saved, id, sizeof(id));
	if (v->profile || (d->id && (strcmp(v->saved.client, d->client) != 0 ||
				     strcmp(id, d->id) != 0)))
		return true;
	d->list = mem_realloc(d->list, d->n + 1, sizeof(*d->list));
	d->list[d->n++] = s;
	return true;
}

static int end_doomed(struct vty *vty, struct doomed *d)
{
	for (size_t i = 0; i < d->n; i++)
		radius_session_end(radius()->sessions, d->list[i], savd_now_ms());
	free(d->list);
	savd_radius_save();
	if (d->n == 0) {
		vty_out(vty, "%% there is no such session: \"show radius sessions\" lists them\n");
		return CMD_WARNING;
	}
	vty_out(vty, "%zu session%s ended\n", d->n, d->n == 1 ? "" : "s");
	return CMD_SUCCESS;
}

DEFUN (clear_radius_session,
       clear_radius_session_cmd,
       "clear radius session CLIENT ID",
       CLEAR_STR
       "Provisioning by RADIUS\n"
       "End a session, as if its NAS had said so\n"
       "The client that told of it\n"
       "Its Acct-Session-Id\n")
{
	struct doomed d = { .client = argv[3]->arg, .id = argv[4]->arg };

	radius_sessions_walk(radius()->sessions, doom, &d);
	return end_doomed(vty, &d);
}

DEFUN (clear_radius_session_address,
       clear_radius_session_address_cmd,
       "clear radius session address <A.B.C.D|X:X::X:X>",
       CLEAR_STR
       "Provisioning by RADIUS\n"
       "End a session, as if its NAS had said so\n"
       "All that have this address\n"
       "IPv4 address\nIPv6 address\n")
{
	struct doomed d = { 0 };
	struct ip_prefix p;
	struct ip_addr a;

	if (!ip_addr_parse(argv[4]->arg, &a)) {
		vty_out(vty, "%% %s is not an IPv4 or IPv6 address\n", argv[4]->arg);
		return CMD_WARNING;
	}
	p = ip_prefix_make(a.family, a.v, ip_bits(a.family));
	radius_sessions_at(radius()->sessions, &p, doom, &d);
	return end_doomed(vty, &d);
}

void radius_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_radius_cmd);
	install_element(VIEW_NODE, &show_radius_clients_cmd);
	install_element(VIEW_NODE, &show_radius_counters_cmd);
	install_element(VIEW_NODE, &show_radius_profiles_cmd);
	install_element(VIEW_NODE, &show_radius_session_address_cmd);
	install_element(VIEW_NODE, &show_radius_sessions_cmd);
	install_element(ENABLE_NODE, &clear_radius_session_cmd);
	install_element(ENABLE_NODE, &clear_radius_session_address_cmd);
}
