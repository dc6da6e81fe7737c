/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-replay - recorded feeds and a configuration in, computed sets out.
 *
 * Offline and without privileges: the same decoders, RIB and set computation
 * as savd, with no hold-down, no brake and all peers complete. Its JSON is a
 * contract (sav-replay(8)).
 */
#include "lib/frr_compat.h"

#include <ctype.h>
#include <getopt.h>

#include "command.h"
#include "vty.h"

#include "opensav_config.h"

#include "controller/replay.h"
#include "controller/vty/config_vty.h"
#include "lib/mem.h"

#define TOP 50

enum exit_status {
	EXIT_INPUT = 1,
	EXIT_USAGE = 2,
};

static struct {
	struct replay r, what_if;
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
		"  --what-if FILE         what this other configuration would change\n"
		"  --observed [ROUTER/INTERFACE=]FILE\n"
		"                         traffic seen on that edge, what of it is dropped, and\n"
		"                         why: pcap, or lines of ADDRESS,BYTES[,PACKETS]\n"
		"  --top N                of each list of these two (default 50)\n"
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

static void add_traffic(struct replay *r, char *arg)
{
	char *equals = strchr(arg, '='), *slash = strchr(arg, '/');
	struct replay_traffic t = { .path = arg };

	/* a path with an equals sign begins with a slash, a dot or has two slashes */
	if (equals && slash && slash < equals && slash != arg && slash + 1 != equals &&
	    arg[0] != '.' && !memchr(slash + 1, '/', (size_t)(equals - slash - 1))) {
		*equals = *slash = '\0';
		t.router = arg;
		t.interface = slash + 1;
		t.path = equals + 1;
	}
	r->traffic = mem_realloc(r->traffic, r->n_traffic + 1, sizeof(*r->traffic));
	r->traffic[r->n_traffic++] = t;
}

static bool take_top(struct replay *r, const char *arg)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (!isdigit((unsigned char)arg[0]) || *end != '\0' || n == 0 || n > UINT32_MAX) {
		fprintf(stderr, "sav-replay: --top %s: this is not a number above 0\n", arg);
		return false;
	}
	r->top = n;
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
		{ "what-if", required_argument, NULL, 'w' },
		{ "observed", required_argument, NULL, 'o' },
		{ "top", required_argument, NULL, 'n' },
		{ "bench", no_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct replay *r = &replay.r;
	int c;

	r->top = TOP;

	while ((c = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			r->config_path = optarg;
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
		case 'w':
			replay.what_if.config_path = optarg;
			r->what_if = &replay.what_if;
			break;
		case 'o':
			add_traffic(r, optarg);
			break;
		case 'n':
			if (!take_top(r, optarg))
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
	if (optind != argc || !r->config_path) {
		fprintf(stderr, optind != argc ? "sav-replay: unexpected argument\n" :
						 "sav-replay: --config is missing\n");
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

static void add_routers(struct replay *r, const struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_routers; i++) {
		size_t known = 0;

		while (known < r->n_routers &&
		       strcmp(r->routers[known], cfg->routers[i].name) != 0)
			known++;
		if (known < r->n_routers)
			continue;
		r->routers = mem_realloc(r->routers, r->n_routers + 1, sizeof(*r->routers));
		r->routers[r->n_routers++] = cfg->routers[i].name;
	}
}

static void check_input(struct replay *r, struct replay_input *in)
{
	if (!in->router && r->n_routers == 1)
		in->router = r->routers[0];
	if (!in->router) {
		replay_complain(r,
				"%s: whose feed is this? The configuration has %zu routers: "
				"write --%s ROUTER=%s",
				in->path, r->n_routers,
				in->kind == REPLAY_BMP ? "bmp" : "mrt", in->path);
		return;
	}
	for (in->number = 0; in->number < r->n_routers; in->number++) {
		if (strcmp(r->routers[in->number], in->router) == 0)
			return;
	}
	replay_complain(r, "%s: router %s is not in the configuration: add \"router %s\"",
			in->path, in->router, in->router);
}

/* A router may be in one of two configurations; the other has no routes of it. */
static void warn_inputs(const struct replay *r, const struct replay *of)
{
	for (size_t i = 0; i < of->n_inputs; i++) {
		if (!config_router_find(&r->cfg, of->inputs[i].router))
			fprintf(stderr,
				"sav-replay: %s: router %s is not in %s, which is computed "
				"without its routes\n",
				of->inputs[i].path, of->inputs[i].router, r->config_path);
	}
}

static void check_inputs(struct replay *r)
{
	add_routers(r, &r->cfg);
	if (r->what_if)
		add_routers(r, &r->what_if->cfg);
	for (size_t i = 0; i < r->n_inputs; i++)
		check_input(r, &r->inputs[i]);
	replay_traffic_check(r);
	if (r->what_if && !r->failed) {
		warn_inputs(r, r);
		warn_inputs(r->what_if, r);
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
					r->config_path, c->router, c->interface);
	}
}

static void start_pass(struct replay *r)
{
	replay_sources(r);
	r->pass = sets_pass_new(&r->cfg, r->sources, r->n_sources);
}

/* All of the input is read before its errors end the program. */
static void run(struct replay *r)
{
	r->rib = rib_new();
	for (size_t i = 0; i < r->n_inputs; i++)
		replay_read(r, &r->inputs[i]);
	replay_traffic_read(r);
	if (r->failed)
		return;
	start_pass(r);
	if (r->what_if) {
		r->what_if->rib = r->rib;
		r->what_if->routers = r->routers;
		r->what_if->n_routers = r->n_routers;
		start_pass(r->what_if);
	}
	replay_print(r, r->pass);
	sets_pass_free(r->pass);
	if (r->what_if)
		sets_pass_free(r->what_if->pass);
	if (fflush(stdout) != 0 || ferror(stdout))
		replay_complain(r, "writing to standard output failed");
	if (r->bench)
		replay_bench(r);
}

/* false: not readable at all, and nothing more can be said. */
static bool read_configs(struct replay *r)
{
	struct replay *w = r->what_if;

	config_init(&r->cfg);
	config_vty_init(&r->cfg);
	if (config_vty_read(r->config_path, on_config_error, r) < 0)
		return false;
	check_edges(r);
	if (!w)
		return true;
	r->compares = w->compares = true;
	config_init(&w->cfg);
	if (config_vty_read_into(&w->cfg, w->config_path, on_config_error, r) < 0)
		return false;
	check_edges(w);
	r->failed |= w->failed;
	return true;
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
	if (!read_configs(r))
		return EXIT_INPUT;
	check_inputs(r);
	if (!r->failed)
		run(r);
	return r->failed ? EXIT_INPUT : 0;
}
