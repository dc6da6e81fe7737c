/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_config - links and tunnels as the operator writes them.
 *
 *   iked_config.c          tunnels: found, changed, and what cannot work
 *   iked_config_link.c     links
 *   iked_config_resolve.c  what lacks, and what others are told of a tunnel
 *
 * A tunnel for all comers may have clients (iked_clients.h): each is a tunnel as
 * well, which has its identity and its prefixes, and all else from that one.
 *
 * A tunnel is typed line by line, so it may be unfinished for a while: then it
 * is not used, and iked_tunnel_missing() says what lacks. What can never work is
 * refused at the line that would make it so.
 */
#ifndef SAV_IKED_CONFIG_H
#define SAV_IKED_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "ipsec/esp/esp_sa.h"
#include "ipsec/ike/tunnel.h"
#include "ipsec/proc.h"
#include "lib/diag.h"
#include "lib/digest.h"

#define IKED_IFNAME 16
#define IKED_FILES_MAX 8

enum iked_datapath {
	IKED_DATAPATH_AUTO, /* as the link's other tunnels; else the kernel's if it works */
	IKED_DATAPATH_USER,
	IKED_DATAPATH_KERNEL,
};

struct iked_link {
	struct iked_link *next;
	char name[IKE_TUNNEL_NAME];
	uint32_t number; /* from 1; never given twice */
	char device[IKED_IFNAME];
	bool has_source[IP_FAMILIES];
	struct ip_addr source[IP_FAMILIES]; /* else the device's first address */
	uint32_t mark;
	unsigned datapaths[3]; /* tunnels, by enum iked_datapath */
};

enum iked_start {
	IKED_ADD,  /* answers, and begins when told to */
	IKED_AUTO, /* is kept up */
	IKED_TRAP, /* begins with the first packet for it */
};

struct iked_files {
	unsigned n;
	char name[IKED_FILES_MAX][PROC_PATH_MAX];
};

struct iked_tunnel {
	struct iked_tunnel *prev, *next;
	struct iked_tunnel *next_name; /* same hash of the name */
	struct iked_tunnel *next_id;   /* same hash of the peer's identity */
	struct iked_tunnel *next_device; /* same hash of the interface; of no client */
	struct ike_tunnel t; /* link and start are filled in by iked_tunnel_resolve() */
	char link[IKE_TUNNEL_NAME];
	char device[IKED_IFNAME]; /* "": named as the tunnel */
	uint32_t mtu;		  /* 0: 1400 */
	struct esp_ipip ipip;	  /* see iked_ipip.h */
	bool has_local_auth, has_remote_auth, has_remote_id;
	bool own_ike, own_esp; /* proposals were given, else the defaults */
	char psk[PROC_PATH_MAX], cert[PROC_PATH_MAX], key[PROC_PATH_MAX];
	struct iked_files ca, crl, peer;
	enum iked_start start;
	enum iked_datapath datapath;
	bool carry; /* else its selectors are not to leave in clear while it is down */
	unsigned n_clients;
	/* of a client: whose it is ("" of no client), and what it has of its own */
	char of[IKE_TUNNEL_NAME];
	char own_device[IKED_IFNAME], own_psk[PROC_PATH_MAX];
};

#define IKED_NAMES 4096 /* buckets */
struct iked_config {
	struct iked_link *links;
	struct iked_tunnel *tunnels, *last_tunnel; /* in the order in which they were typed */
	struct iked_tunnel *names[IKED_NAMES], *ids[IKED_NAMES], *devices[IKED_NAMES];
	struct iked_claim *claims; /* of all clients, sorted; see iked_clients.c */
	size_t n_claims;
	uint32_t last_number;
	bool kernel_works; /* its ESP */
};

void iked_config_free(struct iked_config *config);

struct iked_link *iked_link_find(const struct iked_config *config, const char *name);
struct iked_link *iked_link_by_number(const struct iked_config *config, uint32_t number);
/* Makes it if it is not there; NULL when the name is none. */
struct iked_link *iked_link_get(struct iked_config *config, const char *name, struct diag *diag);
int iked_link_put(struct iked_config *config, const struct iked_link *changed, struct diag *diag);
int iked_link_del(struct iked_config *config, const char *name, struct diag *diag);

struct iked_tunnel *iked_tunnel_find(const struct iked_config *config, const char *name);
struct iked_tunnel *iked_tunnel_get(struct iked_config *config, const char *name, struct diag *diag);
/* The one whose node a VTY is in. NULL with the reason: another VTY has removed it since,
 * or made it a client of another tunnel. */
struct iked_tunnel *iked_tunnel_of_node(const struct iked_config *config, const char *name, struct diag *diag);
/* Takes a changed copy if it does not contradict itself or others. Its clients
 * follow. */
int iked_tunnel_put(struct iked_config *config, const struct iked_tunnel *changed, struct diag *diag);
int iked_tunnel_del(struct iked_config *config, const char *name, struct diag *diag); /* with its clients */

/* It has no selectors for those who are none of its clients: it only says what its
 * clients have in common. */
bool iked_tunnel_is_frame(const struct iked_tunnel *tunnel);
/* What it still lacks, NULL: nothing. */
const char *iked_tunnel_missing(const struct iked_config *config, const struct iked_tunnel *tunnel);
/* A socket is one datapath's, so that all tunnels of a link have the same. */
bool iked_link_is_kernel(const struct iked_config *config, const char *link);
/* Its remote selectors and what it gives addresses from. */
void iked_tunnel_addresses(const struct iked_tunnel *tunnel, struct ike_ts_list *out);
/* As the engine takes it: link number, start, shared identity. Its lists are
 * good until the next call. */
void iked_tunnel_resolve(const struct iked_config *config, const struct iked_tunnel *tunnel, struct ike_tunnel *out);
/* Of all that others are told of it; it changes whenever that does. */
void iked_tunnel_digest(const struct iked_config *config, const struct iked_tunnel *tunnel, uint8_t out[DIGEST_SIZE]);
const char *iked_tunnel_device(const struct iked_tunnel *tunnel, char out[IKED_IFNAME]);
/* The next tunnel after that one with this interface, the first after NULL; not clients. */
const struct iked_tunnel *iked_tunnel_on(const struct iked_config *config, const char *device,
					 const struct iked_tunnel *after);
/* A client whose pre-shared key is that of its tunnel, and of others. */
bool iked_client_shares_key(const struct iked_tunnel *tunnel);
/* A thing to be known and not an error: "" none. */
const char *iked_tunnel_warning(const struct iked_tunnel *tunnel);

/* Of a link, a tunnel or a client. */
int iked_name_check(const char *name, struct diag *diag);
/* File names are in the directory of keys: no directory in them. */
int iked_file_check(const char *name, struct diag *diag);
const char *iked_start_name(enum iked_start start);

#endif /* SAV_IKED_CONFIG_H */
