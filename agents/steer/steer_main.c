/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "log.h"

#include "agents/steer/accept_ra.h"
#include "agents/steer/path_memory.h"
#include "agents/steer/plan_flows.h"
#include "agents/steer/rules_nl.h"
#include "agents/steer/steer.h"
#include "agents/steer/tunnels.h"
#include "agents/tunnel_feed_packet.h"

#define PLAN_DELAY_MS 10  /* lines of a configuration and notifications come in bursts */
#define RETRY_MS      1000
#define CONNECT_MS    200  /* between attempts to hear sav-iked */
#define SETTLE_MS     5000 /* from when it is heard to when its interfaces are there */
#define POLL_MS	      200 /* between looks at whether others changed nftables */

static struct {
	struct event_loop *loop;
	const struct steer_ops *ops;
	void *ctx;
	const struct link_table *links;
	const char *memory, *delegations; /* files */

	struct site site;
	bool site_ready, started, released;
	struct plan plan;
	struct plan_reach reach;
	struct path_state states[PATH_NUMBER_MAX + 1];
	struct path watched[PATH_NUMBER_MAX + 1]; /* as liveness has them */
	size_t n_watched;

	struct rules_nl *rules;
	bool looked; /* for delegations, since the configuration changed */
	struct nft_site *nft;
	struct accept_ra *accept_ra;

	struct tunnel_feed *feed;
	struct tunnel_list tunnels;
	bool tunnels_changed; /* since the plan was made */
	bool tunnels_asked;   /* anew by us, of whom nothing has ended */
	int64_t settled_us; /* sav-iked has had time to make its interfaces again */

	struct event *t_plan, *t_news, *t_poll, *t_watch, *t_memory, *t_settled;
	uint64_t applied;
	struct diag error;
} st;

static const struct path_state nothing_known = { .rtt_us = -1, .loss_percent = -1 };

static void set_error(int rc, const struct diag *diag)
{
	if (rc == 0) {
		st.error.text[0] = '\0';
		return;
	}
	if (strcmp(st.error.text, diag->text) != 0)
		st.ops->note(st.ctx, true, diag->text);
	st.error = *diag;
}

/* ---- the world ---- */

static size_t ask_gateways(struct steer_gateway *out)
{
	size_t n = 0;

	for (size_t i = 0; i < st.site.n_providers; i++) {
		const struct site_provider *p = &st.site.providers[i];

		for (size_t j = 0; j < p->n_paths; j++) {
			const struct agent_inventory *inv = &st.links->inventory;

			for (size_t k = 0; k < inv->n && p->paths[j].kind == PATH_LINK; k++) {
				if (strcmp(inv->interfaces[k].name, p->paths[j].name) == 0)
					rules_nl_gateway(st.rules, &st.site,
							 inv->interfaces[k].index, &out[n++]);
			}
		}
	}
	return n;
}

static void look_around(void *ctx, const struct ip_prefix *subnet)
{
	bool *found = ctx;

	if (site_may_delegate(&st.site, subnet))
		*found |= rules_nl_look(st.rules, &st.site, subnet);
}

/* Those that came while nobody listened. */
static void look_for_delegations(void)
{
	struct diag diag;
	bool found = false;

	plan_inside_subnets(&st.site, st.links, look_around, &found);
	if (found && rules_nl_save(st.rules, st.delegations, &diag) < 0)
		st.ops->note(st.ctx, true, diag.text);
	st.looked = true;
}

/* The kernel is asked, and nothing is changed. */
static void plan_by(struct plan *plan, const struct path_state *states,
		    const struct ip_prefix *delegations, size_t n_delegations)
{
	struct steer_gateway gateways[PATH_NUMBER_MAX + 1];
	const struct steer_world world = {
		.links = st.links,
		.gateways = gateways,
		.n_gateways = ask_gateways(gateways),
		.tunnels = st.tunnels.items,
		.n_tunnels = st.tunnels.n,
		.tunnels_known = st.tunnels.known,
		.tunnels_away = st.tunnels.known &&
				(!tunnel_feed_is_up(st.feed) || st.tunnels.collecting ||
				 frr_now_us() < st.settled_us),
		.delegations = delegations,
		.n_delegations = n_delegations,
		.states = states,
		.before = &st.plan,
	};

	plan_make(plan, &st.site, &world);
	plan->reach = st.reach;
}

