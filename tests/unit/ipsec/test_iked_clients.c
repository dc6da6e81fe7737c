/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Clients of a tunnel for all comers: what they inherit, and whose addresses are whose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ts.h"
#include "ipsec/iked_clients.h"
#include "lib/mem.h"

static struct iked_config *config;
static struct diag diag;

static void identity(struct ike_identity *id, const char *text)
{
	assert_int_equal(ike_identity_parse(text, id, &diag), 0);
}

static struct iked_tunnel copy_of(const char *name)
{
	const struct iked_tunnel *t = iked_tunnel_find(config, name);

	assert_non_null(t);
	return *t;
}

static int set_up(void **state)
{
	struct iked_link link;
	struct iked_tunnel t;
	struct ike_ts_list ts = { .n = 1 };

	(void)state;
	config = mem_alloc(sizeof(*config));
	assert_non_null(iked_link_get(config, "wan", &diag));
	link = *iked_link_find(config, "wan");
	snprintf(link.device, sizeof(link.device), "eth0");
	assert_int_equal(iked_link_put(config, &link, &diag), 0);
	assert_non_null(iked_tunnel_get(config, "all", &diag));
	t = copy_of("all");
	snprintf(t.link, sizeof(t.link), "wan");
	snprintf(t.device, sizeof(t.device), "shared");
	identity(&t.t.local_id, "fqdn head.example");
	identity(&t.t.remote_id, "any");
	t.has_remote_id = t.has_local_auth = t.has_remote_auth = true;
	t.t.local_auth = t.t.remote_auth = IKE_KIND_PSK;
	snprintf(t.psk, sizeof(t.psk), "all.psk");
	assert_int_equal(ike_ts_parse("0.0.0.0/0", &ts.list[0], &diag), 0);
	t.t.local_ts = &ts;
	assert_int_equal(iked_tunnel_put(config, &t, &diag), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	iked_config_free(config);
	free(config);
	assert_int_equal(ike_tunnel_lists(), 0);
	return 0;
}

/* device: NULL as it is */
static int put(const char *name, const char *id, const char *device, const char *prefixes)
{
	struct ike_ts_list list = { .n = 0 };
	struct iked_tunnel copy;
	char words[256], *save = NULL;

	if (!iked_client_get(config, "all", name, &diag))
		return -1;
	copy = copy_of(name);
	if (id) {
		identity(&copy.t.remote_id, id);
		copy.has_remote_id = true;
	}
	if (device) {
		memset(copy.own_device, 0, sizeof(copy.own_device));
		snprintf(copy.own_device, sizeof(copy.own_device), "%s", device);
	}
	snprintf(words, sizeof(words), "%s", prefixes);
	for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
		assert_int_equal(ike_ts_parse(word, &list.list[list.n++], &diag), 0);
	copy.t.remote_ts = &list;
	return iked_client_put(config, &copy, &diag);
}

static void refused(int rc, const char *why)
{
	assert_int_equal(rc, -1);
	if (!strstr(diag.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, diag.text);
}

/* ---- */

static void a_client_has_all_but_its_record_from_its_tunnel(void **state)
{
	struct ike_tunnel out;
	struct iked_tunnel t;
	char device[IKED_IFNAME];

	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	t = copy_of("a");
	assert_string_equal(iked_tunnel_device(&t, device), "shared");
	assert_string_equal(t.psk, "all.psk");
	assert_string_equal(ike_tunnel_keys(&t.t), "all");
	assert_null(iked_tunnel_missing(config, &t));
	iked_tunnel_resolve(config, &t, &out);
	assert_false(out.only_keys);
	assert_int_equal(out.link, 1);
	/* and follows its changes */
	t = copy_of("all");
	t.t.liveness_s = 77;
	snprintf(t.device, sizeof(t.device), "other");
	assert_int_equal(iked_tunnel_put(config, &t, &diag), 0);
	t = copy_of("a");
	assert_int_equal(t.t.liveness_s, 77);
	assert_string_equal(t.device, "other");
	assert_int_equal(t.t.remote_ts->n, 1);
}

static void a_tunnel_that_has_only_clients_is_a_frame(void **state)
{
	struct iked_tunnel t = copy_of("all");
	struct ike_tunnel out;

	(void)state;
	assert_string_equal(iked_tunnel_missing(config, &t), "selector remote PREFIX");
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	t = copy_of("all");
	assert_true(iked_tunnel_is_frame(&t));
	assert_null(iked_tunnel_missing(config, &t));
	iked_tunnel_resolve(config, &t, &out);
	assert_true(out.only_keys);
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	t = copy_of("all");
	assert_false(iked_tunnel_is_frame(&t));
}

/* What an identity is worth where anybody may come. */
static void a_certificate_says_who_one_is(void **state)
{
	static const enum ike_auth_kind kinds[] = { IKE_KIND_PSK, IKE_KIND_CERT, IKE_KIND_RAW };
	struct iked_tunnel t = copy_of("all");
	struct ike_tunnel out;

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		t.t.remote_auth = kinds[i];
		iked_tunnel_resolve(config, &t, &out);
		assert_int_equal(out.shared_identity, kinds[i] != IKE_KIND_CERT);
		t.t.shared_identity = true;
		iked_tunnel_resolve(config, &t, &out);
		assert_true(out.shared_identity);
		t.t.shared_identity = false;
	}
	identity(&t.t.remote_id, "fqdn a.example");
	iked_tunnel_resolve(config, &t, &out);
	assert_false(out.shared_identity);
}

static void a_shared_interface_is_in_user_space(void **state)
{
	struct iked_tunnel t;

	(void)state;
	config->kernel_works = true;
	assert_true(iked_link_is_kernel(config, "wan"));
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	assert_false(iked_link_is_kernel(config, "wan"));
	t = copy_of("all");
	t.datapath = IKED_DATAPATH_KERNEL;
	assert_int_equal(iked_tunnel_put(config, &t, &diag), 0);
	t = copy_of("a");
	assert_non_null(strstr(iked_tunnel_missing(config, &t), "client NAME device IFNAME"));
	assert_int_equal(put("a", NULL, "own", "192.0.2.0/25"), 0);
	t = copy_of("a");
	assert_null(iked_tunnel_missing(config, &t));
	assert_true(iked_link_is_kernel(config, "wan"));
}

static void a_key_of_its_own_makes_its_keys_its_own(void **state)
{
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	t = copy_of("a");
	snprintf(t.own_psk, sizeof(t.own_psk), "a.psk");
	assert_int_equal(iked_client_put(config, &t, &diag), 0);
	t = copy_of("a");
	assert_string_equal(t.psk, "a.psk");
	assert_string_equal(ike_tunnel_keys(&t.t), "a");
}

static void addresses_of_another_on_the_same_interface_are_refused(void **state)
{
	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25 10.1.0.0/16 10.1.2.0/24"), 0);
	assert_int_equal(put("b", "fqdn b.example", NULL, "192.0.2.128/25"), 0);
	refused(put("c", "fqdn c.example", NULL, "192.0.2.64/26"), "client a has 192.0.2.0/25 already on interface shared");
	refused(put("c", NULL, NULL, "192.0.2.0/24"), "already on interface shared");
	refused(put("c", NULL, NULL, "10.0.0.0/8"), "client a has 10.1.0.0/16");
	refused(put("b", NULL, NULL, "192.0.2.128/25 10.1.2.3/32"), "client a has");
	/* what was refused has changed nothing */
	assert_int_equal(copy_of("b").t.remote_ts->n, 1);
	refused(put("c", "fqdn c.example", NULL, "192.0.2.128/32"), "client b has");
	assert_int_equal(put("a", NULL, NULL, "192.0.2.0/25"), 0);
	assert_int_equal(put("c", "fqdn c.example", NULL, "10.0.0.0/8"), 0);
}

static void an_interface_of_its_own_keeps_equal_addresses_apart(void **state)
{
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(put("north", "fqdn n.example", "north", "192.168.1.0/24"), 0);
	assert_int_equal(put("south", "fqdn s.example", "south", "192.168.1.0/24"), 0);
	refused(put("third", "fqdn t.example", "south", "192.168.1.0/25"), "client south has");
	assert_int_equal(put("third", "fqdn t.example", "", "192.168.1.0/25"), 0);
	/* the tunnel's interface cannot become one of theirs */
	t = copy_of("all");
	snprintf(t.device, sizeof(t.device), "north");
	refused(iked_tunnel_put(config, &t, &diag), "on interface north");
	assert_string_equal(copy_of("all").device, "shared");
	assert_string_equal(copy_of("third").device, "shared");
	assert_int_equal(put("third", NULL, NULL, "192.168.1.0/25 192.168.1.0/24 198.51.100.0/24"), 0);
}

static int give(const char *name, const char *id, const char *address)
{
	struct iked_tunnel copy;

	if (put(name, id, NULL, "") != 0)
		return -1;
	copy = copy_of(name);
	assert_int_equal(ip_prefix_parse(address, &copy.t.pool), 0);
	return iked_client_put(config, &copy, &diag);
}

static int give_others(const char *pool)
{
	struct iked_tunnel t = copy_of("all");

	memset(&t.t.pool, 0, sizeof(t.t.pool));
	if (pool)
		assert_int_equal(ip_prefix_parse(pool, &t.t.pool), 0);
	return iked_tunnel_put(config, &t, &diag);
}

static void an_address_is_one_clients(void **state)
{
	struct ike_tunnel out;
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(give("a", "fqdn a.example", "10.9.0.1/32"), 0);
	refused(give("b", "fqdn b.example", "10.9.0.1/32"), "client a has 10.9.0.1/32 already on interface shared");
	refused(put("b", NULL, NULL, "10.9.0.0/24"), "client a has 10.9.0.1/32");
	assert_int_equal(give("b", "fqdn b.example", "10.9.0.2/32"), 0);
	t = copy_of("a");
	assert_null(iked_tunnel_missing(config, &t));
	iked_tunnel_resolve(config, &t, &out);
	assert_int_equal(out.remote_ts->n, 1);
	assert_true(ike_tunnel_gives_one(&out));
	/* beside its prefixes, or in one of them */
	assert_int_equal(put("a", NULL, NULL, "192.0.2.0/25"), 0);
	t = copy_of("a");
	iked_tunnel_resolve(config, &t, &out);
	assert_int_equal(out.remote_ts->n, 2);
	assert_int_equal(put("a", NULL, NULL, "10.9.0.0/31"), 0);
	t = copy_of("a");
	iked_tunnel_resolve(config, &t, &out);
	assert_int_equal(out.remote_ts->n, 1);
	/* a tunnel that asks for an address itself gives none */
	t = copy_of("all");
	t.t.request_address = true;
	refused(iked_tunnel_put(config, &t, &diag), "client a");
}

static void the_pool_of_others_has_no_clients_address(void **state)
{
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(give_others("10.9.0.0/24"), 0);
	refused(give("a", "fqdn a.example", "10.9.0.5/32"), "client a are in the pool or the remote selectors of tunnel all");
	refused(put("a", "fqdn a.example", NULL, "10.9.0.0/16"), "client a are in the pool or the remote selectors of tunnel all");
	assert_int_equal(give("a", "fqdn a.example", "10.9.1.5/32"), 0);
	refused(give_others("10.9.0.0/23"), "client a are in the pool or the remote selectors of tunnel all");
	assert_int_equal(copy_of("all").t.pool.len, 24);
	/* with an interface of its own it may */
	assert_int_equal(put("a", NULL, "own", ""), 0);
	t = copy_of("a");
	assert_int_equal(ip_prefix_parse("10.9.0.5/32", &t.t.pool), 0);
	assert_int_equal(iked_client_put(config, &t, &diag), 0);
	assert_int_equal(give_others(NULL), 0);
	assert_int_equal(put("a", NULL, "", ""), 0);
	assert_int_equal(give_others("10.9.2.0/24"), 0);
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	assert_int_equal(config->n_claims, 0);
}

static int select_others(const char *prefix)
{
	struct iked_tunnel t = copy_of("all");
	struct ike_ts_list list = { .n = prefix != NULL };

	if (prefix)
		assert_int_equal(ike_ts_parse(prefix, &list.list[0], &diag), 0);
	t.t.remote_ts = &list;
	return iked_tunnel_put(config, &t, &diag);
}

/* Anybody could ask for part of it, and the longest prefix gets the packets. */
static void what_others_may_ask_for_is_no_clients(void **state)
{
	const char *why = "client a are in the pool or the remote selectors of tunnel all";

	(void)state;
	assert_int_equal(select_others("192.0.2.0/24"), 0);
	refused(put("a", "fqdn a.example", NULL, "192.0.2.128/25"), why);
	assert_int_equal(put("a", "fqdn a.example", NULL, "198.51.100.0/24"), 0);
	refused(select_others("0.0.0.0/0"), why);
	assert_int_equal(copy_of("all").t.remote_ts->list[0].first.v, copy_of("all").t.remote_ts->list[0].last.v - 255);
	assert_int_equal(put("a", NULL, "own", "192.0.2.128/25"), 0);
	refused(put("a", NULL, "", "192.0.2.128/25"), why);
	assert_int_equal(select_others(NULL), 0);
	assert_int_equal(put("a", NULL, "", "192.0.2.128/25"), 0);
	assert_int_equal(select_others("192.0.2.0/25"), 0);
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	assert_int_equal(config->n_claims, 0);
}

/* ---- a tunnel without clients, on their interface */

static int put_plain(const char *name, const char *device, const char *selector)
{
	struct ike_ts_list list = { .n = selector != NULL };
	struct iked_tunnel t;

	assert_non_null(iked_tunnel_get(config, name, &diag));
	t = copy_of(name);
	memset(t.device, 0, sizeof(t.device));
	snprintf(t.device, sizeof(t.device), "%s", device);
	if (selector)
		assert_int_equal(ike_ts_parse(selector, &list.list[0], &diag), 0);
	t.t.remote_ts = &list;
	return iked_tunnel_put(config, &t, &diag);
}

static void a_plain_tunnel_has_nothing_of_clients_on_their_interface(void **state)
{
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	refused(put_plain("plain", "shared", "192.0.2.64/26"), "client a has 192.0.2.0/25 on interface shared");
	refused(put_plain("plain", "shared", "0.0.0.0/0"), "give tunnel plain an interface of its own: \"device IFNAME\"");
	assert_int_equal(copy_of("plain").t.remote_ts->n, 0);
	assert_int_equal(put_plain("plain", "shared", "192.0.2.128/25"), 0);
	refused(put("a", NULL, NULL, "192.0.2.0/24"), "tunnel plain has 192.0.2.128/25 on interface shared");
	assert_int_equal(copy_of("a").t.remote_ts->list[0].last.v & 0xff, 127);
	/* an interface that is named as the tunnel is */
	refused(put_plain("shared", "", "192.0.2.0/25"), "client a has 192.0.2.0/25");
	assert_int_equal(put_plain("shared", "elsewhere", "192.0.2.0/25"), 0);
	refused(put_plain("shared", "shared", "192.0.2.0/25"), "client a has 192.0.2.0/25");
	/* and a pool of its own */
	t = copy_of("plain");
	assert_int_equal(ip_prefix_parse("192.0.2.32/28", &t.t.pool), 0);
	refused(iked_tunnel_put(config, &t, &diag), "client a has 192.0.2.0/25");
	/* it is as it was before with all that was refused */
	assert_int_equal(put("a", NULL, NULL, "192.0.2.0/25"), 0);
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	assert_int_equal(put_plain("plain", "shared", "0.0.0.0/0"), 0);
	/* two of that kind are as they were always: who typed them knows what is routed there */
	assert_int_equal(put_plain("shared", "shared", "0.0.0.0/0"), 0);
}

static void clients_have_nothing_of_a_plain_tunnel_on_their_interface(void **state)
{
	struct iked_tunnel t;

	(void)state;
	assert_int_equal(put_plain("plain", "shared", "192.0.2.0/24"), 0);
	refused(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), "tunnel plain has 192.0.2.0/24 on interface shared");
	refused(give("a", "fqdn a.example", "192.0.2.7/32"), "tunnel plain has 192.0.2.0/24 on interface shared");
	assert_int_equal(put("a", "fqdn a.example", "own", "192.0.2.0/25"), 0);
	refused(put("a", NULL, "", "192.0.2.0/25"), "tunnel plain has 192.0.2.0/24");
	/* the tunnel itself moves to that interface, with all its clients */
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	t = copy_of("all");
	snprintf(t.device, sizeof(t.device), "other");
	assert_int_equal(iked_tunnel_put(config, &t, &diag), 0);
	assert_int_equal(put("a", "fqdn a.example", "", "192.0.2.0/25"), 0);
	snprintf(t.device, sizeof(t.device), "shared");
	refused(iked_tunnel_put(config, &t, &diag), "tunnel plain has 192.0.2.0/24 on interface shared");
	assert_string_equal(copy_of("a").device, "other");
	/* what it has for others, before its first client and after */
	assert_int_equal(iked_tunnel_del(config, "a", &diag), 0);
	assert_int_equal(iked_tunnel_put(config, &t, &diag), 0);
	assert_int_equal(select_others("192.0.2.0/24"), 0);
	refused(put("a", "fqdn a.example", NULL, "198.51.100.0/24"), "tunnel plain has 192.0.2.0/24 on interface shared");
	assert_null(iked_tunnel_find(config, "a"));
	assert_int_equal(select_others(NULL), 0);
	assert_int_equal(put("a", "fqdn a.example", NULL, "198.51.100.0/24"), 0);
	refused(select_others("192.0.2.0/24"), "tunnel plain has 192.0.2.0/24 on interface shared");
	/* the obstacle goes */
	assert_int_equal(iked_tunnel_del(config, "plain", &diag), 0);
	assert_int_equal(select_others("192.0.2.0/24"), 0);
}

