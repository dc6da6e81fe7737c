/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd - the controller: routes and policy in, filters out.
 *
 * Wires the parts together and has no decisions of its own. Data goes one way:
 * bmp_packet -> engine -> store and south -> agents; what comes back from
 * agents is inventories, acknowledgements and counters.
 */
#include "lib/frr_compat.h"

#include "command.h"
#include "libfrr.h"
#include "log.h"
#include "privs.h"
#include "sigevent.h"
#include "version.h"
#include "vty.h"

#include "opensav_config.h"

#include "controller/savd.h"
#include "controller/savd_agents_packet.h"
#include "controller/savd_edge.h"
#include "controller/savd_listen_packet.h"
#include "controller/savd_metrics.h"
#include "controller/savd_radius_packet.h"
#include "controller/savd_run_packet.h"
#include "controller/savd_save_packet.h"
#include "controller/vty/complete_vty.h"
#include "controller/vty/config_vty.h"
#include "controller/vty/customer_vty.h"
#include "controller/vty/database_vty.h"
#include "controller/vty/drops_vty.h"
#include "controller/vty/history_vty.h"
#include "controller/vty/journal_vty.h"
#include "controller/vty/later_vty.h"
#include "controller/vty/radius_vty.h"
#include "controller/vty/rollback_vty.h"
#include "controller/vty/show_fib_vty.h"
#include "controller/vty/show_vty.h"
#include "controller/vty/whatif_vty.h"
#include "lib/shell_vty.h"

#define TERMS_S 60

static struct savd savd;
static struct event_loop *loop;
static struct turns *turns;
static struct savd_metrics *collectors;
static struct event *t_terms;
static char state_dir[PATH_MAX - 32] = "/var/lib/opensav";
static char signer_path[PATH_MAX];

static zebra_capabilities_t no_caps[] = {};
static struct zebra_privs_t privs = {
	.user = "opensav",
	.group = "opensav",
	.caps_p = no_caps,
	.cap_num_p = 0,
};

static void on_term(void);
static void on_usr1(void)
{
	zlog_rotate();
}
static struct frr_signal_t signals[] = {
	{ .signal = SIGHUP, .handler = on_usr1 }, /* all else is in the database */
	{ .signal = SIGINT, .handler = on_term },
	{ .signal = SIGTERM, .handler = on_term },
	{ .signal = SIGUSR1, .handler = on_usr1 },
};

/* Configuration is in the store, never in a file of libfrr's; the VTY is a unix
 * socket, TCP only by -P. */
FRR_DAEMON_INFO(savd, SAVD, .vty_port = 0, .flags = FRR_NO_SPLIT_CONFIG,
		.proghelp = "Computes source address filters from routes and policy.",
		.copyright = "", .signals = signals, .n_signals = array_size(signals),
		.privs = &privs, );

int64_t savd_now_ms(void)
{
	return frr_now_us() / 1000;
}

int64_t savd_revision(void)
{
	return journal_revision();
}

/* ---- start and stop ---- */

static void die(const struct diag *diag)
{
	fprintf(stderr, "savd: %s\n", diag->text);
	zlog_err("%s", diag->text);
	exit(1);
}

static void open_store(void)
{
	char path[PATH_MAX];
	struct diag diag;

	snprintf(path, sizeof(path), "%s/savd.db", state_dir);
	savd.store = store_open(path, &diag);
	if (!savd.store || store_config_load(savd.store, &savd.cfg, &diag) < 0)
		die(&diag);
	savd.cfg.sink = store_config_sink();
	savd.cfg.sink_ctx = savd.store;
	snprintf(path, sizeof(path), "%s/secrets.key", state_dir);
	if (config_vty_seal(path, &diag) < 0)
		die(&diag);
	journal_init(&savd.cfg, savd.store);
	savd_save_start(&savd, loop);
}

/* Every command is saved when it is done. `write` has nothing left to do but to
 * leave a copy as text: for people and for version control, never read here. */
static void set_write_path(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/running.conf", state_dir);
	host_config_set(path);
}

static void start_agents(void)
{
	struct diag diag;

	if (savd_agents_start(&savd, loop, turns, signer_path, state_dir, &diag) < 0)
		die(&diag);
}

/* Prefixes of records begin and cease to count by the calendar. Asked often
 * enough that a clock that is set does not matter. */
static void on_terms(struct event *t)
{
	int64_t now_s = time(NULL), next = config_set_time(&savd.cfg, now_s);

	(void)t;
	event_add_timer(loop, on_terms, NULL,
			next != 0 && next - now_s < TERMS_S ? (long)(next - now_s) : TERMS_S,
			&t_terms);
}

static void restore_one(const char *router, const struct filter *f, int64_t saved, void *arg)
{
	struct savd_edge *e = savd_edge_get(&savd, router, f->interface);

	(void)arg;
	if (e)
		savd_edge_changed(e, f->generation, saved);
	engine_restore(savd.engine, router, f);
}

