/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hook_packet - hooks of providers in libfrr's event loop.
 */
#ifndef SAV_HOOK_PACKET_H
#define SAV_HOOK_PACKET_H

#include "agents/steer/hook.h"
#include "agents/steer/plan.h"

struct event_loop;
struct hook_packet;

struct hook_packet *hook_packet_new(struct event_loop *loop, hook_note_fn *note,
				    void *ctx);
void hook_packet_free(struct hook_packet *hp);
/* After each change of the plan: which providers live now? */
void hook_packet_plan(struct hook_packet *hp, const struct plan *plan);

#endif /* SAV_HOOK_PACKET_H */
