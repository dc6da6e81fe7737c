/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What probes and BFD say of a path, for people and as JSON.
 */
#include "lib/frr_compat.h"

#include "json.h"
#include "vty.h"

#include "agents/steer/watch_vty.h"

#include "agents/steer/liveness_packet.h"

static const struct liveness_packet *known;

void watch_vty_liveness(const struct liveness_packet *liveness)
{
	known = liveness;
}

bool watch_vty_state(uint32_t number, struct path_state *out)
{
	return known && liveness_state(liveness_packet_core(known), number, out);
}

static const char *probe_word(enum probe_state state)
{
	switch (state) {
	case PROBE_WAITING:
		return "waiting";
	case PROBE_ALIVE:
		return "answers";
	case PROBE_SILENT:
		return "silent";
	case PROBE_NEVER:
		return "never answered";
	}
	return "";
}

/* Since when, and why: as it is now, not when it changed. */
static void show_state(struct vty *vty, const char *indent, const struct liveness *l,
		       uint32_t number)
{
	struct path_state state;

	if (!liveness_state(l, number, &state))
		return;
	vty_out(vty, "%s%s for %lld s%s%s\n", indent, path_alive_name(state.alive),
		(long long)(frr_now_us() / 1000 - state.since_ms) / 1000,
		state.reason[0] ? ": " : "", state.reason);
}

static void show_details(struct vty *vty, const char *indent, const struct liveness *l,
			 uint32_t number)
{
	struct liveness_probe_status probes[LIVENESS_PROBES_MAX];
	size_t n = liveness_probes(l, number, probes);
	char text[IP_TEXT_SIZE];
	struct ip_addr peer;

	for (size_t i = 0; i < n; i++) {
		const struct liveness_probe_status *p = &probes[i];

		vty_out(vty, "%s%s %s: %s", indent, p->beyond ? "target" : "next hop",
			ip_addr_format(&p->to, text), probe_word(p->state));
		if (p->rtt_us >= 0)
			vty_out(vty, ", round trip %lld.%03lld ms",
				(long long)p->rtt_us / 1000, (long long)p->rtt_us % 1000);
		if (p->loss_percent >= 0)
			vty_out(vty, ", %d %% lost", p->loss_percent);
		vty_out(vty, "\n");
	}
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		const struct bfd *s = liveness_bfd_session(l, number, f, &peer);

		if (s)
			vty_out(vty,
				"%sBFD with %s: %s, %s, every %u ms, detection %llu ms\n",
				indent, ip_addr_format(&peer, text),
				bfd_state_name(s->state), bfd_diag_text(s->diag),
				bfd_interval_us(s) / 1000,
				(unsigned long long)bfd_detection_us(s) / 1000);
	}
}

void watch_vty_show(struct vty *vty, const char *indent, uint32_t number)
{
	if (!known)
		return;
	show_state(vty, indent, liveness_packet_core(known), number);
	show_details(vty, indent, liveness_packet_core(known), number);
}

static void state_json(struct json_object *path, const struct liveness *l,
		       uint32_t number)
{
	struct path_state state;

	if (!liveness_state(l, number, &state))
		return;
	json_object_string_add(path, "reason", state.reason);
	json_object_int_add(path, "stateSeconds",
			    (frr_now_us() / 1000 - state.since_ms) / 1000);
	json_object_int_add(path, "rttMicroseconds", state.rtt_us);
	json_object_int_add(path, "lossPercent", state.loss_percent);
}

static void probes_json(struct json_object *path, const struct liveness *l,
			uint32_t number)
{
	struct liveness_probe_status probes[LIVENESS_PROBES_MAX];
	size_t n = liveness_probes(l, number, probes);
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct liveness_probe_status *p = &probes[i];
		struct json_object *o = json_object_new_object();

		json_object_string_add(o, "address", ip_addr_format(&p->to, text));
		json_object_boolean_add(o, "target", p->beyond);
		json_object_string_add(o, "state", probe_word(p->state));
		json_object_int_add(o, "rttMicroseconds", p->rtt_us);
		json_object_int_add(o, "lossPercent", p->loss_percent);
		json_object_int_add(o, "sent", (int64_t)p->sent);
		json_object_int_add(o, "answered", (int64_t)p->received);
		json_object_array_add(list, o);
	}
	json_object_object_add(path, "probes", list);
}

static void bfd_json(struct json_object *path, const struct liveness *l, uint32_t number)
{
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];
	struct ip_addr peer;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		const struct bfd *s = liveness_bfd_session(l, number, f, &peer);
		struct json_object *o;

		if (!s)
			continue;
		o = json_object_new_object();
		json_object_string_add(o, "peer", ip_addr_format(&peer, text));
		json_object_string_add(o, "state", bfd_state_name(s->state));
		json_object_string_add(o, "diagnostic", bfd_diag_text(s->diag));
		json_object_int_add(o, "intervalMicroseconds", bfd_interval_us(s));
		json_object_int_add(o, "detectionMicroseconds",
				    (int64_t)bfd_detection_us(s));
		json_object_int_add(o, "received", (int64_t)s->received);
		json_object_int_add(o, "downs", (int64_t)s->downs);
		json_object_array_add(list, o);
	}
	json_object_object_add(path, "bfd", list);
}

void watch_vty_json(struct json_object *path, uint32_t number)
{
	if (!known)
		return;
	state_json(path, liveness_packet_core(known), number);
	probes_json(path, liveness_packet_core(known), number);
	bfd_json(path, liveness_packet_core(known), number);
}
