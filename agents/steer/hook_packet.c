/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/steer/hook_packet.h"

#include "lib/mem.h"

struct hook_packet {
	struct event_loop *loop;
	struct hooks *hooks;
	struct event *t_look;
};

static void on_look(struct event *t)
{
	struct hook_packet *hp = EVENT_ARG(t);

	int64_t due_ms = hooks_look(hp->hooks, frr_now_us() / 1000);

	if (due_ms >= 0)
		event_add_timer_msec(hp->loop, on_look, hp, (long)due_ms, &hp->t_look);
}

struct hook_packet *hook_packet_new(struct event_loop *loop, hook_note_fn *note,
				    void *ctx)
{
	struct hook_packet *hp = mem_alloc(sizeof(*hp));

	hp->loop = loop;
	hp->hooks = hooks_new(note, ctx);
	return hp;
}

void hook_packet_free(struct hook_packet *hp)
{
	if (!hp)
		return;
	EVENT_OFF(hp->t_look);
	hooks_free(hp->hooks);
	free(hp);
}

static void describe(const struct plan_provider *p, struct hook_event *e)
{
	char text[IP_TEXT_SIZE];
	size_t len = 0;

	snprintf(e->file, sizeof(e->file), "%s", p->config->watch.hook);
	snprintf(e->provider, sizeof(e->provider), "%s", p->name);
	for (size_t i = 0; i < p->n_prefixes; i++) {
		enum ip_family f = p->prefixes[i].family;

		e->has[f] = true;
		e->alive[f] = p->alive[f];
		ip_prefix_format(&p->prefixes[i], text);
		if (len + strlen(text) + 2 > sizeof(e->prefixes))
			continue; /* the other family may come yet */
		len += (size_t)snprintf(e->prefixes + len, sizeof(e->prefixes) - len,
					"%s%s", len ? " " : "", text);
	}
}

void hook_packet_plan(struct hook_packet *hp, const struct plan *plan)
{
	struct hook_event *events = mem_calloc(plan->n_providers + 1, sizeof(*events));

	for (size_t i = 0; i < plan->n_providers; i++)
		describe(&plan->providers[i], &events[i]);
	hooks_set(hp->hooks, events, plan->n_providers, frr_now_us() / 1000);
	free(events);
	EVENT_OFF(hp->t_look); /* it may have been to wait for long */
	event_add_timer_msec(hp->loop, on_look, hp, HOOK_LOOK_MS, &hp->t_look);
}
