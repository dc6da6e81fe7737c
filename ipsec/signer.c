/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/ike/keys.h"
#include "lib/fnv.h"
#include "lib/mem.h"
#include "lib/rd.h"

#define KEY_FILE_MAX 65536
#define BUCKETS 4096

struct entry {
	struct entry *next;
	char tunnel[IKE_TUNNEL_NAME];
	struct crypto_private *key;
	bool has_psk;
	struct crypto_secret psk;
	char key_file[PROC_PATH_MAX], psk_file[PROC_PATH_MAX]; /* where they are from */
};

struct signer {
	uid_t owner;
	struct entry *bucket[BUCKETS];
};

struct signer *signer_new(uid_t owner)
{
	struct signer *signer = mem_alloc(sizeof(*signer));

	signer->owner = owner;
	return signer;
}

static void entry_free(struct entry *e)
{
	crypto_private_free(e->key);
	crypto_secret_wipe(&e->psk);
	free(e);
}

void signer_free(struct signer *signer)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		while (signer->bucket[i]) {
			struct entry *e = signer->bucket[i];

			signer->bucket[i] = e->next;
			entry_free(e);
		}
	free(signer);
}

static struct entry **find(struct signer *signer, const char *tunnel)
{
	struct entry **at = &signer->bucket[fnv_text(tunnel) % BUCKETS];

	while (*at && strcmp((*at)->tunnel, tunnel) != 0)
		at = &(*at)->next;
	return at;
}

/* ---- files */

