/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "lib/name.h"
#include "schema/agent.pb-c.h"
#include "schema/agent_msg.h"

static void unpack_frame(const struct wr *wr, struct agent_msg *msg)
{
	struct diag diag = { "" };

	if (agent_msg_unpack(wr->data + 4, wr->len - 4, msg, &diag) != 0)
		fail_msg("%s", diag.text);
}

/* pack(unpack(pack(m))) is pack(m): nothing gets lost on the way. */
static void round_trip(const struct agent_msg *msg, struct agent_msg *back)
{
	struct wr one = { 0 }, two = { 0 };

	wr_u8(&one, 99); /* the frame goes behind what is there */
	agent_msg_pack(msg, &one);
	assert_int_equal(one.data[0], 99);
	memmove(one.data, one.data + 1, --one.len);
	assert_int_equal(one.data[0] << 24 | one.data[1] << 16 | one.data[2] << 8 |
				 one.data[3],
			 one.len - 4);
	unpack_frame(&one, back);
	assert_int_equal(back->type, msg->type);
	agent_msg_pack(back, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	wr_fini(&one);
	wr_fini(&two);
}

static void enroll(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ENROLL }, back;
	uint8_t csr[] = { 0x30, 0x00 };

	strcpy(msg.u.enroll.name, "edge-1.example");
	memset(msg.u.enroll.secret, 0xa5, AGENT_SECRET_SIZE);
	msg.u.enroll.csr = (struct agent_blob){ csr, sizeof(csr) };
	round_trip(&msg, &back);
	assert_string_equal(back.u.enroll.name, "edge-1.example");
	assert_memory_equal(back.u.enroll.secret, msg.u.enroll.secret, AGENT_SECRET_SIZE);
	assert_int_equal(back.u.enroll.csr.len, 2);
	agent_msg_fini(&back);
}

static void enrolled(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ENROLLED }, back;
	uint8_t a[] = { 1, 2, 3 }, b[] = { 4 };

	msg.u.enrolled.certificate = (struct agent_blob){ a, 3 };
	msg.u.enrolled.ca = (struct agent_blob){ b, 1 };
	round_trip(&msg, &back);
	assert_memory_equal(back.u.enrolled.certificate.data, a, 3);
	assert_memory_equal(back.u.enrolled.ca.data, b, 1);
	agent_msg_fini(&back);
}

static void hello_and_welcome(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_HELLO }, back;
	struct agent_held held[2] = { { "eth0", 7, { 1 } },
				      { "eth1.5", 1ULL << 60, { 2 } } };

	msg.u.hello.protocol = AGENT_PROTOCOL;
	strcpy(msg.u.hello.software, "sav-agent 0.1.0");
	msg.u.hello.epoch = 0x123456789abcdef0;
	msg.u.hello.held = held;
	msg.u.hello.n_held = 2;
	round_trip(&msg, &back);
	assert_string_equal(back.u.hello.software, "sav-agent 0.1.0");
	assert_int_equal(back.u.hello.n_held, 2);
	assert_memory_equal(back.u.hello.held, held, sizeof(held));
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_WELCOME };
	msg.u.welcome.protocol = 1;
	msg.u.welcome.epoch = 9;
	msg.u.welcome.lease_s = 86400;
	msg.u.welcome.counters_interval_s = 30;
	round_trip(&msg, &back);
	assert_int_equal(back.u.welcome.epoch, 9);
	assert_int_equal(back.u.welcome.lease_s, 86400);
	assert_int_equal(back.u.welcome.counters_interval_s, 30);
	agent_msg_fini(&back);
}

static struct agent_address address(const char *text, uint8_t len)
{
	struct agent_address a = { .len = len };

	assert_true(ip_addr_parse(text, &a.addr));
	return a;
}

static void inventory(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY }, back;
	struct agent_address eth0[] = { address("192.0.2.1", 31),
					address("fe80::1", 64) };
	struct agent_interface list[] = {
		{ "eth0", 2, true, eth0, 2 },
		{ "lo", 1, false, NULL, 0 },
	};
	struct agent_inventory copy = { 0 };

	msg.u.inventory = (struct agent_inventory){ list, 2 };
	round_trip(&msg, &back);
	agent_inventory_copy(&copy, &back.u.inventory);
	agent_msg_fini(&back);
	assert_int_equal(copy.n, 2);
	assert_string_equal(copy.interfaces[0].name, "eth0");
	assert_int_equal(copy.interfaces[0].index, 2);
	assert_true(copy.interfaces[0].up);
	assert_int_equal(copy.interfaces[0].n_addresses, 2);
	assert_true(ip_addr_equal(&copy.interfaces[0].addresses[1].addr, &eth0[1].addr));
	assert_int_equal(copy.interfaces[0].addresses[0].len, 31);
	assert_false(copy.interfaces[1].up);
	agent_inventory_fini(&copy);
}

