/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crypto_tool - ipsec/crypto.h and ike/keys.h on lines of hex, for published
 * vectors. One line in, one line out: hex, or "FAIL". "-" is an empty string.
 *
 *   hash HASH DATA
 *   prf PRF KEY DATA                prfplus PRF KEY DATA BYTES
 *   seal ENCR BITS INTEG EKEY IKEY AAD COUNTER TEXT        -> IV TEXT ICV
 *   open ENCR BITS INTEG EKEY IKEY AAD IV TEXT ICV         -> TEXT
 *   dh GROUP PRIVATE PEER                                  -> the secret
 *   pair GROUP                                             -> two fresh ends agree: the secret
 *   ikekeys ENCR BITS INTEG PRF OLD_D SHARED NI NR SPII SPIR -> all SK_ in order
 *   childkeys ENCR BITS INTEG PRF D SHARED NI NR           -> KEYMAT in order
 *   sk ENCR BITS INTEG EKEY IKEY MESSAGE                   -> TYPE=BODY ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/crypto_impl.h"
#include "ipsec/ike/keys.h"
#include "ipsec/ike/message.h"
#include "lib/mem.h"

#define ARGS_MAX 12

struct arg {
	uint8_t *data;
	size_t len;
	unsigned long number;
};

static struct arg args[ARGS_MAX];

