/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-agent - keeps the controller's filters in this router's kernel.
 *
 * Wires the parts together and has no decisions of its own. At start: what
 * the kernel still has, what the disk has, and only then the controller. At
 * the end nothing is cleaned up: the filters stay in force.
 */
#include "lib/frr_compat.h"

#include <grp.h>
#include <pwd.h>

#include "command.h"
#include "libfrr.h"
#include "log.h"
#include "privs.h"
#include "sigevent.h"
#include "version.h"
#include "vty.h"

#include "opensav_config.h"

#include "agents/agent.h"
#include "agents/agent_routes_nl.h"
#include "agents/cache.h"
#include "agents/drops_vty.h"
#include "agents/enroll.h"
#include "agents/head/head_main.h"
#include "agents/head/head_vty.h"
#include "agents/metrics_vty.h"
#include "agents/steer/hook_packet.h"
#include "agents/steer/liveness_packet.h"
#include "agents/steer/reach_packet.h"
#include "agents/steer/reach_vty.h"
#include "agents/steer/steer.h"
#include "agents/steer/steer_vty.h"
#include "agents/steer/watch_vty.h"
#include "lib/mem.h"
#include "lib/pki.h"
#include "lib/shell_vty.h"
#include "schema/tunnel_update.h"

#define STATE_DIR      "/var/lib/opensav/agent"
#define SAMPLE_GROUP   2630 /* NFLOG group of sampled drops */
#define LINKS_DELAY_MS 50   /* interfaces change in bursts */
#define LINKS_RETRY_MS 500  /* the kernel's list could not be read */
#define SAVE_DELAY_MS  200  /* and so do filters */
#define SAVE_RETRY_S   30
#define POLL_MS	       200  /* between looks at whether others changed nftables */
#define DEEP_MIN_MS    5000 /* between looks at every element */
#define DEEP_FACTOR    50   /* at most 2 % of the time */

static struct agent agent;
static struct event_loop *loop;
static bool deep_due; /* somebody changed something in nftables */
static struct event *t_poll, *t_links, *t_links_delay, *t_save, *t_rpfilter;

/* raw: the probes of paths */
static zebra_capabilities_t caps[] = { ZCAP_NET_ADMIN, ZCAP_NET_RAW };
static struct zebra_privs_t privs = {
	.user = "opensav",
	.group = "opensav",
	.caps_p = caps,
	.cap_num_p = array_size(caps),
};

static void on_term(void);
static void on_usr1(void)
{
	zlog_rotate();
}

static void reload_failed(void *ctx, const char *text)
{
	(void)ctx;
	zlog_warn("%s", text);
}

/* As "site reload". */
static void on_hup(void)
{
	site_vty_reload(reload_failed, NULL);
}

static struct frr_signal_t signals[] = {
	{ .signal = SIGHUP, .handler = on_hup },
	{ .signal = SIGINT, .handler = on_term },
	{ .signal = SIGTERM, .handler = on_term },
	{ .signal = SIGUSR1, .handler = on_usr1 },
};

FRR_DAEMON_INFO(sav_agent, SAV_AGENT, .vty_port = 0, /* a unix socket; TCP only by -P */
		.proghelp = "Keeps source address filters in this router's kernel.",
		.copyright = "", .signals = signals, .n_signals = array_size(signals),
		.privs = &privs, );

int64_t agent_now_ms(void)
{
	return frr_now_us() / 1000;
}

static void change_privileges(bool raise)
{
	if (privs.change(raise ? ZPRIVS_RAISE : ZPRIVS_LOWER) < 0)
		zlog_err("cannot %s privileges", raise ? "raise" : "lower");
}

static void note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	if (alarm)
		zlog_warn("%s", text);
	else
		zlog_info("%s", text);
}

/* Remembers what is wrong, and logs it when it is news. */
static void set_error(struct diag *error, int rc, const struct diag *diag)
{
	if (rc == 0) {
		error->text[0] = '\0';
		return;
	}
	if (strcmp(error->text, diag->text) != 0)
		zlog_warn("%s", diag->text);
	*error = *diag;
}

/* ---- disk ---- */

