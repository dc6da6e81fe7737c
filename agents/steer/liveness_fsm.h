/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness_fsm - from evidence of a path to a state that does not flap.
 *
 * Pure. Down at the first bad evidence (whoever gives it has waited long enough);
 * up again only after a hold, which doubles each time that the path fails soon
 * after its return, up to 16 times. While it is on hold a path answers, and may
 * be used where there is no better one: liveness_fsm_promote().
 */
#ifndef SAV_LIVENESS_FSM_H
#define SAV_LIVENESS_FSM_H

#include "agents/steer/quorum.h"

#define LIVENESS_DOUBLINGS_MAX 4
#define LIVENESS_NEED	       3 /* answers in a row end a silence; doubles too */

enum liveness_phase {
	LIVENESS_UNKNOWN,
	LIVENESS_UP,
	LIVENESS_HELD,
	LIVENESS_DOWN,
};

struct liveness_fsm {
	enum liveness_phase phase;
	int64_t held_ms;     /* since; of LIVENESS_HELD */
	int64_t returned_ms; /* when the last hold was over */
	bool returned;
	unsigned int doublings;
	uint64_t failures;
};

/* True: another phase. hold_ms is the configured one. */
bool liveness_fsm_step(struct liveness_fsm *f, enum evidence evidence, uint32_t hold_ms,
		       int64_t now_ms);
/* The hold is over: nothing else answers. */
void liveness_fsm_promote(struct liveness_fsm *f, int64_t now_ms);
/* The path goes another way now (address, interface): what was learned of the old
 * one is void, but not that it failed. */
void liveness_fsm_restart(struct liveness_fsm *f);
/* A new path that begins as one that has failed. */
void liveness_fsm_dead(struct liveness_fsm *f);
uint32_t liveness_fsm_need(const struct liveness_fsm *f);
/* INT64_MAX: not on hold. */
int64_t liveness_fsm_due_ms(const struct liveness_fsm *f, uint32_t hold_ms);

#endif /* SAV_LIVENESS_FSM_H */
