/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way in: bytes from a peer into valid structs, or an error.
 */
#include "schema/agent_msg.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/name.h"
#include "lib/rd.h"
#include "schema/agent.pb-c.h"

/* ---- ownership ---- */

void agent_inventory_fini(struct agent_inventory *inv)
{
	for (size_t i = 0; i < inv->n; i++)
		free(inv->interfaces[i].addresses);
	free(inv->interfaces);
	*inv = (struct agent_inventory){ 0 };
}

void agent_inventory_copy(struct agent_inventory *dst, const struct agent_inventory *src)
{
	struct agent_inventory out = { .n = src->n };

	if (dst == src)
		return;
	if (src->n != 0)
		out.interfaces =
			mem_dup(src->interfaces, src->n * sizeof(*src->interfaces));
	for (size_t i = 0; i < out.n; i++) {
		struct agent_interface *ifp = &out.interfaces[i];

		ifp->addresses =
			ifp->n_addresses
				? mem_dup(ifp->addresses,
					  ifp->n_addresses * sizeof(*ifp->addresses))
				: NULL;
	}
	agent_inventory_fini(dst);
	*dst = out;
}

static void blob_fini(struct agent_blob *blob)
{
	free(blob->data);
	*blob = (struct agent_blob){ 0 };
}

void agent_msg_fini(struct agent_msg *msg)
{
	switch (msg->type) {
	case AGENT_MSG_ENROLL:
		/* The secret must not linger on the heap or stack. */
		explicit_bzero(msg->u.enroll.secret, sizeof(msg->u.enroll.secret));
		blob_fini(&msg->u.enroll.csr);
		break;
	case AGENT_MSG_ENROLLED:
		blob_fini(&msg->u.enrolled.certificate);
		blob_fini(&msg->u.enrolled.ca);
		break;
	case AGENT_MSG_HELLO:
		free(msg->u.hello.held);
		break;
	case AGENT_MSG_INVENTORY:
		agent_inventory_fini(&msg->u.inventory);
		break;
	case AGENT_MSG_FILTER:
		filter_fini(&msg->u.filter.filter);
		addrset_fini(&msg->u.filter.del);
		break;
	case AGENT_MSG_EDGE_LIST:
		free(msg->u.edge_list.interfaces);
		break;
	case AGENT_MSG_DROPS:
		free(msg->u.drops.rows);
		break;
	case AGENT_MSG_COUNTERS:
		free(msg->u.counters.edges);
		break;
	case AGENT_MSG_ROUTES:
		free(msg->u.routes.routes);
		free(msg->u.routes.indexes);
		break;
	case AGENT_MSG_CERTIFY:
		blob_fini(&msg->u.certify.csr);
		break;
	case AGENT_MSG_CERTIFIED:
		blob_fini(&msg->u.certified.certificate);
		break;
	case AGENT_MSG_BMP:
		blob_fini(&msg->u.bmp.data);
		break;
	case AGENT_MSG_ALL_OFF:
	case AGENT_MSG_RELAY_STATUS:
	case AGENT_MSG_UNKNOWN:
	case AGENT_MSG_WELCOME:
	case AGENT_MSG_WANT_ROUTES:
	case AGENT_MSG_ACK:
	case AGENT_MSG_KEEPALIVE:
	case AGENT_MSG_FAILURE:
		break;
	}
	*msg = (struct agent_msg){ 0 };
}

/* ---- fields, from the wire ---- */

static int take_interface(const char *in, char out[FILTER_IFNAME_SIZE], struct diag *diag)
{
	if (!filter_ifname_is_valid(in))
		return diag_set(diag, "interface: not an interface name");
	memcpy(out, in, strlen(in) + 1);
	return 0;
}

static int take_exact(const ProtobufCBinaryData *in, uint8_t *out, size_t len,
		      const char *field, struct diag *diag)
{
	if (in->len != len)
		return diag_set(diag, "%s: %zu bytes instead of %zu", field, in->len,
				len);
	memcpy(out, in->data, len);
	return 0;
}

static int take_bytes(const ProtobufCBinaryData *in, struct agent_blob *out, size_t max,
		      const char *field, struct diag *diag)
{
	if (in->len == 0 || in->len > max)
		return diag_set(diag, "%s: %zu bytes, 1 to %zu expected", field, in->len,
				max);
	out->data = mem_dup(in->data, in->len);
	out->len = in->len;
	return 0;
}

