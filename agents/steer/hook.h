/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * hook - an operator's program that is told when a provider dies or is back.
 *
 * Run without a shell, with no arguments, nothing on its standard input and an
 * environment of its own:
 *
 *   PATH                  of the system's programs
 *   OPENSAV_PROVIDER      the provider's name
 *   OPENSAV_STATE         up or down: of both families
 *   OPENSAV_STATE_IPV4, OPENSAV_STATE_IPV6
 *                         up, down, or none: no prefix of that family
 *   OPENSAV_PREFIXES      its prefixes, apart by blanks
 *
 * Also run when the agent starts and when the hook is configured, with the state
 * of then: what it does must bear repeating. It has HOOK_LIMIT_MS, then it and its
 * children are killed. One at a time for each provider: what happens meanwhile is told
 * when it has ended, the last state only. One that fails (any status but 0) knows
 * nothing, and is run again: after HOOK_RETRY_MS, then after twice as long each time,
 * up to HOOK_RETRY_MAX_MS; at once when there is news. No libfrr: the owner has the clock and says
 * when to look.
 */
#ifndef SAV_HOOK_H
#define SAV_HOOK_H

#include "agents/steer/path.h"
#include "lib/diag.h"

#define HOOK_LIMIT_MS	   10000
#define HOOK_LOOK_MS	   50 /* between looks at whether it has ended */
#define HOOK_RETRY_MS	   2000
#define HOOK_RETRY_MAX_MS  600000
#define HOOK_PREFIXES_SIZE 4096

struct hook_event {
	char file[PATH_HOOK_SIZE]; /* "": nothing to run, but remembered */
	char provider[PATH_NAME_SIZE];
	bool has[IP_FAMILIES]; /* a prefix of this family */
	bool alive[IP_FAMILIES];
	char prefixes[HOOK_PREFIXES_SIZE];
};

typedef void hook_note_fn(void *ctx, bool alarm, const char *text);

struct hooks;

struct hooks *hooks_new(hook_note_fn *note, void *ctx);
void hooks_free(struct hooks *h); /* kills what runs */

/* The state of all providers there are now. Runs the hooks of those that are not
 * as they were told last. */
void hooks_set(struct hooks *h, const struct hook_event *providers, size_t n,
	       int64_t now_ms);
/* Looks after those that run. Returns in how many milliseconds to be called again;
 * -1: not before there is news. */
int64_t hooks_look(struct hooks *h, int64_t now_ms);

#endif /* SAV_HOOK_H */
