/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnel_watch - prints what sav-iked tells its subscribers, a line for each
 * message, until the connection ends or standard output closes.
 *
 * usage: tunnel_watch SOCKET
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "schema/tunnel_update.h"

static void print_end(const char *what, const struct tunnel_end *end)
{
	char text[IP_TEXT_SIZE];

	if (end->known)
		printf(" %s %s:%u", what, ip_addr_format(&end->addr, text), end->port);
}

static void print_selectors(const char *what, const struct tunnel_selector *ts, size_t n)
{
	char first[IP_TEXT_SIZE], last[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		printf(" %s %s-%s", what, ip_addr_format(&ts[i].first, first), ip_addr_format(&ts[i].last, last));
}

static void print_tunnel(const struct tunnel_state *t)
{
	printf("tunnel %s %s link %s mark %u interface %s index %u mtu %u %s", t->name, t->up ? "up" : "down", t->link, t->link_mark,
	       t->interface, t->ifindex, t->mtu, t->protect ? "protect" : "carry");
	print_end("local", &t->local);
	print_end("remote", &t->remote);
	print_selectors("inside", t->local_ts, t->n_local);
	print_selectors("outside", t->remote_ts, t->n_remote);
	printf("\n");
}

static void print_update(const struct tunnel_update *u)
{
	switch (u->type) {
	case TUNNEL_UPDATE_TUNNEL:
		print_tunnel(&u->tunnel);
		break;
	case TUNNEL_UPDATE_GONE:
		printf("gone %s\n", u->tunnel.name);
		break;
	case TUNNEL_UPDATE_COMPLETE:
		printf("complete\n");
		break;
	case TUNNEL_UPDATE_UNKNOWN:
		printf("unknown\n");
		break;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct tunnel_update u;
	struct diag diag = { "usage: tunnel_watch SOCKET" };
	int fd = argc == 2 ? tunnel_reader_open(argv[1], &diag) : -1, got = fd;

	while (got >= 0) {
		struct pollfd p = { fd, POLLIN, 0 };

		poll(&p, 1, -1);
		while ((got = tunnel_reader_next(fd, &u, &diag)) == 1)
			print_update(&u);
	}
	fprintf(stderr, "tunnel_watch: %s\n", diag.text);
	return 1;
}
