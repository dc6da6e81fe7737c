/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * reach_vty - commands of the completeness probe and its responder.
 */
#ifndef SAV_REACH_VTY_H
#define SAV_REACH_VTY_H

#include "agents/steer/site.h"

struct vty;
struct reach_packet;

void reach_vty_init(void);
/* Takes the configuration into force, also what was read before; NULL: the end. */
void reach_vty_start(struct reach_packet *rp);
void reach_vty_reload(void (*failed)(void *ctx, const char *text), void *ctx);

/* For the running configuration; the first is not 0 when it wrote something. */
int reach_vty_write_listen(struct vty *vty);
bool reach_vty_is_used(const struct site *s);
void reach_vty_write_site(struct vty *vty, const struct site *s);

#endif /* SAV_REACH_VTY_H */