static void on_save(struct event *t)
{
	struct diag diag;
	int rc = cache_save(agent.files.filters, apply_held(agent.apply), &diag);

	(void)t;
	if (rc < 0) {
		diag_prepend(&diag, "the filters are in force but not saved");
		event_add_timer(loop, on_save, NULL, SAVE_RETRY_S, &t_save);
	}
	set_error(&agent.cache_error, rc, &diag);
}

static int set_all_off_file(bool on, struct diag *diag)
{
	static const char text[] = "all off\n";

	if (on)
		return pki_file_write(agent.files.all_off, 0600, text, sizeof(text) - 1,
				      diag);
	if (unlink(agent.files.all_off) < 0 && errno != ENOENT)
		return diag_set(diag, "cannot delete %s: %s", agent.files.all_off,
				strerror(errno));
	return 0;
}

/* ---- rp_filter ---- */

static bool is_in(char (*list)[FILTER_IFNAME_SIZE], size_t n, const char *interface)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], interface) == 0)
			return true;
	}
	return false;
}

/* Links and tunnels of a site: answers come by another way than the main table
 * has for them. Else only where our filter drops: an edge that is only observed
 * must not lose what protects it today. The hand brake changes nothing here: "accept
 * everything" must not bring a dropping rp_filter back. */
static void on_rpfilter(struct event *t)
{
	const struct held *held = apply_held(agent.apply);
	char(*managed)[FILTER_IFNAME_SIZE];
	struct diag diag;
	size_t n;
	int rc;

	(void)t;
	if (!agent.rpfilter || agent.released)
		return;
	managed = mem_calloc(held->n + PATH_NUMBER_MAX, sizeof(*managed));
	n = steer_devices(managed, PATH_NUMBER_MAX);
	for (size_t i = 0; i < held->n; i++) {
		if (held->filters[i].action == FILTER_ENFORCE &&
		    !is_in(managed, n, held->filters[i].interface))
			memcpy(managed[n++], held->filters[i].interface,
			       sizeof(*managed));
	}
	rc = rpfilter_own(agent.rpfilter, (const char(*)[FILTER_IFNAME_SIZE])managed, n,
			  &diag);
	set_error(&agent.rpfilter_error, rc, &diag);
	free(managed);
}

static void rpfilter_soon(void)
{
	if (!t_rpfilter)
		event_add_timer_msec(loop, on_rpfilter, NULL, 0, &t_rpfilter);
}

/* ---- what apply asks for ---- */

static void apply_acked(void *ctx, const char *interface, uint64_t generation,
			const uint8_t hash[FILTER_HASH_SIZE], const char *error)
{
	(void)ctx;
	north_ack(agent.north, interface, generation, hash, error);
}

static void apply_changed(void *ctx)
{
	(void)ctx;
	if (!t_save)
		event_add_timer_msec(loop, on_save, NULL, SAVE_DELAY_MS, &t_save);
	rpfilter_soon();
}

static const struct addrset *apply_connected(void *ctx, const char *interface)
{
	(void)ctx;
	return link_table_connected(&agent.table, interface);
}

static const struct apply_ops apply_ops = {
	.ack = apply_acked,
	.changed = apply_changed,
	.note = note,
	.connected = apply_connected,
};

/* ---- what north asks for ---- */

static void north_filters(void *ctx, const struct agent_filter *const *filters, size_t n)
{
	(void)ctx;
	apply_filters(agent.apply, filters, n);
}

static void north_edge_list(void *ctx, const char (*interfaces)[FILTER_IFNAME_SIZE],
			    size_t n)
{
	(void)ctx;
	apply_edge_list(agent.apply, interfaces, n);
}

static void north_welcome(void *ctx, uint64_t epoch)
{
	(void)ctx;
	apply_epoch(agent.apply, epoch);
}

static const struct held *north_held(void *ctx)
{
	(void)ctx;
	return apply_held(agent.apply);
}

static const struct agent_inventory *north_inventory(void *ctx)
{
	(void)ctx;
	return &agent.table.inventory;
}

static int north_counters(void *ctx, struct kernel_counters **out, size_t *n)
{
	struct diag diag;
	int rc = kernel_counters(agent.kernel, out, n, &diag);

	(void)ctx;
	if (rc < 0)
		zlog_warn("%s", diag.text);
	return rc;
}