/* Off unless configured. The registry is there first: modules that start later
 * add to it. */
static void start_metrics(void)
{
	static struct metrics_build build = {
		.family = { "savd_build_info", "Versions of this program", METRIC_GAUGE },
		.version = PACKAGE_VERSION,
		.library = FRR_VERSION,
	};

	savd.metrics = metrics_registry_new();
	metrics_registry_add(savd.metrics, metrics_collect_build, &build);
	collectors = savd_metrics_new(&savd, savd.metrics, state_dir);
}

static void start_engine(void)
{
	struct diag diag;

	savd_run_init(&savd, loop);
	savd.engine = engine_new(&savd.cfg, &savd_engine_ops, NULL);
	savd_listen_start(&savd, loop, turns);
	diag.text[0] = '\0';
	if (store_generations_load(savd.store, restore_one, NULL, &diag) < 0)
		die(&diag);
	if (diag.text[0] != '\0') /* rows that were damaged and left out */
		savd_note(true, "%s", diag.text);
	savd.radius = savd_radius_start(&savd, loop, turns);
	on_terms(NULL);
	savd_run_start();
	savd_listen_apply();
	savd_listen_routers();
	savd_engine_ops.wake(NULL); /* what happened since */
	rollback_vty_start();
	savd_save_trim();
}

static void on_term(void)
{
	zlog_notice("stopping; the routers keep their filters");
	savd_run_stop();
	EVENT_OFF(t_terms);
	rollback_vty_stop();
	database_vty_stop();
	complete_vty_stop();
	later_stop();
	savd_save_all();
	savd_listen_stop();
	savd_metrics_free(collectors);
	metrics_registry_free(savd.metrics);
	savd_radius_stop();
	savd_agents_stop();
	engine_free(savd.engine);
	turns_free(turns);
	savd_save_stop();
	store_close(savd.store);
	config_fini(&savd.cfg);
	savd_edges_fini(&savd);
	drop_store_free(savd.drops);
	frr_fini();
	exit(0);
}

enum {
	OPT_STATE = 2000, /* libfrr has its own from 1000 on */
	OPT_SIGNER,
};

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "signer", required_argument, NULL, OPT_SIGNER },
	{ 0 },
};

static void parse_options(int argc, char **argv)
{
	int opt;

	frr_opt_add("", options,
		    "      --state        Directory of database and keys\n"
		    "      --signer       Path of the program savd-signer\n");
	while ((opt = frr_getopt(argc, argv, NULL)) != EOF) {
		switch (opt) {
		case 0:
			break;
		case OPT_STATE:
			snprintf(state_dir, sizeof(state_dir), "%s", optarg);
			break;
		case OPT_SIGNER:
			snprintf(signer_path, sizeof(signer_path), "%s", optarg);
			break;
		default:
			frr_help_exit(1);
		}
	}
}

/* Beside savd itself if it is there (a build tree), else where it is installed. */
static void find_signer(void)
{
	ssize_t n = readlink("/proc/self/exe", signer_path, sizeof(signer_path) - 16);
	char *slash;

	if (n > 0) {
		signer_path[n] = '\0';
		slash = strrchr(signer_path, '/');
		strlcpy(slash + 1, "savd-signer",
			sizeof(signer_path) - (size_t)(slash + 1 - signer_path));
		if (access(signer_path, X_OK) == 0)
			return;
	}
	snprintf(signer_path, sizeof(signer_path), "%s/savd-signer", PKGLIBEXECDIR);
}

int main(int argc, char **argv)
{
	struct diag diag;

	frr_version_option("savd", argc, argv);
	frr_preinit(&savd_di, argc, argv);
	find_signer();
	parse_options(argc, argv);
	privs.vty_group = frr_vty_group(privs.user);
	if (savd_agents_signer_apart(&savd, signer_path, state_dir, &diag) < 0)
		die(&diag);
	loop = frr_init();
	turns = turns_new(loop);
	config_init(&savd.cfg);
	config_vty_init(&savd.cfg);
	savd.drops = drop_store_new();
	show_vty_init(&savd);
	drops_vty_init(&savd);
	customer_vty_init(&savd);
	complete_vty_init(loop, &savd);
	whatif_vty_init(&savd);
	savd_listen_init();
	show_fib_vty_init(&savd);
	radius_vty_init(&savd);
	history_vty_init(&savd);
	rollback_vty_init(loop, &savd);
	config_copy_vty_init(&savd);
	database_vty_init(loop, &savd);
	shell_vty_init();
	frr_config_fork();
	set_write_path();
	open_store(); /* its locks do not survive a fork */
	start_agents();
	start_metrics();
	start_engine();
	frr_run(loop);
	return 0;
}
