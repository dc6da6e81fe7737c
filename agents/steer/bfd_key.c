/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/bfd_key.h"

#include <stdio.h>
#include <string.h>

#include "agents/steer/key_file.h"

int bfd_key_read(struct path_watch *w, const char *file, struct diag *diag)
{
	uint8_t key[PATH_BFD_KEY_BYTES] = { 0 };
	size_t len;

	if (key_file_read(file, 1, sizeof(key), key, &len, diag) < 0)
		return -1;
	memcpy(w->bfd_key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	if (file != w->bfd_key_file)
		snprintf(w->bfd_key_file, sizeof(w->bfd_key_file), "%s", file);
	return 0;
}

void bfd_keys_reload(struct site *s, void (*failed)(void *ctx, const char *text), void *ctx)
{
	for (size_t i = 0; i < s->n_providers; i++) {
		struct path_watch *w = &s->providers[i].watch;
		struct diag diag;

		if (!w->bfd_auth || bfd_key_read(w, w->bfd_key_file, &diag) == 0)
			continue;
		diag_prepend(&diag, "provider %s: BFD's key stays", s->providers[i].name);
		failed(ctx, diag.text);
	}
}