static void inventory_is_sorted(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY }, back;
	struct agent_interface list[] = { { .name = "b" }, { .name = "a" } };
	struct wr wr = { 0 };

	msg.u.inventory = (struct agent_inventory){ list, 2 };
	agent_msg_pack(&msg, &wr);
	unpack_frame(&wr, &back);
	assert_string_equal(back.u.inventory.interfaces[0].name, "a");
	agent_msg_fini(&back);
	wr_fini(&wr);
}

static void add(struct addrset *set, const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	addrset_append(set, &p);
	addrset_normalize(set);
}

static void filter_snapshot_and_delta(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_FILTER }, back;
	struct agent_filter *f = &msg.u.filter;
	struct ip_addr peers[2] = { { 1, IP_V6 }, { 0xc0000201, IP_V4 } };

	strcpy(f->filter.interface, "eth0");
	f->filter.generation = 12;
	f->filter.action = FILTER_ENFORCE;
	add(&f->filter.accept, "192.0.2.0/24");
	add(&f->filter.accept, "198.51.100.0/25");
	add(&f->filter.accept, "2001:db8::/32");
	add(&f->filter.accept, "::/1");
	add(&f->filter.accept, "255.255.255.255/32");
	filter_set_peers(&f->filter, peers, 2);
	memset(f->hash, 3, sizeof(f->hash));
	round_trip(&msg, &back);
	assert_true(addrset_equal(&back.u.filter.filter.accept, &f->filter.accept));
	assert_int_equal(back.u.filter.filter.generation, 12);
	assert_int_equal(back.u.filter.filter.action, FILTER_ENFORCE);
	assert_int_equal(back.u.filter.filter.n_peers, 2);
	assert_true(ip_addr_equal(&back.u.filter.filter.peers[0], &peers[1]));
	assert_int_equal(back.u.filter.base_generation, 0);
	agent_msg_fini(&back);

	f->base_generation = 11;
	memset(f->base_hash, 4, sizeof(f->base_hash));
	add(&f->del, "10.0.0.0/8");
	add(&f->del, "3fff::/20");
	round_trip(&msg, &back);
	assert_true(addrset_equal(&back.u.filter.del, &f->del));
	assert_int_equal(back.u.filter.base_generation, 11);
	assert_memory_equal(back.u.filter.base_hash, f->base_hash, FILTER_HASH_SIZE);
	agent_msg_fini(&back);
	agent_msg_fini(&msg);
}

static void small_messages(void **state)
{
	char edges[2][FILTER_IFNAME_SIZE] = { "eth0", "eth1" };
	struct agent_counters counters[1] = { { "eth0", 1, 2, 3, 4, 5, UINT64_MAX } };
	struct drop drops[2] = { { .interface = "eth0",
				   .source = { 1, IP_V4 },
				   .destination = { 2, IP_V4 },
				   .protocol = 255,
				   .port = UINT16_MAX,
				   .samples = AGENT_SAMPLES_MAX,
				   .bytes = (uint64_t)AGENT_SAMPLES_MAX * AGENT_PACKET_MAX },
				 { .interface = "eth0",
				   .source = { 1, IP_V6 },
				   .destination = { ip_max(IP_V6), IP_V6 },
				   .port = DROPS_NO_PORT,
				   .samples = 1 } };
	struct agent_msg msg = { .type = AGENT_MSG_EDGE_LIST }, back;

	msg.u.edge_list.interfaces = edges;
	msg.u.edge_list.n = 2;
	round_trip(&msg, &back);
	assert_memory_equal(back.u.edge_list.interfaces, edges, sizeof(edges));
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_COUNTERS };
	msg.u.counters.edges = counters;
	msg.u.counters.n = 1;
	round_trip(&msg, &back);
	assert_memory_equal(back.u.counters.edges, counters, sizeof(counters));
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_DROPS };
	msg.u.drops.rows = drops;
	msg.u.drops.n = 2;
	round_trip(&msg, &back);
	assert_int_equal(back.u.drops.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct drop *x = &drops[i], *y = &back.u.drops.rows[i];

		assert_string_equal(x->interface, y->interface);
		assert_true(ip_addr_equal(&x->source, &y->source));
		assert_true(ip_addr_equal(&x->destination, &y->destination));
		assert_int_equal(x->protocol, y->protocol);
		assert_int_equal(x->port, y->port);
		assert_int_equal(x->samples, y->samples);
		assert_int_equal(x->bytes, y->bytes);
	}
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_ACK };
	strcpy(msg.u.ack.interface, "eth0");
	msg.u.ack.generation = 5;
	msg.u.ack.hash[31] = 1;
	round_trip(&msg, &back);
	assert_memory_equal(&back.u.ack, &msg.u.ack, sizeof(msg.u.ack));
	agent_msg_fini(&back);

	strcpy(msg.u.ack.error, "no such interface");
	msg.u.ack.hash[31] = 0;
	round_trip(&msg, &back);
	assert_memory_equal(&back.u.ack, &msg.u.ack, sizeof(msg.u.ack));
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_KEEPALIVE };
	round_trip(&msg, &back);
	agent_msg_fini(&back);

	msg = (struct agent_msg){ .type = AGENT_MSG_FAILURE };
	strcpy(msg.u.failure.text, "certificate revoked");
	round_trip(&msg, &back);
	assert_string_equal(back.u.failure.text, "certificate revoked");
	agent_msg_fini(&back);
}

