/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way out: valid structs into frames.
 */
#include "schema/agent_msg.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/name.h"
#include "schema/agent.pb-c.h"
#include "schema/ref.h"

/* Everything made for one message, freed together. */
struct arena {
	struct arena_block *blocks;
};
struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

static void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
	struct arena_block *block;

	assert(size != 0 && n < SIZE_MAX / size - sizeof(*block));
	block = mem_alloc(sizeof(*block) + n * size);
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

static void arena_fini(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

static ProtobufCBinaryData bytes_ref(const void *data, size_t len)
{
	union {
		const void *in;
		uint8_t *out;
	} cast = { data }; /* as in schema/ref.h */

	return (ProtobufCBinaryData){ .len = len, .data = cast.out };
}

static char *interface_ref(const char *name)
{
	assert(filter_ifname_is_valid(name));
	return text_ref(name);
}

static ProtobufCBinaryData blob_ref(const struct agent_blob *blob)
{
	assert(blob->len != 0 && blob->len <= AGENT_DER_MAX_BYTES);
	return bytes_ref(blob->data, blob->len);
}

static ProtobufCBinaryData addr_ref(struct arena *arena, const struct ip_addr *addr)
{
	uint8_t *raw = arena_calloc(arena, 16, 1);

	ip_to_bytes(addr->v, addr->family, raw);
	return bytes_ref(raw, ip_bytes(addr->family));
}

/* n messages, initialized, and the array of pointers that the generated
 * structs want. */
static void **list_new(struct arena *arena, size_t n,
		       const ProtobufCMessageDescriptor *type)
{
	void **list = arena_calloc(arena, n, sizeof(*list));
	uint8_t *items = arena_calloc(arena, n, type->sizeof_message);

	for (size_t i = 0; i < n; i++) {
		list[i] = items + i * type->sizeof_message;
		protobuf_c_message_init(type, list[i]);
	}
	return list;
}

static Opensav__Enroll *put_enroll(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Enroll *out = arena_calloc(arena, 1, sizeof(*out));

	assert(name_is_valid(msg->u.enroll.name));
	opensav__enroll__init(out);
	out->name = text_ref(msg->u.enroll.name);
	out->secret = bytes_ref(msg->u.enroll.secret, AGENT_SECRET_SIZE);
	out->csr = blob_ref(&msg->u.enroll.csr);
	return out;
}

static Opensav__Enrolled *put_enrolled(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Enrolled *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__enrolled__init(out);
	out->certificate = blob_ref(&msg->u.enrolled.certificate);
	out->ca = blob_ref(&msg->u.enrolled.ca);
	return out;
}

static Opensav__Hello *put_hello(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Hello *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.hello.n_held <= AGENT_INTERFACES_MAX);
	opensav__hello__init(out);
	out->protocol = msg->u.hello.protocol;
	out->software = text_ref(msg->u.hello.software);
	out->epoch = msg->u.hello.epoch;
	out->all_off = msg->u.hello.all_off;
	out->n_held = msg->u.hello.n_held;
	out->held = (Opensav__Held **)list_new(arena, out->n_held,
					       &opensav__held__descriptor);
	for (size_t i = 0; i < out->n_held; i++) {
		const struct agent_held *held = &msg->u.hello.held[i];

		out->held[i]->interface = interface_ref(held->interface);
		out->held[i]->generation = held->generation;
		out->held[i]->hash = bytes_ref(held->hash, FILTER_HASH_SIZE);
	}
	return out;
}

static Opensav__Welcome *put_welcome(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Welcome *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.welcome.counters_interval_s != 0 &&
	       msg->u.welcome.counters_interval_s <= AGENT_INTERVAL_MAX_S);
	opensav__welcome__init(out);
	out->protocol = msg->u.welcome.protocol;
	out->epoch = msg->u.welcome.epoch;
	out->lease_s = msg->u.welcome.lease_s;
	out->counters_interval_s = msg->u.welcome.counters_interval_s;
	return out;
}

