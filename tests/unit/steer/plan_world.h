/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan_world - a site, its interfaces, and what the planner makes of it.
 */
#ifndef SAV_TESTS_PLAN_WORLD_H
#define SAV_TESTS_PLAN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents/steer/plan.h"

/* Interfaces 10 to 14, in this order:
 *   lan   10.9.0.1/24 192.0.2.1/26 2001:db8:a::1/64 fd00:9::1/64
 *   tun0  nothing
 *   wan0  203.0.113.2/30 2001:db8:ff0::2/64, gateways 203.0.113.1 and fe80::ff
 *   wan1  198.18.0.2/24, gateway 198.18.0.1
 *   zz    198.18.9.9/24
 * Provider a: link wan0 (path 1), prefix 192.0.2.0/26, tunnel pop (path 3, tun0)
 * via wan1. Provider b: link wan1 (path 2), prefix from address wan1. */
enum { LAN, TUN0, WAN0, WAN1, ZZ, DEVICES };

struct fixture {
	struct site site;
	struct link_table links;
	struct steer_gateway gateways[2];
	struct steer_tunnel tunnel;
	struct ip_prefix delegation;
	struct path_state states[PATH_NUMBER_MAX + 1];
	struct steer_world world;
	struct plan plan, before; /* the one in force, the one before it */
};

int setup(void **state);
int teardown(void **state);
/* The plan of now; the one there was is what it follows. */
void make(struct fixture *x);

struct ip_prefix prefix(const char *text);
struct ip_addr addr(const char *text);
void put_address(struct fixture *x, size_t device, const char *text, enum address_fit fit);
void drop_addresses(struct fixture *x, size_t device);
void put_path(struct fixture *x, struct site_provider *p, enum path_kind kind, const char *name,
	      const char *via);
void put_prefix(struct fixture *x, struct site_provider *p, enum site_source source,
		const char *text, const char *link);
struct site_provider *provider(struct fixture *x, const char *name);

bool has_rule(const struct fixture *x, const char *text);
bool has_route(const struct fixture *x, const char *text);
bool may_leave(const struct fixture *x, uint32_t path, const char *source);
/* The source of a path's own packets, "" if it has none; static. */
const char *source_of(const struct fixture *x, uint32_t path, enum ip_family family);
void dump_plan(const struct fixture *x);

#define RULE(x, text)                                     \
	do {                                              \
		if (!has_rule(x, text)) {                 \
			dump_plan(x);                     \
			fail_msg("no rule \"%s\"", text); \
		}                                         \
	} while (0)
#define ROUTE(x, text)                                     \
	do {                                               \
		if (!has_route(x, text)) {                 \
			dump_plan(x);                      \
			fail_msg("no route \"%s\"", text); \
		}                                          \
	} while (0)
#define NO_RULE(x, text)  assert_false(has_rule(x, text))
#define NO_ROUTE(x, text) assert_false(has_route(x, text))

#endif /* SAV_TESTS_PLAN_WORLD_H */
