/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bfd_key - the keys of BFD sessions (RFC 5880 section 6.7.1), as their files have them.
 */
#ifndef SAV_BFD_KEY_H
#define SAV_BFD_KEY_H

#include "agents/steer/site.h"

/* -1 with diag: w is as it was. */
int bfd_key_read(struct path_watch *w, const char *file, struct diag *diag);

/* All files of the site anew. A key that has not changed changes nothing; one that cannot
 * be read stays, and failed is told. */
void bfd_keys_reload(struct site *s, void (*failed)(void *ctx, const char *text), void *ctx);

#endif /* SAV_BFD_KEY_H */