static void put_interface(const struct agent_interface *in, Opensav__Interface *out,
			  struct arena *arena)
{
	assert(in->n_addresses <= AGENT_ADDRESSES_MAX);
	out->name = interface_ref(in->name);
	out->index = in->index;
	out->up = in->up;
	out->n_addresses = in->n_addresses;
	out->addresses = (Opensav__Address **)list_new(arena, in->n_addresses,
						       &opensav__address__descriptor);
	for (size_t i = 0; i < in->n_addresses; i++) {
		out->addresses[i]->address = addr_ref(arena, &in->addresses[i].addr);
		out->addresses[i]->length = in->addresses[i].len;
	}
}

static Opensav__Inventory *put_inventory(const struct agent_msg *msg, struct arena *arena)
{
	const struct agent_inventory *inv = &msg->u.inventory;
	Opensav__Inventory *out = arena_calloc(arena, 1, sizeof(*out));

	assert(inv->n <= AGENT_INTERFACES_MAX);
	opensav__inventory__init(out);
	out->n_interfaces = inv->n;
	out->interfaces = (Opensav__Interface **)list_new(
		arena, inv->n, &opensav__interface__descriptor);
	for (size_t i = 0; i < inv->n; i++)
		put_interface(&inv->interfaces[i], out->interfaces[i], arena);
	return out;
}

static void put_prefix(const struct ip_prefix *p, void *arg)
{
	struct wr *wr = arg;
	uint8_t raw[16];

	ip_to_bytes(p->v, p->family, raw);
	wr_bytes(wr, raw, ip_bytes(p->family));
	wr_u8(wr, p->len);
}

static ProtobufCBinaryData prefixes_ref(const struct addrset *set, enum ip_family family,
					struct arena *arena)
{
	struct wr wr = { 0 };
	uint8_t *copy;
	size_t len;

	rangeset_each_prefix(&set->f[family], family, put_prefix, &wr);
	len = wr.len;
	copy = arena_calloc(arena, len, 1);
	if (len != 0)
		memcpy(copy, wr.data, len);
	wr_fini(&wr);
	return bytes_ref(copy, len);
}

static void put_sets(const struct agent_filter *in, Opensav__Filter *out,
		     struct arena *arena)
{
	out->add4 = prefixes_ref(&in->filter.accept, IP_V4, arena);
	out->add6 = prefixes_ref(&in->filter.accept, IP_V6, arena);
	out->del4 = prefixes_ref(&in->del, IP_V4, arena);
	out->del6 = prefixes_ref(&in->del, IP_V6, arena);
}

static Opensav__Filter *put_filter(const struct agent_msg *msg, struct arena *arena)
{
	const struct agent_filter *in = &msg->u.filter;
	Opensav__Filter *out = arena_calloc(arena, 1, sizeof(*out));

	assert(in->filter.generation > in->base_generation);
	assert(in->base_generation != 0 || addrset_is_empty(&in->del));
	assert(in->filter.n_peers <= FILTER_PEERS_MAX);
	opensav__filter__init(out);
	out->interface = interface_ref(in->filter.interface);
	out->generation = in->filter.generation;
	out->hash = bytes_ref(in->hash, FILTER_HASH_SIZE);
	out->base_generation = in->base_generation;
	if (in->base_generation != 0)
		out->base_hash = bytes_ref(in->base_hash, FILTER_HASH_SIZE);
	out->action = (Opensav__Action)in->filter.action;
	out->n_peers = in->filter.n_peers;
	out->peers = arena_calloc(arena, out->n_peers, sizeof(*out->peers));
	for (size_t i = 0; i < out->n_peers; i++)
		out->peers[i] = addr_ref(arena, &in->filter.peers[i]);
	put_sets(in, out, arena);
	return out;
}

