/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/seat.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/savsh/text.h"

/* "LEVEL <tab> NODE <tab> PROMPT <newline>" */
static bool place_parse(const char *text, struct place *place)
{
	char *end;
	long level = strtol(text, &end, 10);
	size_t node_len, prompt_len, i;

	if (end == text || *end != '\t' || level < 0 || level > 99)
		return false;
	text = end + 1;
	node_len = strcspn(text, "\t\n");
	if (text[node_len] != '\t' || node_len >= sizeof(place->node))
		return false;
	prompt_len = strcspn(text + node_len + 1, "\n");
	if (prompt_len >= sizeof(place->prompt))
		return false;
	place->level = (int)level;
	snprintf(place->node, sizeof(place->node), "%.*s", (int)node_len, text);
	snprintf(place->prompt, sizeof(place->prompt), "%.*s", (int)prompt_len,
		 text + node_len + 1);
	/* It goes to the terminal as it is. */
	for (i = 0; i < prompt_len; i++)
		if (!isprint((unsigned char)place->prompt[i]))
			place->prompt[i] = '?';
	return true;
}

/* Without an answer the daemon is taken to be at the top: a foreign libfrr
 * daemon has no such command, and its commands work all the same. */
static void seat_locate(struct seat *seat)
{
	struct reply reply;

	seat->place = (struct place){ .level = LEVEL_ENABLE, .node = "enable" };
	snprintf(seat->place.prompt, sizeof(seat->place.prompt), "%s# ",
		 client_name(seat->client));
	if (client_run(seat->client, "+prompt", &reply) < 0)
		return;
	if (reply.result == VTY_SUCCESS)
		place_parse(reply.text, &seat->place);
	reply_fini(&reply);
}

/* ---- its log */

void seat_log_close(struct seat *seat)
{
	if (seat->log_fd >= 0)
		close(seat->log_fd);
	seat->log_fd = -1;
}

/* 0, or what went wrong, with what the daemon said in reply. */
static int log_ask(struct seat *seat, bool on, struct reply *reply)
{
	struct wr line = { 0 };
	int rc;

	text_addf(&line, "%s%sterminal monitor",
		  seat->place.level >= LEVEL_CONFIG ? "do " : "", on ? "" : "no ");
	wr_u8(&line, 0);
	rc = client_run(seat->client, (const char *)line.data, reply);
	wr_fini(&line);
	if (rc == 0 && on) {
		seat_log_close(seat);
		seat->log_fd = reply->fd;
		reply->fd = -1;
	}
	return rc;
}

int seat_log(struct seat *seat, bool on, struct wr *out)
{
	struct reply reply;
	int rc;

	seat_log_close(seat);
	rc = log_ask(seat, on, &reply);
	seat->log_wanted = on && seat->log_fd >= 0;
	if (rc == 0 && on == seat->log_wanted) {
		reply_fini(&reply);
		return 0;
	}
	text_addf(out, "%% %s: no log: %s\n", client_name(seat->client),
		  rc < 0	? seat_break_reason(rc) :
		  reply.len > 0 ? reply.text :
				  "this daemon does not send one");
	reply_fini(&reply);
	return -1;
}

static void seat_log_again(struct seat *seat)
{
	struct reply reply;

	if (log_ask(seat, true, &reply) == 0)
		reply_fini(&reply);
}

int seat_open(struct seat *seat)
{
	seat->error = client_open(seat->client);
	seat_log_close(seat);
	if (seat->error == 0)
		seat_locate(seat);
	if (seat->error == 0 && seat->log_wanted)
		seat_log_again(seat);
	return seat->error;
}

bool seat_is_open(const struct seat *seat)
{
	return client_is_open(seat->client);
}

/* Runs a command; the node is looked up after each, because libfrr goes to the
 * parent node even for a command that only the parent finds incomplete. */
int seat_run(struct seat *seat, const char *line, struct reply *reply)
{
	int rc = client_run(seat->client, line, reply);

	if (rc == 0)
		seat_locate(seat);
	return rc;
}

void seat_run_quietly(struct seat *seat, const char *line)
{
	struct reply reply;

	if (seat_run(seat, line, &reply) == 0)
		reply_fini(&reply);
}

/* The top node, from wherever it is. */
void seat_go_up(struct seat *seat)
{
	if (seat_is_open(seat) && seat->place.level >= LEVEL_CONFIG)
		seat_run_quietly(seat, "end");
}

/* Everything but what libfrr leaves alone at word level. */
int seat_ask(struct seat *seat, const char *command, const char *line,
	     struct reply *reply)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:_-";
	struct wr ask = { 0 };
	int rc;

	text_addf(&ask, "%s ", command);
	for (; *line; line++) {
		if (strchr(plain, *line))
			wr_u8(&ask, (uint8_t)*line);
		else
			text_addf(&ask, "%%%02X", (unsigned char)*line);
	}
	wr_u8(&ask, 0);
	rc = client_run(seat->client, (const char *)ask.data, reply);
	wr_fini(&ask);
	if (rc == 0 && reply->result != VTY_SUCCESS) {
		reply_fini(reply);
		rc = -1;
	}
	return rc < 0 ? -1 : 0;
}

void seat_explain(const struct seat *seat, struct wr *out)
{
	const char *name = client_name(seat->client);
	const char *path = client_path(seat->client);

	switch (-seat->error) {
	case ENOENT:
	case ECONNREFUSED:
		text_addf(out,
			  "%s is not running (%s: %s); "
			  "start it with \"systemctl start %s\"\n",
			  name, path, strerror(-seat->error), name);
		break;
	case EACCES:
	case EPERM:
		text_addf(out,
			  "%s: no permission to use %s; "
			  "run savsh as root or as a member of the socket's group\n",
			  name, path);
		break;
	case ETIMEDOUT:
		text_addf(out, "%s does not answer on %s: it is busy or hangs\n", name,
			  path);
		break;
	default:
		text_addf(out, "%s cannot be reached at %s: %s\n", name, path,
			  strerror(-seat->error));
	}
}

const char *seat_break_reason(int error)
{
	switch (-error) {
	case EINTR:
		return "interrupted";
	case ECONNRESET:
		return "it closed the connection";
	case EPROTO:
		return "its answer is not the VTY protocol";
	case EFBIG:
		return "its answer is too long";
	default:
		return strerror(-error);
	}
}