static void unknown_message_is_no_error(void **state)
{
	static const uint8_t newer[] = { 0xa2, 0x06, 0x03, 'a', 'b', 'c' };
	struct agent_msg msg;
	struct diag diag;

	assert_int_equal(agent_msg_unpack(newer, sizeof(newer), &msg, &diag), 0);
	assert_int_equal(msg.type, AGENT_MSG_UNKNOWN);
	assert_int_equal(agent_msg_unpack(NULL, 0, &msg, &diag), 0);
	assert_int_equal(msg.type, AGENT_MSG_UNKNOWN);
}

static void garbage(void **state)
{
	struct agent_msg msg;
	struct diag diag;

	assert_int_equal(agent_msg_unpack("\x0a\xff", 2, &msg, &diag), -1);
	assert_int_equal(agent_msg_unpack("\xff\xff\xff\xff", 4, &msg, &diag), -1);
}

/* ---- one bad field each ---- */

static void refuse_message(Opensav__Message *in, const char *says)
{
	size_t len = opensav__message__get_packed_size(in);
	uint8_t *raw = mem_alloc(len + 1);
	struct agent_msg msg = { .type = AGENT_MSG_ACK };
	struct diag diag = { "" };

	opensav__message__pack(in, raw);
	if (agent_msg_unpack(raw, len, &msg, &diag) == 0)
		fail_msg("accepted: %s", says);
	if (!strstr(diag.text, says))
		fail_msg("\"%s\" says nothing of \"%s\"", diag.text, says);
	assert_int_equal(msg.type, AGENT_MSG_ACK); /* untouched */
	free(raw);
}

static uint8_t zeros[20000];

static ProtobufCBinaryData data(size_t len)
{
	return (ProtobufCBinaryData){ len, zeros };
}

#define REFUSE(lower, upper, in, says)                                                   \
	do {                                                                             \
		Opensav__Message m_ = OPENSAV__MESSAGE__INIT;                            \
		m_.body_case = OPENSAV__MESSAGE__BODY_##upper;                           \
		m_.lower = (in);                                                         \
		refuse_message(&m_, says);                                               \
	} while (0)

static void refuse_enroll(void **state)
{
	static char too_long[65];
	char *names[] = { "", "-x", "a b", "a/b", "../x", "r1\n", too_long };
	Opensav__Enroll in = OPENSAV__ENROLL__INIT;

	memset(too_long, 'a', 64);
	in.secret = data(32);
	in.csr = data(10);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		in.name = names[i];
		REFUSE(enroll, ENROLL, &in, "enroll: name");
	}
	in.name = "r1";
	in.secret = data(31);
	REFUSE(enroll, ENROLL, &in, "secret");
	in.secret = data(33);
	REFUSE(enroll, ENROLL, &in, "secret");
	in.secret = data(32);
	in.csr = data(0);
	REFUSE(enroll, ENROLL, &in, "csr");
	in.csr = data(AGENT_DER_MAX_BYTES + 1);
	REFUSE(enroll, ENROLL, &in, "csr");
}