static void names_and_identities_are_all_different(void **state)
{
	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	assert_non_null(iked_tunnel_get(config, "plain", &diag));
	refused(put("plain", "fqdn p.example", NULL, ""), "there is a tunnel plain already");
	refused(put("b", "fqdn A.EXAMPLE", NULL, ""), "same pair of identities");
	assert_non_null(iked_tunnel_get(config, "all2", &diag));
	assert_null(iked_client_get(config, "all2", "a", &diag));
	assert_non_null(strstr(diag.text, "tunnel all has a client a already"));
	/* a VTY is in its node since before it was one */
	assert_null(iked_client_get(config, "a", "x", &diag));
	assert_non_null(strstr(diag.text, "a is a client of tunnel all"));
	assert_null(iked_tunnel_find(config, "x"));
	assert_null(iked_client_get(config, "none", "x", &diag));
	assert_null(iked_client_find(config, "all2", "a"));
}

static void the_end_of_a_tunnel_is_that_of_its_clients(void **state)
{
	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25"), 0);
	assert_int_equal(put("b", "fqdn b.example", NULL, "192.0.2.128/25"), 0);
	assert_int_equal(iked_tunnel_del(config, "all", &diag), 0);
	assert_null(iked_tunnel_find(config, "a"));
	assert_null(iked_tunnel_find(config, "b"));
	assert_int_equal(config->n_claims, 0);
	assert_null(config->tunnels);
}