static Opensav__EdgeList *put_edge_list(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__EdgeList *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.edge_list.n <= AGENT_INTERFACES_MAX);
	opensav__edge_list__init(out);
	out->n_interfaces = msg->u.edge_list.n;
	out->interfaces =
		arena_calloc(arena, out->n_interfaces, sizeof(*out->interfaces));
	for (size_t i = 0; i < out->n_interfaces; i++)
		out->interfaces[i] = interface_ref(msg->u.edge_list.interfaces[i]);
	return out;
}

static Opensav__Ack *put_ack(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Ack *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__ack__init(out);
	out->interface = interface_ref(msg->u.ack.interface);
	out->generation = msg->u.ack.generation;
	out->error = text_ref(msg->u.ack.error);
	if (!msg->u.ack.error[0])
		out->hash = bytes_ref(msg->u.ack.hash, FILTER_HASH_SIZE);
	return out;
}

static Opensav__Counters *put_counters(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Counters *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.counters.n <= AGENT_INTERFACES_MAX);
	opensav__counters__init(out);
	out->n_edges = msg->u.counters.n;
	out->edges = (Opensav__EdgeCounters **)list_new(
		arena, out->n_edges, &opensav__edge_counters__descriptor);
	for (size_t i = 0; i < out->n_edges; i++) {
		const struct agent_counters *in = &msg->u.counters.edges[i];
		Opensav__EdgeCounters *edge = out->edges[i];

		edge->interface = interface_ref(in->interface);
		edge->accept_packets = in->accept_packets;
		edge->accept_bytes = in->accept_bytes;
		edge->drop_packets = in->drop_packets;
		edge->drop_bytes = in->drop_bytes;
		edge->except_packets = in->except_packets;
		edge->except_bytes = in->except_bytes;
	}
	return out;
}

static Opensav__Drops *put_drops(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Drops *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.drops.n <= AGENT_DROPS_MAX);
	opensav__drops__init(out);
	out->n_drops = msg->u.drops.n;
	out->drops = (Opensav__Drop **)list_new(arena, out->n_drops,
						&opensav__drop__descriptor);
	for (size_t i = 0; i < out->n_drops; i++) {
		const struct drop *in = &msg->u.drops.rows[i];
		Opensav__Drop *drop = out->drops[i];

		assert(in->samples != 0 && in->samples <= AGENT_SAMPLES_MAX);
		drop->interface = interface_ref(in->interface);
		drop->source = addr_ref(arena, &in->source);
		drop->destination = addr_ref(arena, &in->destination);
		drop->protocol = in->protocol;
		drop->port = in->port == DROPS_NO_PORT ? 0 : in->port + 1;
		drop->samples = in->samples;
		drop->bytes = in->bytes;
	}
	return out;
}

static Opensav__Keepalive *put_keepalive(struct arena *arena)
{
	Opensav__Keepalive *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__keepalive__init(out);
	return out;
}

static Opensav__Failure *put_failure(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Failure *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__failure__init(out);
	out->text = text_ref(msg->u.failure.text);
	return out;
}

static ProtobufCBinaryData routes_ref(const struct agent_routes *in,
				      enum ip_family family, struct arena *arena)
{
	struct wr wr = { 0 };
	uint8_t *copy;
	size_t len;

	for (size_t i = 0; i < in->n; i++) {
		const struct agent_route *r = &in->routes[i];

		if (r->prefix.family != family)
			continue;
		assert(r->n <= AGENT_ROUTE_INDEXES_MAX);
		assert((r->n != 0) == (r->kind == AGENT_ROUTE_UNICAST));
		put_prefix(&r->prefix, &wr);
		wr_u8(&wr, (uint8_t)r->kind);
		wr_u8(&wr, (uint8_t)r->n);
		for (size_t j = 0; j < r->n; j++)
			wr_be32(&wr, in->indexes[r->first + j]);
	}
	len = wr.len;
	copy = arena_calloc(arena, len, 1);
	if (len != 0)
		memcpy(copy, wr.data, len);
	wr_fini(&wr);
	return bytes_ref(copy, len);
}

