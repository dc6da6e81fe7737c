/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_clients - the clients of a tunnel for all comers, each with a record:
 * who it is, and which addresses are its.
 *
 * A client is a tunnel of its own (struct iked_tunnel with a name in of) that has
 * everything but its record from the tunnel whose client it is. So its identity
 * limits what selectors it gets (RFC 4301 4.4.3), and one that asks for more is
 * given the part that is its own.
 *
 * A client may have an address that it is given when it asks for one (RFC 7296 3.15),
 * always the same: a pool of one.
 *
 * No two clients with one device have an address in common: answers to the one
 * would go to the other (RFC 3948 5.1, 5.2), nor with what their tunnel has for others,
 * its pool and its remote selectors, nor with another tunnel that has the device too.
 * With a device of its own, a client may have addresses that others have too; which of
 * them is meant, routes decide.
 */
#ifndef SAV_IKED_CLIENTS_H
#define SAV_IKED_CLIENTS_H

#include "ipsec/iked_config.h"

/* The client of that tunnel and name; NULL: there is none. */
struct iked_tunnel *iked_client_find(const struct iked_config *config, const char *of, const char *name);
/* Makes it if it is not there. NULL with the reason: the name is another tunnel's, or the
 * tunnel's pool is another's. */
struct iked_tunnel *iked_client_get(struct iked_config *config, const char *of, const char *name, struct diag *diag);
/* Takes a changed copy, as iked_tunnel_put(); -1 as well if another client with the
 * same device has one of its addresses. */
int iked_client_put(struct iked_config *config, const struct iked_tunnel *changed, struct diag *diag);

/* What it has from the tunnel whose client it is. */
void iked_client_inherit(struct iked_tunnel *client, const struct iked_tunnel *of);

/* ---- addresses and devices of all clients: for iked_config.c */

/* All of them, anew. -1: two have an address in common, or a client and a tunnel. */
int iked_claims_renew(struct iked_config *config, struct diag *diag);
/* A tunnel without clients, as it shall be. -1: it has an address of those on its interface. */
int iked_claims_check(const struct iked_config *config, const struct iked_tunnel *tunnel, struct diag *diag);
/* A tunnel of that name, and its clients, have nothing any more. */
void iked_claims_drop(struct iked_config *config, const char *name);

#endif /* SAV_IKED_CLIENTS_H */