static void refuse_enrolled(void **state)
{
	Opensav__Enrolled in = OPENSAV__ENROLLED__INIT;

	in.certificate = data(0);
	in.ca = data(1);
	REFUSE(enrolled, ENROLLED, &in, "certificate");
	in.certificate = data(1);
	in.ca = data(AGENT_DER_MAX_BYTES + 1);
	REFUSE(enrolled, ENROLLED, &in, "ca");
}

static void refuse_hello(void **state)
{
	Opensav__Hello in = OPENSAV__HELLO__INIT;
	Opensav__Held a = OPENSAV__HELD__INIT, b = OPENSAV__HELD__INIT;
	Opensav__Held *list[] = { &a, &b };

	in.held = list;
	in.n_held = 2;
	a.interface = "eth0";
	a.hash = data(32);
	b.interface = "eth0";
	b.hash = data(32);
	REFUSE(hello, HELLO, &in, "named twice");
	b.interface = "interface-name-x"; /* 16 */
	REFUSE(hello, HELLO, &in, "hello: held 1: interface");
	b.interface = "eth1";
	b.hash = data(20);
	REFUSE(hello, HELLO, &in, "held 1: hash");
}

static void refuse_welcome(void **state)
{
	Opensav__Welcome in = OPENSAV__WELCOME__INIT;

	REFUSE(welcome, WELCOME, &in, "counters_interval_s");
	in.counters_interval_s = 86401;
	REFUSE(welcome, WELCOME, &in, "counters_interval_s");
}

static void refuse_inventory(void **state)
{
	Opensav__Inventory in = OPENSAV__INVENTORY__INIT;
	Opensav__Interface a = OPENSAV__INTERFACE__INIT, b = OPENSAV__INTERFACE__INIT;
	Opensav__Interface *list[] = { &a, &b };
	Opensav__Address addr = OPENSAV__ADDRESS__INIT;
	Opensav__Address *addrs[AGENT_ADDRESSES_MAX + 1];

	for (size_t i = 0; i <= AGENT_ADDRESSES_MAX; i++)
		addrs[i] = &addr;
	in.interfaces = list;
	in.n_interfaces = 2;
	a.name = "eth0";
	b.name = "eth0";
	REFUSE(inventory, INVENTORY, &in, "named twice");
	b.name = "";
	REFUSE(inventory, INVENTORY, &in, "interface 1");
	b.name = "eth1";
	b.addresses = addrs;
	b.n_addresses = 1;
	addr.address = data(5);
	REFUSE(inventory, INVENTORY, &in, "address of 5 bytes");
	addr.address = data(4);
	addr.length = 33;
	REFUSE(inventory, INVENTORY, &in, "length");
	addr.address = data(16);
	addr.length = 129;
	REFUSE(inventory, INVENTORY, &in, "length");
	addr.length = 128;
	b.n_addresses = AGENT_ADDRESSES_MAX + 1;
	REFUSE(inventory, INVENTORY, &in, "addresses: 4097 entries");
}

static ProtobufCBinaryData packed(const char *bytes, size_t len)
{
	static uint8_t buf[8][64];
	static unsigned int next;
	uint8_t *out = buf[next++ % 8];

	memcpy(out, bytes, len);
	return (ProtobufCBinaryData){ len, out };
}