static void digest_of(const char *name, uint8_t out[DIGEST_SIZE])
{
	const struct iked_tunnel t = copy_of(name);

	iked_tunnel_digest(config, &t, out);
}

/* What has the same digest is not told again. */
static void a_record_that_changes_has_another_digest(void **state)
{
	uint8_t was[DIGEST_SIZE], is[DIGEST_SIZE];

	(void)state;
	assert_int_equal(put("a", "fqdn a.example", NULL, "192.0.2.0/25 198.51.100.0/24"), 0);
	digest_of("a", was);
	digest_of("a", is);
	assert_memory_equal(was, is, sizeof(is));
	assert_int_equal(put("a", NULL, NULL, "192.0.2.0/25"), 0);
	digest_of("a", is);
	assert_memory_not_equal(was, is, sizeof(is));
	assert_int_equal(put("a", NULL, NULL, "192.0.2.0/25 198.51.100.0/24"), 0);
	digest_of("a", is);
	assert_memory_equal(was, is, sizeof(is));
}

/* Nor what lies where the one before lay, as two lines within a moment may leave it. */
static void so_do_selectors_in_the_place_of_others(void **state)
{
	uint8_t was[DIGEST_SIZE], is[DIGEST_SIZE];
	struct iked_tunnel t = copy_of("all");
	struct ike_ts_list list = { .n = 1 };

	(void)state;
	t.t.remote_ts = &list;
	assert_int_equal(ike_ts_parse("10.1.0.0/16", &list.list[0], &diag), 0);
	iked_tunnel_digest(config, &t, was);
	assert_int_equal(ike_ts_parse("10.2.0.0/16", &list.list[0], &diag), 0);
	iked_tunnel_digest(config, &t, is);
	assert_memory_not_equal(was, is, sizeof(is));
}

