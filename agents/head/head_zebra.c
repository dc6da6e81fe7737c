/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "libfrr.h"
#include "prefix.h"
#include "stream.h"
#include "zclient.h"

#include "agents/head/head_zebra.h"
#include "agents/trouble.h"

#define TYPE	 ZEBRA_ROUTE_NHRP
#define RETRY_MS 500 /* libfrr's own try again comes after 10 s */

static struct {
	struct event_loop *loop;
	const struct head_zebra_ops *ops;
	void *ctx;
	struct zclient *client;
	bool up;
	uint32_t graceful_s;
	struct trouble trouble;
	struct event *t_watch;
} z;

bool head_zebra_is_up(void)
{
	return z.up;
}

const char *head_zebra_error(void)
{
	return z.trouble.text;
}

const char *head_zebra_path(void)
{
	return frr_zclientpath;
}

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void fails(const char *text)
{
	if (trouble_begins(&z.trouble, text, now_ms()))
		z.ops->note(z.ctx, true, text);
}

/* ---- addresses ---- */

static struct prefix to_frr(const struct ip_prefix *p)
{
	struct prefix out = { .family = p->family == IP_V4 ? AF_INET : AF_INET6, .prefixlen = p->len };

	ip_to_bytes(p->v, (enum ip_family)p->family, out.u.val);
	return out;
}

static struct ip_prefix of_frr(const struct prefix *p)
{
	enum ip_family family = p->family == AF_INET ? IP_V4 : IP_V6;

	return ip_prefix_make(family, ip_from_bytes(p->u.val, family), p->prefixlen);
}

/* ---- graceful restart ---- */

static void send_capability(enum zserv_client_capabilities cap, afi_t afi)
{
	struct zapi_cap api = { .cap = cap,
				.stale_removal_time = z.graceful_s,
				.afi = afi,
				.safi = SAFI_UNICAST,
				.vrf_id = VRF_DEFAULT };

	if (z.up)
		zclient_capabilities_send(ZEBRA_CLIENT_CAPABILITIES, z.client, &api);
}

void head_zebra_graceful(uint32_t seconds)
{
	const bool had = z.graceful_s != 0;

	z.graceful_s = seconds;
	if (seconds)
		send_capability(ZEBRA_CLIENT_GR_CAPABILITIES, AFI_IP);
	else if (had)
		send_capability(ZEBRA_CLIENT_GR_DISABLE, AFI_IP);
	/* zebra takes the time from the former only where it was off */
	if (seconds)
		send_capability(ZEBRA_CLIENT_RIB_STALE_TIME, AFI_IP);
}

void head_zebra_complete(void)
{
	if (!z.graceful_s)
		return;
	send_capability(ZEBRA_CLIENT_ROUTE_UPDATE_COMPLETE, AFI_IP);
	send_capability(ZEBRA_CLIENT_ROUTE_UPDATE_COMPLETE, AFI_IP6);
}

/* ---- routes ---- */

void head_zebra_route(const struct head_route *route, bool add, const struct head_config *config)
{
	static struct zapi_route api; /* large */

	if (!z.up)
		return;
	memset(&api, 0, offsetof(struct zapi_route, nexthops) + sizeof(api.nexthops[0]));
	api.backup_nexthop_num = 0;
	api.nhgid = 0;
	api.vrf_id = VRF_DEFAULT;
	api.type = TYPE;
	api.safi = SAFI_UNICAST;
	api.prefix = to_frr(&route->prefix);
	api.tableid = route->table;
	if (route->table)
		SET_FLAG(api.message, ZAPI_MESSAGE_TABLEID);
	if (add) {
		api.distance = (uint8_t)config->distance;
		SET_FLAG(api.message, ZAPI_MESSAGE_DISTANCE);
		api.tag = config->tag;
		if (config->tag)
			SET_FLAG(api.message, ZAPI_MESSAGE_TAG);
		SET_FLAG(api.message, ZAPI_MESSAGE_NEXTHOP);
		api.nexthop_num = 1;
		api.nexthops[0].type = NEXTHOP_TYPE_IFINDEX;
		api.nexthops[0].vrf_id = VRF_DEFAULT;
		api.nexthops[0].ifindex = (ifindex_t)route->ifindex;
	}
	zclient_route_send(add ? ZEBRA_ROUTE_ADD : ZEBRA_ROUTE_DELETE, z.client, &api);
}

