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

#include "controller/feed/bmp_feed.h"
#include "controller/policy/config.h"
#include "controller/sets/sets.h"
#include "controller/vty/config_vty.h"
#include "lib/mem.h"

enum exit_status {
	EXIT_INPUT = 1,
	EXIT_USAGE = 2,
};

struct input {
	const char *router; /* NULL: the only one */
	const char *path;
};

struct peer_note {
	struct peer_note *next;
	const struct rib_peer *rib;
	struct bmp_peer_info info;
	bool has_info;
};

static struct {
	struct config cfg;
	struct rib *rib;
	struct input *inputs;
	size_t n_inputs;
	struct peer_note *peers;
	const char *config_path;
	bool json;
	bool failed;
} replay;

static void complain(const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "sav-replay: %s\n", text);
	replay.failed = true;
}

/* ---- feeds ---- */

static struct peer_note *note_of(const struct rib_peer *rib)
{
	struct peer_note *p;

	for (p = replay.peers; p; p = p->next) {
		if (p->rib == rib)
			return p;
	}
	p = mem_alloc(sizeof(*p));
	p->rib = rib;
	p->next = replay.peers;
	replay.peers = p;
	return p;
}

static void on_event(const struct bmp_event *event, void *arg)
{
	const struct input *in = arg;

	if (event->type == BMP_EVENT_REFUSED)
		fprintf(stderr, "sav-replay: %s: %s\n", in->path, event->text);
	if (event->type == BMP_EVENT_PEER_UP) {
		struct peer_note *p = note_of(event->peer);

		p->info = *event->info;
		p->has_info = true;
	}
}

static void warn_count(const struct input *in, uint64_t n, const char *what)
{
	if (n != 0)
		fprintf(stderr, "sav-replay: %s: %llu %s\n", in->path, (unsigned long long)n,
			what);
}

static void warn_stats(const struct input *in, const struct bmp_feed *feed)
{
	const struct bmp_feed_stats *s = bmp_feed_stats(feed);

	warn_count(in, s->malformed, "damaged messages skipped");
	warn_count(in, s->treat_as_withdraw, "damaged updates taken as withdrawals (RFC 7606)");
	warn_count(in, s->host_bits, "prefixes with host bits set (masked)");
	warn_count(in, s->by_type[7], "messages of unknown type ignored");
	warn_count(in, bmp_feed_pending(feed),
		   "bytes of an unfinished message at the end of the file");
}

static int read_stream(const struct input *in, struct bmp_feed *feed, FILE *file)
{
	static char buf[1 << 20];
	struct diag diag;
	size_t n;

	while ((n = fread(buf, 1, sizeof(buf), file)) != 0) {
		if (bmp_feed_bytes(feed, buf, n, &diag) < 0) {
			diag_prepend(&diag, "%s", in->path);
			complain(diag.text, NULL);
			return -1;
		}
	}
	if (ferror(file)) {
		diag_set(&diag, "%s: %s", in->path, strerror(errno));
		complain(diag.text, NULL);
		return -1;
	}
	return 0;
}

static int read_bmp(const struct input *in)
{
	const struct config_router *r = config_router_find(&replay.cfg, in->router);
	struct bmp_feed *feed;
	FILE *file = fopen(in->path, "re");
	struct diag diag;
	int ret;

	if (!file) {
		diag_set(&diag, "%s: %s", in->path, strerror(errno));
		complain(diag.text, NULL);
		return -1;
	}
	feed = bmp_feed_new(replay.rib, (uint32_t)(r - replay.cfg.routers), on_event,
			    (void *)(uintptr_t)in);
	bmp_feed_set_allow_rd(feed, true);
	ret = read_stream(in, feed, file);
	warn_stats(in, feed);
	bmp_feed_free(feed);
	fclose(file);
	return ret;
}

/* ---- edges ---- */

static struct sets_source *list_sources(size_t *n)
{
	struct sets_source *list = NULL;
	struct rib_peer *rib;

	*n = 0;
	for (rib = rib_peer_first(replay.rib); rib; rib = rib_peer_next(rib)) {
		const struct rib_peer_key *key = rib_peer_key(rib);
		const struct config_router *r = &replay.cfg.routers[key->router];
		const struct config_edge *c =
			config_edge_by_peer(&replay.cfg, r->name, &key->addr);
		char addr[IP_TEXT_SIZE];

		if (!c)
			fprintf(stderr,
				"sav-replay: peer %s of router %s is on no edge; it counts as an "
				"internal or unknown path\n",
				ip_addr_format(&key->addr, addr), r->name);
		list = mem_realloc(list, *n + 1, sizeof(*list));
		list[(*n)++] = (struct sets_source){
			.peer = rib,
			.edge = c ? (size_t)(c - replay.cfg.edges) : SETS_NO_EDGE,
			.router = key->router,
			.ibgp = note_of(rib)->info.is_ibgp,
		};
	}
	return list;
}

struct listing {
	bool first;
};