static int take_blob(const ProtobufCBinaryData *in, struct agent_blob *out,
		     const char *field, struct diag *diag)
{
	return take_bytes(in, out, AGENT_DER_MAX_BYTES, field, diag);
}

/* Text for people: cut to size, and nothing in it that a terminal obeys. */
static void take_text(const char *in, char *out, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && in[i]; i++)
		out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
	out[i] = '\0';
}

static int take_count(size_t n, size_t max, const char *field, struct diag *diag)
{
	if (n > max)
		return diag_set(diag, "%s: %zu entries, limit is %zu", field, n, max);
	return 0;
}

static int family_of(size_t len, enum ip_family *family)
{
	if (len != 4 && len != 16)
		return -1;
	*family = len == 4 ? IP_V4 : IP_V6;
	return 0;
}

static int take_addr(const ProtobufCBinaryData *in, struct ip_addr *out,
		     const char *field, struct diag *diag)
{
	enum ip_family family;

	if (family_of(in->len, &family) < 0)
		return diag_set(diag, "%s: address of %zu bytes", field, in->len);
	*out = (struct ip_addr){ ip_from_bytes(in->data, family), (uint8_t)family };
	return 0;
}

/* Packed prefixes: without host bits, ascending, disjoint. There is one
 * encoding of a set then, up to the way it is cut into blocks. */
static int take_prefixes(const ProtobufCBinaryData *in, enum ip_family family,
			 struct addrset *set, const char *field, struct diag *diag)
{
	struct rd rd = rd_init(in->data, in->len);
	bool first = true;
	u128 last = 0;

	while (rd_left(&rd) != 0) {
		struct ip_prefix p;
		uint8_t raw[16];
		unsigned int len;
		u128 v;

		rd_bytes(&rd, raw, ip_bytes(family));
		len = rd_u8(&rd);
		if (rd.failed || len > ip_bits(family))
			return diag_set(diag, "%s: not a list of prefixes", field);
		v = ip_from_bytes(raw, family);
		p = ip_prefix_make(family, v, len);
		if (p.v != v)
			return diag_set(diag, "%s: prefix with host bits", field);
		if (!first && p.v <= last)
			return diag_set(diag, "%s: prefixes out of order", field);
		first = false;
		last = ip_prefix_last(&p);
		addrset_append(set, &p);
	}
	return 0;
}

/* Both structs begin with the name, as a fixed array. */
static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int sort_unique(void *list, size_t n, size_t size, struct diag *diag)
{
	if (n == 0)
		return 0;
	qsort(list, n, size, by_name);
	for (size_t i = 1; i < n; i++) {
		const char *name = (const char *)list + i * size;

		if (strcmp(name, name - size) == 0)
			return diag_set(diag, "interface %s: named twice", name);
	}
	return 0;
}

/* ---- messages, from the wire; *msg is freed by the caller on -1 ---- */

static int get_enroll(const Opensav__Enroll *in, struct agent_msg *msg, struct diag *diag)
{
	msg->type = AGENT_MSG_ENROLL;
	if (!name_is_valid(in->name))
		return diag_set(diag, "name: not a router's name");
	memcpy(msg->u.enroll.name, in->name, strlen(in->name) + 1);
	if (take_exact(&in->secret, msg->u.enroll.secret, AGENT_SECRET_SIZE, "secret",
		       diag) < 0)
		return -1;
	return take_blob(&in->csr, &msg->u.enroll.csr, "csr", diag);
}

static int get_enrolled(const Opensav__Enrolled *in, struct agent_msg *msg,
			struct diag *diag)
{
	msg->type = AGENT_MSG_ENROLLED;
	if (take_blob(&in->certificate, &msg->u.enrolled.certificate, "certificate",
		      diag) < 0)
		return -1;
	return take_blob(&in->ca, &msg->u.enrolled.ca, "ca", diag);
}

static int get_held(const Opensav__Held *in, struct agent_held *out, struct diag *diag)
{
	out->generation = in->generation;
	if (take_interface(in->interface, out->interface, diag) < 0)
		return -1;
	return take_exact(&in->hash, out->hash, sizeof(out->hash), "hash", diag);
}

