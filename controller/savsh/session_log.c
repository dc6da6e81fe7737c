/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the daemons log, in the shell: "terminal monitor".
 */
#include "controller/savsh/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "controller/savsh/logline.h"
#include "controller/savsh/session_impl.h"
#include "controller/savsh/text.h"

/* So many of a daemon at a time: one that logs without end must not keep the
 * operator from the prompt. */
#define MESSAGES_AT_ONCE 200

size_t session_log(struct session *session, const char *daemon, bool on, struct wr *out)
{
	bool known = !daemon;
	size_t n = 0, i;

	for (i = 0; i < session->n; i++) {
		struct seat *seat = &session->seats[i];

		if (daemon && strcmp(client_name(seat->client), daemon) != 0)
			continue;
		known = true;
		if (!seat_is_open(seat) && daemon)
			seat_explain(seat, out);
		/* without a wish there is nothing to take back */
		if (seat_is_open(seat) && (on || seat->log_wanted))
			n += seat_log(seat, on, out) == 0;
	}
	if (!known)
		text_addf(out, "%% there is no daemon %s\n", daemon);
	return n;
}

size_t session_log_fds(const struct session *session, struct pollfd *fds)
{
	size_t n = 0, i;

	for (i = 0; i < session->n; i++) {
		if (session->seats[i].log_fd >= 0)
			fds[n++] = (struct pollfd){ .fd = session->seats[i].log_fd,
						    .events = POLLIN };
	}
	return n;
}

static void read_one(struct seat *seat, struct wr *out)
{
	const char *name = client_name(seat->client);
	char packet[LOGLINE_PACKET_MAX];
	unsigned int i;

	for (i = 0; i < MESSAGES_AT_ONCE; i++) {
		ssize_t n = recv(seat->log_fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0 && logline_add(name, packet, (size_t)n, out))
			continue;
		seat_log_close(seat);
		text_addf(out, "%% %s: its log has ended\n", name);
		return;
	}
}

void session_log_read(struct session *session, struct wr *out)
{
	size_t i;

	for (i = 0; i < session->n; i++) {
		if (session->seats[i].log_fd >= 0)
			read_one(&session->seats[i], out);
	}
}
