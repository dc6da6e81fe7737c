/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is around the IKE engine while the process esp comes and goes: a child SA
 * that nobody could take gets new keys when somebody can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "tests/unit/ipsec/host_fixture.h"

static struct host *host;
static struct proc_chan *main_chan, *esp; /* the others' ends */
static uint32_t expiring[8];
static unsigned int n_expiring;

/* In the place of the engine's, which has none of these children. */
void __wrap_ike_engine_child_expiring(struct ike_engine *engine, uint32_t spi_in, uint64_t now_ms);
void __wrap_ike_engine_child_expiring(struct ike_engine *engine, uint32_t spi_in, uint64_t now_ms)
{
	assert_true(n_expiring < 8);
	expiring[n_expiring++] = spi_in;
}

static int setup(void **state)
{
	n_expiring = 0;
	host = fixture_host(&main_chan);
	return 0;
}

static int teardown(void **state)
{
	fixture_host_free(host, main_chan);
	proc_chan_free(esp);
	esp = NULL;
	return 0;
}

static void give_esp(void)
{
	struct proc_peer peer = { PROC_ESP };
	struct wr w = { 0 };
	int other;

	proc_chan_free(esp);
	esp = fixture_channel(&other);
	proc_peer_encode(&w, &peer);
	proc_chan_send(main_chan, &w, other);
	close(other);
	assert_true(host_step(host));
}

static uint32_t add_to(uint32_t link, bool inbound_only)
{
	const struct ike_child_keys keys = { .encr = { .len = 20 } };
	const struct ike_ts_list ts = { .n = 0 };
	struct ike_child_sa sa = { .tunnel = "t",
				   .spi_in = host_ops.spi(host),
				   .spi_out = 1000,
				   .in = &keys,
				   .out = &keys,
				   .local_ts = &ts,
				   .remote_ts = &ts,
				   .inbound_only = inbound_only };

	sa.path.link = link;
	sa.path.local.addr.family = sa.path.remote.addr.family = IP_V4;
	assert_int_equal(host_ops.child_add(host, &sa), 0);
	return sa.spi_in;
}

static uint32_t add(bool inbound_only)
{
	return add_to(0, inbound_only);
}

static void done(void)
{
	struct wr w = { 0 };

	proc_plain_encode(&w, PROC_DONE);
	proc_chan_send(main_chan, &w, -1);
	assert_true(host_step(host));
}

/* Takes all that waits; how many were of that type. */
static unsigned int heard(struct proc_chan *chan, enum proc_type type, bool *up)
{
	struct proc_carries *carries = mem_alloc(sizeof(*carries));
	struct proc_header header;
	struct rd body;
	unsigned int n = 0;
	int fd;

	while (proc_chan_receive(chan, &header, &body, &fd) == 1) {
		n += header.type == type;
		if (header.type == PROC_CARRIES) {
			assert_true(proc_carries_decode(body, carries));
			*up = carries->up;
		}
	}
	free(carries);
	return n;
}

static void test_a_child_that_esp_has_is_said_to_carry(void **state)
{
	bool up = false;

	give_esp();
	add(false);
	assert_int_equal(heard(esp, PROC_CHILD_ADD, NULL), 1);
	assert_int_equal(heard(main_chan, PROC_CARRIES, &up), 1);
	assert_true(up);
	assert_int_equal(n_expiring, 0);
}

static void test_a_child_agreed_upon_while_esp_is_away_gets_new_keys(void **state)
{
	uint32_t one = add(false), two = add(true);
	bool up = false;

	/* used, or no more wanted, by the time that esp comes */
	host_ops.child_use(host, two);
	host_ops.child_del(host, add(false));
	heard(main_chan, PROC_CARRIES, &up);
	assert_false(up);
	give_esp();
	assert_int_equal(n_expiring, 2);
	assert_true((expiring[0] == one && expiring[1] == two) || (expiring[0] == two && expiring[1] == one));
	/* those are carried, and old ones that go then are none that were */
	add(false);
	host_ops.child_del(host, one);
	host_ops.child_del(host, two);
	heard(main_chan, PROC_CARRIES, &up);
	assert_true(up);
}

static void test_an_esp_that_ends_is_told_of_and_its_successor_gets_new_keys(void **state)
{
	uint32_t before, between;
	bool up = true;

	give_esp();
	before = add(false);
	proc_chan_free(esp);
	esp = NULL;
	/* not seen yet: the message is lost */
	between = add(false);
	assert_true(host_step(host));
	assert_int_equal(heard(main_chan, PROC_LOST, &up), 0); /* main sees it too */
	assert_false(up);
	give_esp();
	assert_int_equal(n_expiring, 2);
	assert_true((expiring[0] == before && expiring[1] == between) || (expiring[0] == between && expiring[1] == before));
}