static int get_hello(const Opensav__Hello *in, struct agent_msg *msg, struct diag *diag)
{
	msg->type = AGENT_MSG_HELLO;
	if (take_count(in->n_held, AGENT_INTERFACES_MAX, "held", diag) < 0)
		return -1;
	msg->u.hello.protocol = in->protocol;
	take_text(in->software, msg->u.hello.software, sizeof(msg->u.hello.software));
	msg->u.hello.epoch = in->epoch;
	msg->u.hello.all_off = in->all_off;
	msg->u.hello.held = mem_calloc(in->n_held, sizeof(*msg->u.hello.held));
	msg->u.hello.n_held = in->n_held;
	for (size_t i = 0; i < in->n_held; i++) {
		if (get_held(in->held[i], &msg->u.hello.held[i], diag) < 0)
			return diag_prepend(diag, "held %zu", i);
	}
	return sort_unique(msg->u.hello.held, in->n_held, sizeof(*msg->u.hello.held),
			   diag);
}

static int get_welcome(const Opensav__Welcome *in, struct agent_msg *msg,
		       struct diag *diag)
{
	msg->type = AGENT_MSG_WELCOME;
	if (in->counters_interval_s == 0 ||
	    in->counters_interval_s > AGENT_INTERVAL_MAX_S)
		return diag_set(diag, "counters_interval_s: %u, 1 to %d expected",
				in->counters_interval_s, AGENT_INTERVAL_MAX_S);
	msg->u.welcome.protocol = in->protocol;
	msg->u.welcome.epoch = in->epoch;
	msg->u.welcome.lease_s = in->lease_s;
	msg->u.welcome.counters_interval_s = in->counters_interval_s;
	return 0;
}

static int get_address(const Opensav__Address *in, struct agent_address *out,
		       struct diag *diag)
{
	if (take_addr(&in->address, &out->addr, "address", diag) < 0)
		return -1;
	if (in->length > ip_bits(out->addr.family))
		return diag_set(diag, "length: %u", in->length);
	out->len = (uint8_t)in->length;
	return 0;
}

static int get_interface(const Opensav__Interface *in, struct agent_interface *out,
			 struct diag *diag)
{
	if (take_interface(in->name, out->name, diag) < 0 ||
	    take_count(in->n_addresses, AGENT_ADDRESSES_MAX, "addresses", diag) < 0)
		return -1;
	out->index = in->index;
	out->up = in->up;
	out->addresses = mem_calloc(in->n_addresses, sizeof(*out->addresses));
	out->n_addresses = in->n_addresses;
	for (size_t i = 0; i < in->n_addresses; i++) {
		if (get_address(in->addresses[i], &out->addresses[i], diag) < 0)
			return diag_prepend(diag, "%s", out->name);
	}
	return 0;
}

static int get_inventory(const Opensav__Inventory *in, struct agent_msg *msg,
			 struct diag *diag)
{
	struct agent_inventory *inv = &msg->u.inventory;

	msg->type = AGENT_MSG_INVENTORY;
	if (take_count(in->n_interfaces, AGENT_INTERFACES_MAX, "interfaces", diag) < 0)
		return -1;
	inv->interfaces = mem_calloc(in->n_interfaces, sizeof(*inv->interfaces));
	inv->n = in->n_interfaces;
	for (size_t i = 0; i < in->n_interfaces; i++) {
		if (get_interface(in->interfaces[i], &inv->interfaces[i], diag) < 0)
			return diag_prepend(diag, "interface %zu", i);
	}
	return sort_unique(inv->interfaces, inv->n, sizeof(*inv->interfaces), diag);
}

static int get_peers(const Opensav__Filter *in, struct filter *out, struct diag *diag)
{
	struct ip_addr peers[FILTER_PEERS_MAX];

	if (take_count(in->n_peers, FILTER_PEERS_MAX, "peers", diag) < 0)
		return -1;
	for (size_t i = 0; i < in->n_peers; i++) {
		if (take_addr(&in->peers[i], &peers[i], "peers", diag) < 0)
			return -1;
	}
	filter_set_peers(out, peers, in->n_peers);
	return 0;
}

