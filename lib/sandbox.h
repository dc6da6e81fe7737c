/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sandbox - what a helper process gives up before it serves.
 */
#ifndef SAV_SANDBOX_H
#define SAV_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/diag.h"

/* From root to this user and group, for good. Nothing for others. */
int sandbox_become(uid_t uid, gid_t gid, struct diag *diag);
/* No core dumps, no debugger, no new privileges, no processes, no growing
 * files; then only system calls that compute, use open descriptors or exit, and
 * no signal to others: the rest fails with EPERM. */
int sandbox_enter(struct diag *diag);
/* The same with more calls (SYS_*) than those, at most SANDBOX_EXTRA_MAX. */
#define SANDBOX_EXTRA_MAX 24
int sandbox_enter_with(const long *extra, size_t n, struct diag *diag);

/* Before sandbox_become(). No file can be opened by a name any more: by Landlock,
 * and as root the file system is left for an empty directory that nobody can
 * reach. Where neither is, sandbox_enter() keeps from opening anything. */
int sandbox_hide_files(struct diag *diag);
/* After it: no capability in any set. */
int sandbox_drop_caps(struct diag *diag);

#endif /* SAV_SANDBOX_H */
