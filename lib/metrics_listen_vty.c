/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "vty.h"

#include "lib/metrics_listen_vty.h"
#include "lib/metrics_vty.h"

#define LISTENS_MAX 16

static struct {
	struct metrics_listen list[LISTENS_MAX];
	struct metrics_listen *listens; /* list */
	size_t n;
	struct metrics_http *http; /* NULL: not started */
} here;

static void apply(void)
{
	if (here.http)
		metrics_http_listen(here.http, here.list, here.n);
}

static size_t locate(const struct metrics_listen *l)
{
	size_t i = 0;

	while (i < here.n && !(here.list[i].port == l->port &&
			       ip_addr_equal(&here.list[i].addr, &l->addr)))
		i++;
	return i;
}

static bool take_listen(struct vty *vty, struct cmd_token *argv[], int at,
			struct metrics_listen *l)
{
	*l = (struct metrics_listen){ .port = (uint16_t)strtoul(argv[at + 2]->arg, NULL, 10) };
	if (ip_addr_parse(argv[at]->arg, &l->addr))
		return true;
	vty_out(vty, "%% %s is not an IPv4 or IPv6 address\n", argv[at]->arg);
	return false;
}

#define METRICS_HELP                                                                          \
	"Numbers for Prometheus, over HTTP\n"                                                 \
	"Answer GET /metrics on this address; best a loopback address\n"                      \
	"IPv4 address\nIPv6 address\n"                                                        \
	"TCP port\n"                                                                          \
	"TCP port number\n"

DEFUN (metrics_listen,
       metrics_listen_cmd,
       "metrics listen <A.B.C.D|X:X::X:X> port (1-65535)",
       METRICS_HELP)
{
	struct metrics_listen l;

	if (!take_listen(vty, argv, 2, &l))
		return CMD_WARNING_CONFIG_FAILED;
	if (locate(&l) == here.n) {
		if (here.n == LISTENS_MAX) {
			vty_out(vty, "%% there are %d such statements already: take one away\n",
				LISTENS_MAX);
			return CMD_WARNING_CONFIG_FAILED;
		}
		here.list[here.n++] = l;
		apply();
	}
	metrics_vty_report(vty, &l);
	return CMD_SUCCESS;
}

DEFUN (no_metrics_listen,
       no_metrics_listen_cmd,
       "no metrics listen <A.B.C.D|X:X::X:X> port (1-65535)",
       NO_STR METRICS_HELP)
{
	struct metrics_listen l;
	size_t at;

	if (!take_listen(vty, argv, 3, &l))
		return CMD_WARNING_CONFIG_FAILED;
	at = locate(&l);
	if (at < here.n) {
		here.n--;
		memmove(&here.list[at], &here.list[at + 1], (here.n - at) * sizeof(here.list[0]));
		apply();
	}
	return CMD_SUCCESS;
}

static int write_metrics(struct vty *vty)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < here.n; i++)
		vty_out(vty, "metrics listen %s port %u\n",
			ip_addr_format(&here.list[i].addr, text), here.list[i].port);
	if (here.n > 0)
		vty_out(vty, "!\n");
	return here.n > 0;
}

/* Has no commands of its own: libfrr writes configurations by node. */
static struct cmd_node metrics_node = {
	.name = "metrics",
	.node = (enum node_type)(NODE_TYPE_MAX + 16),
	.parent_node = CONFIG_NODE,
	.prompt = "",
	.config_write = write_metrics,
};

void metrics_listen_vty_init(void)
{
	install_node(&metrics_node);
	install_element(CONFIG_NODE, &metrics_listen_cmd);
	install_element(CONFIG_NODE, &no_metrics_listen_cmd);
	metrics_vty_init();
}

void metrics_listen_vty_start(struct event_loop *loop, struct metrics_registry *registry)
{
	here.http = metrics_http_new(loop, registry);
	here.listens = here.list;
	metrics_vty_set(here.http, &here.listens, &here.n);
	apply();
}

void metrics_listen_vty_stop(void)
{
	metrics_http_free(here.http);
	here.http = NULL;
}
