/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages between the processes: what a hostile ike may send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "ipsec/proc.h"
#include "lib/mem.h"

static struct ike_endpoint endpoint(const char *text, uint16_t port)
{
	struct ike_endpoint e = { .port = port };

	assert_true(ip_addr_parse(text, &e.addr));
	return e;
}

static struct ike_path path(void)
{
	return (struct ike_path){ 7, endpoint("192.0.2.1", 4500), endpoint("198.51.100.2", 40000) };
}

static struct proc_child child(void)
{
	struct proc_child c = { .tunnel = "berlin", .spi_in = 0x10000001, .spi_out = 0x20000002, .encap = true,
				.suite = { 20, 256, 0 }, .path = path() };
	struct diag diag;

	crypto_key_set(&c.in.encr, "0123456789abcdef0123456789abcdefSALT", 36);
	crypto_key_set(&c.out.encr, "fedcba9876543210fedcba9876543210salt", 36);
	c.local_ts.n = c.remote_ts.n = 1;
	assert_int_equal(ike_ts_parse("203.0.113.0/24", &c.local_ts.list[0], &diag), 0);
	assert_int_equal(ike_ts_parse("2001:db8::/32 proto tcp port 80-90", &c.remote_ts.list[0], &diag), 0);
	return c;
}

static struct rd body_of(const struct wr *w, enum proc_type type)
{
	struct rd rd = rd_init(w->data, w->len);
	struct proc_header header;

	assert_true(proc_header_decode(&rd, &header));
	assert_int_equal(header.type, type);
	return rd;
}

/* Every cut of a message is refused; so is one byte more. */
static void assert_only_whole(const struct wr *w, bool (*decode)(struct rd rd, void *out), size_t size)
{
	struct wr longer = { 0 };
	void *out = malloc(size);

	for (size_t len = 2; len < w->len; len++) {
		/* of its own, so that the sanitizer sees a byte too far */
		uint8_t *copy = malloc(len);

		memcpy(copy, w->data, len);
		assert_false(decode(rd_init(copy + 2, len - 2), out));
		free(copy);
	}
	wr_bytes(&longer, w->data, w->len);
	wr_u8(&longer, 0);
	assert_false(decode(rd_init(longer.data + 2, longer.len - 2), out));
	wr_fini(&longer);
	free(out);
}

static bool decode_child(struct rd rd, void *out)
{
	return proc_child_decode(rd, out);
}

static bool decode_sign(struct rd rd, void *out)
{
	return proc_sign_decode(rd, out);
}

static bool decode_sa(struct rd rd, void *out)
{
	return proc_sa_decode(rd, out);
}

static void child_there_and_back(void **st)
{
	struct proc_child in = child(), *out = malloc(sizeof(*out));
	struct wr w = { 0 };

	proc_child_encode(&w, &in);
	assert_true(proc_child_decode(body_of(&w, PROC_CHILD_ADD), out));
	assert_string_equal(out->tunnel, "berlin");
	assert_int_equal(out->spi_in, in.spi_in);
	assert_int_equal(out->out.encr.len, 36);
	assert_memory_equal(out->out.encr.bytes, in.out.encr.bytes, 36);
	assert_true(out->encap);
	assert_false(out->esn);
	assert_true(ike_ts_list_equal(&out->local_ts, &in.local_ts));
	assert_true(ike_ts_list_equal(&out->remote_ts, &in.remote_ts));
	assert_true(ike_endpoint_equal(&out->path.remote, &in.path.remote));
	assert_only_whole(&w, decode_child, sizeof(*out));
	wr_fini(&w);
	free(out);
}

static void child_with_an_spi_that_is_none(void **st)
{
	struct proc_child in = child(), *out = malloc(sizeof(*out));
	struct wr w = { 0 };

	in.spi_out = 255;
	proc_child_encode(&w, &in);
	assert_false(proc_child_decode(body_of(&w, PROC_CHILD_ADD), out));
	wr_fini(&w);
	free(out);
}