static Opensav__Routes *put_routes(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Routes *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.routes.n <= AGENT_ROUTES_MAX);
	opensav__routes__init(out);
	out->reset = msg->u.routes.reset;
	out->complete = msg->u.routes.complete;
	out->routes4 = routes_ref(&msg->u.routes, IP_V4, arena);
	out->routes6 = routes_ref(&msg->u.routes, IP_V6, arena);
	return out;
}

static Opensav__WantRoutes *put_want_routes(const struct agent_msg *msg,
					    struct arena *arena)
{
	Opensav__WantRoutes *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__want_routes__init(out);
	out->want = msg->u.want_routes.want;
	return out;
}

static Opensav__AllOff *put_all_off(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__AllOff *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__all_off__init(out);
	out->on = msg->u.all_off.on;
	return out;
}

static Opensav__Kind kind_of(enum pki_kind kind)
{
	static const Opensav__Kind kinds[] = {
		[PKI_ROUTER] = OPENSAV__KIND__KIND_ROUTER,
		[PKI_EDGE] = OPENSAV__KIND__KIND_EDGE,
		[PKI_RELAY] = OPENSAV__KIND__KIND_RELAY,
	};

	assert((size_t)kind < sizeof(kinds) / sizeof(kinds[0]));
	return kinds[kind];
}

static Opensav__Certify *put_certify(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Certify *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__certify__init(out);
	out->kind = kind_of(msg->u.certify.kind);
	out->csr = blob_ref(&msg->u.certify.csr);
	return out;
}

static Opensav__Certified *put_certified(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Certified *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__certified__init(out);
	out->kind = kind_of(msg->u.certified.kind);
	out->error = text_ref(msg->u.certified.error);
	if (!msg->u.certified.error[0])
		out->certificate = blob_ref(&msg->u.certified.certificate);
	return out;
}

static Opensav__Bmp *put_bmp(const struct agent_msg *msg, struct arena *arena)
{
	Opensav__Bmp *out = arena_calloc(arena, 1, sizeof(*out));

	assert(msg->u.bmp.data.len != 0 && msg->u.bmp.data.len <= AGENT_BMP_MAX_BYTES);
	opensav__bmp__init(out);
	out->data = bytes_ref(msg->u.bmp.data.data, msg->u.bmp.data.len);
	out->waiting = msg->u.bmp.waiting;
	return out;
}

static Opensav__RelayStatus *put_relay_status(const struct agent_msg *msg,
					      struct arena *arena)
{
	const struct agent_relay_status *in = &msg->u.relay_status;
	Opensav__RelayStatus *out = arena_calloc(arena, 1, sizeof(*out));

	opensav__relay_status__init(out);
	out->sessions = in->sessions;
	out->refused = in->refused;
	out->overflows = in->overflows;
	out->dropped_bytes = in->dropped_bytes;
	out->bytes = in->bytes;
	out->high_bytes = in->high_bytes;
	out->limit_bytes = in->limit_bytes;
	out->session = in->session;
	return out;
}