static void print_json_prefix(const struct ip_prefix *p, void *arg)
{
	struct listing *l = arg;
	char text[IP_TEXT_SIZE];

	printf("%s\"%s\"", l->first ? "" : ",", ip_prefix_format(p, text));
	l->first = false;
}

static void print_json_list(const struct addrset *set, enum ip_family family)
{
	struct listing l = { .first = true };

	printf("[");
	rangeset_each_prefix(&set->f[family], family, print_json_prefix, &l);
	printf("]");
}

static void print_json_edge(const struct config_edge *c, const struct addrset *set)
{
	/* names have no character that JSON would have to escape */
	printf("{\"router\":\"%s\",\"interface\":\"%s\",\"mode\":\"%s\",\"ipv4\":", c->router,
	       c->interface, edge_mode_name(config_edge_mode(c)));
	print_json_list(set, IP_V4);
	printf(",\"ipv6\":");
	print_json_list(set, IP_V6);
	printf("}");
}

static void print_text_prefix(const struct ip_prefix *p, void *arg)
{
	char text[IP_TEXT_SIZE];

	(void)arg;
	printf(" %s\n", ip_prefix_format(p, text));
}

static void print_edges(void)
{
	size_t n;
	struct sets_source *sources = list_sources(&n);
	struct sets_pass *pass = sets_pass_new(&replay.cfg, sources, n);
	struct addrset set = { 0 };

	if (replay.json)
		printf("{\"edges\":[");
	for (size_t i = 0; i < replay.cfg.n_edges; i++) {
		const struct config_edge *c = &replay.cfg.edges[i];

		sets_pass_edge(pass, i, &set);
		if (replay.json) {
			printf("%s", i ? "," : "");
			print_json_edge(c, &set);
		} else {
			printf("edge %s %s mode %s\n", c->router, c->interface,
			       edge_mode_name(config_edge_mode(c)));
			addrset_each_prefix(&set, print_text_prefix, NULL);
		}
	}
	if (replay.json)
		printf("]}\n");
	addrset_fini(&set);
	sets_pass_free(pass);
	free(sources);
}

/* ---- start ---- */

static void usage(FILE *out)
{
	fprintf(out,
		"usage: sav-replay --config FILE --bmp [ROUTER=]FILE... [--json]\n"
		"  --config FILE          configuration, as `show running-config` prints it\n"
		"  --bmp [ROUTER=]FILE    a recorded BMP stream of that router\n"
		"  --json                 JSON instead of text\n"
		"  --version, --help\n");
}

static void add_input(char *arg)
{
	char *equals = strchr(arg, '=');
	struct input in = { .path = arg };

	if (equals) {
		*equals = '\0';
		in.router = arg;
		in.path = equals + 1;
	}
	replay.inputs =
		mem_realloc(replay.inputs, replay.n_inputs + 1, sizeof(*replay.inputs));
	replay.inputs[replay.n_inputs++] = in;
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "bmp", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			replay.config_path = optarg;
			break;
		case 'b':
			add_input(optarg);
			break;
		case 'j':
			replay.json = true;
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

static void check_inputs(void)
{
	char text[400];

	for (size_t i = 0; i < replay.n_inputs; i++) {
		struct input *in = &replay.inputs[i];

		if (!in->router && replay.cfg.n_routers == 1)
			in->router = replay.cfg.routers[0].name;
		if (in->router && config_router_find(&replay.cfg, in->router))
			continue;
		if (in->router)
			snprintf(text, sizeof(text),
				 "%s: router %s is not in the configuration: add \"router %s\"",
				 in->path, in->router, in->router);
		else
			snprintf(text, sizeof(text),
				 "%s: whose feed is this? The configuration has %zu routers: "
				 "write --bmp ROUTER=%s",
				 in->path, replay.cfg.n_routers, in->path);
		complain(text, NULL);
	}
}

static void check_edges(void)
{
	char text[400];

	for (size_t i = 0; i < replay.cfg.n_edges; i++) {
		const struct config_edge *c = &replay.cfg.edges[i];

		if (c->role != ROLE_NONE)
			continue;
		snprintf(text, sizeof(text),
			 "%s: edge %s %s has no role: add \"role customer\" (or stub, host, "
			 "peer, provider, internal)",
			 replay.config_path, c->router, c->interface);
		complain(text, NULL);
	}
}

int main(int argc, char **argv)
{
	int status = parse_options(argc, argv);
	struct event_loop *loop;

	if (status >= 0)
		return status;
	loop = event_master_create("sav-replay");
	cmd_init(1);
	vty_init(loop, false);
	config_vty_init(&replay.cfg);
	if (config_vty_read(replay.config_path, complain, NULL) < 0)
		return EXIT_INPUT;
	check_edges();
	check_inputs();
	if (replay.failed)
		return EXIT_INPUT;
	replay.rib = rib_new();
	for (size_t i = 0; i < replay.n_inputs; i++)
		read_bmp(&replay.inputs[i]);
	if (replay.failed)
		return EXIT_INPUT;
	print_edges();
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("writing to standard output failed", NULL);
		return EXIT_INPUT;
	}
	return 0;
}
