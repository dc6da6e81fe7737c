/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeps the kernel's routes of last resort as iked_protect.h has them, also when
 * somebody else deletes them.
 */
#include "lib/frr_compat.h"

#include "log.h"
#include "monotime.h"

#include "ipsec/esp/prohibit_nl.h"
#include "ipsec/iked.h"
#include "ipsec/iked_protect.h"

#define PID_MAX (1u << 22) /* the most that Linux gives */

static struct iked_prefixes there;
static bool looked; /* at what a predecessor left */

/* Who deleted one, and which; the first of those that are to be put back. */
static struct {
	struct prohibit_watch *watch;
	struct iked_pause pause;
	uint32_t waited_ms;
	char who[64];
	struct event *t_news, *t_back;
} lost;

static void note(void *ctx, const struct ip_prefix *prefix)
{
	iked_prefixes_append(ctx, prefix);
}

static void change(bool add, const struct ip_prefix *prefix)
{
	struct diag diag;

	if (prohibit_set(add, prefix, &diag) != 0)
		zlog_warn("%s%s", diag.text, add ? "; what is for it may leave in clear while its tunnel is down" : "");
}

/* Both are sorted. keep: what was and is not to be stays. How many were not there, and
 * the first of them. */
static unsigned apply(const struct iked_prefixes *was, const struct iked_prefixes *is, bool keep, struct ip_prefix *first)
{
	unsigned n = 0;

	for (size_t i = 0, k = 0; i < was->n || k < is->n;) {
		int order = i == was->n ? 1 : k == is->n ? -1 : ip_prefix_cmp(&was->list[i], &is->list[k]);

		if (order < 0 && !keep)
			change(false, &was->list[i]);
		else if (order > 0)
			change(true, &is->list[k]);
		if (order > 0 && n++ == 0)
			*first = is->list[k];
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

static void look(struct iked_prefixes *now)
{
	prohibit_each(note, now);
	iked_prefixes_sort(now);
}

/* ---- somebody deletes them */

/* A netlink port is as a rule its owner's number. */
static void name_port(uint32_t port)
{
	char path[32], name[17] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", port);
	f = port > 0 && port <= PID_MAX ? fopen(path, "re") : NULL;
	if (f && fgets(name, sizeof(name), f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	if (port == 0)
		snprintf(lost.who, sizeof(lost.who), "the kernel");
	else if (name[0])
		snprintf(lost.who, sizeof(lost.who), "process %u (%s)", port, name);
	else
		snprintf(lost.who, sizeof(lost.who), port <= PID_MAX ? "process %u, which has ended" : "netlink port %u", port);
}

static void on_back(struct event *t)
{
	struct iked_prefixes now = { 0 };
	char text[IP_TEXT_SIZE], more[32] = "", after[48] = "";
	struct ip_prefix first;
	unsigned n;

	iked_privileges(true);
	look(&now);
	n = apply(&now, &there, true, &first);
	iked_privileges(false);
	iked_prefixes_fini(&now);
	if (n > 1)
		snprintf(more, sizeof(more), " and %u more", n - 1);
	if (lost.waited_ms)
		snprintf(after, sizeof(after), " after %u s, since that happens again and again", lost.waited_ms / 1000);
	/* else it was not wanted any more when we deleted it ourselves, and is again */
	if (n > 0)
		zlog_warn("route prohibit %s%s: deleted by %s, put back%s", ip_prefix_format(&first, text), more, lost.who, after);
}

static void put_back_soon(void)
{
	lost.waited_ms = iked_pause_take(&lost.pause, (uint64_t)monotime(NULL) / 1000);
	event_add_timer_msec(iked.loop, on_back, NULL, lost.waited_ms, &lost.t_back);
}

static bool is_wanted(const struct ip_prefix *prefix)
{
	return there.n > 0 && bsearch(prefix, there.list, there.n, sizeof(there.list[0]), iked_prefixes_compare);
}

static void on_gone(void *ctx, const struct ip_prefix *prefix, uint32_t by)
{
	if (lost.t_back || !is_wanted(prefix))
		return;
	name_port(by);
	put_back_soon();
}

static void on_news(struct event *t)
{
	event_add_read(iked.loop, on_news, NULL, prohibit_watch_fd(lost.watch), &lost.t_news);
	if (prohibit_watch_ready(lost.watch) || lost.t_back)
		return;
	snprintf(lost.who, sizeof(lost.who), "somebody, with too many at once to tell");
	put_back_soon();
}

static void watch(void)
{
	struct diag diag;

	lost.watch = prohibit_watch_new(on_gone, NULL, &diag);
	if (lost.watch)
		event_add_read(iked.loop, on_news, NULL, prohibit_watch_fd(lost.watch), &lost.t_news);
	else
		zlog_warn("%s; routes that protect tunnels are not put back when somebody deletes them", diag.text);
}

void iked_protect(void)
{
	struct iked_prefixes wanted = { 0 };
	struct ip_prefix first;

	iked_protected(&iked.config, &wanted);
	iked_privileges(true);
	if (!looked) {
		watch();
		look(&there);
		looked = true;
	}
	apply(&there, &wanted, false, &first);
	iked_privileges(false);
	iked_prefixes_fini(&there);
	there = wanted;
}