static void north_want_routes(void *ctx, bool want)
{
	(void)ctx;
	agent_routes_want(want);
}

static bool north_next_routes(void *ctx, struct agent_routes *out)
{
	(void)ctx;
	return agent_routes_next(out);
}

static void routes_wake(void)
{
	if (agent.packet)
		north_packet_wake(agent.packet);
}

static const struct agent_routes_ops routes_ops = {
	.privileges = change_privileges,
	.wake = routes_wake,
};

static bool north_all_off(void *ctx)
{
	(void)ctx;
	return kernel_brake_is_on(agent.kernel);
}

/* ---- certificates ---- */

static bool north_certify_due(void *ctx, enum pki_kind *kind, struct wr *csr)
{
	(void)ctx;
	return certs_due(agent.certs, agent.relay_listen.port != 0, time(NULL), kind, csr);
}

static void north_certified(void *ctx, enum pki_kind kind, const struct agent_blob *cert,
			    const char *error)
{
	struct diag diag;
	int rc = -1;

	(void)ctx;
	if (error[0] == '\0')
		rc = certs_take(agent.certs, kind, cert->data, cert->len, &diag);
	else
		diag_set(&diag, "%s", error);
	if (rc < 0)
		diag_prepend(&diag, "no %s certificate from the controller",
			     pki_kind_name(kind));
	set_error(&agent.certs_error, rc, &diag);
	if (rc < 0)
		return; /* asked again in an hour */
	zlog_info("the controller has given a %s certificate", pki_kind_name(kind));
	if (kind == PKI_RELAY)
		relay_packet_certified(agent.relay);
	north_certify(agent.north);
}

static bool relay_certified(void *ctx)
{
	(void)ctx;
	return certs_relay_ok(agent.certs, time(NULL));
}

static const struct relay_packet_ops relay_ops = {
	.certified = relay_certified,
	.note = note,
};

static const struct north_ops north_ops = {
	.filters = north_filters,
	.edge_list = north_edge_list,
	.welcome = north_welcome,
	.held = north_held,
	.inventory = north_inventory,
	.counters = north_counters,
	.drops = agent_drops_take,
	.want_routes = north_want_routes,
	.routes = north_next_routes,
	.certify = north_certify_due,
	.certified = north_certified,
	.all_off = north_all_off,
	.note = note,
};

/* ---- somebody else's hand in our table ---- */

/* A flushed ruleset or a lost rule is seen at once; an edited set needs a look
 * at every element, which must not be what this router spends its time on. */
static void deep_look(void)
{
	static int64_t next_ms;
	int64_t began = agent_now_ms(), took;

	if (!deep_due || began < next_ms)
		return;
	deep_due = false;
	apply_verify(agent.apply, true);
	took = agent_now_ms() - began;
	next_ms = began +
		  (took * DEEP_FACTOR > DEEP_MIN_MS ? took * DEEP_FACTOR : DEEP_MIN_MS);
}

static void on_poll(struct event *t)
{
	(void)t;
	event_add_timer_msec(loop, on_poll, NULL, POLL_MS, &t_poll);
	if (agent.released)
		return;
	if (kernel_was_changed(agent.kernel)) {
		apply_verify(agent.apply, false);
		deep_due = true;
	}
	deep_look();
}

/* ---- a site behind several providers ---- */

static struct liveness_packet *liveness;
static struct hook_packet *hooks;
static struct reach_packet *reach;
static struct metrics_registry *registry;

static void steer_devices_changed(void *ctx)
{
	(void)ctx;
	rpfilter_soon();
	hook_packet_plan(hooks, steer_plan());
}

static void steer_paths(void *ctx, const struct path *paths, size_t n)
{
	(void)ctx;
	if (liveness)
		liveness_packet_set(liveness, paths, n);
}

static const struct steer_ops steer_ops = {
	.privileges = change_privileges,
	.note = note,
	.devices_changed = steer_devices_changed,
	.paths = steer_paths,
};

static const struct liveness_packet_ops liveness_ops = {
	.changed = steer_path_changed,
	.privileges = change_privileges,
	.note = note,
};

static const struct reach_packet_ops reach_ops = {
	.privileges = change_privileges,
	.note = note,
};