static int get_sets(const Opensav__Filter *in, struct agent_filter *out,
		    struct diag *diag)
{
	struct addrset *add = &out->filter.accept;

	if (take_prefixes(&in->add4, IP_V4, add, "add4", diag) < 0 ||
	    take_prefixes(&in->add6, IP_V6, add, "add6", diag) < 0 ||
	    take_prefixes(&in->del4, IP_V4, &out->del, "del4", diag) < 0 ||
	    take_prefixes(&in->del6, IP_V6, &out->del, "del6", diag) < 0)
		return -1;
	addrset_normalize(add);
	addrset_normalize(&out->del);
	return 0;
}

static int get_base(const Opensav__Filter *in, struct agent_filter *out,
		    struct diag *diag)
{
	if (in->generation == 0)
		return diag_set(diag, "generation: 0");
	if (in->base_generation >= in->generation)
		return diag_set(diag, "base_generation: not before the generation");
	out->base_generation = in->base_generation;
	if (in->base_generation != 0)
		return take_exact(&in->base_hash, out->base_hash, FILTER_HASH_SIZE,
				  "base_hash", diag);
	if (in->base_hash.len != 0 || in->del4.len != 0 || in->del6.len != 0)
		return diag_set(diag, "snapshot that is relative to something");
	return 0;
}

static int get_filter(const Opensav__Filter *in, struct agent_msg *msg, struct diag *diag)
{
	struct agent_filter *out = &msg->u.filter;

	msg->type = AGENT_MSG_FILTER;
	if (take_interface(in->interface, out->filter.interface, diag) < 0 ||
	    take_exact(&in->hash, out->hash, FILTER_HASH_SIZE, "hash", diag) < 0)
		return -1;
	if ((unsigned int)in->action > OPENSAV__ACTION__ACTION_ENFORCE)
		return diag_set(diag, "action: %d", (int)in->action);
	out->filter.generation = in->generation;
	out->filter.action = (enum filter_action)in->action;
	if (get_base(in, out, diag) < 0 || get_peers(in, &out->filter, diag) < 0)
		return -1;
	return get_sets(in, out, diag);
}

static int get_edge_list(const Opensav__EdgeList *in, struct agent_msg *msg,
			 struct diag *diag)
{
	msg->type = AGENT_MSG_EDGE_LIST;
	if (take_count(in->n_interfaces, AGENT_INTERFACES_MAX, "interfaces", diag) < 0)
		return -1;
	msg->u.edge_list.interfaces = mem_calloc(in->n_interfaces, FILTER_IFNAME_SIZE);
	msg->u.edge_list.n = in->n_interfaces;
	for (size_t i = 0; i < in->n_interfaces; i++) {
		if (take_interface(in->interfaces[i], msg->u.edge_list.interfaces[i],
				   diag) < 0)
			return -1;
	}
	return sort_unique(msg->u.edge_list.interfaces, in->n_interfaces,
			   FILTER_IFNAME_SIZE, diag);
}

static int get_ack(const Opensav__Ack *in, struct agent_msg *msg, struct diag *diag)
{
	msg->type = AGENT_MSG_ACK;
	if (take_interface(in->interface, msg->u.ack.interface, diag) < 0)
		return -1;
	msg->u.ack.generation = in->generation;
	take_text(in->error, msg->u.ack.error, sizeof(msg->u.ack.error));
	if (msg->u.ack.error[0])
		return 0;
	return take_exact(&in->hash, msg->u.ack.hash, FILTER_HASH_SIZE, "hash", diag);
}

static int get_edge_counters(const Opensav__EdgeCounters *in, struct agent_counters *out,
			     struct diag *diag)
{
	out->accept_packets = in->accept_packets;
	out->accept_bytes = in->accept_bytes;
	out->drop_packets = in->drop_packets;
	out->drop_bytes = in->drop_bytes;
	out->except_packets = in->except_packets;
	out->except_bytes = in->except_bytes;
	return take_interface(in->interface, out->interface, diag);
}

