/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/digest.h"
#include "lib/mem.h"

#define KEY_SIZE   32
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define BYTES_MAX  (NONCE_SIZE + SEAL_SECRET_MAX + TAG_SIZE)

struct seal {
	uint8_t nonce_key[KEY_SIZE], key[KEY_SIZE];
};

/* ---- the key file ---- */

static int key_make(const char *path, uint8_t key[KEY_SIZE], struct diag *diag)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return diag_set(diag, "%s: cannot be made: %s", path, strerror(errno));
	digest_random(key, KEY_SIZE);
	n = write(fd, key, KEY_SIZE);
	if (n != KEY_SIZE || fsync(fd) < 0) {
		close(fd);
		unlink(path);
		return diag_set(diag, "%s: cannot be written: %s", path, strerror(errno));
	}
	close(fd);
	return 0;
}

static int key_read(const char *path, uint8_t key[KEY_SIZE], struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return key_make(path, key, diag);
	if (fd < 0)
		return diag_set(diag, "%s: %s", path, strerror(errno));
	n = read(fd, key, KEY_SIZE);
	close(fd);
	if (n != KEY_SIZE)
		return diag_set(diag,
				"%s: not a key: remove it, and a new one is made; what was "
				"encrypted with it has to be typed again",
				path);
	return 0;
}

struct seal *seal_new(const char *key_path, struct diag *diag)
{
	uint8_t both[KEY_SIZE + 1];
	struct seal *s;

	if (key_read(key_path, both, diag) < 0)
		return NULL;
	s = mem_alloc(sizeof(*s));
	both[KEY_SIZE] = 'n';
	digest_sha256(both, sizeof(both), s->nonce_key);
	both[KEY_SIZE] = 'k';
	digest_sha256(both, sizeof(both), s->key);
	OPENSSL_cleanse(both, sizeof(both));
	return s;
}

void seal_free(struct seal *s)
{
	if (s)
		OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* ---- text ---- */

static void nonce_of(const struct seal *s, const char *secret, uint8_t nonce[NONCE_SIZE])
{
	uint8_t mac[DIGEST_SIZE];

	if (!HMAC(EVP_sha256(), s->nonce_key, KEY_SIZE, (const uint8_t *)secret,
		  strlen(secret), mac, NULL))
		abort();
	memcpy(nonce, mac, NONCE_SIZE);
}

void seal_text(const struct seal *s, const char *secret, char text[SEAL_TEXT_SIZE])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = strlen(secret);
	uint8_t out[BYTES_MAX];
	int n = 0;

	if (len > SEAL_SECRET_MAX)
		len = SEAL_SECRET_MAX;
	nonce_of(s, secret, out);
	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key, out) != 1 ||
	    EVP_EncryptUpdate(ctx, out + NONCE_SIZE, &n, (const uint8_t *)secret, (int)len) !=
		    1 ||
	    EVP_EncryptFinal_ex(ctx, out + NONCE_SIZE + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE,
				out + NONCE_SIZE + len) != 1)
		abort();
	EVP_CIPHER_CTX_free(ctx);
	digest_hex(out, NONCE_SIZE + len + TAG_SIZE, text);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool from_hex(const char *text, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool seal_open(const struct seal *s, const char *text, char *secret, size_t size)
{
	size_t n = strlen(text) / 2, len = n - NONCE_SIZE - TAG_SIZE;
	uint8_t in[BYTES_MAX], out[SEAL_SECRET_MAX + 1];
	EVP_CIPHER_CTX *ctx;
	int got = 0;
	bool ok;

	if (strlen(text) % 2 != 0 || n < NONCE_SIZE + TAG_SIZE || n > sizeof(in) ||
	    len >= size || !from_hex(text, in, n))
		return false;
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, s->key, in) == 1 &&
	     EVP_DecryptUpdate(ctx, out, &got, in + NONCE_SIZE, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, in + NONCE_SIZE + len) ==
		     1 &&
	     EVP_DecryptFinal_ex(ctx, out + len, &got) == 1 && !memchr(out, '\0', len);
	EVP_CIPHER_CTX_free(ctx);
	if (ok) {
		memcpy(secret, out, len);
		secret[len] = '\0';
	}
	OPENSSL_cleanse(out, sizeof(out));
	return ok;
}