static int check_file(int fd, const char *name, uid_t owner, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_set(diag, "key file %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_set(diag, "key file %s is not a plain file", name);
	if (st.st_mode & 077)
		return diag_set(diag, "key file %s has mode %04o: others than its owner can read it; chmod 600 %s and, if "
				      "they may have done so, make a new key",
				name, (unsigned)st.st_mode & 07777, name);
	if (st.st_uid != owner && st.st_uid != 0)
		return diag_set(diag, "key file %s belongs to user %u, not to the owner of the directory (%u)", name,
				(unsigned)st.st_uid, (unsigned)owner);
	if (st.st_size > KEY_FILE_MAX)
		return diag_set(diag, "key file %s is longer than %u bytes", name, KEY_FILE_MAX);
	return 0;
}

/* The whole file, at most KEY_FILE_MAX bytes. */
static int read_file(const char *name, uid_t owner, uint8_t *buf, size_t *len, struct diag *diag)
{
	int fd, ret;
	ssize_t n;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
		return diag_set(diag, "\"%s\": key files are named without a directory; they lie in the one for keys", name);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return diag_set(diag, "key file %s cannot be read by user %u, who reads keys; chown %u %s", name,
				(unsigned)geteuid(), (unsigned)geteuid(), name);
	if (fd < 0)
		return diag_set(diag, "key file %s: %s", name, errno == ELOOP ? "is a symbolic link" : strerror(errno));
	ret = check_file(fd, name, owner, diag);
	*len = 0;
	while (ret == 0 && *len < KEY_FILE_MAX && (n = read(fd, buf + *len, KEY_FILE_MAX - *len)) > 0)
		*len += (size_t)n;
	close(fd);
	return ret;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first line: "0x" and hex digits, else the secret itself. */
static int parse_psk(const char *name, const uint8_t *text, size_t len, struct crypto_secret *psk, struct diag *diag)
{
	const uint8_t *end = memchr(text, '\n', len);
	size_t n = 0;

	if (end)
		len = (size_t)(end - text);
	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len < 2 || memcmp(text, "0x", 2) != 0) {
		if (len == 0 || len > CRYPTO_SECRET_MAX)
			return diag_set(diag, "key file %s: the first line is the key, 1 to %u bytes", name, CRYPTO_SECRET_MAX);
		crypto_secret_set(psk, text, len);
		return 0;
	}
	if (len % 2 || len == 2 || len / 2 - 1 > CRYPTO_SECRET_MAX)
		return diag_set(diag, "key file %s: after 0x come pairs of hex digits, at most %u", name, CRYPTO_SECRET_MAX);
	for (size_t i = 2; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return diag_set(diag, "key file %s: after 0x come hex digits only", name);
		psk->bytes[n++] = (uint8_t)(high << 4 | low);
	}
	psk->len = n;
	return 0;
}

/* A new secret or key, or what was stays: a file that is wrong now was right before. */
static int key_take(struct entry *e, const struct proc_key *key, const uint8_t *buf, size_t len, struct diag *diag)
{
	struct crypto_secret psk = { 0 };
	struct crypto_private *private;
	int ret;

	if (key->kind == PROC_KEY_PSK) {
		ret = parse_psk(key->file, buf, len, &psk, diag);
		if (ret == 0) {
			e->psk = psk;
			e->has_psk = true;
		}
		crypto_secret_wipe(&psk);
		return ret;
	}
	private = crypto_private_pem(buf, len, diag);
	if (!private)
		return diag_prepend(diag, "key file %s", key->file);
	crypto_private_free(e->key);
	e->key = private;
	return 0;
}

int signer_key_set(struct signer *signer, const struct proc_key *key, struct diag *diag)
{
	struct entry **at = find(signer, key->tunnel), *e = *at;
	bool is_psk = key->kind == PROC_KEY_PSK;
	uint8_t *buf = mem_alloc(KEY_FILE_MAX);
	size_t len = 0;
	char *from;
	int ret;

	if (!e) {
		e = *at = mem_alloc(sizeof(*e));
		memcpy(e->tunnel, key->tunnel, sizeof(e->tunnel));
	}
	from = is_psk ? e->psk_file : e->key_file;
	/* of another file, nothing of before is good */
	if (strcmp(from, key->file) != 0 && is_psk) {
		e->has_psk = false;
		crypto_secret_wipe(&e->psk);
	} else if (strcmp(from, key->file) != 0) {
		crypto_private_free(e->key);
		e->key = NULL;
	}
	snprintf(from, PROC_PATH_MAX, "%s", key->file);
	ret = read_file(key->file, signer->owner, buf, &len, diag);
	if (ret == 0)
		ret = key_take(e, key, buf, len, diag);
	crypto_wipe(buf, KEY_FILE_MAX);
	free(buf);
	if (ret != 0 && (is_psk ? e->has_psk : e->key != NULL))
		diag_prepend(diag, "what it held before stays in use");
	return ret;
}

void signer_key_gone(struct signer *signer, const char *tunnel)
{
	struct entry **at = find(signer, tunnel), *e = *at;

	if (!e)
		return;
	*at = e->next;
	entry_free(e);
}

/* ---- answers */

/* RFC 7296 3.1 and 2.15: a whole IKE_SA_INIT message, a nonce, a MAC. */
static bool octets_are_ike(const struct proc_sign *sign)
{
	struct rd rd = rd_init(sign->octets[0].data, sign->octets[0].len);
	uint8_t version, exchange;
	uint32_t len;

	rd_skip(&rd, 2 * IKE_SPI_SIZE + 1);
	version = rd_u8(&rd);
	exchange = rd_u8(&rd);
	rd_skip(&rd, 1 + 4);
	len = rd_be32(&rd);
	return !rd.failed && version == IKE_VERSION && exchange == IKE_SA_INIT && len == sign->octets[0].len &&
	       sign->octets[1].len >= IKE_NONCE_MIN && sign->octets[1].len <= IKE_NONCE_MAX &&
	       crypto_prf_size(sign->prf) != 0 && sign->octets[2].len == crypto_prf_size(sign->prf);
}

static int sign_it(const struct entry *e, const struct proc_sign *sign, uint8_t *method, struct wr *auth, struct diag *diag)
{
	struct ike_auth_octets octets;
	uint8_t mac[CRYPTO_PRF_MAX];
	int ret;

	if (!octets_are_ike(sign))
		return diag_set(diag, "what shall be signed is no IKE_AUTH");
	if (!sign->psk)
		return e && e->key ? crypto_private_sign(e->key, sign->hashes, sign->octets, 3, method, auth, diag) :
				     diag_set(diag, "tunnel %s has no private key", sign->tunnel);
	if (!e || !e->has_psk)
		return diag_set(diag, "tunnel %s has no pre-shared key", sign->tunnel);
	memcpy(octets.parts, sign->octets, sizeof(octets.parts));
	*method = IKE_AUTH_PSK;
	ret = ike_auth_psk(sign->prf, &e->psk, &octets, mac);
	if (ret == 0)
		wr_bytes(auth, mac, crypto_prf_size(sign->prf));
	crypto_wipe(mac, sizeof(mac));
	return ret;
}

void signer_answer(const struct signer *signer, const struct proc_sign *sign, struct wr *out)
{
	/* find() only looks */
	const struct entry *e = *find((struct signer *)(uintptr_t)signer, sign->tunnel);
	struct proc_signed answer = { .id = sign->id };
	struct wr auth = { 0 };
	struct diag diag = { "cannot sign" };

	if (sign_it(e, sign, &answer.method, &auth, &diag) != 0) {
		answer.method = 0;
		wr_fini(&auth);
		wr_bytes(&auth, diag.text, strlen(diag.text));
	}
	answer.data = (struct ike_bytes){ auth.data, auth.len };
	proc_signed_encode(out, &answer);
	crypto_wipe(auth.data, auth.len);
	wr_fini(&auth);
}