static void make_plan(struct plan *plan)
{
	const struct ip_prefix *delegations;
	size_t n;

	if (!st.looked || rules_nl_is_doubtful(st.rules))
		look_for_delegations();
	delegations = rules_nl_delegations(st.rules, &st.site, &n);
	plan_by(plan, st.states, delegations, n);
}

/* ---- flows of what is gone ---- */

static void forget_flows(const struct plan *old, const struct plan *new)
{
	static struct plan_flows gone[PLAN_FLOWS_MAX];
	const size_t n = plan_flows_gone(old, new, gone);
	struct diag diag;

	for (size_t i = 0; i < n; i++) {
		if (nft_site_forget_flows(st.nft, gone[i].family, gone[i].mark, gone[i].mask,
					  &diag) < 0)
			st.ops->note(st.ctx, true, diag.text);
	}
}

/* ---- those who watch ---- */

static bool same_for_watching(const struct path *a, const struct path *b)
{
	return path_same_way(a, b) && a->device_up == b->device_up &&
	       memcmp(a->possible, b->possible, sizeof(a->possible)) == 0 &&
	       a->excused == b->excused &&
	       strcmp(a->device, b->device) == 0 && strcmp(a->provider, b->provider) == 0;
}

/* A number that names another path now has not been heard of. */
static void forget_states(void)
{
	bool used[PATH_NUMBER_MAX + 1] = { false };

	for (size_t i = 0; i < st.plan.n_paths; i++)
		used[st.plan.paths[i].path.number] = true;
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++) {
		if (!used[i])
			st.states[i] = nothing_known;
	}
}

/* Not from within run_plan(): that may be what liveness has just called. */
static void on_watch(struct event *t)
{
	bool same = st.n_watched == st.plan.n_paths;

	(void)t;
	for (size_t i = 0; same && i < st.n_watched; i++)
		same = same_for_watching(&st.watched[i], &st.plan.paths[i].path);
	if (same)
		return;
	st.n_watched = st.plan.n_paths;
	for (size_t i = 0; i < st.n_watched; i++) {
		struct path *p = &st.watched[i];

		*p = st.plan.paths[i].path;
		p->was_dead = st.states[p->number].alive == PATH_DOWN;
	}
	forget_states();
	st.ops->paths(st.ctx, st.watched, st.n_watched);
}

static int own_accept_ra(struct diag *diag)
{
	struct accept_ra_want want[PATH_NUMBER_MAX + 1];
	size_t n = 0;

	if (!st.accept_ra)
		return 0; /* its error has been noted */
	for (size_t i = 0; i < st.plan.n_paths; i++) {
		const struct path *p = &st.plan.paths[i].path;
		const struct site_path *config = site_path_find(&st.site, p->kind, p->name, NULL);

		if (p->device[0] == '\0' || st.plan.paths[i].vrf[0] || !config)
			continue;
		snprintf(want[n].interface, sizeof(want[n].interface), "%s", p->device);
		want[n++].value = p->kind == PATH_LINK && !config->has_gateway[IP_V6] ? 2 : 0;
	}
	return accept_ra_own(st.accept_ra, want, n, diag);
}

/* ---- from the plan to the kernel ---- */

static void plan_soon(long ms);

/* Once, and not for each family what follows of it. True: it is in one. */
static bool log_vrf(const struct plan_path *was, const struct plan_path *pp)
{
	const char *kind = path_kind_name(pp->path.kind);
	char text[320];

	if (pp->vrf[0] == '\0')
		return false;
	if (was && strcmp(was->vrf, pp->vrf) == 0)
		return true;
	snprintf(text, sizeof(text),
		 "provider %.48s: %s %.48s is not used: interface %s is in VRF %s, and only the "
		 "default VRF is steered; \"ip link set %s nomaster\" takes it out, \"no %s "
		 "%.48s\" forgets it",
		 pp->path.provider, kind, pp->path.name, pp->path.device, pp->vrf,
		 pp->path.device, kind, pp->path.name);
	st.ops->note(st.ctx, true, text);
	return true;
}