static void test_an_esp_that_makes_no_sense_is_ended_by_main(void **state)
{
	struct wr w = { 0 };
	bool up = true;

	give_esp();
	add(false);
	wr_bytes(&w, "\x77\x77\x77", 3);
	proc_chan_send(esp, &w, -1);
	assert_true(host_step(host));
	assert_int_equal(heard(main_chan, PROC_LOST, &up), 1);
	assert_false(up);
	assert_true(proc_chan_has_ended(esp));
}

static void test_a_replaced_child_receives_what_is_still_on_its_way(void **state)
{
	uint32_t old, new;
	bool up = false;

	give_esp();
	old = add(false);
	new = add(true);
	host_ops.child_use(host, new);
	host_ops.child_retire(host, old);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 0);
	host->now_ms += HOST_RETIRED_MS - 1;
	assert_int_equal(host_children_run(host), host->now_ms + 1);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 0);
	host->now_ms++;
	assert_int_equal(host_children_run(host), UINT64_MAX);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 1);
	assert_null(host_child_find(host, old));
	assert_int_equal(heard(main_chan, PROC_CARRIES, &up), 1);
	assert_true(up);
}

static void test_a_tunnel_that_ends_receives_nothing_more(void **state)
{
	uint32_t old, new;
	bool up = true;

	give_esp();
	old = add(false);
	new = add(false);
	host_ops.child_retire(host, old);
	host_ops.child_del(host, new);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 2);
	assert_int_equal(host_children_run(host), UINT64_MAX);
	heard(main_chan, PROC_CARRIES, &up);
	assert_false(up);
}

static void test_a_child_that_is_deleted_sends_no_more_and_receives(void **state)
{
	uint32_t old, new;
	bool up = true;

	give_esp();
	old = add(false);
	new = add(false);
	host_ops.child_unuse(host, new);
	assert_int_equal(heard(esp, PROC_CHILD_UNUSE, NULL), 1);
	host_ops.child_retire(host, new);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 0);
	host->now_ms += HOST_RETIRED_MS;
	host_children_run(host);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 1);
	assert_null(host_child_find(host, new));
	heard(main_chan, PROC_CARRIES, &up);
	assert_true(up);
	host_ops.child_del(host, old);
	heard(main_chan, PROC_CARRIES, &up);
	assert_false(up);
}

static void test_a_child_that_nothing_replaces_goes_at_once(void **state)
{
	unsigned int gone = 0;
	bool up;

	give_esp();
	host_ops.child_retire(host, add(false));
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 1);
	/* nor are there more than some */
	add(false);
	for (unsigned int i = 0; i < HOST_RETIRED_MAX + 2; i++) {
		host_ops.child_retire(host, add(false));
		gone += heard(esp, PROC_CHILD_DEL, NULL);
		heard(main_chan, PROC_CARRIES, &up);
	}
	assert_int_equal(host->n_retired, HOST_RETIRED_MAX);
	assert_int_equal(gone, 2);
}

/* The peer begins anew: its datapath may use the old one until it has the answer. */
static void test_a_child_that_yields_receives_while_the_next_one_is_made(void **state)
{
	uint32_t old, new;
	bool up = false;

	give_esp();
	old = add(false);
	assert_int_equal(heard(main_chan, PROC_CARRIES, &up), 1);
	host_ops.child_yield(host, old);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 0);
	new = add(false);
	host->now_ms += HOST_RETIRED_MS;
	assert_int_equal(host_children_run(host), UINT64_MAX);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 1);
	assert_null(host_child_find(host, old));
	heard(main_chan, PROC_CARRIES, &up);
	assert_true(up);

	/* and none comes */
	host_ops.child_yield(host, new);
	assert_int_equal(heard(main_chan, PROC_CARRIES, &up), 0);
	host->now_ms += HOST_RETIRED_MS;
	assert_int_equal(host_children_run(host), UINT64_MAX);
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 1);
	assert_int_equal(heard(main_chan, PROC_CARRIES, &up), 1);
	assert_false(up);

	/* or it goes before */
	old = add(false);
	host_ops.child_yield(host, old);
	host_ops.child_del(host, add(false));
	assert_int_equal(heard(esp, PROC_CHILD_DEL, NULL), 2);
	heard(main_chan, PROC_CARRIES, &up);
	assert_false(up);
	assert_null(host_child_find(host, old));
}

