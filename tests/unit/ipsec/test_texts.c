/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an operator writes of identities, selectors and proposals: read, printed, and read
 * again it is the same; what is none is told with what to write instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/identity.h"
#include "ipsec/ike/proposal.h"
#include "ipsec/ike/ts.h"
#include "ipsec/ike/tunnel.h"

static struct diag diag;

static void identities(void **state)
{
	static const char *const good[] = { "any", "fqdn a.example", "email a@b.example", "key-id berlin", "key-id 0x00ff",
					    "dn C=DE,O=Example,CN=a", "address 192.0.2.1", "address 2001:db8::1" };
	static const struct {
		const char *text, *remedy;
	} bad[] = {
		{ "fqdn", "fqdn berlin.example" },   { "fqdn a b", "fqdn berlin.example" },
		{ "email a", "email user@" },	     { "key-id 0xz", "key-id 0x0a1b" },
		{ "dn berlin", "dn C=DE,O=Example" }, { "address 1.2.3", "address 192.0.2.1" },
		{ "name a", "write fqdn NAME" },
	};
	char text[IKE_IDENTITY_TEXT];
	struct ike_identity id;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ike_identity_parse(good[i], &id, &diag), 0);
		assert_string_equal(ike_identity_format(&id, text), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ike_identity_parse(bad[i].text, &id, &diag), -1);
		assert_non_null(strstr(diag.text, bad[i].remedy));
	}
}

static void selectors(void **state)
{
	static const char *const good[] = { "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "192.0.2.1/32 proto 6 port 80",
					    "192.0.2.0/24 proto 17 port 1000-2000", "192.0.2.0/24 proto 1" };
	static const struct {
		const char *text, *remedy;
	} bad[] = {
		{ "192.0.2.1/24", "write 192.0.2.0/24" }, { "300.0.0.0/8", "such as 192.0.2.0/24" },
		{ "192.0.2.0/24 port 80", "proto tcp" },  { "192.0.2.0/24 proto tcp port 9-8", "FIRST[-LAST]" },
		{ "192.0.2.0/24 proto 256", "NUMBER" },	  { "", "such as" },
	};
	char text[IKE_TS_TEXT];
	struct ike_ts ts;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ike_ts_parse(good[i], &ts, &diag), 0);
		assert_string_equal(ike_ts_format(&ts, text), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ike_ts_parse(bad[i].text, &ts, &diag), -1);
		assert_non_null(strstr(diag.text, bad[i].remedy));
	}
}

static void proposals(void **state)
{
	static const struct {
		const char *text;
		enum ike_protocol protocol;
		const char *same; /* as it is printed, NULL: so */
	} good[] = {
		{ "aes256gcm16-prfsha384-x25519", IKE_PROTO_IKE, NULL },
		{ "aes128gcm16-aes256gcm16-chacha20poly1305-prfsha256-ecp256-modp2048", IKE_PROTO_IKE, NULL },
		{ "aes256-sha256-modp3072", IKE_PROTO_IKE, "aes256-sha256-modp3072-prfsha256" },
		{ "aes256gcm128-prfsha256-curve25519", IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519" },
		{ "aes256gcm16", IKE_PROTO_ESP, NULL },
		{ "aes256gcm16-noesn", IKE_PROTO_ESP, "aes256gcm16" },
		{ "aes256gcm16-esn", IKE_PROTO_ESP, NULL },
		{ "aes256gcm16-esn-noesn", IKE_PROTO_ESP, NULL },
		{ "null-sha256-ecp384", IKE_PROTO_ESP, NULL },
		{ "aes128-sha1-none", IKE_PROTO_ESP, NULL },
	};
	struct ike_proposal p, again;
	char text[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ike_proposal_parse(good[i].text, good[i].protocol, &p, &diag), 0);
		ike_proposal_format(&p, text, sizeof(text));
		assert_string_equal(text, good[i].same ? good[i].same : good[i].text);
		assert_int_equal(ike_proposal_parse(text, good[i].protocol, &again, &diag), 0);
		assert_int_equal(p.n_transforms, again.n_transforms);
		assert_memory_equal(p.transforms, again.transforms, p.n_transforms * sizeof(p.transforms[0]));
	}
}

static void addresses_of_hosts(void **state)
{
	static const char *const good[] = { "192.0.2.1", "10.0.0.1", "127.0.0.1", "169.254.1.1", "2001:db8::1", "fd00::1", "::1" };
	static const char *const bad[] = { "0.0.0.0", "0.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1", "fe80::1" };
	struct ip_addr addr;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ip_addr_parse(good[i], &addr) && ike_addr_is_host(&addr));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(ip_addr_parse(bad[i], &addr) && !ike_addr_is_host(&addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test(selectors),
		cmocka_unit_test(proposals),
		cmocka_unit_test(addresses_of_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