/* Not before the configuration is read: an empty one would take away what the
 * last run has left in the kernel. */
static int start_steer(struct event_loop *the_loop)
{
	static char socket[AGENT_PATH_SIZE];
	const struct steer_files files = { .accept_ra = agent.files.accept_ra,
					   .memory = agent.files.paths,
					   .delegations = agent.files.delegations,
					   .tunnel_socket = socket };

	(void)the_loop;
	snprintf(socket, sizeof(socket), "%s/%s",
		 sav_agent_di.vty_sock_path ? sav_agent_di.vty_sock_path : frr_vtydir,
		 TUNNEL_SOCKET_NAME);
	liveness = liveness_packet_new(loop, &liveness_ops, NULL);
	watch_vty_liveness(liveness);
	hooks = hook_packet_new(loop, note, NULL);
	steer_start(loop, &steer_ops, NULL, &agent.table, &files);
	head_agent_start(loop, &privs, socket, note, NULL);
	metrics_registry_add(registry, head_agent_collect, NULL);
	reach = reach_packet_new(loop, &reach_ops, NULL);
	metrics_registry_add(registry, reach_packet_collect, reach);
	reach_vty_start(reach);
	return 0;
}

/* ---- interfaces ---- */

static int read_links(bool *changed)
{
	struct link_table fresh;
	struct diag diag;
	int rc;

	link_table_init(&fresh);
	rc = links_dump(agent.links, &fresh, &diag);
	set_error(&agent.links_error, rc, &diag);
	*changed = rc == 0 && !link_table_equal(&fresh, &agent.table);
	if (rc == 0) {
		link_table_fini(&agent.table);
		agent.table = fresh;
	}
	return rc;
}

static void on_links_delay(struct event *t)
{
	bool changed;

	(void)t;
	if (read_links(&changed) < 0) {
		event_add_timer_msec(loop, on_links_delay, NULL, LINKS_RETRY_MS, &t_links_delay);
		return;
	}
	/* An interface that was away for less than the delay looks as before, but
	 * the kernel has taken its IPv4 routes, and tells nobody of that. */
	if (!agent.released)
		steer_links_changed();
	if (!changed)
		return;
	if (!agent.released)
		apply_links(agent.apply);
	rpfilter_soon(); /* a new interface begins with the default value */
	north_inventory_changed(agent.north);
	north_packet_wake(agent.packet);
}

static void on_links(struct event *t)
{
	(void)t;
	event_add_read(loop, on_links, NULL, links_fd(agent.links), &t_links);
	if (links_drain(agent.links) && !t_links_delay)
		event_add_timer_msec(loop, on_links_delay, NULL, LINKS_DELAY_MS,
				     &t_links_delay);
}

/* ---- the operator's commands ---- */

void agent_set_controller(struct agent *a, const char *host, uint16_t port)
{
	if (host != a->host)
		snprintf(a->host, sizeof(a->host), "%s", host);
	a->port = port;
	if (!a->packet || a->released)
		return;
	north_packet_connect(a->packet, host, port);
	relay_packet_connect(a->relay, host, port);
}

void agent_set_relay(struct agent *a, const struct relay_listen *listen)
{
	a->relay_listen = *listen;
	if (!a->relay || a->released)
		return;
	relay_packet_listen(a->relay, listen);
	north_certify(a->north);
	north_packet_wake(a->packet);
}

int agent_all_off(struct agent *a, bool on, struct diag *diag)
{
	struct diag disk;

	/* The kernel first: the hand brake works on a full disk too. */
	if (apply_all_off(a->apply, on, diag) < 0)
		return -1;
	north_all_off_changed(a->north);
	north_packet_wake(a->packet);
	zlog_warn("%s", on ? "all off: nothing is filtered until \"no all off\""
			   : "no all off: filters are in force again");
	if (set_all_off_file(on, &disk) == 0)
		return 0;
	return diag_set(diag, "done, but it will not outlive a restart: %s", disk.text);
}

int agent_release(struct agent *a, struct diag *diag)
{
	a->released = true;
	north_packet_connect(a->packet, "", 0);
	relay_packet_connect(a->relay, "", 0);
	zlog_warn("filter release: all filters are removed, and a site is not steered any more");
	if (apply_release(a->apply, diag) < 0 || steer_release(diag) < 0)
		return -1;
	if (a->rpfilter && rpfilter_release(a->rpfilter, diag) < 0)
		return -1;
	return set_all_off_file(false, diag);
}

