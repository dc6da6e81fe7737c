/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "controller/vty/show_relay_vty.h"

#include "json.h"
#include "vty.h"

struct lister {
	struct vty *vty;
	struct south *south;
	struct json_object *list; /* NULL: text */
};

static const char *state_of(const struct south_relay_status *r)
{
	if (!r->connected)
		return "down";
	return r->totals.session ? "relaying" : "waiting for bgpd";
}

static void print_relay(struct vty *vty, const char *router, const struct south_relay_status *r)
{
	const struct agent_relay_status *t = &r->totals;

	vty_out(vty, "router %s, BMP relay of its agent at %s, %s for %lld s\n", router,
		r->address, state_of(r), (long long)((savd_now_ms() - r->since_ms) / 1000));
	vty_out(vty,
		"  buffer: at most %llu of %llu bytes; %llu sessions, %llu closed at the bound, "
		"%llu bytes dropped, %llu sessions refused\n",
		(unsigned long long)t->high_bytes, (unsigned long long)t->limit_bytes,
		(unsigned long long)t->sessions, (unsigned long long)t->overflows,
		(unsigned long long)t->dropped_bytes, (unsigned long long)t->refused);
	if (!r->connected && r->last_error[0] != '\0')
		vty_out(vty, "  the last connection ended: %s\n", r->last_error);
}

static struct json_object *json_relay(const char *router, const struct south_relay_status *r)
{
	const struct agent_relay_status *t = &r->totals;
	struct json_object *json = json_object_new_object();

	json_object_string_add(json, "router", router);
	json_object_string_add(json, "address", r->address);
	json_object_boolean_add(json, "connected", r->connected);
	json_object_boolean_add(json, "relaying", r->connected && t->session);
	json_object_int_add(json, "seconds", (savd_now_ms() - r->since_ms) / 1000);
	json_object_int_add(json, "bufferHighBytes", (int64_t)t->high_bytes);
	json_object_int_add(json, "bufferLimitBytes", (int64_t)t->limit_bytes);
	json_object_int_add(json, "sessions", (int64_t)t->sessions);
	json_object_int_add(json, "overflows", (int64_t)t->overflows);
	json_object_int_add(json, "relayedBytes", (int64_t)t->bytes);
	json_object_int_add(json, "droppedBytes", (int64_t)t->dropped_bytes);
	json_object_int_add(json, "refused", (int64_t)t->refused);
	json_object_string_add(json, "lastError", r->last_error);
	return json;
}

static void list_relay(const char *router, void *arg)
{
	struct lister *l = arg;
	struct south_status status;

	if (!south_status(l->south, router, &status))
		return;
	if (status.relay.seen && l->list)
		json_object_array_add(l->list, json_relay(router, &status.relay));
	else if (status.relay.seen)
		print_relay(l->vty, router, &status.relay);
	south_status_fini(&status);
}

void show_relays(struct vty *vty, struct savd *savd, struct json_object *list)
{
	struct lister l = { vty, south_packet_south(savd->south), list };

	south_routers_walk(l.south, list_relay, &l);
}
