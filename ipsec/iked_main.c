/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-iked - IPsec tunnels over NATs, through links that stay apart.
 *
 * The main process: configuration, VTY, sockets and devices. Strangers' bytes
 * are parsed by sav-ike, keys are with sav-ike-signer, packets with sav-esp.
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

#include "ipsec/iked.h"
#include "ipsec/iked_events_vty.h"
#include "ipsec/iked_import.h"
#include "ipsec/iked_metrics_vty.h"
#include "ipsec/iked_kernel.h"
#include "lib/shell_vty.h"

#define KEYS_DIR "/etc/opensav/ipsec"

struct iked iked;

static zebra_capabilities_t caps[] = { ZCAP_NET_ADMIN, ZCAP_BIND, ZCAP_NET_RAW };
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
static void on_hup(void)
{
	iked_reload();
}
static struct frr_signal_t signals[] = {
	{ .signal = SIGHUP, .handler = on_hup },
	{ .signal = SIGINT, .handler = on_term },
	{ .signal = SIGTERM, .handler = on_term },
	{ .signal = SIGUSR1, .handler = on_usr1 },
};

FRR_DAEMON_INFO(sav_iked, SAV_IKED, .vty_port = 0, /* a unix socket; TCP only by -P */
		.proghelp = "IPsec tunnels: IKEv2 with NAT traversal.", .copyright = "", .signals = signals,
		.n_signals = array_size(signals), .privs = &privs, );

void iked_privileges(bool raise)
{
	if (privs.change(raise ? ZPRIVS_RAISE : ZPRIVS_LOWER) < 0)
		zlog_err("cannot %s privileges", raise ? "raise" : "lower");
}

static void on_term(void)
{
	zlog_notice("stopping");
	iked_metrics_stop();
	iked_publish_stop();
	iked_push_stop();
	iked_links_stop();
	iked_helpers_stop();
	iked_kernel_stop();
	iked_config_free(&iked.config);
	frr_fini();
	exit(0);
}

/* ---- options */

enum {
	OPT_KEYS = 2000, /* libfrr has its own from 1000 */
	OPT_PROGRAMS,
	OPT_IMPORT,
	OPT_NAME,
	OPT_ESP_THREADS,
};

static const struct option options[] = {
	{ "keys", required_argument, NULL, OPT_KEYS },
	{ "programs", required_argument, NULL, OPT_PROGRAMS },
	{ "import", required_argument, NULL, OPT_IMPORT },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "esp-threads", required_argument, NULL, OPT_ESP_THREADS },
	{ 0 },
};

static void __attribute__((noreturn)) usage(const char *text)
{
	fprintf(stderr, "sav-iked: %s\n", text);
	exit(2);
}

static void __attribute__((noreturn)) die(const struct diag *diag)
{
	fprintf(stderr, "sav-iked: %s\n", diag->text);
	zlog_err("%s", diag->text);
	exit(1);
}

/* Beside this program when it runs where it was built. */
static void find_programs(void)
{
	ssize_t n = readlink("/proc/self/exe", iked.programs, sizeof(iked.programs) - 16);
	char *slash;

	if (n > 0) {
		iked.programs[n] = '\0';
		slash = strrchr(iked.programs, '/');
		strlcpy(slash, "/sav-ike", sizeof(iked.programs) - (size_t)(slash - iked.programs));
		if (access(iked.programs, X_OK) == 0) {
			*slash = '\0';
			return;
		}
	}
	snprintf(iked.programs, sizeof(iked.programs), "%s", PKGLIBEXECDIR);
}

static void __attribute__((noreturn)) run_import(const char *file, const char *name)
{
	struct diag diag;

	if (!name)
		usage("--import needs --name NAME: the files will be NAME.key, NAME.crt and NAME-ca.crt");
	if (iked_import(file, iked.keys, name, &diag) != 0) {
		fprintf(stderr, "sav-iked: not imported: %s\n", diag.text);
		exit(1);
	}
	exit(0);
}

static void parse_options(int argc, char **argv)
{
	const char *import = NULL, *name = NULL;
	int opt;

	snprintf(iked.keys, sizeof(iked.keys), "%s", KEYS_DIR);
	frr_opt_add("", options,
		    "      --keys         Directory of keys and certificates\n"
		    "      --programs     Directory of sav-ike, sav-ike-signer and sav-esp\n"
		    "      --esp-threads  Threads of sav-esp that carry packets: 1, 2, 4, 8 or 16\n"
		    "      --import       PKCS #12 or PEM file to take apart, into --keys; then exit\n"
		    "      --name         What the imported files are to be called\n");
	while ((opt = frr_getopt(argc, argv, NULL)) != EOF) {
		switch (opt) {
		case 0:
			break;
		case OPT_KEYS:
			if (strlen(optarg) >= sizeof(iked.keys))
				usage("--keys: the name is too long");
			snprintf(iked.keys, sizeof(iked.keys), "%s", optarg);
			break;
		case OPT_PROGRAMS:
			snprintf(iked.programs, sizeof(iked.programs), "%s", optarg);
			break;
		case OPT_ESP_THREADS:
			iked.esp_threads = (unsigned)strtoul(optarg, NULL, 10);
			if (iked.esp_threads < 1 || iked.esp_threads > ESP_WORKERS_MAX ||
			    (iked.esp_threads & (iked.esp_threads - 1)))
				usage("--esp-threads: 1, 2, 4, 8 or 16");
			break;
		case OPT_IMPORT:
			import = optarg;
			break;
		case OPT_NAME:
			name = optarg;
			break;
		default:
			frr_help_exit(1);
		}
	}
	if (import)
		run_import(import, name);
}

/* An account of its own is better, but its absence is no reason not to run. ike
 * must be nobody that owns anything, and so it is not root in any case. */
static void find_accounts(void)
{
	struct passwd *pw = getpwnam("opensav-ike");

	if (!pw)
		pw = getpwnam("nobody");
	iked.ike_uid = pw ? pw->pw_uid : 65534;
	iked.ike_gid = pw ? pw->pw_gid : 65534;
	if (!getpwnam("opensav") || !getgrnam("opensav")) {
		privs.user = "root";
		privs.group = "root";
	}
}

/* Half of the processors: the kernel needs as much for the same packets. */
static unsigned default_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = 1;

	while (n * 4 <= processors && n < 8)
		n *= 2;
	return n;
}

int main(int argc, char **argv)
{
	struct diag diag;

	find_programs();
	find_accounts();
	iked.esp_threads = default_threads();
	sav_iked_di.name = "sav-iked"; /* not an identifier */
	frr_version_option("sav-iked", argc, argv);
	frr_preinit(&sav_iked_di, argc, argv);
	parse_options(argc, argv);
	privs.vty_group = frr_vty_group(privs.user);
	iked.loop = frr_init();
	iked_vty_init();
	iked_show_vty_init();
	iked_events_vty_init();
	iked_metrics_vty_init();
	shell_vty_init();
	frr_config_fork();
	iked_kernel_start();
	if (iked_helpers_start(&diag) != 0)
		die(&diag);
	iked_links_start();
	iked_publish_start(sav_iked_di.vty_sock_path ? sav_iked_di.vty_sock_path : frr_vtydir);
	iked_changed();
	iked_metrics_start();
	frr_run(iked.loop);
	return 0;
}
