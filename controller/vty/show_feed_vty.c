/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/show_feed_vty.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "controller/engine_bgp.h"
#include "controller/feed/bmp_packet.h"
#include "controller/savd.h"
#include "controller/vty/show_compare_vty.h"
#include "controller/vty/show_json_vty.h"
#include "controller/vty/show_relay_vty.h"

static struct savd *savd;

/* ---- routes ---- */

struct peer_lister {
	struct vty *vty;
	struct json_object *list; /* where rows are to go, or */
	struct show_rows *rows;	  /* there; neither: text */
};

static size_t paths_of(const struct rib_peer *peer, enum ip_family family)
{
	return rib_path_count(peer, rib_peer_view(peer, family), family);
}

static const char *view_word(const struct rib_peer *peer, enum ip_family family)
{
	return rib_peer_view(peer, family) == RIB_POST ? "post" : "pre";
}

static const char *peer_state(const struct engine_peer_status *p)
{
	if (!p->feed_connected)
		return "stale";
	if (!p->up)
		return "down";
	if (p->full)
		return "full";
	return p->complete ? "complete" : "loading";
}

/* The edges that it is reached by, as one word; "-": none. */
static const char *edges_word(const struct engine_peer_status *p, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s", p->edge ? p->edge->interface : "-");

	for (size_t i = 1; i < p->n_edges && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, ",%s",
					 p->edges[i]->interface);
	return text;
}

static struct json_object *edges_list(const struct engine_peer_status *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_edges; i++)
		json_object_array_add(list, json_object_new_string(p->edges[i]->interface));
	return list;
}

