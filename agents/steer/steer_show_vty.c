/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is shown of a site.
 */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "agents/steer/reach_vty.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"
#include "agents/steer/watch_vty.h"

#define JSON_HELP "JavaScript Object Notation\n"
#define SITE_HELP "A site behind several providers\n"

static bool wants_json(struct cmd_token *argv[], int argc)
{
	return strcmp(argv[argc - 1]->text, "json") == 0;
}

static int print_json(struct vty *vty, struct json_object *json)
{
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

/* ---- counters ---- */

struct counted {
	struct nft_site_counter *c;
	size_t n;
};

static struct counted read_counters(struct vty *vty)
{
	struct counted all = { 0 };
	struct diag diag;

	if (steer_nft() && nft_site_counters(steer_nft(), &all.c, &all.n, &diag) < 0)
		vty_out(vty, "%% %s\n", diag.text);
	return all;
}

static uint64_t packets(const struct counted *all, enum nft_site_count what, uint32_t number)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->c[i].what == what && all->c[i].number == number)
			return all->c[i].packets;
	}
	return 0;
}

/* ---- show site ---- */

static struct json_object *text_list(const char *const *list, size_t n)
{
	struct json_object *json = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(json, json_object_new_string(list[i]));
	return json;
}

static int show_site_json(struct vty *vty, const struct counted *all)
{
	const struct site *s = steer_site();
	const char *insides[SITE_INSIDES_MAX], *missing = site_missing(s);
	struct json_object *json = json_object_new_object();
	struct steer_status status;

	steer_status(&status);
	for (size_t i = 0; i < s->n_insides; i++)
		insides[i] = s->insides[i];
	json_object_object_add(json, "inside", text_list(insides, s->n_insides));
	json_object_string_add(json, "defaultProvider", s->default_provider);
	json_object_int_add(json, "tableBase", s->table_base);
	json_object_int_add(json, "ruleBase", s->rule_base);
	json_object_int_add(json, "markMask", s->mark_mask);
	json_object_int_add(json, "providers", (int64_t)s->n_providers);
	json_object_int_add(json, "foreignPackets",
			    (int64_t)packets(all, NFT_SITE_FOREIGN, 0));
	json_object_int_add(json, "privateRejectedPackets",
			    (int64_t)packets(all, NFT_SITE_DEAD, 0));
	json_object_boolean_add(json, "tunnelsKnown", status.tunnels_known);
	json_object_int_add(json, "plansApplied", (int64_t)status.applied);
	json_object_int_add(json, "netlinkMessages", (int64_t)status.messages);
	json_object_string_add(json, "error", status.error);
	json_object_string_add(json, "missing", missing ? missing : "");
	json_object_string_add(json, "problem", steer_plan()->problem);
	return print_json(vty, json);
}

static int show_site_text(struct vty *vty, const struct counted *all)
{
	const struct site *s = steer_site();
	const char *missing = site_missing(s);
	struct steer_status status;

	steer_status(&status);
	vty_out(vty, "Inside           ");
	for (size_t i = 0; i < s->n_insides; i++)
		vty_out(vty, " %s", s->insides[i]);
	vty_out(vty, "\nDefault provider  %s\n",
		s->default_provider[0] ? s->default_provider : "none");
	vty_out(vty, "Tables            %u to %u, rules %u to %u, marks 0x%x\n", s->table_base,
		s->table_base + SITE_TABLES - 1, s->rule_base, s->rule_base + SITE_RULES - 1,
		s->mark_mask);
	vty_out(vty, "Rejected          %" PRIu64 " packets of no provider, %" PRIu64
		" private ones without a live provider\n",
		packets(all, NFT_SITE_FOREIGN, 0), packets(all, NFT_SITE_DEAD, 0));
	vty_out(vty, "sav-iked          %s\n",
		status.tunnels_known ? "heard" : "not heard");
	if (missing)
		vty_out(vty, "Note              %s\n", missing);
	if (steer_plan()->problem[0])
		vty_out(vty, "Problem           %s\n", steer_plan()->problem);
	if (status.error[0])
		vty_out(vty, "Error             %s\n", status.error);
	return CMD_SUCCESS;
}