/* Two sockets that talk to each other; the second is the caller's. */
static int link_of_kernel(struct ike_path *path)
{
	struct proc_socket socket_of = { .link = 7, .local = { .addr = { .v = 0x7f000001, .family = IP_V4 }, .port = 500 },
					 .kernel = true };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int peer = socket(AF_INET, SOCK_DGRAM, 0), own = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(peer >= 0 && own >= 0);
	assert_int_equal(bind(peer, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(peer, (struct sockaddr *)&in, &len), 0);
	host_socket_add(host, &socket_of, own);
	*path = (struct ike_path){ 7, socket_of.local, { socket_of.local.addr, ntohs(in.sin_port) } };
	return peer;
}

static void test_an_answer_waits_until_the_kernel_has_the_child(void **state)
{
	struct ike_path path;
	int peer = link_of_kernel(&path);
	char got[8];
	bool up;

	add_to(7, false);
	host_ops.send(host, &path, (const uint8_t *)"one", 3);
	host_ops.send(host, &path, (const uint8_t *)"two", 3);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(heard(main_chan, PROC_DONE, &up), 1);
	done();
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "two", 3);
	host_ops.send(host, &path, (const uint8_t *)"three", 5);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 5);
	done(); /* one too many does nothing */
	close(peer);
}

/* A delete, say: the peer would keep what is gone here. */
static void test_what_waits_at_the_end_is_sent(void **state)
{
	struct ike_path path;
	int peer = link_of_kernel(&path);
	char got[8];

	add_to(7, true);
	host_ops.send(host, &path, (const uint8_t *)"one", 3);
	host_ops.send(host, &path, (const uint8_t *)"two", 3);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	teardown(state);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "two", 3);
	close(peer);
	setup(state);
}

/* Children come without a break when many clients do: nobody waits for another one's. */
static void test_an_answer_waits_for_its_own_child_and_not_for_later_ones(void **state)
{
	struct ike_path path;
	int peer = link_of_kernel(&path);
	char got[8];

	give_esp();
	add_to(7, false);
	host_ops.send(host, &path, (const uint8_t *)"one", 3);
	add_to(7, false);
	host_ops.send(host, &path, (const uint8_t *)"two", 3);
	add(false); /* esp's: the kernel's answers say nothing of it */
	host_ops.send(host, &path, (const uint8_t *)"three", 5);
	done();
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	done();
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	done();
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	give_esp(); /* a new one knows nothing of it */
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 5);
	close(peer);
}

static void test_a_datapath_that_does_not_answer_stops_nobody(void **state)
{
	struct ike_path path;
	int peer = link_of_kernel(&path);
	char got[8];

	give_esp();
	add(false);
	host_ops.send(host, &path, (const uint8_t *)"one", 3);
	host->now_ms += HOST_HELD_MS - 1;
	assert_int_equal(host_socket_run(host), host->now_ms + 1);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), -1);
	host->now_ms++;
	assert_int_equal(host_socket_run(host), UINT64_MAX);
	assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), 3);
	close(peer);
}

/* Anybody who knows a name can make it say so: the log is not his to fill. */
static void test_what_the_signer_cannot_do_is_told_once_in_a_while(void **state)
{
	const struct proc_signed no = { .id = 1, .data = { (const uint8_t *)"no key", 6 } };
	struct proc_peer peer = { PROC_SIGNER };
	struct proc_chan *signer;
	struct wr w = { 0 };
	bool up;
	int other;

	signer = fixture_channel(&other);
	proc_peer_encode(&w, &peer);
	proc_chan_send(main_chan, &w, other);
	close(other);
	assert_true(host_step(host));
	for (unsigned int i = 0; i < 50; i++) {
		proc_signed_encode(&w, &no);
		proc_chan_send(signer, &w, -1);
	}
	assert_true(host_step(host));
	assert_int_equal(heard(main_chan, PROC_EVENT, &up), 1);
	proc_chan_free(signer);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_child_that_esp_has_is_said_to_carry),
		CASE(test_a_child_agreed_upon_while_esp_is_away_gets_new_keys),
		CASE(test_an_esp_that_ends_is_told_of_and_its_successor_gets_new_keys),
		CASE(test_an_esp_that_makes_no_sense_is_ended_by_main),
		CASE(test_a_replaced_child_receives_what_is_still_on_its_way),
		CASE(test_a_tunnel_that_ends_receives_nothing_more),
		CASE(test_a_child_that_is_deleted_sends_no_more_and_receives),
		CASE(test_a_child_that_nothing_replaces_goes_at_once),
		CASE(test_a_child_that_yields_receives_while_the_next_one_is_made),
		CASE(test_an_answer_waits_until_the_kernel_has_the_child),
		CASE(test_what_waits_at_the_end_is_sent),
		CASE(test_an_answer_waits_for_its_own_child_and_not_for_later_ones),
		CASE(test_a_datapath_that_does_not_answer_stops_nobody),
		CASE(test_what_the_signer_cannot_do_is_told_once_in_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