static int get_counters(const Opensav__Counters *in, struct agent_msg *msg,
			struct diag *diag)
{
	msg->type = AGENT_MSG_COUNTERS;
	if (take_count(in->n_edges, AGENT_INTERFACES_MAX, "edges", diag) < 0)
		return -1;
	msg->u.counters.edges = mem_calloc(in->n_edges, sizeof(*msg->u.counters.edges));
	msg->u.counters.n = in->n_edges;
	for (size_t i = 0; i < in->n_edges; i++) {
		if (get_edge_counters(in->edges[i], &msg->u.counters.edges[i], diag) < 0)
			return -1;
	}
	return sort_unique(msg->u.counters.edges, in->n_edges,
			   sizeof(*msg->u.counters.edges), diag);
}

void agent_routes_add(struct agent_routes *routes, const struct ip_prefix *p,
		      enum agent_route_kind kind, const uint32_t *indexes, size_t n)
{
	/* both grow by doubling at powers of two, so they need no capacity */
	if ((routes->n & (routes->n - 1)) == 0)
		routes->routes =
			mem_realloc(routes->routes, routes->n ? routes->n * 2 : 1,
				    sizeof(*routes->routes));
	routes->routes[routes->n++] = (struct agent_route){
		.prefix = *p, .kind = kind, .first = routes->n_indexes, .n = n
	};
	for (size_t i = 0; i < n; i++) {
		size_t at = routes->n_indexes++;

		if ((at & (at - 1)) == 0)
			routes->indexes = mem_realloc(routes->indexes, at ? at * 2 : 1,
						      sizeof(*routes->indexes));
		routes->indexes[at] = indexes[i];
	}
}

static int take_indexes(struct rd *rd, size_t n, uint32_t *indexes, struct diag *diag)
{
	for (size_t i = 0; i < n; i++) {
		indexes[i] = rd_be32(rd);
		if (!rd->failed &&
		    (indexes[i] == 0 || (i != 0 && indexes[i] <= indexes[i - 1])))
			return diag_set(diag, "interfaces out of order");
	}
	return rd->failed ? diag_set(diag, "not a list of routes") : 0;
}

static int take_route(struct rd *rd, enum ip_family family, struct agent_routes *out,
		      struct diag *diag)
{
	uint32_t indexes[AGENT_ROUTE_INDEXES_MAX];
	uint8_t raw[16];
	unsigned int len, kind, n;
	struct ip_prefix p;
	u128 v;

	rd_bytes(rd, raw, ip_bytes(family));
	len = rd_u8(rd);
	kind = rd_u8(rd);
	n = rd_u8(rd);
	if (rd->failed || len > ip_bits(family))
		return diag_set(diag, "not a list of routes");
	v = ip_from_bytes(raw, family);
	p = ip_prefix_make(family, v, len);
	if (p.v != v)
		return diag_set(diag, "prefix with host bits");
	if (kind > AGENT_ROUTE_REJECT)
		return diag_set(diag, "kind %u", kind);
	if ((n != 0) != (kind == AGENT_ROUTE_UNICAST))
		return diag_set(diag, "%u interfaces of a route of kind %u", n, kind);
	if (out->n == AGENT_ROUTES_MAX)
		return diag_set(diag, "more than %d routes", AGENT_ROUTES_MAX);
	if (take_indexes(rd, n, indexes, diag) < 0)
		return -1;
	agent_routes_add(out, &p, (enum agent_route_kind)kind, indexes, n);
	return 0;
}

static int take_routes(const ProtobufCBinaryData *in, enum ip_family family,
		       struct agent_routes *out, const char *field, struct diag *diag)
{
	struct rd rd = rd_init(in->data, in->len);

	while (rd_left(&rd) != 0) {
		if (take_route(&rd, family, out, diag) < 0)
			return diag_prepend(diag, "%s", field);
	}
	return 0;
}

static int get_routes(const Opensav__Routes *in, struct agent_msg *msg, struct diag *diag)
{
	struct agent_routes *out = &msg->u.routes;

	msg->type = AGENT_MSG_ROUTES;
	out->reset = in->reset;
	out->complete = in->complete;
	if (take_routes(&in->routes4, IP_V4, out, "routes4", diag) < 0)
		return -1;
	return take_routes(&in->routes6, IP_V6, out, "routes6", diag);
}