static void list_peer(const struct engine_peer_status *p, void *arg)
{
	struct peer_lister *l = arg;
	struct json_object *json;
	char addr[IP_TEXT_SIZE], local[IP_TEXT_SIZE], edges[64];

	ip_addr_format(&rib_peer_key(p->peer)->addr, addr);
	if (!l->rows) {
		vty_out(l->vty, "%-12s %-26s %10u %-9s %-15s %8zu %-4s %8zu %-4s\n", p->router,
			addr, p->info.remote_as, peer_state(p),
			edges_word(p, edges, sizeof(edges)), paths_of(p->peer, IP_V4),
			view_word(p->peer, IP_V4), paths_of(p->peer, IP_V6),
			view_word(p->peer, IP_V6));
		if (!p->edge)
			vty_out(l->vty, "    on no edge: %s\n", p->mapping);
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", p->router);
	json_object_string_add(json, "peer", addr);
	json_object_string_add(json, "localAddress",
			       ip_addr_format(&p->info.local_addr, local));
	json_object_int_add(json, "remoteAs", p->info.remote_as);
	json_object_boolean_add(json, "internal", p->info.is_ibgp);
	json_object_int_add(json, "localRole", p->info.local_role);
	json_object_int_add(json, "remoteRole", p->info.remote_role);
	json_object_string_add(json, "state", peer_state(p));
	json_object_string_add(json, "interface", p->edge ? p->edge->interface : "");
	json_object_object_add(json, "interfaces", edges_list(p));
	json_object_string_add(json, "mapping", p->mapping);
	json_object_boolean_add(json, "unclear", p->unclear);
	json_object_int_add(json, "ipv4Paths", (int64_t)paths_of(p->peer, IP_V4));
	json_object_string_add(json, "ipv4View", view_word(p->peer, IP_V4));
	json_object_int_add(json, "ipv6Paths", (int64_t)paths_of(p->peer, IP_V6));
	json_object_string_add(json, "ipv6View", view_word(p->peer, IP_V6));
	json_object_int_add(json, "refusedPaths", (int64_t)rib_peer_refused(p->peer));
	show_rows_add(l->rows, json);
}

DEFUN (show_rib_summary,
       show_rib_summary_cmd,
       "show rib summary [json]",
       SHOW_STR
       "Adj-RIBs-In of all routers\n"
       "Peers and numbers of paths\n"
       JSON_HELP)
{
	struct peer_lister l = { .vty = vty };
	struct json_object *json;
	struct show_rows rows;
	struct rib_stats stats;

	rib_stats(engine_rib(savd->engine), &stats);
	if (!show_wants_json(argv, argc)) {
		vty_out(vty, "%zu peers, %zu paths, %zu path attributes, %zu bytes\n",
			stats.peers, stats.paths, stats.attrs, stats.bytes);
		vty_out(vty, "%-12s %-26s %10s %-9s %-15s %8s %-4s %8s %-4s\n", "Router",
			"Peer", "AS", "State", "Interface", "IPv4", "View", "IPv6", "View");
		engine_peers_walk(savd->engine, list_peer, &l);
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	json_object_int_add(json, "peerCount", (int64_t)stats.peers);
	json_object_int_add(json, "paths", (int64_t)stats.paths);
	json_object_int_add(json, "attributes", (int64_t)stats.attrs);
	json_object_int_add(json, "bytes", (int64_t)stats.bytes);
	l.rows = &rows;
	show_rows_begin(&rows, vty, json, "peers");
	engine_peers_walk(savd->engine, list_peer, &l);
	return show_rows_end(&rows);
}

/* How old the newest route is that has been read, by the router's clock; below
 * zero where that is ahead of ours. */
static int64_t newest_age_s(const struct bmp_feed_stats *s)
{
	return (int64_t)time(NULL) - s->newest_s;
}

static void print_lag(struct vty *vty, const struct engine_feed_status *f)
{
	vty_out(vty, "  lag: %zu bytes wait, %zu at most so far", f->queued_bytes,
		f->queued_max_bytes);
	if (f->stats->newest_s != 0)
		vty_out(vty, "; the newest route is stamped %lld s ago by the router's clock",
			(long long)newest_age_s(f->stats));
	vty_out(vty, "%s\n",
		f->silent ? "; SILENT for three statistics intervals" : "");
}

static void list_feed(const struct engine_feed_status *f, void *arg)
{
	struct peer_lister *l = arg;
	const struct bmp_feed_stats *s = f->stats;
	struct json_object *json;
	char source[IP_TEXT_SIZE];
	int64_t now_ms = savd_now_ms();

	ip_addr_format(&f->source, source);
	if (!l->list) {
		vty_out(l->vty, "router %s, BMP %s %s, up %lld s, last message %lld s ago\n",
			f->router[0] ? f->router : "?",
			f->relayed ? "relayed by its agent at" : "direct from", source,
			(long long)((now_ms - f->since_ms) / 1000),
			(long long)((now_ms - f->last_ms) / 1000));
		vty_out(l->vty, "  %s; %llu messages, %llu bytes, %u forced dumps\n",
			f->sysdescr, (unsigned long long)s->messages,
			(unsigned long long)s->bytes, f->redumps);
		vty_out(l->vty,
			"  %llu announced, %llu withdrawn (%llu of them unknown), %llu looped, "
			"%llu damaged, %llu refused (VRF)\n",
			(unsigned long long)s->announced, (unsigned long long)s->withdrawn,
			(unsigned long long)s->withdrawn_unknown,
			(unsigned long long)s->looped,
			(unsigned long long)(s->malformed + s->treat_as_withdraw),
			(unsigned long long)s->refused_vrf);
		print_lag(l->vty, f);
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", f->router);
	json_object_string_add(json, "source", source);
	json_object_boolean_add(json, "relayed", f->relayed);
	json_object_string_add(json, "sysDescr", f->sysdescr);
	json_object_int_add(json, "upSeconds", (now_ms - f->since_ms) / 1000);
	json_object_int_add(json, "silentSeconds", (now_ms - f->last_ms) / 1000);
	json_object_int_add(json, "messages", (int64_t)s->messages);
	json_object_int_add(json, "bytes", (int64_t)s->bytes);
	json_object_int_add(json, "announced", (int64_t)s->announced);
	json_object_int_add(json, "withdrawn", (int64_t)s->withdrawn);
	json_object_int_add(json, "withdrawnUnknown", (int64_t)s->withdrawn_unknown);
	json_object_int_add(json, "looped", (int64_t)s->looped);
	json_object_int_add(json, "emptyPath", (int64_t)s->empty_path);
	json_object_int_add(json, "malformed", (int64_t)s->malformed);
	json_object_int_add(json, "treatAsWithdraw", (int64_t)s->treat_as_withdraw);
	json_object_int_add(json, "refusedVrf", (int64_t)s->refused_vrf);
	json_object_int_add(json, "forcedDumps", f->redumps);
	json_object_int_add(json, "queuedBytes", (int64_t)f->queued_bytes);
	json_object_int_add(json, "queuedMaxBytes", (int64_t)f->queued_max_bytes);
	if (s->newest_s != 0)
		json_object_int_add(json, "newestRouteSeconds", newest_age_s(s));
	json_object_boolean_add(json, "silent", f->silent);
	json_object_array_add(l->list, json);
}

static void list_bgp_family(struct peer_lister *l, const struct engine_bgp_status *b,
			    enum ip_family family)
{
	vty_out(l->vty, "; IPv%c %zu paths%s", family == IP_V4 ? '4' : '6', b->paths[family],
		!b->family[family]  ? " (not offered)" :
		b->addpath[family] ? "" :
				     " (no add-path: best paths only)");
}

static void list_bgp(const struct engine_bgp_status *b, void *arg)
{
	const char *state = bgp_session_state_name(b->state);
	const struct bgp_session_stats *s = &b->stats;
	struct peer_lister *l = arg;
	struct json_object *json;
	long long since_s = (long long)((savd_now_ms() - b->since_ms) / 1000);

	if (!l->list) {
		vty_out(l->vty, "router %s, BGP %s%s for %lld s", b->router, state,
			b->state != BGP_ESTABLISHED ? "" :
			b->complete		    ? ", complete," :
						      ", loading,",
			since_s);
		list_bgp_family(l, b, IP_V4);
		list_bgp_family(l, b, IP_V6);
		vty_out(l->vty,
			"\n  %llu messages, %llu bytes; %llu announced, %llu withdrawn, %llu "
			"messages looped, %llu damaged; %u sessions so far\n",
			(unsigned long long)s->messages, (unsigned long long)s->bytes,
			(unsigned long long)s->announced, (unsigned long long)s->withdrawn,
			(unsigned long long)s->looped,
			(unsigned long long)s->treat_as_withdraw, b->sessions);
		if (b->state != BGP_ESTABLISHED && b->last_error[0] != '\0')
			vty_out(l->vty, "  the last session ended: %s\n", b->last_error);
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", b->router);
	json_object_string_add(json, "state", state);
	json_object_boolean_add(json, "complete", b->complete);
	json_object_int_add(json, "seconds", since_s);
	json_object_int_add(json, "ipv4Paths", (int64_t)b->paths[IP_V4]);
	json_object_int_add(json, "ipv6Paths", (int64_t)b->paths[IP_V6]);
	json_object_boolean_add(json, "ipv4AddPath", b->addpath[IP_V4]);
	json_object_boolean_add(json, "ipv6AddPath", b->addpath[IP_V6]);
	json_object_int_add(json, "messages", (int64_t)s->messages);
	json_object_int_add(json, "bytes", (int64_t)s->bytes);
	json_object_int_add(json, "announced", (int64_t)s->announced);
	json_object_int_add(json, "withdrawn", (int64_t)s->withdrawn);
	json_object_int_add(json, "looped", (int64_t)s->looped);
	json_object_int_add(json, "treatAsWithdraw", (int64_t)s->treat_as_withdraw);
	json_object_int_add(json, "sessions", b->sessions);
	json_object_string_add(json, "lastError", b->last_error);
	json_object_array_add(l->list, json);
}

/* Nobody knows on which edge they are, and so they count for none. */
static void list_unclear(const struct engine_peer_status *p, void *arg)
{
	struct peer_lister *l = arg;
	struct json_object *json;
	char addr[IP_TEXT_SIZE];

	if (!p->unclear || !p->up)
		return;
	ip_addr_format(&rib_peer_key(p->peer)->addr, addr);
	if (!l->list) {
		vty_out(l->vty, "router %s, peer %s is on no edge: %s\n", p->router, addr,
			p->mapping);
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", p->router);
	json_object_string_add(json, "peer", addr);
	json_object_string_add(json, "mapping", p->mapping);
	json_object_array_add(l->list, json);
}

static void print_refusals(struct vty *vty)
{
	const struct bmp_refusals *r = bmp_listeners_refusals(savd->bmp);
	char text[IP_TEXT_SIZE];

	if (r->n != 0)
		vty_out(vty,
			"%llu BMP connections refused, the last from %s: no \"feed bmp allow\" "
			"has it\n",
			(unsigned long long)r->n, ip_addr_format(&r->last, text));
}

static void json_refusals(struct json_object *json)
{
	const struct bmp_refusals *r = bmp_listeners_refusals(savd->bmp);
	char text[IP_TEXT_SIZE];

	json_object_int_add(json, "bmpRefused", (int64_t)r->n);
	json_object_string_add(json, "bmpLastRefused",
			       r->n ? ip_addr_format(&r->last, text) : "");
}

/* Peers that are at their bound of paths. */
static void list_full(const struct engine_peer_status *p, void *arg)
{
	struct peer_lister *l = arg;
	struct json_object *json;
	char addr[IP_TEXT_SIZE];

	if (!p->full)
		return;
	ip_addr_format(&rib_peer_key(p->peer)->addr, addr);
	if (!l->list) {
		vty_out(l->vty, "  router %s, peer %s is at it: %llu are left out\n", p->router,
			addr, (unsigned long long)rib_peer_refused(p->peer));
		return;
	}
	json = json_object_new_object();
	json_object_string_add(json, "router", p->router);
	json_object_string_add(json, "peer", addr);
	json_object_int_add(json, "refusedPaths", (int64_t)rib_peer_refused(p->peer));
	json_object_array_add(l->list, json);
}

static void print_bound(struct vty *vty)
{
	struct peer_lister l = { .vty = vty };
	struct rib_stats stats;

	rib_stats(engine_rib(savd->engine), &stats);
	vty_out(vty, "at most %u paths of one peer (feed max-paths); %zu refused so far\n",
		config_max_paths(&savd->cfg), stats.refused);
	engine_peers_walk(savd->engine, list_full, &l);
}

static void json_bound(struct json_object *json)
{
	struct peer_lister l = { .list = json_object_new_array() };
	struct rib_stats stats;

	rib_stats(engine_rib(savd->engine), &stats);
	json_object_int_add(json, "maxPaths", config_max_paths(&savd->cfg));
	json_object_int_add(json, "refusedPaths", (int64_t)stats.refused);
	engine_peers_walk(savd->engine, list_full, &l);
	json_object_object_add(json, "fullPeers", l.list);
}

DEFUN (show_feed,
       show_feed_cmd,
       "show feed [json]",
       SHOW_STR
       "Routing information feeds\n"
       JSON_HELP)
{
	struct peer_lister l = { .vty = vty };
	struct json_object *json;

	if (!show_wants_json(argv, argc)) {
		engine_feeds_walk(savd->engine, list_feed, &l);
		show_relays(vty, savd, NULL);
		print_refusals(vty);
		engine_bgp_walk(savd->engine, list_bgp, &l);
		print_bound(vty);
		engine_peers_walk(savd->engine, list_unclear, &l);
		return CMD_SUCCESS;
	}
	json = json_object_new_object();
	l.list = json_object_new_array();
	engine_feeds_walk(savd->engine, list_feed, &l);
	json_object_object_add(json, "feeds", l.list);
	l.list = json_object_new_array();
	show_relays(vty, savd, l.list);
	json_object_object_add(json, "relays", l.list);
	json_refusals(json);
	l.list = json_object_new_array();
	engine_bgp_walk(savd->engine, list_bgp, &l);
	json_object_object_add(json, "bgp", l.list);
	json_bound(json);
	l.list = json_object_new_array();
	engine_peers_walk(savd->engine, list_unclear, &l);
	json_object_object_add(json, "unclearPeers", l.list);
	json_object_int_add(json, "computeLastMicroseconds", savd->run_last_us);
	json_object_int_add(json, "computeMaxMicroseconds", savd->run_max_us);
	return show_print_json(vty, json);
}

void show_feed_vty_init(struct savd *s)
{
	savd = s;
	install_element(VIEW_NODE, &show_rib_summary_cmd);
	install_element(VIEW_NODE, &show_feed_cmd);
	show_compare_vty_init(s);
}
