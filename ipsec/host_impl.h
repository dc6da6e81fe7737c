/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_impl - private to the files host*.c.
 */
#ifndef SAV_HOST_IMPL_H
#define SAV_HOST_IMPL_H

#include "ipsec/host.h"

#define HOST_SOCKETS_MAX 64
#define HOST_CREDS_BUCKETS 4096

struct host_socket {
	int fd;
	uint32_t link;
	struct ike_endpoint local;
	bool kernel; /* children of the link are main's */
};

/* Of a tunnel that has certificates or public keys. */
struct host_creds {
	struct host_creds *next; /* same hash of the name */
	char tunnel[IKE_TUNNEL_NAME];
	uint32_t link;
	bool ready; /* its PROC_TUNNEL has come */
	struct creds *creds;	  /* in force */
	struct wr names;	  /* of its files, to compare */
	struct creds *coming;	  /* until its PROC_TUNNEL comes */
	struct wr coming_names;
	bool coming_failed;	  /* one of its files is of no use */
};

/* What a tunnel's children come to; main hears of it when it changes. */
struct host_tunnel {
	struct host_tunnel *next;
	char name[IKE_TUNNEL_NAME];
	unsigned n; /* children that are there */
	unsigned sending; /* of them, that send */
	bool told_up;	  /* main, at last */
	struct ike_path path;
	struct ike_ts_list *local_ts, *remote_ts; /* of the child that was the last to begin; NULL: none did */
};

/* A datapath's children, by SPI. */
struct host_child {
	struct host_child *next;
	struct host_tunnel *tunnel; /* NULL: only an SPI so far */
	uint32_t spi_in;
	uint32_t link;
	bool kernel; /* main has it, not esp */
	bool carried; /* a datapath has it; esp may be away for a moment */
	bool sending;
	uint64_t retired_ms; /* 0: it is not; since then another one sends in its place */
	struct host_child *next_retired;
	struct ike_ts_list *local_ts, *remote_ts; /* until it sends: own copies */
	uint64_t heard_ms, spoke_ms;
	struct proc_use use; /* of esp's, as it told last */
};
#define HOST_CHILD_BUCKETS 16384
#define HOST_RETIRED_MS	   5000 /* more than packets are on their way */
#define HOST_RETIRED_MAX   4096 /* beyond, the oldest goes at once: rekeying costs a peer little */
#define HOST_DATAPATHS	   2	/* esp, and main with the kernel's */
#define HOST_HELD_MS	   1000 /* a datapath that does not answer stops nobody's IKE */

struct host {
	struct ike_engine *engine;
	struct proc_chan *main_chan, *signer, *esp;
	unsigned n_sockets;
	struct host_socket sockets[HOST_SOCKETS_MAX];
	struct host_creds *creds[HOST_CREDS_BUCKETS];
	struct wr key_ids; /* of all tunnels' CAs, as far as an answer has room */
	bool key_ids_made; /* since creds changed */
	uint64_t creds_due_ms; /* when it is looked which certificates end */
	struct host_child *children[HOST_CHILD_BUCKETS];
	struct host_tunnel *tunnels[HOST_CHILD_BUCKETS];
	struct host_child *retired; /* first in, first out */
	unsigned n_retired;
	uint64_t told[HOST_DATAPATHS], done[HOST_DATAPATHS]; /* PROC_DONE, there and back */
	struct host_held *held; /* until those before it have come back, first in, first out */
	unsigned n_held;
	uint64_t now_ms, next_ms;
	uint64_t told_old_marker_ms; /* 0: never */
	uint64_t told_signer_ms;
	uint64_t signer_gone; /* requests that nobody could take */
	uint8_t *buffer;
};

/* ---- host_ops.c */
extern const struct ike_ops host_ops;
void host_child_drop(struct host *host, uint32_t spi_in); /* in its datapath too */

/* ---- host_socket.c */
void host_socket_add(struct host *host, const struct proc_socket *socket, int fd); /* takes fd */
bool host_socket_is_kernel(const struct host *host, uint32_t link);
void host_socket_gone(struct host *host, const struct proc_socket *socket);
/* Reads a bounded number of packets of each. */
void host_socket_read(struct host *host, unsigned i);
/* What is sent from now on waits until the datapath has done what it was told until
 * now, and HOST_HELD_MS at most: the peer uses a child SA as soon as it reads the answer. */
void host_socket_hold(struct host *host, bool kernel);
void host_socket_release(struct host *host, bool kernel); /* one more PROC_DONE is back */
void host_socket_release_all(struct host *host, bool kernel); /* a datapath that will not answer */
uint64_t host_socket_run(struct host *host); /* when to come again, UINT64_MAX: nothing waits */
void host_socket_fini(struct host *host); /* what waits is sent: a delete must not be lost */
void host_socket_send(struct host *host, const struct ike_path *path, const void *data, size_t len, bool keepalive);

/* ---- host_child.c */
struct host_child *host_child_find(struct host *host, uint32_t spi_in);
uint32_t host_child_new(struct host *host); /* an SPI of its own */
/* It is there now, and main hears of it, if a datapath has taken it. */
void host_child_add(struct host *host, const struct ike_child_sa *sa, bool carried);
void host_child_use(struct host *host, uint32_t spi_in);
void host_child_unuse(struct host *host, uint32_t spi_in); /* another one of its tunnel sends */
void host_child_move(struct host *host, uint32_t spi_in, const struct ike_path *path);
/* Those of the tunnel that are retired go with the last one that sends. */
void host_child_del(struct host *host, uint32_t spi_in);
/* Receives for HOST_RETIRED_MS more, and is no more counted as one that sends. */
void host_child_retire(struct host *host, uint32_t spi_in);
/* The same, before the one that takes its place is there: its datapath sends with it until then. */
void host_child_yield(struct host *host, uint32_t spi_in);
/* Drops those whose time is over; when the next one's is, UINT64_MAX: there is none. */
uint64_t host_children_run(struct host *host);
void host_children_free(struct host *host);
/* A datapath is gone with all that it had. */
void host_children_lost(struct host *host);
/* New ones in the place of esp's children, and of those that it could not get. */
void host_children_expire(struct host *host);
/* The link has this datapath now: new ones in the place of the other's. */
void host_children_switch(struct host *host, uint32_t link, bool kernel);

/* ---- host.c */
/* A list of which only the first n may be there. */
void host_ts_copy(struct ike_ts_list *to, const struct ike_ts_list *from);
/* The tunnel's; NULL: it has none. */

/* ---- host_creds.c */
struct host_creds *host_creds_find(struct host *host, const char *tunnel);
void host_creds_file(struct host *host, const struct proc_file *file, int fd); /* fd stays the caller's */
/* All its files have come: they take the place of those before. When one is of no
 * use and they are called as those before, those stay. */
void host_creds_set(struct host *host, const char *tunnel, uint32_t link);
void host_creds_gone(struct host *host, const char *tunnel);
void host_creds_free(struct host *host);
/* Tells of certificates that end within 30 days, when they are new and each day;
 * when to come again. now_s: seconds since 1970. */
uint64_t host_creds_run(struct host *host, int64_t now_s);

/* ---- host.c */
void host_tell(struct host *host, enum ike_event event, uint64_t sa, const char *tunnel, const char *text);
void host_log(struct host *host, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* SAV_HOST_IMPL_H */
