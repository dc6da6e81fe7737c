/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops_nl - the kernel's samples of packets that a filter refuses.
 *
 * The last rules of an edge log a few packets a second to an NFLOG group
 * (nft_rules.c limits them); one process can read a group. What nobody reads in
 * time is lost and counted: the kernel's buffer is the bound.
 */
#ifndef SAV_DROPS_NL_H
#define SAV_DROPS_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"

struct drops_nl;

/* Needs CAP_NET_ADMIN during the call. NULL with diag: what is in the way. */
struct drops_nl *drops_nl_open(unsigned int group, struct diag *diag);
void drops_nl_close(struct drops_nl *nl); /* NULL is allowed */
int drops_nl_fd(const struct drops_nl *nl);

/* packet: the beginning of it, from the IP header on. */
typedef void drops_nl_fn(void *ctx, uint32_t ifindex, const void *packet, size_t len);
/* What is there, up to some bound; true: there may be more. */
bool drops_nl_read(struct drops_nl *nl, drops_nl_fn *fn, void *ctx);
/* Times the kernel had to throw samples away. */
uint64_t drops_nl_lost(const struct drops_nl *nl);

#endif /* SAV_DROPS_NL_H */