static void log_changes(const struct plan *old, const struct plan *new)
{
	char text[256];

	if (new->problem[0] && strcmp(old->problem, new->problem) != 0)
		st.ops->note(st.ctx, true, new->problem);
	for (size_t i = 0; i < new->n_paths; i++) {
		const struct plan_path *pp = &new->paths[i];
		const struct plan_path *was = plan_path_find(old, pp->path.number);

		if (log_vrf(was, pp))
			continue;
		for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
			if (was && was->usable[f] == pp->usable[f])
				continue;
			if (!was && !pp->usable[f])
				continue;
			snprintf(text, sizeof(text), "provider %.48s: %s %.48s is %s for %s%s%s",
				 pp->path.provider, path_kind_name(pp->path.kind), pp->path.name,
				 pp->usable[f] ? "used" : "not used", f == IP_V4 ? "IPv4" : "IPv6",
				 pp->usable[f] ? "" : ": ", pp->why[f]);
			st.ops->note(st.ctx, false, text);
		}
	}
}

/* Filters first: they hold for any route. */
static int apply_plan(const struct plan *plan, struct diag *diag)
{
	struct diag rules = { "" };
	int rc = nft_site_apply(st.nft, plan, diag);

	if (rules_nl_apply(st.rules, plan, &rules) < 0) {
		if (rc == 0)
			*diag = rules;
		rc = -1;
	}
	return rc;
}

static bool wants_tunnels(void)
{
	for (size_t i = 0; i < st.plan.n_paths; i++) {
		if (st.plan.paths[i].path.kind == PATH_TUNNEL)
			return true;
	}
	return false;
}

/* sav-iked has told of those that were named when the connection was made. */
static void ask_tunnels(void)
{
	const bool wanted = wants_tunnels();

	if (wanted && tunnel_feed_is_up(st.feed) && tunnels_lacks(&st.tunnels, &st.site)) {
		st.tunnels_asked = true;
		tunnel_feed_again(st.feed);
	} else {
		tunnel_feed_want(st.feed, wanted);
	}
}

static bool is_idle(void)
{
	return !site_is_used(&st.site) && st.plan.n_providers == 0 && st.applied != 0;
}

static void run_plan(void)
{
	struct plan plan;
	struct diag diag = { "" };
	int rc;

	EVENT_OFF(st.t_plan);
	if (!st.started || st.released || is_idle())
		return;
	make_plan(&plan);
	rc = apply_plan(&plan, &diag);
	st.applied++;
	forget_flows(&st.plan, &plan);
	log_changes(&st.plan, &plan);
	plan_fini(&st.plan);
	st.plan = plan;
	ask_tunnels();
	if (own_accept_ra(rc == 0 ? &diag : &(struct diag){ "" }) < 0)
		rc = -1;
	set_error(rc, &diag);
	if (!st.t_watch)
		event_add_timer_msec(st.loop, on_watch, NULL, 0, &st.t_watch);
	st.ops->devices_changed(st.ctx);
	if (rc < 0)
		plan_soon(RETRY_MS);
}

static void on_plan(struct event *t)
{
	(void)t;
	run_plan();
}

static void plan_soon(long ms)
{
	if (st.started && !st.t_plan)
		event_add_timer_msec(st.loop, on_plan, NULL, ms, &st.t_plan);
}

/* Not before the routes are switched: a disk may take its time. */
static void on_memory(struct event *t)
{
	struct diag diag;

	(void)t;
	if (!st.released && path_memory_save(st.memory, &st.site, st.states, &diag) < 0)
		st.ops->note(st.ctx, true, diag.text);
}

void steer_path_changed(void *ctx, uint32_t number, const struct path_state *state)
{
	(void)ctx;
	if (number > PATH_NUMBER_MAX)
		return;
	st.states[number] = *state;
	run_plan();
	if (!st.t_memory)
		event_add_timer_msec(st.loop, on_memory, NULL, 0, &st.t_memory);
}

bool steer_reach(const struct plan_reach *reach)
{
	struct steer_status status;

	st.reach = *reach;
	run_plan();
	steer_status(&status);
	return status.in_force;
}