/* One that was taken over could take IPv6 from an interface, or all that is longer. */
static void an_mtu_that_no_device_has(void **st)
{
	static const struct {
		uint32_t mtu;
		bool good;
	} cases[] = { { 0, false }, { 1, false }, { 68, false }, { 576, false }, { 1279, false }, { 1280, true }, { 1446, true },
		      { 65535, true }, { 65536, false }, { 0x80000000, false }, { UINT32_MAX, false } };
	struct proc_mtu out;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct proc_mtu in = { "berlin", cases[i].mtu };
		struct wr w = { 0 };

		proc_mtu_encode(&w, &in);
		assert_int_equal(proc_mtu_decode(body_of(&w, PROC_MTU), &out), cases[i].good);
		wr_fini(&w);
	}
}

/* Each byte set to each of some values: nothing but true or false comes of it,
 * and what is taken stays within its bounds. */
static void no_byte_leads_out_of_bounds(void **st)
{
	static const uint8_t values[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	struct proc_child in = child(), *out = malloc(sizeof(*out));
	struct wr w = { 0 };

	proc_child_encode(&w, &in);
	for (size_t i = 2; i < w.len; i++)
		for (size_t v = 0; v < sizeof(values); v++) {
			uint8_t before = w.data[i];

			w.data[i] = values[v];
			if (proc_child_decode(rd_init(w.data + 2, w.len - 2), out)) {
				assert_true(out->local_ts.n <= IKE_TS_MAX && out->remote_ts.n <= IKE_TS_MAX);
				assert_true(out->in.encr.len <= CRYPTO_KEY_MAX && out->out.integ.len <= CRYPTO_KEY_MAX);
				assert_true(out->path.local.addr.family < IP_FAMILIES);
				assert_non_null(memchr(out->tunnel, '\0', sizeof(out->tunnel)));
			}
			w.data[i] = before;
		}
	wr_fini(&w);
	free(out);
}

static void sign_points_into_the_message(void **st)
{
	struct proc_sign in = { .id = 9, .tunnel = "t", .psk = true, .prf = 5, .hashes = 4,
				.octets = { { "one", 3 }, { "", 0 }, { "three", 5 } } };
	struct proc_sign out;
	struct wr w = { 0 };

	proc_sign_encode(&w, &in);
	assert_true(proc_sign_decode(body_of(&w, PROC_SIGN), &out));
	assert_int_equal(out.octets[2].len, 5);
	assert_memory_equal(out.octets[2].data, "three", 5);
	assert_true((const uint8_t *)out.octets[0].data > w.data && (const uint8_t *)out.octets[2].data < w.data + w.len);
	assert_only_whole(&w, decode_sign, sizeof(out));
	wr_fini(&w);
}

static void rows_of_show(void **st)
{
	struct proc_sa in = { .sa = 3, .tunnel = "t", .state = "up", .initiator = true, .path = path(), .suite = "x" };
	struct proc_sa *out = malloc(sizeof(*out));
	struct diag diag;
	struct wr w = { 0 };

	assert_int_equal(ike_identity_parse("fqdn a.example", &in.local_id, &diag), 0);
	proc_sa_encode(&w, &in);
	assert_true(proc_sa_decode(body_of(&w, PROC_SA), out));
	assert_true(ike_identity_equal(&out->local_id, &in.local_id));
	assert_string_equal(out->state, "up");
	assert_only_whole(&w, decode_sa, sizeof(*out));
	wr_fini(&w);
	free(out);
}

static void a_tunnel_and_its_lists(void **st)
{
	struct proc_tunnel *out = mem_alloc(sizeof(*out));
	struct ike_ts_list local = { .n = 1 };
	struct ike_tunnel in;
	struct proc_header header;
	struct wr w = { 0 };
	struct diag diag;
	struct rd rd;

	ike_tunnel_defaults(&in);
	snprintf(in.name, sizeof(in.name), "berlin");
	assert_int_equal(ike_ts_parse("203.0.113.0/24", &local.list[0], &diag), 0);
	in.local_ts = &local;
	proc_tunnel_encode(&w, &in);
	/* no address of this process goes along */
	for (size_t i = 0; i + sizeof(void *) <= w.len; i++)
		assert_true(memcmp(w.data + i, &in.ike, sizeof(void *)) != 0 && memcmp(w.data + i, &in.local_ts, sizeof(void *)) != 0);
	rd = rd_init(w.data, w.len);
	assert_true(proc_header_decode(&rd, &header) && header.type == PROC_TUNNEL);
	assert_true(proc_tunnel_decode(rd, out));
	assert_string_equal(out->tunnel.name, "berlin");
	assert_int_equal(out->tunnel.ike->n, in.ike->n);
	assert_memory_equal(out->tunnel.esp, in.esp, ike_proposals_bytes(in.esp));
	assert_true(ike_ts_list_equal(out->tunnel.local_ts, &local));
	assert_int_equal(out->tunnel.remote_ts->n, 0);
	for (size_t len = 2; len < w.len; len++)
		assert_false(proc_tunnel_decode(rd_init(w.data + 2, len - 2), out));
	wr_fini(&w);
	free(out);
}

static void another_version_is_none(void **st)
{
	const uint8_t other[] = { PROC_VERSION + 1, PROC_READY }, unknown[] = { PROC_VERSION, PROC_TYPE_MAX + 1 },
		      zero[] = { PROC_VERSION, 0 };
	struct proc_header header;
	struct rd rd = rd_init(other, sizeof(other));

	assert_false(proc_header_decode(&rd, &header));
	rd = rd_init(unknown, sizeof(unknown));
	assert_false(proc_header_decode(&rd, &header));
	rd = rd_init(zero, sizeof(zero));
	assert_false(proc_header_decode(&rd, &header));
}

/* ---- the channel */

static void pair(struct proc_chan *chan[2])
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	chan[0] = proc_chan_new(fd[0]);
	chan[1] = proc_chan_new(fd[1]);
}

