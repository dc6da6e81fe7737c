/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * client - connection to one daemon's VTY socket.
 *
 * Every error closes the connection: half an answer cannot be told from the
 * next one, so the only way back is client_open(). Errors are negative errno:
 *   -EMSGSIZE      the command is too long for libfrr (connection stays open)
 *   -ENOTCONN      not open
 *   -ECONNRESET    the daemon went away
 *   -EPROTO        the answer is not libfrr's protocol
 *   -EFBIG         the answer exceeds the limit
 *   -ETIMEDOUT     no answer in time
 *   -EINTR         the operator interrupted
 */
#ifndef SAVSH_CLIENT_H
#define SAVSH_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Results of a command, from libfrr's command.h. */
enum vty_result {
	VTY_SUCCESS = 0,
	VTY_WARNING = 1,
	VTY_NO_MATCH = 2,
	VTY_AMBIGUOUS = 3,
	VTY_INCOMPLETE = 4,
	VTY_NOTHING_TODO = 6,
	VTY_SUCCESS_DAEMON = 10,
	VTY_CONFIG_FAILED = 13,
	VTY_NOT_MY_INSTANCE = 14,
};

/* libfrr's buffer has 4096 bytes; a longer command gets no result at all. */
#define CLIENT_COMMAND_MAX 4000

/* One answer. libfrr holds all of it in memory before it sends the first
 * byte, so keeping it whole here costs no more than it has cost there. */
struct reply {
	char *text; /* NUL-terminated; freed by reply_fini() */
	size_t len;
	int result; /* enum vty_result, or one that we do not know */
	int fd;	    /* that the daemon passed along, or -1; close it */
};

void reply_fini(struct reply *reply);

struct client;

struct client *client_new(const char *name, const char *path);
void client_free(struct client *client);

const char *client_name(const struct client *client);
const char *client_path(const struct client *client);

/* Bytes that an answer may have; the default is 256 MiB. */
void client_set_limit(struct client *client, size_t bytes);
/* A wait for an answer ends with -EINTR once *stop is not 0. */
void client_set_stop(struct client *client, const volatile sig_atomic_t *stop);

/* Connects and enters enable mode, within a few seconds or -ETIMEDOUT. */
int client_open(struct client *client);
void client_close(struct client *client);
bool client_is_open(const struct client *client);
/* Open, and the daemon has not closed its end since. */
bool client_is_alive(const struct client *client);

/* Runs one command and waits for its end. 0: reply is set. A file descriptor that
 * comes with the answer ("terminal monitor") is the caller's. */
int client_run(struct client *client, const char *command, struct reply *reply);

#endif /* SAVSH_CLIENT_H */
