/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sandbox - what a helper process gives up before it serves.
 */
#ifndef SAV_SANDBOX_H
#define SAV_SANDBOX_H

#include <sys/types.h>

#include "lib/diag.h"

/* From root to this user and group, for good. Nothing for others. */
int sandbox_become(uid_t uid, gid_t gid, struct diag *diag);
/* No core dumps, no debugger, no new privileges, no processes, no growing
 * files; then only system calls that compute, use open descriptors or exit:
 * others fail with EPERM. */
int sandbox_enter(struct diag *diag);

#endif /* SAV_SANDBOX_H */