static int on_fate(ZAPI_CALLBACK_ARGS)
{
	enum zapi_route_notify_owner note;
	struct ip_prefix p;
	struct prefix prefix;
	uint32_t table;
	safi_t safi;
	afi_t afi;

	(void)cmd, (void)length, (void)vrf_id;
	if (!zapi_route_notify_decode(zclient->ibuf, &prefix, &table, &note, &afi, &safi))
		return -1;
	p = of_frr(&prefix);
	z.ops->fate(z.ctx, &p, table == RT_TABLE_MAIN ? 0 : table,
		    note == ZAPI_ROUTE_INSTALLED    ? HEAD_IN_USE :
		    note == ZAPI_ROUTE_FAIL_INSTALL ? HEAD_REFUSED :
						      HEAD_STANDBY);
	return 0;
}

/* ---- connection ---- */

/* zebra gives a new client the capability of the one before, and would keep the
 * routes of one that does not want it, and the predecessor's (zebra_gr.c of FRR,
 * zebra_gr_client_reconnect()). */
static void on_connected(struct zclient *client)
{
	z.up = true;
	zebra_route_notify_send(ZEBRA_ROUTE_NOTIFY_REQUEST, client, true);
	send_capability(z.graceful_s ? ZEBRA_CLIENT_GR_CAPABILITIES : ZEBRA_CLIENT_GR_DISABLE, AFI_IP);
	if (trouble_ends(&z.trouble, now_ms()))
		z.ops->note(z.ctx, false, "connected to zebra");
	z.ops->connected(z.ctx);
}

/* libfrr does not tell why it could not connect. */
static void find_error(void)
{
	char text[sizeof(z.trouble.text)];

	if (access(frr_zclientpath, R_OK | W_OK) == 0)
		snprintf(text, sizeof(text), "zebra does not answer on %s", frr_zclientpath);
	else
		snprintf(text, sizeof(text), "%s: %s%s", frr_zclientpath, strerror(errno),
			 errno == EACCES ? ": run sav-agent as the user of zebra (-u frr -g frr)" :
			 errno == ENOENT ? ": does zebra run? (-z says where its socket is)" :
					   "");
	fails(text);
}

static void on_watch(struct event *t)
{
	(void)t;
	event_add_timer_msec(z.loop, on_watch, NULL, RETRY_MS, &z.t_watch);
	if (z.client->sock >= 0)
		return;
	if (z.up)
		fails("the connection to zebra has ended; it has removed our routes, or keeps them for a while");
	z.up = false;
	EVENT_OFF(z.client->t_connect);
	zclient_start(z.client);
	if (z.client->sock < 0)
		find_error();
}

static zclient_handler *const handlers[] = {
	[ZEBRA_ROUTE_NOTIFY_OWNER] = on_fate,
};

void head_zebra_start(struct event_loop *loop, struct zebra_privs_t *privs, const struct head_zebra_ops *ops, void *ctx)
{
	if (z.client)
		return;
	z.loop = loop;
	z.ops = ops;
	z.ctx = ctx;
	z.client = zclient_new(loop, &zclient_options_default, handlers, array_size(handlers));
	z.client->zebra_connected = on_connected;
	zclient_init(z.client, TYPE, 0, privs);
	event_add_timer_msec(loop, on_watch, NULL, 0, &z.t_watch);
}

void head_zebra_stop(void)
{
	EVENT_OFF(z.t_watch);
	if (!z.client)
		return;
	zclient_stop(z.client);
	zclient_free(z.client);
	z.client = NULL;
	z.up = false;
	z.trouble = (struct trouble){ .n_told = 0 };
}