static void descriptors_travel(void **st)
{
	struct proc_socket in = { 3, endpoint("192.0.2.1", 500) }, out;
	struct proc_chan *chan[2];
	struct proc_header header;
	struct wr w = { 0 };
	struct rd body;
	int fds[2], fd;
	char c;

	pair(chan);
	assert_int_equal(pipe(fds), 0);
	proc_socket_encode(&w, PROC_SOCKET, &in);
	proc_chan_send(chan[0], &w, fds[0]);
	assert_int_equal(w.len, 0);
	assert_int_equal(proc_chan_receive(chan[1], &header, &body, &fd), 1);
	assert_int_equal(header.type, PROC_SOCKET);
	assert_true(proc_socket_decode(body, &out));
	assert_int_equal(out.local.port, 500);
	assert_true(fd >= 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(proc_chan_receive(chan[1], &header, &body, &fd), 0);
	close(fds[0]);
	close(fds[1]);
	proc_chan_free(chan[0]);
	assert_int_equal(proc_chan_receive(chan[1], &header, &body, &fd), -1);
	proc_chan_free(chan[1]);
}

static void what_does_not_fit_waits_in_order(void **st)
{
	struct proc_chan *chan[2];
	struct proc_header header;
	struct proc_event event = { .tunnel = "t" };
	struct rd body;
	uint64_t sent = 0, got = 0;
	int fd;

	pair(chan);
	memset(event.text, 'x', sizeof(event.text) - 1);
	while (!proc_chan_wants_write(chan[0]) || sent < 2000) {
		struct wr w = { 0 };

		event.sa = sent++;
		proc_event_encode(&w, &event);
		proc_chan_send(chan[0], &w, -1);
	}
	while (got < sent) {
		if (proc_chan_receive(chan[1], &header, &body, &fd) == 0) {
			proc_chan_flush(chan[0]);
			continue;
		}
		assert_true(proc_event_decode(body, &event));
		assert_int_equal(event.sa, got);
		got++;
	}
	assert_false(proc_chan_wants_write(chan[0]));
	proc_chan_free(chan[0]);
	proc_chan_free(chan[1]);
}

/* Session keys do not stay in the buffer of who has taken them. */
static void a_message_is_wiped_when_the_next_is_asked_for(void **st)
{
	struct proc_child in = child();
	struct proc_header header;
	struct proc_chan *chan[2];
	struct rd body, nothing;
	struct wr w = { 0 };
	int fd;

	pair(chan);
	proc_child_encode(&w, &in);
	proc_chan_send(chan[0], &w, -1);
	assert_int_equal(proc_chan_receive(chan[1], &header, &body, &fd), 1);
	assert_non_null(memmem(body.p, rd_left(&body), "0123456789abcdef", 16));
	assert_int_equal(proc_chan_receive(chan[1], &header, &nothing, &fd), 0);
	assert_null(memmem(body.p, rd_left(&body), "0123456789abcdef", 16));
	proc_chan_free(chan[0]);
	proc_chan_free(chan[1]);
}

/* 200 MB that nobody reads: the channel stays, and what is sent comes. */
static void what_is_offered_never_waits(void **st)
{
	static const uint8_t data[60000];
	const struct proc_packet packet = { .data = { data, sizeof(data) } };
	struct proc_chan *chan[2];
	struct proc_header header;
	struct proc_spi spi = { 0x1000 };
	unsigned taken = 0, got = 0;
	struct wr w = { 0 };
	struct rd body;
	int fd;

	pair(chan);
	for (unsigned i = 0; i < 3500; i++) {
		proc_packet_encode(&w, &packet);
		taken += proc_chan_offer(chan[0], &w);
	}
	assert_true(taken > 0 && taken < 3500);
	assert_false(proc_chan_is_broken(chan[0]));
	assert_false(proc_chan_wants_write(chan[0]));
	proc_spi_encode(&w, PROC_EXPIRING, &spi);
	proc_chan_send(chan[0], &w, -1);
	while (proc_chan_receive(chan[1], &header, &body, &fd) == 1 && header.type == PROC_PACKET)
		got++;
	assert_int_equal(got, taken);
	if (header.type == PROC_PACKET) { /* that one had to wait */
		proc_chan_flush(chan[0]);
		assert_int_equal(proc_chan_receive(chan[1], &header, &body, &fd), 1);
	}
	assert_int_equal(header.type, PROC_EXPIRING);
	proc_chan_free(chan[0]);
	proc_chan_free(chan[1]);
}

static void nonsense_breaks_the_channel(void **st)
{
	struct proc_chan *chan;
	struct proc_header header;
	struct rd body;
	int fds[2], fd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	chan = proc_chan_new(fds[0]);
	assert_int_equal(send(fds[1], "\xff\xff\xff", 3, 0), 3);
	assert_int_equal(proc_chan_receive(chan, &header, &body, &fd), -1);
	assert_true(proc_chan_is_broken(chan));
	proc_chan_free(chan);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_there_and_back),
		cmocka_unit_test(child_with_an_spi_that_is_none),
		cmocka_unit_test(an_mtu_that_no_device_has),
		cmocka_unit_test(no_byte_leads_out_of_bounds),
		cmocka_unit_test(sign_points_into_the_message),
		cmocka_unit_test(rows_of_show),
		cmocka_unit_test(a_tunnel_and_its_lists),
		cmocka_unit_test(another_version_is_none),
		cmocka_unit_test(descriptors_travel),
		cmocka_unit_test(what_does_not_fit_waits_in_order),
		cmocka_unit_test(a_message_is_wiped_when_the_next_is_asked_for),
		cmocka_unit_test(what_is_offered_never_waits),
		cmocka_unit_test(nonsense_breaks_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