/* Against brute force: who has which addresses after many changes. */
static void whose_they_are_stays_true(void **state)
{
	enum { NAMES = 12, BLOCKS = 16, ROUNDS = 4000 };
	int owner[2][BLOCKS];
	unsigned seed = 4711;

	(void)state;
	memset(owner, -1, sizeof(owner));
	for (int round = 0; round < ROUNDS; round++) {
		unsigned r = (unsigned)rand_r(&seed);
		int who = (int)(r % NAMES), first = (int)(r / 16 % BLOCKS), n = 1 << (r / 256 % 3), dev = (int)(r / 1024 % 2);
		char name[16], id[32], prefix[32];
		bool free_ = true;
		int rc;

		first -= first % n;
		for (int b = first; b < first + n; b++)
			free_ = free_ && (owner[dev][b] == -1 || owner[dev][b] == who);
		snprintf(name, sizeof(name), "c%d", who);
		snprintf(id, sizeof(id), "fqdn c%d.example", who);
		snprintf(prefix, sizeof(prefix), "10.0.%d.0/%d", first, n == 1 ? 24 : n == 2 ? 23 : 22);
		if (r / 4096 % 5 == 0) {
			rc = iked_tunnel_find(config, name) ? iked_tunnel_del(config, name, &diag) : 0;
			assert_int_equal(rc, 0);
			n = 0;
			free_ = true;
		} else {
			rc = put(name, id, dev ? "second" : "", prefix);
			assert_int_equal(rc == 0, free_);
		}
		if (!free_)
			continue;
		for (int d = 0; d < 2; d++)
			for (int b = 0; b < BLOCKS; b++)
				if (owner[d][b] == who)
					owner[d][b] = -1;
		for (int b = first; b < first + n; b++)
			owner[dev][b] = who;
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_client_has_all_but_its_record_from_its_tunnel),
		T(a_tunnel_that_has_only_clients_is_a_frame),
		T(a_certificate_says_who_one_is),
		T(a_shared_interface_is_in_user_space),
		T(a_key_of_its_own_makes_its_keys_its_own),
		T(addresses_of_another_on_the_same_interface_are_refused),
		T(an_interface_of_its_own_keeps_equal_addresses_apart),
		T(an_address_is_one_clients),
		T(the_pool_of_others_has_no_clients_address),
		T(what_others_may_ask_for_is_no_clients),
		T(a_plain_tunnel_has_nothing_of_clients_on_their_interface),
		T(clients_have_nothing_of_a_plain_tunnel_on_their_interface),
		T(names_and_identities_are_all_different),
		T(the_end_of_a_tunnel_is_that_of_its_clients),
		T(a_record_that_changes_has_another_digest),
		T(so_do_selectors_in_the_place_of_others),
		T(whose_they_are_stays_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