static void put_body(const struct agent_msg *msg, Opensav__Message *out,
		     struct arena *arena)
{
	switch (msg->type) {
	case AGENT_MSG_UNKNOWN:
		break;
	case AGENT_MSG_ENROLL:
		out->body_case = OPENSAV__MESSAGE__BODY_ENROLL;
		out->enroll = put_enroll(msg, arena);
		break;
	case AGENT_MSG_ENROLLED:
		out->body_case = OPENSAV__MESSAGE__BODY_ENROLLED;
		out->enrolled = put_enrolled(msg, arena);
		break;
	case AGENT_MSG_HELLO:
		out->body_case = OPENSAV__MESSAGE__BODY_HELLO;
		out->hello = put_hello(msg, arena);
		break;
	case AGENT_MSG_WELCOME:
		out->body_case = OPENSAV__MESSAGE__BODY_WELCOME;
		out->welcome = put_welcome(msg, arena);
		break;
	case AGENT_MSG_INVENTORY:
		out->body_case = OPENSAV__MESSAGE__BODY_INVENTORY;
		out->inventory = put_inventory(msg, arena);
		break;
	case AGENT_MSG_FILTER:
		out->body_case = OPENSAV__MESSAGE__BODY_FILTER;
		out->filter = put_filter(msg, arena);
		break;
	case AGENT_MSG_EDGE_LIST:
		out->body_case = OPENSAV__MESSAGE__BODY_EDGE_LIST;
		out->edge_list = put_edge_list(msg, arena);
		break;
	case AGENT_MSG_ACK:
		out->body_case = OPENSAV__MESSAGE__BODY_ACK;
		out->ack = put_ack(msg, arena);
		break;
	case AGENT_MSG_COUNTERS:
		out->body_case = OPENSAV__MESSAGE__BODY_COUNTERS;
		out->counters = put_counters(msg, arena);
		break;
	case AGENT_MSG_KEEPALIVE:
		out->body_case = OPENSAV__MESSAGE__BODY_KEEPALIVE;
		out->keepalive = put_keepalive(arena);
		break;
	case AGENT_MSG_FAILURE:
		out->body_case = OPENSAV__MESSAGE__BODY_FAILURE;
		out->failure = put_failure(msg, arena);
		break;
	case AGENT_MSG_ROUTES:
		out->body_case = OPENSAV__MESSAGE__BODY_ROUTES;
		out->routes = put_routes(msg, arena);
		break;
	case AGENT_MSG_WANT_ROUTES:
		out->body_case = OPENSAV__MESSAGE__BODY_WANT_ROUTES;
		out->want_routes = put_want_routes(msg, arena);
		break;
	case AGENT_MSG_ALL_OFF:
		out->body_case = OPENSAV__MESSAGE__BODY_ALL_OFF;
		out->all_off = put_all_off(msg, arena);
		break;
	case AGENT_MSG_CERTIFY:
		out->body_case = OPENSAV__MESSAGE__BODY_CERTIFY;
		out->certify = put_certify(msg, arena);
		break;
	case AGENT_MSG_CERTIFIED:
		out->body_case = OPENSAV__MESSAGE__BODY_CERTIFIED;
		out->certified = put_certified(msg, arena);
		break;
	case AGENT_MSG_BMP:
		out->body_case = OPENSAV__MESSAGE__BODY_BMP;
		out->bmp = put_bmp(msg, arena);
		break;
	case AGENT_MSG_RELAY_STATUS:
		out->body_case = OPENSAV__MESSAGE__BODY_RELAY_STATUS;
		out->relay_status = put_relay_status(msg, arena);
		break;
	case AGENT_MSG_DROPS:
		out->body_case = OPENSAV__MESSAGE__BODY_DROPS;
		out->drops = put_drops(msg, arena);
		break;
	}
}

/* The generated packer writes through this, straight behind the length. */
struct sink {
	ProtobufCBuffer base;
	struct wr *out;
};

static void sink_append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct sink *sink = (struct sink *)buffer; /* base is its first member */

	wr_bytes(sink->out, data, len);
}

void agent_msg_pack(const struct agent_msg *msg, struct wr *out)
{
	struct sink sink = { { sink_append }, out };
	Opensav__Message message = OPENSAV__MESSAGE__INIT;
	struct arena arena = { 0 };
	size_t at = out->len, len;

	put_body(msg, &message, &arena);
	wr_be32(out, 0);
	len = opensav__message__pack_to_buffer(&message, &sink.base);
	assert(len <= AGENT_FRAME_MAX_BYTES && len == out->len - at - 4);
	wr_patch32(out, at, (uint32_t)len);
	arena_fini(&arena);
}
