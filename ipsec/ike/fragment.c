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
	struct piece pieces[FRAGMENTS_MAX];
	struct wr whole;
};

struct fragments *fragments_new(void)
{
	return mem_alloc(sizeof(struct fragments));
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
	if (fragment->total < f->total || piece->present || f->bytes + rd_left(&fragment->plain) > IKE_MESSAGE_MAX)
		return false;
	piece->len = rd_left(&fragment->plain);
	piece->data = mem_dup(piece->len ? (const void *)fragment->plain.p : "", piece->len ? piece->len : 1);
	piece->present = true;
	f->bytes += piece->len;
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
