/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/wr.h"

struct piece {
	uint8_t *data;
	size_t len;
	bool present;
};

struct fragments {
	bool begun;
	bool response;
	uint32_t id;
	uint16_t total;
	uint16_t present;
	uint8_t first;
	size_t bytes;
	size_t *shared;
	struct piece pieces[FRAGMENTS_MAX];
	struct wr whole;
};

struct fragments *fragments_new(size_t *shared)
{
	struct fragments *f = mem_alloc(sizeof(*f));

	f->shared = shared;
	return f;
}

static void wipe_free(void *data, size_t len)
{
	if (data)
		crypto_wipe(data, len);
	free(data);
}

static void clear(struct fragments *f)
{
	for (unsigned i = 0; i < FRAGMENTS_MAX; i++) {
		wipe_free(f->pieces[i].data, f->pieces[i].len);
		f->pieces[i] = (struct piece){ 0 };
	}
	if (f->shared)
		*f->shared -= f->bytes;
	f->begun = false;
	f->total = f->present = 0;
	f->bytes = 0;
	f->first = 0;
}

static void drop_whole(struct fragments *f)
{
	if (f->whole.data)
		crypto_wipe(f->whole.data, f->whole.len);
	wr_fini(&f->whole);
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	clear(f);
	drop_whole(f);
	free(f);
}

static void join(struct fragments *f)
{
	drop_whole(f);
	for (unsigned i = 0; i < f->total; i++)
		if (f->pieces[i].len > 0)
			wr_bytes(&f->whole, f->pieces[i].data, f->pieces[i].len);
}

static bool has_room(const struct fragments *f, size_t len)
{
	return f->bytes + len <= IKE_MESSAGE_MAX &&
	       (!f->shared || *f->shared + len <= FRAGMENTS_SHARED_MAX || f->bytes + len <= FRAGMENTS_SHARE);
}

bool fragments_add(struct fragments *f, uint32_t id, bool response, const struct ike_fragment *fragment, uint8_t *first,
		   struct rd *plain)
{
	struct piece *piece;

	if (fragment->total > FRAGMENTS_MAX || fragment->number == 0 || fragment->number > fragment->total)
		return false;
	if (!f->begun || f->id != id || f->response != response || fragment->total > f->total) {
		clear(f);
		f->begun = true;
		f->id = id;
		f->response = response;
		f->total = fragment->total;
	}
	piece = &f->pieces[fragment->number - 1];
	if (fragment->total < f->total || piece->present || !has_room(f, rd_left(&fragment->plain)))
		return false;
	piece->len = rd_left(&fragment->plain);
	piece->data = mem_dup(piece->len ? (const void *)fragment->plain.p : "", piece->len ? piece->len : 1);
	piece->present = true;
	f->bytes += piece->len;
	if (f->shared)
		*f->shared += piece->len;
	f->present++;
	if (fragment->number == 1)
		f->first = fragment->first;
	if (f->present < f->total)
		return false;
	join(f);
	*first = f->first;
	*plain = rd_init(f->whole.data, f->whole.len);
	clear(f);
	return true;
}