static void refuse_filter(void **state)
{
	Opensav__Filter in = OPENSAV__FILTER__INIT;
	ProtobufCBinaryData peers[FILTER_PEERS_MAX + 1];

	in.interface = "a b";
	in.generation = 2;
	in.hash = data(32);
	REFUSE(filter, FILTER, &in, "filter: interface");
	in.interface = "eth0";
	in.hash = data(0);
	REFUSE(filter, FILTER, &in, "hash");
	in.hash = data(32);
	in.generation = 0;
	REFUSE(filter, FILTER, &in, "generation");
	in.generation = 2;
	in.action = (Opensav__Action)3;
	REFUSE(filter, FILTER, &in, "action: 3");
	in.action = (Opensav__Action)-1;
	REFUSE(filter, FILTER, &in, "action: -1");
	in.action = OPENSAV__ACTION__ACTION_OFF;
	in.base_generation = 2;
	in.base_hash = data(32);
	REFUSE(filter, FILTER, &in, "base_generation");
	in.base_generation = 1;
	in.base_hash = data(31);
	REFUSE(filter, FILTER, &in, "base_hash");
	in.base_generation = 0;
	in.base_hash = data(32);
	REFUSE(filter, FILTER, &in, "snapshot");
	in.base_hash = data(0);
	in.del4 = packed("\x0a\0\0\0\x08", 5);
	REFUSE(filter, FILTER, &in, "snapshot");
	in.del4 = data(0);
	in.add4 = packed("\x0a\0\0\0", 4);
	REFUSE(filter, FILTER, &in, "add4: not a list");
	in.add4 = packed("\x0a\0\0\0\x08\0", 6);
	REFUSE(filter, FILTER, &in, "add4: not a list");
	in.add4 = packed("\x0a\0\0\0\x21", 5);
	REFUSE(filter, FILTER, &in, "add4: not a list");
	in.add4 = packed("\x0a\0\0\1\x08", 5);
	REFUSE(filter, FILTER, &in, "host bits");
	in.add4 = packed("\x0a\0\0\0\x08\x0a\0\0\0\x08", 10);
	REFUSE(filter, FILTER, &in, "out of order");
	in.add4 = packed("\x0a\0\0\1\x20\x0a\0\0\1\x20", 10);
	REFUSE(filter, FILTER, &in, "out of order");
	in.add4 = packed("\x0a\0\0\0\x08\x0a\x80\0\0\x09", 10);
	REFUSE(filter, FILTER, &in, "out of order");
	in.add4 = packed("\0\0\0\0\0\x0a\0\0\0\x08", 10);
	REFUSE(filter, FILTER, &in, "out of order");
	in.add4 = data(0);
	in.add6 = packed("\x0a\0\0\0\x08", 5);
	REFUSE(filter, FILTER, &in, "add6");
	in.add6 = packed("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0\x81", 17);
	REFUSE(filter, FILTER, &in, "add6");
	in.add6 = data(0);
	for (size_t i = 0; i <= FILTER_PEERS_MAX; i++)
		peers[i] = data(4);
	in.peers = peers;
	in.n_peers = FILTER_PEERS_MAX + 1;
	REFUSE(filter, FILTER, &in, "peers: 257 entries");
	in.n_peers = 1;
	peers[0] = data(3);
	REFUSE(filter, FILTER, &in, "peers: address of 3 bytes");
}

static void refuse_lists(void **state)
{
	Opensav__EdgeList edges = OPENSAV__EDGE_LIST__INIT;
	Opensav__Counters counters = OPENSAV__COUNTERS__INIT;
	Opensav__EdgeCounters a = OPENSAV__EDGE_COUNTERS__INIT;
	Opensav__EdgeCounters *list[] = { &a, &a };
	char *names[] = { "eth0", "eth0" };

	edges.interfaces = names;
	edges.n_interfaces = 2;
	REFUSE(edge_list, EDGE_LIST, &edges, "named twice");
	names[1] = "..";
	REFUSE(edge_list, EDGE_LIST, &edges, "interface");
	counters.edges = list;
	counters.n_edges = 2;
	a.interface = "eth0";
	REFUSE(counters, COUNTERS, &counters, "named twice");
	a.interface = "eth0/1";
	REFUSE(counters, COUNTERS, &counters, "interface");
}

static void refuse_drops(void **state)
{
	Opensav__Drops in = OPENSAV__DROPS__INIT;
	Opensav__Drop a = OPENSAV__DROP__INIT;
	Opensav__Drop *list[] = { &a };

	in.drops = list;
	in.n_drops = 1;
	REFUSE(drops, DROPS, &in, "interface");
	a.interface = "eth0";
	a.source = data(4);
	a.destination = data(5);
	REFUSE(drops, DROPS, &in, "destination");
	a.destination = data(16);
	REFUSE(drops, DROPS, &in, "family");
	a.destination = data(4);
	REFUSE(drops, DROPS, &in, "samples");
	a.samples = UINT64_MAX;
	REFUSE(drops, DROPS, &in, "samples");
	a.samples = 1;
	a.protocol = 256;
	REFUSE(drops, DROPS, &in, "protocol");
	a.protocol = 17;
	a.port = 65537;
	REFUSE(drops, DROPS, &in, "port");
	a.port = 0;
	a.bytes = AGENT_PACKET_MAX + 1;
	REFUSE(drops, DROPS, &in, "bytes");
}

static void refuse_ack(void **state)
{
	Opensav__Ack in = OPENSAV__ACK__INIT;

	in.interface = "eth0";
	REFUSE(ack, ACK, &in, "ack: hash");
	in.interface = "";
	in.hash = data(32);
	REFUSE(ack, ACK, &in, "ack: interface");
}

