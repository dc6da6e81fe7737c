/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The signer: which files it takes, and what a hostile ike gets from it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipsec/ike/keys.h"
#include "ipsec/signer.h"

#define NOBODY 65534

static struct signer *signer;
static char dir[] = "/tmp/test_ike_signer.XXXXXX";
static struct diag diag;

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int enter(void **st)
{
	signer = signer_new(geteuid());
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **st)
{
	char command[64];

	signer_free(signer);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int set(const char *file, enum proc_key_kind kind)
{
	struct proc_key key = { .tunnel = "t", .kind = (uint8_t)kind };

	snprintf(key.file, sizeof(key.file), "%s", file);
	return signer_key_set(signer, &key, &diag);
}

static void assert_refused(const char *file, const char *reason)
{
	assert_int_equal(set(file, PROC_KEY_PSK), -1);
	if (!strstr(diag.text, reason))
		fail_msg("\"%s\" says nothing of \"%s\"", diag.text, reason);
}

/* A file that is wrong when it is read again harms nobody who is up. */
static void what_was_right_stays(void **st)
{
	put("again", "secret\n", 0600);
	assert_int_equal(set("again", PROC_KEY_PSK), 0);
	put("again", "secret\n", 0644);
	assert_refused("again", "what it held before stays in use: key file again has mode 0644");
	put("again", "\n", 0600);
	assert_refused("again", "what it held before stays in use");
	assert_int_equal(unlink("again"), 0);
	assert_refused("again", "what it held before stays in use");
	/* another one is another wish */
	assert_refused("missing", "key file missing");
	assert_null(strstr(diag.text, "before"));
	put("again", "new\n", 0600);
	assert_int_equal(set("again", PROC_KEY_PSK), 0);
}

static void files(void **st)
{
	put("good", "secret\n", 0600);
	put("group", "secret\n", 0640);
	put("world", "secret\n", 0604);
	put("empty", "\n", 0600);
	put("odd", "0x123\n", 0600);
	put("nohex", "0x12zz\n", 0600);
	assert_int_equal(symlink("good", "link"), 0);
	assert_int_equal(mkdir("sub", 0700), 0);
	assert_int_equal(set("good", PROC_KEY_PSK), 0);
	assert_refused("group", "mode 0640");
	assert_refused("world", "chmod 600 world");
	assert_refused("empty", "first line");
	assert_refused("odd", "pairs of hex digits");
	assert_refused("nohex", "hex digits only");
	assert_refused("link", "symbolic link");
	assert_refused("sub", "not a plain file");
	assert_refused("../good", "without a directory");
	assert_refused(".hidden", "without a directory");
	assert_refused("missing", "No such file");
	assert_int_equal(set("good", PROC_KEY_PRIVATE), -1);
	if (geteuid() == 0) {
		assert_int_equal(seteuid(NOBODY), 0);
		assert_refused("good", "chown 65534 good");
		assert_int_equal(seteuid(0), 0);
	}
}

/* Octets as IKE_AUTH has them (RFC 7296 2.15). */
struct request {
	uint8_t message[IKE_HEADER_SIZE + 4], nonce[32], mac[32];
	struct proc_sign sign;
};

static struct request *request(void)
{
	static struct request r;

	memset(&r, 0, sizeof(r));
	r.message[17] = IKE_VERSION;
	r.message[18] = IKE_SA_INIT;
	r.message[27] = sizeof(r.message);
	r.sign = (struct proc_sign){ .id = 7, .tunnel = "t", .psk = true, .prf = PRF_HMAC_SHA2_256,
				     .octets = { { r.message, sizeof(r.message) }, { r.nonce, sizeof(r.nonce) },
						 { r.mac, sizeof(r.mac) } } };
	return &r;
}

/* The method; 0: refused. */
static uint8_t answer(const struct proc_sign *sign, struct wr *w)
{
	struct proc_signed out;
	struct proc_header header;
	struct rd rd;

	signer_answer(signer, sign, w);
	rd = rd_init(w->data, w->len);
	assert_true(proc_header_decode(&rd, &header) && header.type == PROC_SIGNED);
	assert_true(proc_signed_decode(rd, &out));
	assert_int_equal(out.id, sign->id);
	return out.method;
}

static void assert_not_signed(const struct proc_sign *sign)
{
	struct wr w = { 0 };

	assert_int_equal(answer(sign, &w), 0);
	wr_fini(&w);
}

static void psk_is_prf_of_prf(void **st)
{
	struct request *r = request();
	struct ike_auth_octets octets;
	struct crypto_secret psk;
	uint8_t mac[CRYPTO_PRF_MAX];
	struct wr w = { 0 };

	put("hex", "0x736563726574\n", 0600); /* "secret" */
	assert_int_equal(set("hex", PROC_KEY_PSK), 0);
	crypto_secret_set(&psk, "secret", 6);
	memcpy(octets.parts, r->sign.octets, sizeof(octets.parts));
	assert_int_equal(ike_auth_psk(PRF_HMAC_SHA2_256, &psk, &octets, mac), 0);
	assert_int_equal(answer(&r->sign, &w), IKE_AUTH_PSK);
	assert_memory_equal(w.data + w.len - 32, mac, 32);
	wr_fini(&w);
}

static void nothing_but_ike_auth_is_signed(void **st)
{
	struct request *r = request();

	put("good", "secret\n", 0600);
	assert_int_equal(set("good", PROC_KEY_PSK), 0);
	r->message[18] = IKE_AUTH;
	assert_not_signed(&r->sign);
	r = request();
	r->message[17] = 0x10;
	assert_not_signed(&r->sign);
	r = request();
	r->message[27]--;
	assert_not_signed(&r->sign);
	for (unsigned part = 0; part < 3; part++) {
		r = request();
		r->sign.octets[part].len = 0;
		assert_not_signed(&r->sign);
		r = request();
		r->sign.octets[part].len--;
		/* a nonce may be shorter */
		if (part != 1)
			assert_not_signed(&r->sign);
	}
	r = request();
	r->sign.prf = 2; /* HMAC-SHA1 */
	assert_not_signed(&r->sign);
	r = request();
	memcpy(r->sign.tunnel, "u", 2);
	assert_not_signed(&r->sign);
	r = request();
	r->sign.psk = false;
	assert_not_signed(&r->sign);
	signer_key_gone(signer, "t");
	assert_not_signed(&request()->sign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(what_was_right_stays),
		cmocka_unit_test(psk_is_prf_of_prf),
		cmocka_unit_test(nothing_but_ike_auth_is_signed),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
