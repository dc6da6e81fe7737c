/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_agents - savd's side of the agents: their certificates, and what they bring.
 */
#ifndef SAV_SAVD_AGENTS_PACKET_H
#define SAV_SAVD_AGENTS_PACKET_H

#include "lib/frr_compat.h"

#include "controller/savd.h"
#include "lib/turn_packet.h"

/* While savd still is root: the signer runs as a user of its own, where the system
 * has it, so that a savd that was taken over cannot read the CA's key. program:
 * its path. 0, or -1 with diag. */
int savd_agents_signer_apart(struct savd *savd, const char *program, const char *state_dir,
			     struct diag *diag);
/* Makes savd->signer, if it is not there, and savd->south; savd->store is open. */
int savd_agents_start(struct savd *savd, struct event_loop *loop, struct turns *turns,
		      const char *program, const char *state_dir, struct diag *diag);
void savd_agents_stop(void);

#endif /* SAV_SAVD_AGENTS_PACKET_H */
