/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "schema/tunnel_update.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "schema/ref.h"
#include "schema/tunnels.pb-c.h"

/* ---- the way out */

/* One message's worth of what the generated structs point to. */
struct packing {
	Opensav__TunnelUpdate update;
	Opensav__Tunnel tunnel;
	Opensav__TunnelEnd ends[2];
	uint8_t end_addresses[2][16];
	struct side {
		Opensav__TunnelSelector list[TUNNEL_SELECTORS_MAX];
		Opensav__TunnelSelector *pointers[TUNNEL_SELECTORS_MAX];
		uint8_t addresses[TUNNEL_SELECTORS_MAX][2][16];
	} sides[2];
};

static ProtobufCBinaryData address_ref(const struct ip_addr *addr, uint8_t raw[16])
{
	ip_to_bytes(addr->v, addr->family, raw);
	return (ProtobufCBinaryData){ .len = ip_bytes(addr->family), .data = raw };
}

static void put_end(struct packing *p, unsigned int i, const struct tunnel_end *end)
{
	opensav__tunnel_end__init(&p->ends[i]);
	p->ends[i].port = end->port;
	if (end->known)
		p->ends[i].address = address_ref(&end->addr, p->end_addresses[i]);
}

static void put_selectors(struct side *side, const struct tunnel_selector *ts, size_t n)
{
	assert(n <= TUNNEL_SELECTORS_MAX);
	for (size_t i = 0; i < n; i++) {
		Opensav__TunnelSelector *out = side->pointers[i] = &side->list[i];

		opensav__tunnel_selector__init(out);
		out->first = address_ref(&ts[i].first, side->addresses[i][0]);
		out->last = address_ref(&ts[i].last, side->addresses[i][1]);
		out->protocol = ts[i].protocol;
		out->port_first = ts[i].port_first;
		out->port_last = ts[i].port_last;
	}
}

static void put_tunnel(struct packing *p, const struct tunnel_state *t)
{
	Opensav__Tunnel *out = p->update.tunnel = &p->tunnel;

	opensav__tunnel__init(out);
	out->name = text_ref(t->name);
	out->state = t->up ? OPENSAV__TUNNEL_STATE__TUNNEL_UP : OPENSAV__TUNNEL_STATE__TUNNEL_DOWN;
	out->link = text_ref(t->link);
	out->interface = text_ref(t->interface);
	out->ifindex = t->ifindex;
	out->mtu = t->mtu;
	out->link_mark = t->link_mark;
	out->protect = t->protect;
	out->client_of = text_ref(t->client_of);
	out->identity = text_ref(t->identity);
	out->since = t->since_s;
	put_end(p, 0, &t->local);
	put_end(p, 1, &t->remote);
	out->local = &p->ends[0];
	out->remote = &p->ends[1];
	put_selectors(&p->sides[0], t->local_ts, t->n_local);
	put_selectors(&p->sides[1], t->remote_ts, t->n_remote);
	out->n_local_selectors = t->n_local;
	out->local_selectors = p->sides[0].pointers;
	out->n_remote_selectors = t->n_remote;
	out->remote_selectors = p->sides[1].pointers;
}

void tunnel_update_pack(const struct tunnel_update *msg, struct wr *out)
{
	struct packing *p = mem_alloc(sizeof(*p));
	uint8_t *data;
	size_t len;

	opensav__tunnel_update__init(&p->update);
	assert(msg->type == TUNNEL_UPDATE_COMPLETE || name_is_valid(msg->tunnel.name));
	switch (msg->type) {
	case TUNNEL_UPDATE_UNKNOWN:
		assert(false);
		break;
	case TUNNEL_UPDATE_TUNNEL:
		p->update.body_case = OPENSAV__TUNNEL_UPDATE__BODY_TUNNEL;
		put_tunnel(p, &msg->tunnel);
		break;
	case TUNNEL_UPDATE_GONE:
		p->update.body_case = OPENSAV__TUNNEL_UPDATE__BODY_GONE;
		p->update.gone = text_ref(msg->tunnel.name);
		break;
	case TUNNEL_UPDATE_COMPLETE:
		p->update.body_case = OPENSAV__TUNNEL_UPDATE__BODY_COMPLETE;
		p->update.complete = true;
		break;
	}
	len = opensav__tunnel_update__get_packed_size(&p->update);
	assert(len <= TUNNEL_UPDATE_MAX_BYTES);
	data = mem_alloc(len);
	opensav__tunnel_update__pack(&p->update, data);
	wr_bytes(out, data, len);
	free(data);
	free(p);
}

/* ---- the way in */

static int take_address(const ProtobufCBinaryData *in, struct ip_addr *out, const char *field, struct diag *diag)
{
	enum ip_family family = in->len == 4 ? IP_V4 : IP_V6;

	if (in->len != 4 && in->len != 16)
		return diag_set(diag, "%s: address of %zu bytes", field, in->len);
	*out = (struct ip_addr){ ip_from_bytes(in->data, family), (uint8_t)family };
	return 0;
}

static int take_end(const Opensav__TunnelEnd *in, struct tunnel_end *out, const char *field, struct diag *diag)
{
	if (!in)
		return 0;
	if (in->port > UINT16_MAX)
		return diag_set(diag, "%s: port %u", field, in->port);
	out->port = (uint16_t)in->port;
	out->known = in->address.len != 0;
	return out->known ? take_address(&in->address, &out->addr, field, diag) : 0;
}