DEFUN(show_site, show_site_cmd, "show site [json]", SHOW_STR SITE_HELP JSON_HELP)
{
	struct counted all = read_counters(vty);

	if (wants_json(argv, argc))
		show_site_json(vty, &all);
	else
		show_site_text(vty, &all);
	free(all.c);
	return CMD_SUCCESS;
}

/* ---- show site provider ---- */

static const char *alive_word(const struct plan_provider *p)
{
	return p->alive[IP_V4] && p->alive[IP_V6] ? "IPv4 IPv6"
	       : p->alive[IP_V4]		  ? "IPv4"
	       : p->alive[IP_V6]		  ? "IPv6"
						  : "dead";
}

static struct json_object *json_provider(const struct plan_provider *p,
					 const struct counted *all)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "name", p->name);
	json_object_int_add(json, "number", p->number);
	json_object_boolean_add(json, "aliveIpv4", p->alive[IP_V4]);
	json_object_boolean_add(json, "aliveIpv6", p->alive[IP_V6]);
	for (size_t i = 0; i < p->n_prefixes; i++)
		json_object_array_add(
			list, json_object_new_string(ip_prefix_format(&p->prefixes[i], text)));
	json_object_object_add(json, "prefixes", list);
	json_object_boolean_add(json, "nat", p->nat);
	json_object_string_add(json, "natIpv4",
			       p->has_nat[IP_V4] ? ip_prefix_format(&p->nat_to[IP_V4], text) : "");
	json_object_string_add(json, "natIpv6",
			       p->has_nat[IP_V6] ? ip_prefix_format(&p->nat_to[IP_V6], text) : "");
	json_object_int_add(json, "rejectedPackets",
			    (int64_t)packets(all, NFT_SITE_DEAD, p->number));
	json_object_string_add(json, "problem", p->problem);
	return json;
}

static void print_provider(struct vty *vty, const struct plan_provider *p,
			   const struct counted *all)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "%s, number %u: %s, %" PRIu64 " packets rejected while dead\n", p->name,
		p->number, alive_word(p), packets(all, NFT_SITE_DEAD, p->number));
	for (size_t i = 0; i < p->n_prefixes; i++)
		vty_out(vty, "  prefix %s\n", ip_prefix_format(&p->prefixes[i], text));
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (p->has_nat[f])
			vty_out(vty, "  private sources become %s\n",
				ip_prefix_format(&p->nat_to[f], text));
	}
	if (p->problem[0])
		vty_out(vty, "  %s\n", p->problem);
}

DEFUN(show_provider, show_provider_cmd, "show site provider [json]",
      SHOW_STR SITE_HELP "Providers, their prefixes, and whether they live\n" JSON_HELP)
{
	const struct plan *plan = steer_plan();
	struct counted all = read_counters(vty);
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < plan->n_providers; i++) {
		if (wants_json(argv, argc))
			json_object_array_add(list, json_provider(&plan->providers[i], &all));
		else
			print_provider(vty, &plan->providers[i], &all);
	}
	free(all.c);
	if (wants_json(argv, argc))
		return print_json(vty, list);
	json_object_free(list);
	return CMD_SUCCESS;
}

/* ---- show site path ---- */

struct shown {
	struct counted counters;
	struct plan now; /* why a path is not used: the one in force was made when it still had
			  * another reason */
	bool steered;
};

static void look_now(struct vty *vty, struct shown *s)
{
	struct path_state states[PATH_NUMBER_MAX + 1];

	for (uint32_t i = 0; i <= PATH_NUMBER_MAX; i++) {
		if (!watch_vty_state(i, &states[i]))
			states[i] = *steer_path_state(i);
	}
	s->counters = read_counters(vty);
	s->steered = steer_plan_now(&s->now, states);
}