static int take_kind(Opensav__Kind in, enum pki_kind *out, struct diag *diag)
{
	switch (in) {
	case OPENSAV__KIND__KIND_ROUTER:
		*out = PKI_ROUTER;
		return 0;
	case OPENSAV__KIND__KIND_EDGE:
		*out = PKI_EDGE;
		return 0;
	case OPENSAV__KIND__KIND_RELAY:
		*out = PKI_RELAY;
		return 0;
	case OPENSAV__KIND__KIND_NONE:
	case _OPENSAV__KIND_IS_INT_SIZE:
		break;
	}
	return diag_set(diag, "kind: %d", (int)in);
}

static int get_certify(const Opensav__Certify *in, struct agent_msg *msg,
		       struct diag *diag)
{
	msg->type = AGENT_MSG_CERTIFY;
	if (take_kind(in->kind, &msg->u.certify.kind, diag) < 0)
		return -1;
	return take_blob(&in->csr, &msg->u.certify.csr, "csr", diag);
}

static int get_certified(const Opensav__Certified *in, struct agent_msg *msg,
			 struct diag *diag)
{
	msg->type = AGENT_MSG_CERTIFIED;
	if (take_kind(in->kind, &msg->u.certified.kind, diag) < 0)
		return -1;
	take_text(in->error, msg->u.certified.error, sizeof(msg->u.certified.error));
	if (msg->u.certified.error[0] == '\0')
		return take_blob(&in->certificate, &msg->u.certified.certificate,
				 "certificate", diag);
	if (in->certificate.len != 0)
		return diag_set(diag, "certificate: beside an error");
	return 0;
}

static int get_relay_status(const Opensav__RelayStatus *in, struct agent_msg *msg)
{
	msg->type = AGENT_MSG_RELAY_STATUS;
	msg->u.relay_status = (struct agent_relay_status){
		.sessions = in->sessions,
		.refused = in->refused,
		.overflows = in->overflows,
		.dropped_bytes = in->dropped_bytes,
		.bytes = in->bytes,
		.high_bytes = in->high_bytes,
		.limit_bytes = in->limit_bytes,
		.session = in->session,
	};
	return 0;
}

static int get_drop(const Opensav__Drop *in, struct drop *out, struct diag *diag)
{
	if (take_interface(in->interface, out->interface, diag) < 0 ||
	    take_addr(&in->source, &out->source, "source", diag) < 0 ||
	    take_addr(&in->destination, &out->destination, "destination", diag) < 0)
		return -1;
	if (out->source.family != out->destination.family)
		return diag_set(diag, "destination: not of the source's family");
	if (in->protocol > UINT8_MAX)
		return diag_set(diag, "protocol: %u, at most 255 expected", in->protocol);
	if (in->port > UINT16_MAX + 1u)
		return diag_set(diag, "port: %u, at most 65536 expected", in->port);
	if (in->samples == 0 || in->samples > AGENT_SAMPLES_MAX)
		return diag_set(diag, "samples: 1 to %d expected", AGENT_SAMPLES_MAX);
	out->protocol = (uint8_t)in->protocol;
	out->port = in->port == 0 ? DROPS_NO_PORT : in->port - 1;
	if (in->bytes > in->samples * AGENT_PACKET_MAX)
		return diag_set(diag, "bytes: more than so many packets can have");
	out->samples = in->samples;
	out->bytes = in->bytes;
	return 0;
}

static int get_drops(const Opensav__Drops *in, struct agent_msg *msg, struct diag *diag)
{
	msg->type = AGENT_MSG_DROPS;
	if (take_count(in->n_drops, AGENT_DROPS_MAX, "drops", diag) < 0)
		return -1;
	msg->u.drops.rows = mem_calloc(in->n_drops, sizeof(*msg->u.drops.rows));
	msg->u.drops.n = in->n_drops;
	for (size_t i = 0; i < in->n_drops; i++) {
		if (get_drop(in->drops[i], &msg->u.drops.rows[i], diag) < 0)
			return -1;
	}
	return 0;
}

