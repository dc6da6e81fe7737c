/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What sav-iked publishes about tunnels: there and back, what is refused, and the
 * reader on a socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "schema/tunnel_update.h"
#include "schema/tunnels.pb-c.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static struct tunnel_update tunnel(void)
{
	struct tunnel_update u = { .type = TUNNEL_UPDATE_TUNNEL };
	struct tunnel_state *t = &u.tunnel;

	strcpy(t->name, "berlin");
	strcpy(t->link, "isp1");
	strcpy(t->interface, "berlin");
	t->up = true;
	t->ifindex = 17;
	t->mtu = 1400;
	t->link_mark = 0x80000001;
	t->local = (struct tunnel_end){ true, addr("192.0.2.1"), 4500 };
	t->remote = (struct tunnel_end){ true, addr("2001:db8::1"), 40000 };
	t->protect = true;
	strcpy(t->client_of, "clients");
	strcpy(t->identity, "fqdn berlin.example");
	t->since_s = 1767225600;
	t->n_local = 1;
	t->local_ts[0] = (struct tunnel_selector){ addr("198.51.100.0"), addr("198.51.100.255"), 6, 80, 90 };
	t->n_remote = 2;
	t->remote_ts[0] = (struct tunnel_selector){ addr("203.0.113.0"), addr("203.0.113.127"), 0, 0, 65535 };
	t->remote_ts[1] = (struct tunnel_selector){ addr("::"), addr("ffff::"), 0, 0, 65535 };
	return u;
}

static void there_and_back(void **st)
{
	struct tunnel_update in = tunnel(), out;
	struct diag diag;
	struct wr w = { 0 };

	tunnel_update_pack(&in, &w);
	assert_int_equal(tunnel_update_unpack(w.data, w.len, &out, &diag), 0);
	assert_int_equal(out.type, TUNNEL_UPDATE_TUNNEL);
	assert_string_equal(out.tunnel.name, "berlin");
	assert_string_equal(out.tunnel.link, "isp1");
	assert_string_equal(out.tunnel.interface, "berlin");
	assert_true(out.tunnel.up && out.tunnel.protect);
	assert_int_equal(out.tunnel.ifindex, 17);
	assert_int_equal(out.tunnel.mtu, 1400);
	assert_int_equal(out.tunnel.link_mark, 0x80000001);
	assert_true(out.tunnel.remote.known && ip_addr_equal(&out.tunnel.remote.addr, &in.tunnel.remote.addr));
	assert_int_equal(out.tunnel.remote.port, 40000);
	assert_string_equal(out.tunnel.client_of, "clients");
	assert_string_equal(out.tunnel.identity, "fqdn berlin.example");
	assert_int_equal(out.tunnel.since_s, 1767225600);
	assert_int_equal(out.tunnel.n_local, 1);
	assert_int_equal(out.tunnel.local_ts[0].protocol, 6);
	assert_int_equal(out.tunnel.local_ts[0].port_last, 90);
	assert_int_equal(out.tunnel.n_remote, 2);
	assert_true(ip_addr_equal(&out.tunnel.remote_ts[1].last, &in.tunnel.remote_ts[1].last));
	wr_fini(&w);
}

static void the_longest_fits(void **st)
{
	struct tunnel_update in = tunnel(), out;
	struct diag diag;
	struct wr w = { 0 };

	in.tunnel.n_local = in.tunnel.n_remote = TUNNEL_SELECTORS_MAX;
	for (size_t i = 0; i < TUNNEL_SELECTORS_MAX; i++)
		in.tunnel.local_ts[i] = in.tunnel.remote_ts[i] =
			(struct tunnel_selector){ addr("2001:db8::"), addr("2001:db8::ffff"), 255, 65535, 65535 };
	memset(in.tunnel.name, 'n', sizeof(in.tunnel.name) - 1);
	memset(in.tunnel.client_of, 'c', sizeof(in.tunnel.client_of) - 1);
	memset(in.tunnel.identity, 'i', sizeof(in.tunnel.identity) - 1);
	tunnel_update_pack(&in, &w);
	assert_int_equal(tunnel_update_unpack(w.data, w.len, &out, &diag), 0);
	assert_int_equal(out.tunnel.n_remote, TUNNEL_SELECTORS_MAX);
	wr_fini(&w);
}

