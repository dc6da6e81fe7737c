/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/liveness_fsm.h"

/* Without a failure for so long, though the hold is short: not flapping. */
#define CALM_MIN_MS 60000

static int64_t hold(const struct liveness_fsm *f, uint32_t hold_ms)
{
	return (int64_t)hold_ms << f->doublings;
}

static int64_t calm(uint32_t hold_ms)
{
	int64_t ms = (int64_t)hold_ms << LIVENESS_DOUBLINGS_MAX;

	return ms < CALM_MIN_MS ? CALM_MIN_MS : ms;
}

static void fail(struct liveness_fsm *f, uint32_t hold_ms, int64_t now_ms)
{
	bool soon = f->phase == LIVENESS_HELD ||
		    (f->returned && now_ms - f->returned_ms < calm(hold_ms));

	if (!soon)
		f->doublings = 0;
	else if (f->doublings < LIVENESS_DOUBLINGS_MAX)
		f->doublings++;
	f->phase = LIVENESS_DOWN;
	f->failures++;
}

void liveness_fsm_promote(struct liveness_fsm *f, int64_t now_ms)
{
	if (f->phase != LIVENESS_HELD)
		return;
	f->phase = LIVENESS_UP;
	f->returned = true;
	f->returned_ms = now_ms;
}

bool liveness_fsm_step(struct liveness_fsm *f, enum evidence evidence, uint32_t hold_ms,
		       int64_t now_ms)
{
	enum liveness_phase before = f->phase;

	if (evidence == EVIDENCE_BAD && before != LIVENESS_DOWN)
		fail(f, hold_ms, now_ms);
	if (evidence == EVIDENCE_GOOD && before == LIVENESS_UNKNOWN)
		f->phase = LIVENESS_UP;
	if (evidence == EVIDENCE_GOOD && before == LIVENESS_DOWN) {
		f->phase = LIVENESS_HELD;
		f->held_ms = now_ms;
	}
	if (f->phase == LIVENESS_HELD && now_ms >= f->held_ms + hold(f, hold_ms))
		liveness_fsm_promote(f, now_ms);
	return f->phase != before;
}

void liveness_fsm_restart(struct liveness_fsm *f)
{
	if (f->phase == LIVENESS_UP)
		f->phase = LIVENESS_UNKNOWN;
	else if (f->phase == LIVENESS_HELD)
		f->phase = LIVENESS_DOWN;
}

void liveness_fsm_dead(struct liveness_fsm *f)
{
	f->phase = LIVENESS_DOWN;
}

uint32_t liveness_fsm_need(const struct liveness_fsm *f)
{
	return LIVENESS_NEED << f->doublings;
}

int64_t liveness_fsm_due_ms(const struct liveness_fsm *f, uint32_t hold_ms)
{
	return f->phase == LIVENESS_HELD ? f->held_ms + hold(f, hold_ms) : INT64_MAX;
}
