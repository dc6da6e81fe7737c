/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/later_vty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#include "lib/mem.h"

/* In one turn. */
#define PIECE_BYTES (64u << 10)
/* After the text, on the socket itself: three NULs and the status. */
#define END_BYTES 4

struct later {
	struct later *next;
	struct event_loop *loop;
	struct event *t_write;
	int fd;
	char *text; /* NULL: not known yet */
	size_t len, sent;
};

static struct later *all;

static void later_free(struct later *l)
{
	struct later **at = &all;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	EVENT_OFF(l->t_write);
	close(l->fd);
	free(l->text);
	free(l);
}

/* libfrr of this age lets a command answer later only in this way, which its own
 * watchfrr uses. */
struct later *later_new(struct event_loop *loop, struct vty *vty)
{
	struct later *l;
	int fd;

	if (vty->type != VTY_SHELL_SERV)
		return NULL;
	fd = fcntl(vty->wfd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return NULL;
	l = mem_alloc(sizeof(*l));
	l->loop = loop;
	l->fd = fd;
	l->next = all;
	all = l;
	return l;
}

static void on_write(struct event *t)
{
	struct later *l = EVENT_ARG(t);
	size_t left = l->len - l->sent;
	ssize_t n = write(l->fd, l->text + l->sent, left < PIECE_BYTES ? left : PIECE_BYTES);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		later_free(l); /* a shell that has gone does not want to know */
		return;
	}
	l->sent += n > 0 ? (size_t)n : 0;
	if (l->sent == l->len)
		later_free(l);
	else
		event_add_write(l->loop, on_write, l, l->fd, &l->t_write);
}

void later_answer(struct later *l, char *text, int status)
{
	const char end[END_BYTES] = { '\0', '\0', '\0', (char)status };

	l->len = strlen(text) + END_BYTES;
	l->text = mem_realloc(text, l->len, 1);
	memcpy(l->text + l->len - END_BYTES, end, END_BYTES);
	event_add_write(l->loop, on_write, l, l->fd, &l->t_write);
}

void later_stop(void)
{
	while (all) {
		/* a last try: what is short has room */
		if (all->text && write(all->fd, all->text + all->sent, all->len - all->sent) < 0)
			zlog_debug("nobody takes an answer: %s", strerror(errno));
		later_free(all);
	}
}
