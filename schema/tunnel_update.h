/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnel_update - the state of sav-iked's tunnels, as it publishes it.
 *
 * The one place that touches what is generated from tunnels.proto; what
 * tunnel_update_unpack() lets through is valid: names, numbers, addresses of one
 * family in a range, in order.
 *
 * After connecting comes every tunnel, then TUNNEL_UPDATE_COMPLETE, then changes;
 * each message holds all of its tunnel.
 */
#ifndef SAV_TUNNEL_UPDATE_H
#define SAV_TUNNEL_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/filter.h"
#include "lib/ip.h"
#include "lib/name.h"
#include "lib/wr.h"

#define TUNNEL_SELECTORS_MAX 64
#define TUNNEL_UPDATE_MAX_BYTES 32768
#define TUNNEL_IDENTITY_SIZE	1100

enum tunnel_update_kind {
	TUNNEL_UPDATE_UNKNOWN,  /* of a newer sender: to be ignored */
	TUNNEL_UPDATE_TUNNEL,   /* new or changed: tunnel */
	TUNNEL_UPDATE_GONE,     /* only tunnel.name */
	TUNNEL_UPDATE_COMPLETE, /* nothing */
};

struct tunnel_end {
	bool known;
	struct ip_addr addr;
	uint16_t port; /* host order; 0: not known */
};

/* Inner packets of these addresses, protocol and ports. */
struct tunnel_selector {
	struct ip_addr first, last; /* both included */
	uint8_t protocol;	    /* 0: any */
	uint16_t port_first, port_last; /* 0 to 65535: any */
};

struct tunnel_state {
	char name[NAME_SIZE];
	bool up; /* a child SA carries packets, as far as sav-iked knows */
	char link[NAME_SIZE];		     /* "" while it is unfinished */
	char interface[FILTER_IFNAME_SIZE];  /* "" none: transport mode */
	uint32_t ifindex;		     /* 0: not there now */
	uint32_t mtu;
	uint32_t link_mark;		     /* SO_MARK of outer packets, 0: none */
	char client_of[NAME_SIZE];	     /* the tunnel whose client it is; "": of none */
	char identity[TUNNEL_IDENTITY_SIZE]; /* the peer's; "": not known, any */
	int64_t since_s;		     /* up or down since then, since 1970; 0: not known */
	struct tunnel_end local, remote;     /* outer */
	bool protect; /* what the selectors say must not leave in clear */
	size_t n_local, n_remote;
	struct tunnel_selector local_ts[TUNNEL_SELECTORS_MAX], remote_ts[TUNNEL_SELECTORS_MAX];
};

struct tunnel_update {
	enum tunnel_update_kind type;
	struct tunnel_state tunnel;
};

/* Appends one message. Asserts that it is valid by the rules above. */
void tunnel_update_pack(const struct tunnel_update *msg, struct wr *out);
/* -1 with diag that names the field; *msg is then not to be used. */
int tunnel_update_unpack(const void *data, size_t len, struct tunnel_update *msg, struct diag *diag);

/* ---- reading from sav-iked's socket */

/* Where sav-iked listens, beside its VTY socket. */
#define TUNNEL_SOCKET_NAME "sav-iked-tunnels.sock"

/* Connects, non-blocking and close-on-exec. -1 with diag: there is none, or we
 * may not. Nobody connects anew but the caller, who then gets a new snapshot:
 * what is not in it is gone. */
int tunnel_reader_open(const char *path, struct diag *diag);
/* The next message: 1, 0 none now (wait until fd is readable), -1 with diag:
 * the end, close fd. sav-iked ends who reads too slowly. */
int tunnel_reader_next(int fd, struct tunnel_update *msg, struct diag *diag);

#endif /* SAV_TUNNEL_UPDATE_H */
