/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host - what is around the IKE engine in its process: sockets, the channels to
 * main, signer and esp, and the tunnels' public credentials.
 *
 *   host.c         life, poll, messages from the others
 *   host_ops.c     what the engine asks for
 *   host_socket.c  UDP: which socket, markers
 *   host_child.c   the children that esp has, and when they had traffic
 */
#ifndef SAV_HOST_H
#define SAV_HOST_H

#include "ipsec/creds.h"
#include "ipsec/proc.h"

struct host;

struct host *host_new(struct proc_chan *main_chan);
/* Waits for something, does it, and what is due. False: main is gone. */
bool host_step(struct host *host);
void host_free(struct host *host);

#endif /* SAV_HOST_H */