void steer_links_changed(void)
{
	if (site_is_used(&st.site))
		run_plan();
}

/* ---- news ---- */

static void on_news(struct event *t)
{
	struct rules_nl_news news;
	struct diag diag;

	(void)t;
	event_add_read(st.loop, on_news, NULL, rules_nl_fd(st.rules), &st.t_news);
	rules_nl_drain(st.rules, &news);
	if (news.delegations && rules_nl_save(st.rules, st.delegations, &diag) < 0)
		st.ops->note(st.ctx, true, diag.text);
	if (site_is_used(&st.site) && (news.defaults || news.ours || news.delegations))
		plan_soon(PLAN_DELAY_MS);
}

static void on_poll(struct event *t)
{
	(void)t;
	event_add_timer_msec(st.loop, on_poll, NULL, POLL_MS, &st.t_poll);
	if (st.released || !site_is_used(&st.site) || !nft_site_was_changed(st.nft))
		return;
	st.ops->note(st.ctx, true, "somebody else has changed table inet " NFT_SITE_TABLE
				   "; it is put right");
	run_plan();
}

/* ---- sav-iked ---- */

const struct steer_tunnel *steer_tunnel_find(const char *name)
{
	return tunnels_find(&st.tunnels, name);
}

/* When it was not us who ended the connection before. */
static void sav_iked_is_new(void)
{
	st.settled_us = frr_now_us() + SETTLE_MS * 1000;
	EVENT_OFF(st.t_settled);
	event_add_timer_msec(st.loop, on_plan, NULL, SETTLE_MS + 1, &st.t_settled);
}

static void tunnels_from_now(void *ctx)
{
	(void)ctx;
	if (!st.tunnels_asked)
		sav_iked_is_new();
	st.tunnels_asked = false;
	tunnels_begin(&st.tunnels, &st.site);
}

static void take_tunnel(void *ctx, const struct tunnel_update *update)
{
	(void)ctx;
	st.tunnels_changed |= tunnels_take(&st.tunnels, update);
}

/* While sav-iked is away the ESP helper goes on: what was known last holds, and
 * the probes say whether it is still true. */
static void tunnels_end(void *ctx)
{
	(void)ctx;
}

static void tunnels_turn(void *ctx)
{
	(void)ctx;
	if (st.tunnels.collecting || !st.tunnels_changed)
		return;
	st.tunnels_changed = false;
	run_plan();
}

/* Tunnels whose interfaces are configured may be anybody's. */
static bool needs_sav_iked(void)
{
	for (size_t i = 0; i < st.plan.n_paths; i++) {
		const struct path *p = &st.plan.paths[i].path;
		const struct site_path *config = site_path_find(&st.site, p->kind, p->name, NULL);

		if (p->kind == PATH_TUNNEL && config && config->device[0] == '\0')
			return true;
	}
	return false;
}

static void tunnels_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	st.ops->note(st.ctx, alarm && needs_sav_iked(), text);
}

static const struct tunnel_feed_ops tunnel_ops = {
	.begin = tunnels_from_now,
	.take = take_tunnel,
	.end = tunnels_end,
	.turn = tunnels_turn,
	.note = tunnels_note,
};

/* ---- configuration ---- */

struct site *steer_site(void)
{
	if (!st.site_ready) {
		site_init(&st.site);
		st.site_ready = true;
	}
	return &st.site;
}

void steer_changed(void)
{
	st.looked = false;
	plan_soon(PLAN_DELAY_MS);
}

const struct plan *steer_plan(void)
{
	return &st.plan;
}

bool steer_plan_now(struct plan *out, const struct path_state *states)
{
	const struct ip_prefix *delegations;
	size_t n;

	*out = (struct plan){ .site = &st.site };
	if (!st.started || st.released)
		return false;
	delegations = rules_nl_known_delegations(st.rules, &n);
	plan_by(out, states, delegations, n);
	return true;
}

struct nft_site *steer_nft(void)
{
	return st.nft;
}

const struct path_state *steer_path_state(uint32_t number)
{
	return &st.states[number <= PATH_NUMBER_MAX ? number : 0];
}