/* ---- start and end ---- */

static void on_term(void)
{
	zlog_notice("stopping; the filters stay in force");
	if (t_save)
		on_save(NULL);
	agent_metrics_stop();
	agent_routes_fini();
	agent_drops_stop();
	reach_vty_start(NULL);
	reach_packet_free(reach);
	liveness_packet_free(liveness);
	hook_packet_free(hooks);
	steer_stop();
	head_agent_stop();
	EVENT_OFF(t_poll);
	EVENT_OFF(t_links);
	EVENT_OFF(t_links_delay);
	EVENT_OFF(t_save);
	EVENT_OFF(t_rpfilter);
	relay_packet_free(agent.relay);
	north_packet_free(agent.packet);
	north_free(agent.north);
	certs_free(agent.certs);
	apply_free(agent.apply);
	kernel_close(agent.kernel);
	links_close(agent.links);
	link_table_fini(&agent.table);
	if (agent.rpfilter)
		rpfilter_close(agent.rpfilter);
	frr_fini();
	exit(0);
}

static void __attribute__((noreturn)) die(const struct diag *diag)
{
	fprintf(stderr, "sav-agent: %s\n", diag->text);
	zlog_err("%s", diag->text);
	exit(1);
}

static void start_filters(const struct kernel_options *options)
{
	struct held saved = { 0 };
	struct diag diag;
	bool changed;

	agent.links = links_open(&diag);
	if (!agent.links)
		die(&diag);
	read_links(&changed);
	agent.kernel = kernel_open(options, &diag);
	if (!agent.kernel)
		die(&diag);
	if (cache_load(agent.files.filters, &saved, &diag) < 0) {
		diag_prepend(&diag, "the saved filters are not used");
		set_error(&agent.cache_error, -1, &diag);
	}
	agent.apply = apply_new(agent.kernel, &apply_ops, &agent);
	if (access(agent.files.all_off, F_OK) == 0 &&
	    kernel_brake(agent.kernel, true, &diag) < 0)
		zlog_warn("%s", diag.text);
	apply_start(agent.apply, &saved);
	held_fini(&saved);
	zlog_notice("%zu filters in force%s, strategy %s", apply_held(agent.apply)->n,
		    kernel_brake_is_on(agent.kernel) ? ", but all off" : "",
		    kernel_strategy_name(kernel_strategy(agent.kernel)));
}

static void start_rest(void)
{
	static const struct agent_drops_config drops = { SAMPLE_GROUP, change_privileges };
	struct diag diag;

	agent.rpfilter = rpfilter_open(RPFILTER_CONF, agent.files.rp_filter,
				       change_privileges, &diag);
	if (!agent.rpfilter)
		set_error(&agent.rpfilter_error, -1, &diag);
	rpfilter_soon();
	agent_routes_init(loop, &routes_ops);
	agent.north = north_new(&north_ops, &agent);
	agent.certs = certs_new(&agent.files);
	agent.packet = north_packet_new(loop, agent.north, &agent.files);
	agent.relay = relay_packet_new(loop, &agent.files, &relay_ops, &agent);
	agent_set_relay(&agent, &agent.relay_listen);
	registry = agent_metrics_start(loop, &agent);
	if (agent.host[0])
		agent_set_controller(&agent, agent.host, agent.port);
	event_add_read(loop, on_links, NULL, links_fd(agent.links), &t_links);
	event_add_timer_msec(loop, on_poll, NULL, POLL_MS, &t_poll);
	agent_drops_start(loop, &drops);
}

enum {
	OPT_STATE = 2000, /* libfrr has its own from 1000 */
	OPT_CONTROLLER,
	OPT_ENROLL,
	OPT_STRATEGY,
};

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "controller", required_argument, NULL, OPT_CONTROLLER },
	{ "enroll", required_argument, NULL, OPT_ENROLL },
	{ "strategy", required_argument, NULL, OPT_STRATEGY },
	{ 0 },
};

static void __attribute__((noreturn)) usage(const char *text)
{
	fprintf(stderr, "sav-agent: %s\n", text);
	exit(2);
}