static void arg_read(struct arg *arg, const char *text)
{
	size_t n = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;

	/* exactly as long as the bytes, so that a sanitizer sees a read past them */
	arg->data = mem_alloc(n ? n : 1);
	arg->len = n;
	arg->number = strtoul(text, NULL, 10);
	for (size_t i = 0; i < n; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };

		arg->data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

static void hex(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
}

static int done(int ret, const uint8_t *data, size_t len)
{
	if (ret == 0)
		hex(data, len);
	return ret;
}

static struct crypto_part part(const struct arg *arg)
{
	return (struct crypto_part){ arg->data, arg->len };
}

static struct ike_bytes bytes(const struct arg *arg)
{
	return (struct ike_bytes){ arg->data, arg->len };
}

static struct crypto_suite suite(const struct arg *a)
{
	return (struct crypto_suite){ (uint16_t)a[0].number, (uint16_t)a[1].number, (uint16_t)a[2].number };
}

static struct crypto_cipher *cipher(const struct arg *a, bool encrypt)
{
	struct crypto_suite s = suite(a);

	return crypto_cipher_new(&s, encrypt, a[3].data, a[3].len, a[4].data, a[4].len);
}

static int do_hash(const struct arg *a)
{
	struct crypto_part p = part(&a[1]);
	uint8_t out[CRYPTO_HASH_MAX];

	return done(crypto_hash((enum crypto_hash)a[0].number, &p, 1, out), out,
		    crypto_hash_size((enum crypto_hash)a[0].number));
}

static int do_prf(const struct arg *a)
{
	struct crypto_part p = part(&a[2]);
	uint8_t out[CRYPTO_PRF_MAX];

	return done(crypto_prf((uint16_t)a[0].number, a[1].data, a[1].len, &p, 1, out), out,
		    crypto_prf_size((uint16_t)a[0].number));
}

static int do_prfplus(const struct arg *a)
{
	struct crypto_part p = part(&a[2]);
	uint8_t *out = mem_alloc(a[3].number + 1);
	int ret = done(crypto_prf_plus((uint16_t)a[0].number, a[1].data, a[1].len, &p, 1, out, a[3].number), out,
		       a[3].number);

	free(out);
	return ret;
}

static int do_seal(const struct arg *a)
{
	struct crypto_cipher *c = cipher(a, true);
	uint8_t buf[4096];
	int ret;

	if (!c || a[7].len > 2048)
		return -1;
	const struct crypto_shape *s = crypto_cipher_shape(c);
	uint8_t *text = buf + s->iv;

	memcpy(text, a[7].data, a[7].len);
	ret = crypto_seal(c, a[6].number, a[5].data, a[5].len, NULL, buf, text, a[7].len, text + a[7].len);
	if (ret == 0) {
		hex(buf, s->iv);
		printf(" ");
		hex(text, a[7].len);
		printf("%s ", a[7].len ? "" : "-");
		hex(text + a[7].len, s->icv);
	}
	crypto_cipher_free(c);
	return ret;
}

static int do_open(const struct arg *a)
{
	struct crypto_cipher *c = cipher(a, false);
	size_t len = a[6].len + a[7].len + a[8].len;
	uint8_t *buf = mem_alloc(len + 1);
	int ret = -1;

	memcpy(buf, a[6].data, a[6].len);
	memcpy(buf + a[6].len, a[7].data, a[7].len);
	memcpy(buf + a[6].len + a[7].len, a[8].data, a[8].len);
	if (c && crypto_cipher_shape(c)->iv == a[6].len && crypto_cipher_shape(c)->icv == a[8].len)
		ret = done(crypto_open(c, a[5].data, a[5].len, NULL, buf, buf + a[6].len, a[7].len,
				       buf + a[6].len + a[7].len),
			   buf + a[6].len, a[7].len);
	crypto_cipher_free(c);
	free(buf);
	return ret;
}

static int do_dh(const struct arg *a)
{
	struct crypto_dh *dh = crypto_impl_dh_known((uint16_t)a[0].number, a[1].data, a[1].len);
	struct crypto_secret secret;
	int ret = -1;

	if (dh && (ret = crypto_dh_shared(dh, a[2].data, a[2].len, &secret)) == 0)
		hex(secret.bytes, secret.len);
	crypto_dh_free(dh);
	return ret;
}

static int do_pair(const struct arg *a)
{
	uint16_t group = (uint16_t)a[0].number;
	struct crypto_dh *dh[2] = { crypto_dh_new(group), crypto_dh_new(group) };
	uint8_t public[2][CRYPTO_DH_MAX];
	struct crypto_secret secret[2];
	int ret = -1;

	if (!dh[0] || !dh[1])
		return -1;
	crypto_dh_public(dh[0], public[0]);
	crypto_dh_public(dh[1], public[1]);
	if (crypto_dh_shared(dh[0], public[1], crypto_dh_size(group), &secret[0]) == 0 &&
	    crypto_dh_shared(dh[1], public[0], crypto_dh_size(group), &secret[1]) == 0 &&
	    secret[0].len == secret[1].len && crypto_equal(secret[0].bytes, secret[1].bytes, secret[0].len))
		ret = done(0, secret[0].bytes, secret[0].len);
	crypto_dh_free(dh[0]);
	crypto_dh_free(dh[1]);
	return ret;
}

static int do_ikekeys(const struct arg *a)
{
	struct ike_suite s = { .cipher = suite(a), .prf = (uint16_t)a[3].number };
	struct ike_bytes ni = bytes(&a[6]), nr = bytes(&a[7]);
	struct crypto_secret shared;
	struct ike_keys old = { .suite = s }, keys;
	int ret;

	crypto_secret_set(&shared, a[5].data, a[5].len);
	crypto_key_set(&old.d, a[4].data, a[4].len);
	ret = ike_keys_derive(&s, a[4].len ? &old : NULL, &shared, &ni, &nr, a[8].data, a[9].data, &keys);
	if (ret == 0) {
		const struct crypto_key *all[] = { &keys.d,	&keys.ai, &keys.ar, &keys.ei,
						      &keys.er, &keys.pi, &keys.pr };

		for (size_t i = 0; i < 7; i++)
			hex(all[i]->bytes, all[i]->len);
	}
	return ret;
}

static int do_childkeys(const struct arg *a)
{
	struct ike_keys keys = { .suite.prf = (uint16_t)a[3].number };
	struct ike_suite s = { .cipher = suite(a) };
	struct ike_bytes ni = bytes(&a[6]), nr = bytes(&a[7]);
	struct ike_child_keys i_to_r, r_to_i;
	struct crypto_secret shared;
	int ret;

	crypto_key_set(&keys.d, a[4].data, a[4].len);
	crypto_secret_set(&shared, a[5].data, a[5].len);
	ret = ike_keys_child(&keys, &s, a[5].len ? &shared : NULL, &ni, &nr, &i_to_r, &r_to_i);
	if (ret == 0) {
		hex(i_to_r.encr.bytes, i_to_r.encr.len);
		hex(i_to_r.integ.bytes, i_to_r.integ.len);
		hex(r_to_i.encr.bytes, r_to_i.encr.len);
		hex(r_to_i.integ.bytes, r_to_i.integ.len);
	}
	return ret;
}

static int do_sk(const struct arg *a)
{
	struct crypto_cipher *c = cipher(a, false);
	struct ike_payloads payloads;
	uint8_t first, bad;
	struct rd plain;
	int ret = -1;

	if (c && ike_sk_open(c, a[5].data, a[5].len, &first, &plain) == IKE_DECODED &&
	    ike_payloads_decode(first, plain, &payloads, &bad) == IKE_DECODED) {
		for (unsigned i = 0; i < payloads.n; i++) {
			printf("%u=", payloads.list[i].type);
			hex(payloads.list[i].body.p, rd_left(&payloads.list[i].body));
			printf(" ");
		}
		ret = 0;
	}
	crypto_cipher_free(c);
	return ret;
}

static const struct {
	const char *name;
	unsigned n_args;
	int (*run)(const struct arg *a);
} commands[] = {
	{ "hash", 2, do_hash },	      { "prf", 3, do_prf },		 { "prfplus", 4, do_prfplus },
	{ "seal", 8, do_seal },	      { "open", 9, do_open },		 { "dh", 3, do_dh },
	{ "pair", 1, do_pair },	      { "ikekeys", 10, do_ikekeys },	 { "childkeys", 8, do_childkeys },
	{ "sk", 6, do_sk },
};

static void run_line(char *line)
{
	char *save, *name = strtok_r(line, " \n", &save), *word;
	unsigned n = 0;
	int ret = -1;

	while (n < ARGS_MAX && (word = strtok_r(NULL, " \n", &save)) != NULL)
		arg_read(&args[n++], word);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (name && strcmp(name, commands[i].name) == 0 && n == commands[i].n_args)
			ret = commands[i].run(args);
	printf("%s\n", ret == 0 ? "" : "FAIL");
	while (n > 0)
		free(args[--n].data);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0)
		run_line(line);
	free(line);
	return 0;
}