static const char *why_not(const struct shown *s, const struct plan_path *pp, enum ip_family f)
{
	const struct plan_path *now = plan_path_find(&s->now, pp->path.number);

	if (pp->usable[f])
		return "";
	if (!s->steered)
		return "released by hand until sav-agent is started again";
	if (!now)
		return "it is about to go";
	return now->usable[f] ? "it is about to be used" : now->why[f];
}

/* Where packets of its provider go: the first of those that are used. */
static const struct plan_path *best_of(const struct plan_path *pp, enum ip_family f)
{
	const struct plan *plan = steer_plan();

	for (size_t i = 0; i < plan->n_paths; i++) {
		if (plan->paths[i].provider == pp->provider && plan->paths[i].usable[f])
			return &plan->paths[i];
	}
	return NULL;
}

/* What sav-iked puts on a tunnel's outer packets must be its link's mark. */
static const char *mark_warning(const struct plan_path *pp)
{
	const struct steer_tunnel *t =
		pp->path.kind == PATH_TUNNEL ? steer_tunnel_find(pp->path.name) : NULL;
	const struct plan *plan = steer_plan();

	for (size_t i = 0; t && i < plan->n_paths; i++) {
		const struct path *link = &plan->paths[i].path;

		if (link->kind == PATH_LINK && strcmp(link->name, pp->path.via) == 0 &&
		    (t->link_mark & link->mark_mask) != link->mark)
			return "in sav-iked its link lacks \"mark\" as shown here for that link";
	}
	return "";
}

static struct json_object *json_path(const struct plan_path *pp, const struct shown *s)
{
	const struct path_state *state = steer_path_state(pp->path.number);
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "provider", pp->path.provider);
	json_object_string_add(json, "kind", path_kind_name(pp->path.kind));
	json_object_string_add(json, "name", pp->path.name);
	json_object_string_add(json, "via", pp->path.via);
	json_object_int_add(json, "number", pp->path.number);
	json_object_string_add(json, "device", pp->path.device);
	json_object_int_add(json, "mark", pp->path.mark);
	json_object_string_add(json, "state", path_alive_name(state->alive));
	json_object_string_add(json, "reason", state->reason);
	json_object_int_add(json, "rttMicroseconds", state->rtt_us);
	json_object_int_add(json, "lossPercent", state->loss_percent);
	json_object_boolean_add(json, "usedIpv4", pp->usable[IP_V4]);
	json_object_boolean_add(json, "usedIpv6", pp->usable[IP_V6]);
	json_object_boolean_add(json, "bestIpv4", best_of(pp, IP_V4) == pp);
	json_object_boolean_add(json, "bestIpv6", best_of(pp, IP_V6) == pp);
	json_object_string_add(json, "whyNotIpv4", why_not(s, pp, IP_V4));
	json_object_string_add(json, "whyNotIpv6", why_not(s, pp, IP_V6));
	json_object_string_add(json, "gatewayIpv4",
			       pp->path.has_gateway[IP_V4]
				       ? ip_addr_format(&pp->path.gateway[IP_V4], text)
				       : "");
	json_object_string_add(json, "gatewayIpv6",
			       pp->path.has_gateway[IP_V6]
				       ? ip_addr_format(&pp->path.gateway[IP_V6], text)
				       : "");
	json_object_string_add(json, "warning", mark_warning(pp));
	json_object_int_add(json, "egressDroppedPackets",
			    (int64_t)packets(&s->counters, NFT_SITE_EGRESS, pp->path.number));
	watch_vty_json(json, pp->path.number);
	return json;
}

static void print_way(struct vty *vty, const struct plan_path *pp, const struct shown *s,
		      enum ip_family f)
{
	const struct plan_path *best = best_of(pp, f);
	char text[IP_TEXT_SIZE];

