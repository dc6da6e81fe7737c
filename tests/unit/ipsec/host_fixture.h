/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_fixture - a host of sav-ike, and the other end of its channel, which is main's.
 */
#ifndef SAV_HOST_FIXTURE_H
#define SAV_HOST_FIXTURE_H

#include "ipsec/host_impl.h"

/* One end of a channel; the other is the caller's. */
struct proc_chan *fixture_channel(int *other);
struct host *fixture_host(struct proc_chan **main_chan);
void fixture_host_free(struct host *host, struct proc_chan *main_chan);

#endif /* SAV_HOST_FIXTURE_H */