void steer_status(struct steer_status *out)
{
	*out = (struct steer_status){ .tunnels_known = !st.tunnels.collecting &&
							 tunnel_feed_is_up(st.feed),
				      .in_force = st.started && !st.released &&
						  st.plan.n_providers != 0 &&
						  st.error.text[0] == '\0',
				      .applied = st.applied };
	if (st.rules)
		out->messages = rules_nl_messages(st.rules);
	snprintf(out->error, sizeof(out->error), "%s", st.error.text);
}

size_t steer_devices(char (*out)[FILTER_IFNAME_SIZE], size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < st.plan.n_paths && n < max; i++) {
		if (st.plan.paths[i].path.device[0] && st.plan.paths[i].vrf[0] == '\0')
			memcpy(out[n++], st.plan.paths[i].path.device, FILTER_IFNAME_SIZE);
	}
	return n;
}

/* ---- start and end ---- */

static bool open_kernel(struct diag *diag)
{
	st.rules = rules_nl_open(st.ops->privileges, diag);
	if (st.rules)
		st.nft = nft_site_open(st.ops->privileges, diag);
	return st.nft != NULL;
}

void steer_start(struct event_loop *loop, const struct steer_ops *ops, void *ctx,
		 const struct link_table *links, const struct steer_files *files)
{
	struct diag diag;

	steer_site();
	st.loop = loop;
	st.ops = ops;
	st.ctx = ctx;
	st.links = links;
	st.memory = files->memory;
	st.delegations = files->delegations;
	if (!open_kernel(&diag)) {
		if (site_is_used(&st.site))
			set_error(-1, &diag);
		return;
	}
	st.accept_ra = accept_ra_open(ACCEPT_RA_CONF, files->accept_ra, ops->privileges, &diag);
	if (!st.accept_ra)
		set_error(-1, &diag);
	if (rules_nl_remember(st.rules, &st.site, st.delegations, &diag) < 0)
		ops->note(ctx, true, diag.text);
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++)
		st.states[i] = nothing_known;
	path_memory_load(st.memory, &st.site, st.states, frr_now_us() / 1000);
	st.feed = tunnel_feed_new(loop, files->tunnel_socket, CONNECT_MS, &tunnel_ops, NULL);
	st.started = true;
	run_plan();
	event_add_read(loop, on_news, NULL, rules_nl_fd(st.rules), &st.t_news);
	event_add_timer_msec(loop, on_poll, NULL, POLL_MS, &st.t_poll);
}

void steer_stop(void)
{
	EVENT_OFF(st.t_plan);
	EVENT_OFF(st.t_news);
	EVENT_OFF(st.t_poll);
	EVENT_OFF(st.t_watch);
	if (st.t_memory)
		on_memory(NULL);
	EVENT_OFF(st.t_memory);
	EVENT_OFF(st.t_settled);
	tunnel_feed_free(st.feed);
	rules_nl_close(st.rules);
	nft_site_close(st.nft);
	accept_ra_close(st.accept_ra);
	plan_fini(&st.plan);
	site_fini(&st.site);
	tunnels_fini(&st.tunnels);
}

/* What show commands say of it then. */
static void nothing_is_in_force(void)
{
	struct plan *plan = &st.plan;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		for (size_t i = 0; i < plan->n_paths; i++)
			plan->paths[i].usable[f] = false;
		for (size_t i = 0; i < plan->n_providers; i++)
			plan->providers[i].alive[f] = false;
	}
	plan->n_rules = 0;
	plan->n_routes = 0;
	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++)
		st.states[i] = nothing_known;
}

int steer_release(struct diag *diag)
{
	struct plan none = { .site = &st.site };
	int rc;

	if (!st.started)
		return 0;
	st.released = true;
	unlink(st.memory);
	st.ops->paths(st.ctx, NULL, 0);
	/* routes back first, then what judged them */
	rc = rules_nl_apply(st.rules, &none, diag);
	if (rc == 0)
		rc = nft_site_apply(st.nft, &none, diag);
	if (rc == 0 && st.accept_ra)
		rc = accept_ra_release(st.accept_ra, diag);
	if (rc == 0)
		nothing_is_in_force();
	return rc;
}
