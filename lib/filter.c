/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/filter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/wr.h"

void filter_fini(struct filter *f)
{
	addrset_fini(&f->accept);
	free(f->peers);
	*f = (struct filter){ 0 };
}

void filter_copy(struct filter *dst, const struct filter *src)
{
	struct filter old = *dst;

	if (dst == src)
		return;
	*dst = *src;
	dst->accept = (struct addrset){ 0 };
	addrset_copy(&dst->accept, &src->accept);
	dst->peers = NULL;
	if (src->n_peers != 0)
		dst->peers = mem_dup(src->peers, src->n_peers * sizeof(*src->peers));
	filter_fini(&old);
}

static int by_address(const void *a, const void *b)
{
	const struct ip_addr *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return (x->v > y->v) - (x->v < y->v);
}

void filter_set_peers(struct filter *f, const struct ip_addr *peers, size_t n)
{
	struct ip_addr *sorted = n ? mem_dup(peers, n * sizeof(*peers)) : NULL;
	size_t used = 0;

	if (n != 0)
		qsort(sorted, n, sizeof(*sorted), by_address);
	for (size_t i = 0; i < n; i++) {
		if (used == 0 || !ip_addr_equal(&sorted[used - 1], &sorted[i]))
			sorted[used++] = sorted[i];
	}
	free(f->peers);
	f->peers = sorted;
	f->n_peers = used;
}

static void put_addr(struct wr *wr, enum ip_family family, u128 v)
{
	uint8_t raw[16];

	ip_to_bytes(v, family, raw);
	wr_bytes(wr, raw, ip_bytes(family));
}

void filter_hash(const struct filter *f, uint8_t hash[FILTER_HASH_SIZE])
{
	struct wr wr = { 0 };

	wr_u8(&wr, (uint8_t)strlen(f->interface));
	wr_bytes(&wr, f->interface, strlen(f->interface));
	wr_u8(&wr, (uint8_t)f->action);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct rangeset *s = &f->accept.f[family];

		wr_be64(&wr, s->n);
		for (size_t i = 0; i < s->n; i++) {
			put_addr(&wr, family, s->r[i].first);
			put_addr(&wr, family, s->r[i].last);
		}
	}
	wr_be64(&wr, f->n_peers);
	for (size_t i = 0; i < f->n_peers; i++) {
		wr_u8(&wr, f->peers[i].family);
		put_addr(&wr, f->peers[i].family, f->peers[i].v);
	}
	digest_sha256(wr.data, wr.len, hash);
	wr_fini(&wr);
}

bool filter_ifname_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= FILTER_IFNAME_SIZE || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (const char *c = name; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr("/:\"'\\!|", *c))
			return false;
	}
	return true;
}

static const char *const action_names[] = {
	[FILTER_OFF] = "off",
	[FILTER_OBSERVE] = "observe",
	[FILTER_ENFORCE] = "enforce",
};

const char *filter_action_name(enum filter_action action)
{
	return action_names[action];
}

bool filter_action_parse(const char *text, enum filter_action *action)
{
	for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
		if (strcmp(text, action_names[i]) == 0) {
			*action = (enum filter_action)i;
			return true;
		}
	}
	return false;
}
