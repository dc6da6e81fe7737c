/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-replay - recorded feeds and a configuration in, computed sets out.
 *
 * Offline and without privileges: the same decoders, RIB and set computation
 * as savd, with no hold-down, no brake and all peers complete. Its JSON is a
 * contract (sav-replay(8)).
 */
#include "lib/frr_compat.h"

#include <getopt.h>

#include "command.h"
#include "vty.h"

#include "opensav_config.h"

#include "controller/replay.h"
#include "controller/vty/config_vty.h"
#include "lib/mem.h"

enum exit_status {
	EXIT_INPUT = 1,
	EXIT_USAGE = 2,
};

static struct {
	struct replay r;
	const char *config_path;
} replay;

void replay_complain(struct replay *r, const char *fmt, ...)
{
	va_list ap;

	r->failed = true;
	fputs("sav-replay: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
}

static void on_config_error(const char *text, void *arg)
{
	replay_complain(arg, "%s", text);
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: sav-replay --config FILE [--bmp|--mrt [ROUTER=]FILE]... [OPTION]...\n"
		"  --config FILE          configuration, as `show running-config` prints it\n"
		"  --bmp [ROUTER=]FILE    a recorded BMP stream of that router\n"
		"  --mrt [ROUTER=]FILE    an MRT file of that router\n"
		"                         (all in the order given; plain, gzip, bzip2 or xz)\n"
		"  --json                 JSON instead of text\n"
		"  --explain ADDRESS      what each edge does with that source, and why\n"
		"  --bench                timings and sizes, as JSON on standard error\n"
		"  --version, --help\n");
}

static void add_input(struct replay *r, enum replay_kind kind, char *arg)
{
	char *equals = strchr(arg, '=');
	struct replay_input in = { .kind = kind, .path = arg };

	/* a path may have an equals sign too, but no name of a router a slash */
	if (equals && !memchr(arg, '/', (size_t)(equals - arg))) {
		*equals = '\0';
		in.router = arg;
		in.path = equals + 1;
	}
	r->inputs = mem_realloc(r->inputs, r->n_inputs + 1, sizeof(*r->inputs));
	r->inputs[r->n_inputs++] = in;
}

static bool add_explain(struct replay *r, const char *arg)
{
	struct ip_addr addr;

	if (!ip_addr_parse(arg, &addr)) {
		fprintf(stderr, "sav-replay: --explain %s: this is not an IP address\n", arg);
		return false;
	}
	r->explain = mem_realloc(r->explain, r->n_explain + 1, sizeof(*r->explain));
	r->explain[r->n_explain++] = addr;
	return true;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "bmp", required_argument, NULL, 'b' },
		{ "mrt", required_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "explain", required_argument, NULL, 'e' },
		{ "bench", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct replay *r = &replay.r;
	int c;

	while ((c = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			replay.config_path = optarg;
			break;
		case 'b':
			add_input(r, REPLAY_BMP, optarg);
			break;
		case 'm':
			add_input(r, REPLAY_MRT, optarg);
			break;
		case 'j':
			r->json = true;
			break;
		case 'e':
			if (!add_explain(r, optarg))
				return EXIT_USAGE;
			break;
		case 't':
			r->bench = true;
			break;
		case 'v':
			printf("sav-replay %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc || !replay.config_path) {
		fprintf(stderr, optind != argc ? "sav-replay: unexpected argument\n" :
						 "sav-replay: --config is missing\n");
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

static void check_inputs(struct replay *r)
{
	for (size_t i = 0; i < r->n_inputs; i++) {
		struct replay_input *in = &r->inputs[i];

		if (!in->router && r->cfg.n_routers == 1)
			in->router = r->cfg.routers[0].name;
		if (in->router && config_router_find(&r->cfg, in->router))
			continue;
		if (in->router)
			replay_complain(
				r,
				"%s: router %s is not in the configuration: add \"router %s\"",
				in->path, in->router, in->router);
		else
			replay_complain(r,
					"%s: whose feed is this? The configuration has %zu "
					"routers: write --%s ROUTER=%s",
					in->path, r->cfg.n_routers,
					in->kind == REPLAY_BMP ? "bmp" : "mrt", in->path);
	}
}

static void check_edges(struct replay *r)
{
	for (size_t i = 0; i < r->cfg.n_edges; i++) {
		const struct config_edge *c = &r->cfg.edges[i];

		if (c->role == ROLE_NONE)
			replay_complain(r,
					"%s: edge %s %s has no role: add \"role customer\" (or "
					"stub, host, peer, provider, internal)",
					replay.config_path, c->router, c->interface);
	}
}

/* All of the input is read before its errors end the program. */
static void run(struct replay *r)
{
	struct sets_pass *pass;

	r->rib = rib_new();
	for (size_t i = 0; i < r->n_inputs; i++)
		replay_read(r, &r->inputs[i]);
	if (r->failed)
		return;
	replay_sources(r);
	pass = sets_pass_new(&r->cfg, r->sources, r->n_sources);
	replay_print(r, pass);
	sets_pass_free(pass);
	if (fflush(stdout) != 0 || ferror(stdout))
		replay_complain(r, "writing to standard output failed");
	if (r->bench)
		replay_bench(r);
}

int main(int argc, char **argv)
{
	int status = parse_options(argc, argv);
	struct replay *r = &replay.r;
	struct event_loop *loop;

	if (status >= 0)
		return status;
	loop = event_master_create("sav-replay");
	cmd_init(1);
	vty_init(loop, false);
	config_vty_init(&r->cfg);
	if (config_vty_read(replay.config_path, on_config_error, r) < 0)
		return EXIT_INPUT;
	check_edges(r);
	check_inputs(r);
	if (!r->failed)
		run(r);
	return r->failed ? EXIT_INPUT : 0;
}
