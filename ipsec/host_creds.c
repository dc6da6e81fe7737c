/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates and public keys of the tunnels, as main reads them from files. A
 * set is in force when its PROC_TUNNEL has come, and not file by file: a peer
 * whose certificate was revoked would pass in between.
 */
#include "ipsec/host_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/crypto_cert.h"
#include "lib/fnv.h"
#include "lib/mem.h"

#define DAY_S  (24 * 3600)
#define DAY_MS (DAY_S * 1000ull)
#define SOON_S (30 * DAY_S) /* before a certificate ends it is told each day */

static void creds_drop(struct host_creds **at)
{
	struct host_creds *c = *at;

	*at = c->next;
	creds_free(c->creds);
	creds_free(c->coming);
	wr_fini(&c->names);
	wr_fini(&c->coming_names);
	free(c);
}

static struct host_creds **creds_place(struct host *host, const char *tunnel)
{
	struct host_creds **at = &host->creds[fnv_text(tunnel) % HOST_CREDS_BUCKETS];

	while (*at && strcmp((*at)->tunnel, tunnel) != 0)
		at = &(*at)->next;
	return at;
}

struct host_creds *host_creds_find(struct host *host, const char *tunnel)
{
	return *creds_place(host, tunnel);
}

void host_creds_gone(struct host *host, const char *tunnel)
{
	struct host_creds **at = creds_place(host, tunnel);

	if (*at)
		creds_drop(at);
	host->key_ids_made = false;
}

void host_creds_free(struct host *host)
{
	for (unsigned i = 0; i < HOST_CREDS_BUCKETS; i++)
		while (host->creds[i])
			creds_drop(&host->creds[i]);
}

static struct host_creds *creds_get(struct host *host, const char *tunnel)
{
	struct host_creds **at = creds_place(host, tunnel), *c = *at;

	if (c)
		return c;
	c = *at = mem_alloc(sizeof(*c));
	snprintf(c->tunnel, sizeof(c->tunnel), "%s", tunnel);
	c->creds = creds_new();
	return c;
}

void host_creds_file(struct host *host, const struct proc_file *file, int fd)
{
	struct host_creds *c = creds_get(host, file->tunnel);
	struct diag diag;
	struct stat st;
	uint8_t *data;
	size_t len = 0;
	ssize_t n;

	if (fstat(fd, &st) < 0 || st.st_size < 0 || st.st_size > CRYPTO_FILE_MAX)
		st.st_size = 0; /* which no file of use has */
	if (!c->coming) {
		c->coming = creds_new();
		c->coming_failed = false;
		wr_fini(&c->coming_names);
	}
	wr_u8(&c->coming_names, file->kind);
	wr_bytes(&c->coming_names, file->name, strlen(file->name) + 1);
	data = mem_alloc((size_t)st.st_size + 1);
	while (len < (size_t)st.st_size && (n = read(fd, data + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (creds_add(c->coming, (enum proc_file_kind)file->kind, data, len, &diag) != 0) {
		host_log(host, "tunnel %s: %s: %s", file->tunnel, file->name, diag.text);
		c->coming_failed = true;
	}
	free(data);
}

static bool same_names(const struct host_creds *c)
{
	return c->names.len == c->coming_names.len && c->names.len > 0 &&
	       memcmp(c->names.data, c->coming_names.data, c->names.len) == 0;
}

void host_creds_set(struct host *host, const char *tunnel, uint32_t link)
{
	struct host_creds *c = host_creds_find(host, tunnel);

	if (!c)
		return;
	c->link = link;
	c->ready = true;
	if (!c->coming)
		return;
	/* a file that is being written while it is read, or was damaged, harms nobody
	 * who is up; other files are another wish, and what was is not to be trusted */
	if (c->coming_failed && same_names(c)) {
		host_log(host, "tunnel %s: its certificates and keys of before stay in use", tunnel);
		creds_free(c->coming);
		c->coming = NULL;
		return;
	}
	creds_free(c->creds);
	c->creds = c->coming;
	c->coming = NULL;
	wr_fini(&c->names);
	c->names = c->coming_names;
	c->coming_names = (struct wr){ 0 };
	host->key_ids_made = false;
	host->creds_due_ms = 0;
}

/* ---- certificates that end soon */

static void tell_end(struct host *host, const struct host_creds *c, int64_t now_s)
{
	const char *whose;
	int64_t end_s = creds_end(c->creds, &whose);
	char text[128], day[16] = "";
	struct tm tm;
	time_t end = (time_t)end_s;

	if (end_s > now_s + SOON_S)
		return;
	if (gmtime_r(&end, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	if (end_s <= now_s)
		snprintf(text, sizeof(text), "%s has expired on %s", whose, day);
	else
		snprintf(text, sizeof(text), "%s expires in %" PRId64 " days, on %s", whose, (end_s - now_s) / DAY_S, day);
	host_tell(host, IKE_EVENT_EXPIRING, 0, c->tunnel, text);
}

uint64_t host_creds_run(struct host *host, int64_t now_s)
{
	if (host->creds_due_ms > host->now_ms)
		return host->creds_due_ms;
	for (unsigned i = 0; i < HOST_CREDS_BUCKETS; i++)
		for (const struct host_creds *c = host->creds[i]; c; c = c->next)
			if (c->ready)
				tell_end(host, c, now_s);
	host->creds_due_ms = host->now_ms + DAY_MS;
	return host->creds_due_ms;
}
