/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/delegations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/pki.h"
#include "lib/wr.h"

#define FIRST_LINE "opensav delegations 1\n"

bool delegations_change(struct delegations *d, const struct ip_prefix *p, bool add)
{
	size_t i = 0;

	while (i < d->n && ip_prefix_cmp(&d->list[i], p) != 0)
		i++;
	if (add == (i < d->n) || i == DELEGATIONS_MAX)
		return false;
	if (add)
		d->list[d->n++] = *p;
	else
		d->list[i] = d->list[--d->n];
	return true;
}

#define SHORTEST 33 /* of a delegation */

/* Of the halves of the prefix of this length around p, that where p is not. */
static struct ip_prefix other_half(const struct ip_prefix *p, uint8_t len)
{
	return ip_prefix_make(IP_V6, p->v ^ (u128)1 << (127 - len), len + 1u);
}

static enum delegation_seen look_at(const struct ip_prefix *half, delegation_look_fn *look, void *ctx)
{
	const struct ip_addr last = { ip_prefix_last(half), IP_V6 };

	return look(ctx, &last, (uint8_t)(half->len - 1));
}

bool delegation_is_there(const struct ip_prefix *p, delegation_look_fn *look, void *ctx)
{
	const struct ip_addr last = { ip_prefix_last(p), IP_V6 };
	struct ip_prefix half;

	if (p->len == 128)
		return look(ctx, &last, 128) != DELEGATION_OTHER;
	half = ip_prefix_make(IP_V6, p->v, p->len + 1u);
	if (look_at(&half, look, ctx) == DELEGATION_OTHER)
		return false;
	half = other_half(p, p->len);
	return look_at(&half, look, ctx) != DELEGATION_OTHER;
}

bool delegation_around(const struct ip_prefix *subnet, delegation_look_fn *look, void *ctx,
		       struct ip_prefix *out)
{
	bool found = false;

	for (uint8_t len = subnet->len; len-- >= SHORTEST;) {
		const struct ip_prefix half = other_half(subnet, len);
		const enum delegation_seen seen = look_at(&half, look, ctx);

		if (seen != DELEGATION_SINK && seen != DELEGATION_PART)
			return found;
		if (seen == DELEGATION_SINK) {
			*out = ip_prefix_make(IP_V6, subnet->v, len);
			found = len >= SHORTEST;
		}
	}
	return found;
}

static bool parse(struct delegations *d, FILE *f)
{
	char line[128];

	if (!fgets(line, sizeof(line), f) || strcmp(line, FIRST_LINE) != 0)
		return false;
	while (fgets(line, sizeof(line), f)) {
		struct ip_prefix p;
		char *end = strchr(line, '\n');

		if (!end)
			return false;
		*end = '\0';
		if (ip_prefix_parse(line, &p) != IP_PARSE_OK || p.family != IP_V6 ||
		    !delegations_change(d, &p, true))
			return false;
	}
	return true;
}

int delegations_load(struct delegations *d, const char *path, struct diag *diag)
{
	FILE *f = fopen(path, "re");
	bool ok = f ? true : errno == ENOENT;

	*d = (struct delegations){ .n = 0 };
	if (f) {
		ok = parse(d, f);
		fclose(f);
	}
	if (ok)
		return 0;
	d->n = 0;
	return diag_set(diag, "%s cannot be read or is damaged: delegations of before are known again "
			      "when the DHCPv6 client renews them", path);
}

int delegations_save(const struct delegations *d, const char *path, struct diag *diag)
{
	char line[IP_TEXT_SIZE];
	struct wr wr = { 0 };
	int rc;

	if (d->n == 0) {
		if (unlink(path) == 0 || errno == ENOENT)
			return 0;
		return diag_set(diag, "cannot delete %s: %s", path, strerror(errno));
	}
	wr_bytes(&wr, FIRST_LINE, strlen(FIRST_LINE));
	for (size_t i = 0; i < d->n; i++) {
		ip_prefix_format(&d->list[i], line);
		wr_bytes(&wr, line, strlen(line));
		wr_bytes(&wr, "\n", 1);
	}
	rc = pki_file_write(path, 0600, wr.data, wr.len, diag);
	wr_fini(&wr);
	return rc;
}