/* HOST, HOST:PORT, IPV6, [IPV6]:PORT */
static void parse_controller(const char *text)
{
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);
	unsigned long port = NORTH_PORT;
	char *rest;

	if (colon &&
	    (strchr(text, ':') == colon || (text[0] == '[' && colon[-1] == ']'))) {
		port = strtoul(colon + 1, &rest, 10);
		if (*rest || colon[1] == '\0' || port == 0 || port > 65535)
			usage("--controller: the port must be 1 to 65535");
		end = colon;
	}
	if (text[0] == '[' && end > text + 1 && end[-1] == ']') {
		text++;
		end--;
	}
	if (end == text || (size_t)(end - text) >= sizeof(agent.host))
		usage("--controller: HOST[:PORT], [IPV6-ADDRESS]:PORT");
	snprintf(agent.host, sizeof(agent.host), "%.*s", (int)(end - text), text);
	agent.port = (uint16_t)port;
	agent.host_from_command_line = true;
}

static void __attribute__((noreturn)) run_enroll(const char *from)
{
	struct diag diag;

	if (!agent.host[0])
		usage("--enroll needs --controller HOST[:PORT]");
	if (enroll(from, agent.host, agent.port, &agent.files, &diag) < 0) {
		fprintf(stderr, "sav-agent: not enrolled: %s\n", diag.text);
		exit(1);
	}
	printf("enrolled; key and certificate are in %s\n", agent.files.dir);
	exit(0);
}

static void parse_strategy(const char *text, struct kernel_options *kernel)
{
	if (strcmp(text, "delta") == 0)
		kernel->strategy = KERNEL_DELTA;
	else if (strcmp(text, "swap") == 0)
		kernel->strategy = KERNEL_SWAP;
	else if (strcmp(text, "auto") != 0)
		usage("--strategy: auto, delta or swap");
}

static void parse_options(int argc, char **argv, struct kernel_options *kernel)
{
	const char *state = STATE_DIR, *enroll_from = NULL;
	struct diag diag;
	int opt;

	frr_opt_add(
		"", options,
		"      --state        Directory of key, certificate and saved filters\n"
		"      --controller   HOST[:PORT] of the controller\n"
		"      --enroll       File with the token, - for standard input; then "
		"exit\n"
		"      --strategy     auto, delta or swap: how large sets are changed\n");
	while ((opt = frr_getopt(argc, argv, NULL)) != EOF) {
		switch (opt) {
		case 0:
			break;
		case OPT_STATE:
			state = optarg;
			break;
		case OPT_CONTROLLER:
			parse_controller(optarg);
			break;
		case OPT_ENROLL:
			enroll_from = optarg;
			break;
		case OPT_STRATEGY:
			parse_strategy(optarg, kernel);
			break;
		default:
			frr_help_exit(1);
		}
	}
	if (agent_files_init(&agent.files, state, &diag) < 0)
		usage(diag.text);
	if (enroll_from)
		run_enroll(enroll_from);
}

/* An account of its own is better, but its absence is no reason not to run. */
static void find_accounts(void)
{
	if (!getpwnam("opensav") || !getgrnam("opensav")) {
		privs.user = "root";
		privs.group = "root";
	}
}

int main(int argc, char **argv)
{
	struct kernel_options kernel = { .sample_group = SAMPLE_GROUP,
					 .privileges = change_privileges };
	struct diag diag;

	find_accounts();
	sav_agent_di.name = "sav-agent"; /* not an identifier */
	frr_version_option("sav-agent", argc, argv);
	frr_preinit(&sav_agent_di, argc, argv);
	head_zebra_default();
	parse_options(argc, argv, &kernel);
	privs.vty_group = frr_vty_group(privs.user);
	loop = frr_init();
	if (agent_files_make_dir(&agent.files, &diag) < 0)
		die(&diag);
	agent_vty_init(&agent);
	agent_drops_init(&agent);
	agent_metrics_vty_init();
	steer_vty_init();
	head_vty_init();
	shell_vty_init();
	start_filters(&kernel);
	hook_register(frr_config_post, start_steer);
	frr_config_fork();
	start_rest();
	frr_run(loop);
	return 0;
}