static int get_body(const Opensav__Message *in, struct agent_msg *msg, struct diag *diag)
{
	switch (in->body_case) {
	case OPENSAV__MESSAGE__BODY_ENROLL:
		return get_enroll(in->enroll, msg, diag);
	case OPENSAV__MESSAGE__BODY_ENROLLED:
		return get_enrolled(in->enrolled, msg, diag);
	case OPENSAV__MESSAGE__BODY_HELLO:
		return get_hello(in->hello, msg, diag);
	case OPENSAV__MESSAGE__BODY_WELCOME:
		return get_welcome(in->welcome, msg, diag);
	case OPENSAV__MESSAGE__BODY_INVENTORY:
		return get_inventory(in->inventory, msg, diag);
	case OPENSAV__MESSAGE__BODY_FILTER:
		return get_filter(in->filter, msg, diag);
	case OPENSAV__MESSAGE__BODY_EDGE_LIST:
		return get_edge_list(in->edge_list, msg, diag);
	case OPENSAV__MESSAGE__BODY_ACK:
		return get_ack(in->ack, msg, diag);
	case OPENSAV__MESSAGE__BODY_COUNTERS:
		return get_counters(in->counters, msg, diag);
	case OPENSAV__MESSAGE__BODY_KEEPALIVE:
		msg->type = AGENT_MSG_KEEPALIVE;
		return 0;
	case OPENSAV__MESSAGE__BODY_FAILURE:
		msg->type = AGENT_MSG_FAILURE;
		take_text(in->failure->text, msg->u.failure.text,
			  sizeof(msg->u.failure.text));
		return 0;
	case OPENSAV__MESSAGE__BODY_ROUTES:
		return get_routes(in->routes, msg, diag);
	case OPENSAV__MESSAGE__BODY_ALL_OFF:
		msg->type = AGENT_MSG_ALL_OFF;
		msg->u.all_off.on = in->all_off->on;
		return 0;
	case OPENSAV__MESSAGE__BODY_CERTIFY:
		return get_certify(in->certify, msg, diag);
	case OPENSAV__MESSAGE__BODY_CERTIFIED:
		return get_certified(in->certified, msg, diag);
	case OPENSAV__MESSAGE__BODY_BMP:
		msg->type = AGENT_MSG_BMP;
		msg->u.bmp.waiting = in->bmp->waiting;
		return take_bytes(&in->bmp->data, &msg->u.bmp.data, AGENT_BMP_MAX_BYTES,
				  "data", diag);
	case OPENSAV__MESSAGE__BODY_RELAY_STATUS:
		return get_relay_status(in->relay_status, msg);
	case OPENSAV__MESSAGE__BODY_WANT_ROUTES:
		msg->type = AGENT_MSG_WANT_ROUTES;
		msg->u.want_routes.want = in->want_routes->want;
		return 0;
	case OPENSAV__MESSAGE__BODY_DROPS:
		return get_drops(in->drops, msg, diag);
	case OPENSAV__MESSAGE__BODY__NOT_SET:
	case _OPENSAV__MESSAGE__BODY__CASE_IS_INT_SIZE:
		break;
	}
	msg->type = AGENT_MSG_UNKNOWN;
	return 0;
}

static const char *body_name(Opensav__Message__BodyCase body)
{
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		&opensav__message__descriptor, (unsigned int)body);

	return field ? field->name : "message";
}

/* The generated decoder builds its whole tree before any count can be looked
 * at, and an empty list entry costs two bytes on the wire but about 150 in
 * memory. What real messages need stays below 32 bytes a byte. */
struct budget {
	size_t left;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return malloc(size);
}

static void budget_free(void *data, void *p)
{
	(void)data;
	free(p);
}

int agent_msg_unpack(const void *data, size_t len, struct agent_msg *msg,
		     struct diag *diag)
{
	struct budget budget = { 65536 + 32 * len };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
	struct agent_msg out = { 0 };
	Opensav__Message *in;
	int ret;

	if (len > AGENT_FRAME_MAX_BYTES)
		return diag_set(diag, "message of %zu bytes", len);
	in = opensav__message__unpack(&allocator, len, data);
	if (!in)
		return diag_set(diag, "not a message of the agent protocol");
	ret = get_body(in, &out, diag);
	if (ret < 0) {
		diag_prepend(diag, "%s", body_name(in->body_case));
		agent_msg_fini(&out);
	} else {
		*msg = out;
	}
	if (in->body_case == OPENSAV__MESSAGE__BODY_ENROLL && in->enroll->secret.len != 0)
		explicit_bzero(in->enroll->secret.data, in->enroll->secret.len);
	opensav__message__free_unpacked(in, &allocator);
	return ret;
}