	vty_out(vty, "  %s ", f == IP_V4 ? "IPv4" : "IPv6");
	if (!pp->usable[f]) {
		vty_out(vty, "not used: %s\n", why_not(s, pp, f));
		return;
	}
	vty_out(vty, "by %s", pp->path.device);
	if (pp->path.has_gateway[f])
		vty_out(vty, " via %s", ip_addr_format(&pp->path.gateway[f], text));
	if (best != pp)
		vty_out(vty, ", standby: %s comes first", best->path.name);
	vty_out(vty, "\n");
}

static void print_path(struct vty *vty, const struct plan_path *pp, const struct shown *s)
{
	const struct path_state *state = steer_path_state(pp->path.number);

	vty_out(vty, "%-15s %-6s %-15s number %-2u mark 0x%x %s, %" PRIu64
		" foreign packets dropped\n",
		pp->path.provider, path_kind_name(pp->path.kind), pp->path.name, pp->path.number,
		pp->path.mark, path_alive_name(state->alive),
		packets(&s->counters, NFT_SITE_EGRESS, pp->path.number));
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		print_way(vty, pp, s, f);
	watch_vty_show(vty, "  ", pp->path.number);
	if (mark_warning(pp)[0])
		vty_out(vty, "  warning: %s\n", mark_warning(pp));
}

DEFUN(show_path, show_path_cmd, "show site path [json]",
      SHOW_STR SITE_HELP "Links and tunnels, their marks, and whether they are used\n"
      JSON_HELP)
{
	const struct plan *plan = steer_plan();
	struct json_object *list = json_object_new_array();
	struct shown s;

	look_now(vty, &s);
	for (size_t i = 0; i < plan->n_paths; i++) {
		if (wants_json(argv, argc))
			json_object_array_add(list, json_path(&plan->paths[i], &s));
		else
			print_path(vty, &plan->paths[i], &s);
	}
	free(s.counters.c);
	plan_fini(&s.now);
	if (wants_json(argv, argc))
		return print_json(vty, list);
	json_object_free(list);
	return CMD_SUCCESS;
}

/* ---- show site rule ---- */

static const char *device_of(const struct plan *plan, uint32_t ifindex)
{
	for (size_t i = 0; i < plan->n_paths; i++) {
		if (plan->paths[i].path.ifindex == ifindex)
			return plan->paths[i].path.device;
	}
	return "?";
}

DEFUN(show_rule, show_rule_cmd, "show site rule [json]",
      SHOW_STR SITE_HELP "Routing rules and routes of ours, as ip(8) writes them\n" JSON_HELP)
{
	const struct plan *plan = steer_plan();
	struct json_object *json = json_object_new_object();
	struct json_object *rules = json_object_new_array();
	struct json_object *routes = json_object_new_array();
	char text[PLAN_TEXT_SIZE];

	for (size_t i = 0; i < plan->n_rules; i++) {
		plan_rule_format(&plan->rules[i], text);
		json_object_array_add(rules, json_object_new_string(text));
		if (!wants_json(argv, argc))
			vty_out(vty, "rule  %s\n", text);
	}
	for (size_t i = 0; i < plan->n_routes; i++) {
		const struct plan_route *r = &plan->routes[i];

		plan_route_format(r, device_of(plan, r->ifindex), text);
		json_object_array_add(routes, json_object_new_string(text));
		if (!wants_json(argv, argc))
			vty_out(vty, "route %s\n", text);
	}
	json_object_object_add(json, "rules", rules);
	json_object_object_add(json, "routes", routes);
	if (wants_json(argv, argc))
		return print_json(vty, json);
	json_object_free(json);
	return CMD_SUCCESS;
}

void steer_show_vty_init(void)
{
	install_element(VIEW_NODE, &show_site_cmd);
	install_element(VIEW_NODE, &show_provider_cmd);
	install_element(VIEW_NODE, &show_path_cmd);
	install_element(VIEW_NODE, &show_rule_cmd);
}