static void gone_and_complete(void **st)
{
	struct tunnel_update in = { .type = TUNNEL_UPDATE_GONE }, out;
	struct diag diag;
	struct wr w = { 0 };

	strcpy(in.tunnel.name, "berlin");
	tunnel_update_pack(&in, &w);
	assert_int_equal(tunnel_update_unpack(w.data, w.len, &out, &diag), 0);
	assert_int_equal(out.type, TUNNEL_UPDATE_GONE);
	assert_string_equal(out.tunnel.name, "berlin");
	wr_fini(&w);
	in.type = TUNNEL_UPDATE_COMPLETE;
	tunnel_update_pack(&in, &w);
	assert_int_equal(tunnel_update_unpack(w.data, w.len, &out, &diag), 0);
	assert_int_equal(out.type, TUNNEL_UPDATE_COMPLETE);
	wr_fini(&w);
}

static void a_newer_sender_s_message_is_unknown(void **st)
{
	static const uint8_t field_15[] = { 0x7a, 0x01, 0x00 };
	struct tunnel_update out;
	struct diag diag;

	assert_int_equal(tunnel_update_unpack(field_15, sizeof(field_15), &out, &diag), 0);
	assert_int_equal(out.type, TUNNEL_UPDATE_UNKNOWN);
}

/* ---- what is refused */

static uint8_t four[4] = { 192, 0, 2, 1 }, less[4] = { 192, 0, 2, 0 }, sixteen[16];

static void refused(Opensav__Tunnel *t, const char *expected)
{
	Opensav__TunnelUpdate u = OPENSAV__TUNNEL_UPDATE__INIT;
	struct tunnel_update out;
	uint8_t buf[2048];
	struct diag diag;
	size_t len;

	u.body_case = OPENSAV__TUNNEL_UPDATE__BODY_TUNNEL;
	u.tunnel = t;
	len = opensav__tunnel_update__pack(&u, buf);
	assert_int_equal(tunnel_update_unpack(buf, len, &out, &diag), -1);
	if (!strstr(diag.text, expected))
		fail_msg("\"%s\" is not in \"%s\"", expected, diag.text);
}

static Opensav__Tunnel good(void)
{
	Opensav__Tunnel t = OPENSAV__TUNNEL__INIT;

	t.name = "t";
	t.state = OPENSAV__TUNNEL_STATE__TUNNEL_DOWN;
	return t;
}

