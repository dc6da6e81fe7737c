/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * head_main - sav-iked's tunnels, head.h's decisions and zebra, wired together.
 */
#ifndef SAV_HEAD_MAIN_H
#define SAV_HEAD_MAIN_H

#include "agents/head/head.h"

struct event_loop;
struct zebra_privs_t;

/* Before frr_init(), which takes the path from there unless -z was given: where
 * Debian's zebra listens. */
void head_zebra_default(void);

/* tunnel_socket stays the caller's. note is told what an operator should know. */
void head_agent_start(struct event_loop *loop, struct zebra_privs_t *privs, const char *tunnel_socket,
		      void (*note)(void *ctx, bool alarm, const char *text), void *ctx);
void head_agent_stop(void);

/* Changed in place, then head_agent_changed(). */
struct head_config *head_agent_config(void);
void head_agent_changed(void);
void head_agent_again(void); /* distance or tag: all routes are sent anew */

/* A collector of metrics (lib/metrics.h). */
struct metrics;
bool head_agent_collect(struct metrics *m, uint64_t *step, void *arg);

/* NULL: not started. */
const struct head *head_agent_head(void);
const char *head_agent_error(void); /* of the connection to sav-iked, "" none */
int64_t head_agent_now_ms(void);

#endif /* SAV_HEAD_MAIN_H */