/* What a router sends ends up on an operator's terminal. */
static void text_is_made_harmless(void **state)
{
	Opensav__Message m = OPENSAV__MESSAGE__INIT;
	Opensav__Failure in = OPENSAV__FAILURE__INIT;
	char text[400] = "\x1b[2J\nx";
	struct agent_msg msg;
	uint8_t raw[500];
	struct diag diag;
	size_t len;

	memset(text + 6, 'y', 300);
	in.text = text;
	m.body_case = OPENSAV__MESSAGE__BODY_FAILURE;
	m.failure = &in;
	len = opensav__message__pack(&m, raw);
	assert_int_equal(agent_msg_unpack(raw, len, &msg, &diag), 0);
	assert_int_equal(strlen(msg.u.failure.text), AGENT_TEXT_SIZE - 1);
	assert_memory_equal(msg.u.failure.text, "?[2J?xyyy", 9);
	agent_msg_fini(&msg);
}

/* Two bytes for each of two million empty interfaces: the generated decoder
 * would make 300 MB of it before anyone can count. */
static void many_empty_entries_are_refused_early(void **state)
{
	struct agent_msg msg;
	struct diag diag;
	size_t n = 2000000;
	uint8_t *raw = mem_alloc(2 * n + 6), *p = raw;

	*p++ = 0x2a; /* inventory */
	for (size_t v = 2 * n; v != 0; v >>= 7)
		*p++ = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
	for (size_t i = 0; i < n; i++) {
		*p++ = 0x0a;
		*p++ = 0;
	}
	assert_int_equal(agent_msg_unpack(raw, (size_t)(p - raw), &msg, &diag), -1);
	assert_string_equal(diag.text, "not a message of the agent protocol");
	free(raw);
}

/* The largest honest lists stay inside the decoder's memory budget. */
static void largest_lists_are_accepted(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_COUNTERS }, back;
	struct agent_address addr[2] = { address("10.0.0.1", 24), address("::1", 64) };
	size_t n = AGENT_INTERFACES_MAX;
	struct agent_counters *counters = mem_calloc(n, sizeof(*counters));
	struct agent_interface *ifs = mem_calloc(n, sizeof(*ifs));

	for (size_t i = 0; i < n; i++) {
		snprintf(counters[i].interface, FILTER_IFNAME_SIZE, "e%zu", i);
		snprintf(ifs[i].name, FILTER_IFNAME_SIZE, "e%zu", i);
		ifs[i].addresses = addr;
		ifs[i].n_addresses = 2;
	}
	struct wr wr = { 0 };
	msg.u.counters.edges = counters;
	msg.u.counters.n = n;
	agent_msg_pack(&msg, &wr);
	unpack_frame(&wr, &back);
	assert_int_equal(back.u.counters.n, n);
	agent_msg_fini(&back);
	wr_fini(&wr);
	msg = (struct agent_msg){ .type = AGENT_MSG_INVENTORY };
	msg.u.inventory = (struct agent_inventory){ ifs, n };
	agent_msg_pack(&msg, &wr);
	unpack_frame(&wr, &back);
	assert_int_equal(back.u.inventory.n, n);
	agent_msg_fini(&back);
	wr_fini(&wr);
	free(counters);
	free(ifs);
}

static void agent_names(void **state)
{
	assert_true(name_is_valid("r1"));
	assert_true(name_is_valid("0.a_b-c"));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid(".."));
	assert_false(name_is_valid("a:b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enroll),
		cmocka_unit_test(enrolled),
		cmocka_unit_test(hello_and_welcome),
		cmocka_unit_test(inventory),
		cmocka_unit_test(inventory_is_sorted),
		cmocka_unit_test(filter_snapshot_and_delta),
		cmocka_unit_test(small_messages),
		cmocka_unit_test(unknown_message_is_no_error),
		cmocka_unit_test(garbage),
		cmocka_unit_test(refuse_enroll),
		cmocka_unit_test(refuse_enrolled),
		cmocka_unit_test(refuse_hello),
		cmocka_unit_test(refuse_welcome),
		cmocka_unit_test(refuse_inventory),
		cmocka_unit_test(refuse_filter),
		cmocka_unit_test(refuse_lists),
		cmocka_unit_test(refuse_drops),
		cmocka_unit_test(refuse_ack),
		cmocka_unit_test(text_is_made_harmless),
		cmocka_unit_test(many_empty_entries_are_refused_early),
		cmocka_unit_test(largest_lists_are_accepted),
		cmocka_unit_test(agent_names),
	};

	return cmocka_run_group_tests_name("agent_msg", tests, NULL, NULL);
}