static int take_selector(const Opensav__TunnelSelector *in, struct tunnel_selector *out, const char *field,
			 struct diag *diag)
{
	if (take_address(&in->first, &out->first, field, diag) != 0 || take_address(&in->last, &out->last, field, diag) != 0)
		return -1;
	if (out->first.family != out->last.family || out->first.v > out->last.v)
		return diag_set(diag, "%s: not a range of addresses", field);
	if (in->protocol > UINT8_MAX || in->port_last > UINT16_MAX || in->port_first > in->port_last)
		return diag_set(diag, "%s: protocol %u, ports %u to %u", field, in->protocol, in->port_first, in->port_last);
	out->protocol = (uint8_t)in->protocol;
	out->port_first = (uint16_t)in->port_first;
	out->port_last = (uint16_t)in->port_last;
	return 0;
}

static int take_selectors(Opensav__TunnelSelector *const *in, size_t n, struct tunnel_selector *out, size_t *n_out,
			  const char *field, struct diag *diag)
{
	if (n > TUNNEL_SELECTORS_MAX)
		return diag_set(diag, "%s: %zu, at most %u are taken", field, n, TUNNEL_SELECTORS_MAX);
	for (size_t i = 0; i < n; i++)
		if (take_selector(in[i], &out[i], field, diag) != 0)
			return -1;
	*n_out = n;
	return 0;
}

static int take_name(const char *in, char *out, size_t size, bool may_lack, const char *field, struct diag *diag)
{
	if (!(may_lack && !in[0]) && !name_is_valid(in))
		return diag_set(diag, "%s: not a name", field);
	memcpy(out, in, strnlen(in, size - 1) + 1);
	return 0;
}

/* For an operator's terminal and a log. */
static int take_identity(const char *in, char *out, size_t size, struct diag *diag)
{
	if (strlen(in) >= size)
		return diag_set(diag, "identity: %zu bytes", strlen(in));
	for (const char *c = in; *c; c++)
		if (*c < ' ' || *c > '~')
			return diag_set(diag, "identity: a byte that is no text");
	memcpy(out, in, strlen(in) + 1);
	return 0;
}

static int take_tunnel(const Opensav__Tunnel *in, struct tunnel_state *out, struct diag *diag)
{
	if (take_name(in->name, out->name, sizeof(out->name), false, "name", diag) != 0 ||
	    take_name(in->link, out->link, sizeof(out->link), true, "link", diag) != 0 ||
	    take_name(in->client_of, out->client_of, sizeof(out->client_of), true, "client_of", diag) != 0 ||
	    take_identity(in->identity, out->identity, sizeof(out->identity), diag) != 0)
		return -1;
	if (in->interface[0] && !filter_ifname_is_valid(in->interface))
		return diag_set(diag, "interface: not an interface name");
	memcpy(out->interface, in->interface, strnlen(in->interface, sizeof(out->interface) - 1) + 1);
	if (in->state != OPENSAV__TUNNEL_STATE__TUNNEL_DOWN && in->state != OPENSAV__TUNNEL_STATE__TUNNEL_UP)
		return diag_set(diag, "state: %d is none", (int)in->state);
	out->up = in->state == OPENSAV__TUNNEL_STATE__TUNNEL_UP;
	out->ifindex = in->ifindex;
	out->mtu = in->mtu;
	out->link_mark = in->link_mark;
	out->protect = in->protect;
	out->since_s = in->since;
	if (take_end(in->local, &out->local, "local", diag) != 0 || take_end(in->remote, &out->remote, "remote", diag) != 0)
		return -1;
	if (take_selectors(in->local_selectors, in->n_local_selectors, out->local_ts, &out->n_local, "local_selectors",
			   diag) != 0)
		return -1;
	return take_selectors(in->remote_selectors, in->n_remote_selectors, out->remote_ts, &out->n_remote,
			      "remote_selectors", diag);
}

static int take_update(const Opensav__TunnelUpdate *in, struct tunnel_update *msg, struct diag *diag)
{
	switch (in->body_case) {
	case OPENSAV__TUNNEL_UPDATE__BODY_TUNNEL:
		msg->type = TUNNEL_UPDATE_TUNNEL;
		return take_tunnel(in->tunnel, &msg->tunnel, diag);
	case OPENSAV__TUNNEL_UPDATE__BODY_GONE:
		msg->type = TUNNEL_UPDATE_GONE;
		return take_name(in->gone, msg->tunnel.name, sizeof(msg->tunnel.name), false, "gone", diag);
	case OPENSAV__TUNNEL_UPDATE__BODY_COMPLETE:
		if (!in->complete)
			return diag_set(diag, "complete: false");
		msg->type = TUNNEL_UPDATE_COMPLETE;
		return 0;
	case OPENSAV__TUNNEL_UPDATE__BODY__NOT_SET:
	case _OPENSAV__TUNNEL_UPDATE__BODY__CASE_IS_INT_SIZE:
		break;
	}
	msg->type = TUNNEL_UPDATE_UNKNOWN;
	return 0;
}

int tunnel_update_unpack(const void *data, size_t len, struct tunnel_update *msg, struct diag *diag)
{
	Opensav__TunnelUpdate *in;
	int ret;

	*msg = (struct tunnel_update){ 0 };
	if (len > TUNNEL_UPDATE_MAX_BYTES)
		return diag_set(diag, "message of %zu bytes", len);
	in = opensav__tunnel_update__unpack(NULL, len, data);
	if (!in)
		return diag_set(diag, "not a message about tunnels");
	ret = take_update(in, msg, diag);
	opensav__tunnel_update__free_unpacked(in, NULL);
	return ret;
}
