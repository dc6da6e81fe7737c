/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * enroll - from a token to a certificate, once per router.
 *
 * The token is read from a file or standard input, never from the command
 * line, where every user of the machine could see it. The private key is made
 * here and never leaves.
 */
#ifndef SAV_ENROLL_H
#define SAV_ENROLL_H

#include "agents/agent_files.h"

/* from: a path, or "-" for standard input. Blocks, at most half a minute. On
 * success the key, the certificate and the CA are in place; on failure what
 * was there before still is. */
int enroll(const char *from, const char *host, unsigned int port,
	   const struct agent_files *files, struct diag *diag);

#endif /* SAV_ENROLL_H */
