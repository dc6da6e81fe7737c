/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "agents/steer/plan.h"

struct line {
	char *buf;
	size_t len;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->buf + l->len, PLAN_TEXT_SIZE - l->len, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n < PLAN_TEXT_SIZE - l->len)
		l->len += (size_t)n;
}

static const char *prefix_text(const struct ip_prefix *p, char buf[IP_TEXT_SIZE])
{
	return p->len == 0 ? "default" : ip_prefix_format(p, buf);
}

const char *plan_rule_format(const struct plan_rule *r, char buf[PLAN_TEXT_SIZE])
{
	struct line l = { buf, 0 };
	char text[IP_TEXT_SIZE];

	add(&l, "%s%u: from %s", r->family == IP_V6 ? "-6 " : "", r->priority,
	    r->has_from ? ip_prefix_format(&r->from, text) : "all");
	if (r->has_to)
		add(&l, " to %s", ip_prefix_format(&r->to, text));
	if (r->iif[0])
		add(&l, " iif %s", r->iif);
	if (r->mask)
		add(&l, " fwmark 0x%x/0x%x", r->mark, r->mask);
	switch ((enum plan_action)r->action) {
	case PLAN_LOOKUP:
		add(&l, " lookup %u", r->target);
		break;
	case PLAN_GOTO:
		add(&l, " goto %u", r->target);
		break;
	case PLAN_NOP:
		add(&l, " nop");
		break;
	case PLAN_PROHIBIT:
		add(&l, " prohibit");
		break;
	}
	if (r->specific_only)
		add(&l, " suppress_prefixlength 0");
	return buf;
}

const char *plan_route_format(const struct plan_route *r, const char *device,
			      char buf[PLAN_TEXT_SIZE])
{
	struct line l = { buf, 0 };
	char text[IP_TEXT_SIZE];

	add(&l, "%s%s%s", r->family == IP_V6 ? "-6 " : "", r->prohibit ? "prohibit " : "",
	    prefix_text(&r->to, text));
	if (r->has_gateway)
		add(&l, " via %s", ip_addr_format(&r->gateway, text));
	if (!r->prohibit)
		add(&l, " dev %s", device);
	if (r->has_source)
		add(&l, " src %s", ip_addr_format(&r->source, text));
	add(&l, " table %u metric %u", r->table, r->metric);
	return buf;
}