static void bad_fields_are_named(void **st)
{
	Opensav__TunnelSelector ts = OPENSAV__TUNNEL_SELECTOR__INIT, *list[TUNNEL_SELECTORS_MAX + 1];
	Opensav__TunnelEnd end = OPENSAV__TUNNEL_END__INIT;
	Opensav__Tunnel t;

	for (size_t i = 0; i < TUNNEL_SELECTORS_MAX + 1; i++)
		list[i] = &ts;
	t = good(), t.name = "", refused(&t, "name");
	t = good(), t.name = "../x", refused(&t, "name");
	t = good(), t.link = "a b", refused(&t, "link");
	t = good(), t.interface = "a/b", refused(&t, "interface");
	t = good(), t.interface = "longerthanfifteen", refused(&t, "interface");
	t = good(), t.client_of = "a b", refused(&t, "client_of");
	t = good(), t.identity = "fqdn a\x1b[2J", refused(&t, "identity");
	t = good(), t.state = 0, refused(&t, "state");
	t = good(), t.state = 9, refused(&t, "state");
	t = good(), t.remote = &end;
	end.address = (ProtobufCBinaryData){ 3, four };
	refused(&t, "remote: address of 3");
	end.address.len = 4, end.port = 65536;
	refused(&t, "remote: port 65536");
	t = good(), t.n_local_selectors = 1, t.local_selectors = list;
	ts.first = (ProtobufCBinaryData){ 4, four };
	ts.last = (ProtobufCBinaryData){ 4, less };
	refused(&t, "local_selectors: not a range");
	ts.last = (ProtobufCBinaryData){ 16, sixteen };
	refused(&t, "local_selectors: not a range");
	ts.last = ts.first, ts.port_first = 9, ts.port_last = 8;
	refused(&t, "local_selectors: protocol 0, ports 9 to 8");
	ts.port_first = 0, ts.protocol = 256;
	refused(&t, "local_selectors: protocol 256");
	ts.protocol = 0;
	t.n_local_selectors = TUNNEL_SELECTORS_MAX + 1;
	{
		Opensav__TunnelUpdate u = OPENSAV__TUNNEL_UPDATE__INIT;
		struct tunnel_update out;
		uint8_t buf[8192];
		struct diag diag;
		size_t len;

		u.body_case = OPENSAV__TUNNEL_UPDATE__BODY_TUNNEL;
		u.tunnel = &t;
		len = opensav__tunnel_update__pack(&u, buf);
		assert_int_equal(tunnel_update_unpack(buf, len, &out, &diag), -1);
		assert_non_null(strstr(diag.text, "at most 64"));
	}
}

static void no_cut_and_no_byte_leads_out_of_bounds(void **st)
{
	struct tunnel_update in = tunnel(), out;
	struct diag diag;
	struct wr w = { 0 };

	tunnel_update_pack(&in, &w);
	for (size_t len = 0; len < w.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, w.data, len);
		(void)tunnel_update_unpack(copy, len, &out, &diag);
		free(copy);
	}
	for (size_t i = 0; i < w.len; i++)
		for (unsigned int v = 0; v < 256; v += 15) {
			uint8_t before = w.data[i];

			w.data[i] = (uint8_t)v;
			if (tunnel_update_unpack(w.data, w.len, &out, &diag) == 0) {
				assert_true(out.tunnel.n_local <= TUNNEL_SELECTORS_MAX);
				assert_non_null(memchr(out.tunnel.name, '\0', sizeof(out.tunnel.name)));
				assert_non_null(memchr(out.tunnel.interface, '\0', sizeof(out.tunnel.interface)));
			}
			w.data[i] = before;
		}
	wr_fini(&w);
}

/* ---- the reader */

static void a_socket_is_read(void **st)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct tunnel_update in = tunnel(), out;
	struct diag diag;
	struct wr w = { 0 };
	int listener, fd, peer;

	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/test_tunnel_update.%d", (int)getpid());
	assert_int_equal(tunnel_reader_open(a.sun_path, &diag), -1);
	assert_non_null(strstr(diag.text, "does sav-iked run?"));
	listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	fd = tunnel_reader_open(a.sun_path, &diag);
	unlink(a.sun_path);
	assert_true(fd >= 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(tunnel_reader_next(fd, &out, &diag), 0);
	tunnel_update_pack(&in, &w);
	assert_int_equal(send(peer, w.data, w.len, 0), (ssize_t)w.len);
	assert_int_equal(tunnel_reader_next(fd, &out, &diag), 1);
	assert_string_equal(out.tunnel.name, "berlin");
	assert_int_equal(send(peer, "\x0a", 1, 0), 1);
	assert_int_equal(tunnel_reader_next(fd, &out, &diag), -1);
	close(peer);
	assert_int_equal(tunnel_reader_next(fd, &out, &diag), -1);
	assert_non_null(strstr(diag.text, "has ended"));
	close(fd);
	close(listener);
	wr_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(gone_and_complete),
		cmocka_unit_test(a_newer_sender_s_message_is_unknown),
		cmocka_unit_test(bad_fields_are_named),
		cmocka_unit_test(no_cut_and_no_byte_leads_out_of_bounds),
		cmocka_unit_test(a_socket_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
