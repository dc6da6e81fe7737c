/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * host_impl - private to the files host*.c.
 */
#ifndef SAV_HOST_IMPL_H
#define SAV_HOST_IMPL_H

#include "ipsec/host.h"

#define HOST_SOCKETS_MAX 64

struct host_socket {
	int fd;
	uint32_t link;
	struct ike_endpoint local;
};

struct host_creds {
	struct host_creds *next;
	char tunnel[IKE_TUNNEL_NAME];
	uint32_t link;
	bool ready; /* its PROC_TUNNEL has come */
	struct creds *creds;
};

/* esp's children, by SPI. */
struct host_child {
	struct host_child *next;
	uint32_t spi_in;
	uint64_t heard_ms, spoke_ms;
};
#define HOST_CHILD_BUCKETS 16384

struct host {
	struct ike_engine *engine;
	struct proc_chan *main_chan, *signer, *esp;
	unsigned n_sockets;
	struct host_socket sockets[HOST_SOCKETS_MAX];
	struct host_creds *creds;
	struct host_child *children[HOST_CHILD_BUCKETS];
	uint64_t now_ms, next_ms;
	uint64_t told_old_marker_ms; /* 0: never */
	uint64_t signer_gone; /* requests that nobody could take */
	uint8_t *buffer;
};

/* ---- host_ops.c */
extern const struct ike_ops host_ops;

/* ---- host_socket.c */
void host_socket_add(struct host *host, const struct proc_socket *socket, int fd); /* takes fd */
void host_socket_gone(struct host *host, const struct proc_socket *socket);
/* Reads a bounded number of packets of each. */
void host_socket_read(struct host *host, unsigned i);
void host_socket_send(struct host *host, const struct ike_path *path, const void *data, size_t len, bool keepalive);

/* ---- host_child.c */
struct host_child *host_child_find(struct host *host, uint32_t spi_in);
uint32_t host_child_new(struct host *host); /* an SPI of its own */
void host_child_del(struct host *host, uint32_t spi_in);
void host_children_free(struct host *host);

/* ---- host.c */
/* A list of which only the first n may be there. */
void host_ts_copy(struct ike_ts_list *to, const struct ike_ts_list *from);
/* The tunnel's, made if there is none. */
struct host_creds *host_creds_get(struct host *host, const char *tunnel);
void host_tell(struct host *host, enum ike_event event, uint64_t sa, const char *tunnel, const char *text);
void host_log(struct host *host, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* SAV_HOST_IMPL_H */
