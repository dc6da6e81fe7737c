/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine - all IKE SAs of one process: packets, answers and time in; packets,
 * keys and events out.
 *
 * It has no sockets, no clock and no private key, so a test can hold two of
 * them and force every order of messages. Times are milliseconds of one
 * monotonic clock. Nothing is called back from inside a call made in a
 * callback: the callbacks only note what is to be done.
 *
 * Source: RFC 7296; RFC 4555 (MOBIKE); RFC 6023 (childless); RFC 7383
 * (fragments); RFC 7427 (signatures).
 */
#ifndef SAV_IKE_ENGINE_H
#define SAV_IKE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/crypto.h"
#include "ipsec/ike/keys.h"
#include "ipsec/ike/tunnel.h"
#include "lib/diag.h"

struct ike_engine;

/* Between two sockets: which of ours, and who is at the other end. The local
 * port says which of the two sockets of a link; on 4500 the sender puts the
 * non-ESP marker in front (RFC 7296 2.23). */
struct ike_path {
	uint32_t link;
	struct ike_endpoint local, remote;
};

/* One direction-pair of keys for the datapath. */
struct ike_child_sa {
	uint64_t sa;		/* number of its IKE SA in this engine */
	const char *tunnel;
	uint32_t spi_in, spi_out;
	struct ike_suite suite;
	const struct ike_child_keys *in, *out;
	const struct ike_ts_list *local_ts, *remote_ts;
	struct ike_path path;
	bool encap; /* ESP in UDP */
	bool transport;
	bool no_tfc; /* ESP_TFC_PADDING_NOT_SUPPORTED seen */
	/* the datapath sends with it only after ike_ops.child_use(): while a rekeyed
	 * one lives, both receive and the old one sends (RFC 7296 2.8) */
	bool inbound_only;
	/* of the SA whose place it takes, 0 if none */
	uint32_t replaces_in;
};

enum ike_event {
	IKE_EVENT_UP,	   /* authenticated */
	IKE_EVENT_DOWN,	   /* gone; the text says why */
	IKE_EVENT_FAILED,  /* did not come up */
	IKE_EVENT_REKEYED,
	IKE_EVENT_CHILD_UP,
	IKE_EVENT_CHILD_DOWN,
	IKE_EVENT_CHILD_REKEYED,
	IKE_EVENT_MOVED,   /* the other end is somewhere else */
	IKE_EVENT_REFUSED, /* something of the peer's was turned down */
	IKE_EVENT_EXPIRING, /* a certificate ends soon: not of an SA, and not from the engine */
	IKE_EVENTS
};

/* What to sign, or what a pre-shared key makes of it. */
struct ike_sign {
	uint64_t id;	    /* for ike_engine_signed() */
	const char *tunnel; /* whose keys */
	bool psk;
	bool of_peer; /* the AUTH that the peer should have sent, to compare with; PSK only */
	uint16_t prf;
	/* what the peer can check (bits 1 << enum crypto_hash); 0: no RFC 7427 there */
	uint32_t hashes;
	const struct ike_identity *local, *remote; /* which pre-shared key */
	struct crypto_part octets[3];
};

/* The peer's signature, or certificate and signature, to be checked with
 * public keys only. */
struct ike_verify {
	const struct ike_tunnel *tunnel;
	const struct ike_identity *remote;
	const struct ike_cert *certs; /* as sent, the peer's own first */
	unsigned n_certs;
	struct ike_auth auth;
	struct crypto_part octets[3];
};

struct ike_ops {
	void (*send)(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len);
	/* A 0xff byte (RFC 3948 2.3). */
	void (*keepalive)(void *ctx, const struct ike_path *path);
	void (*sign)(void *ctx, const struct ike_sign *sign);
	/* 0: it is who it says, else -1 with the reason. */
	int (*verify)(void *ctx, const struct ike_verify *verify, struct diag *diag);
	/* Our certificates for this tunnel, and our CAs' key hashes for CERTREQ (tunnel
	 * NULL: of whichever it will turn out to be): appends whole payloads. */
	void (*put_certs)(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w);
	void (*put_certreq)(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w);
	/* An SPI that no inbound SA has; 0: none left. */
	uint32_t (*spi)(void *ctx);
	/* -1: the datapath can't; the SA is then refused or deleted. */
	int (*child_add)(void *ctx, const struct ike_child_sa *child);
	void (*child_use)(void *ctx, uint32_t spi_in); /* now send with it */
	/* Only receive with it, for another one with its selectors sends already. */
	void (*child_unuse)(void *ctx, uint32_t spi_in);
	void (*child_move)(void *ctx, uint32_t spi_in, const struct ike_path *path, bool encap);
	void (*child_del)(void *ctx, uint32_t spi_in);
	/* Like child_del, but another one has taken its place and sends already: what
	 * the peer sent before it knew may still be on its way, and shall be received. */
	void (*child_retire)(void *ctx, uint32_t spi_in);
	/* Like child_retire, before there is another one: the peer has begun anew, and
	 * what takes its place is agreed upon in this exchange. */
	void (*child_yield)(void *ctx, uint32_t spi_in);
	/* When it last received and sent something on this child; for liveness and
	 * keepalives. */
	void (*child_times)(void *ctx, uint32_t spi_in, uint64_t *heard_ms, uint64_t *spoke_ms);
	void (*event)(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text);
};

struct ike_engine *ike_engine_new(const struct ike_ops *ops, void *ctx);
void ike_engine_free(struct ike_engine *engine); /* says nothing to peers */

/* Adds, or replaces what has its name; SAs that are up keep what they agreed. */
void ike_engine_tunnel_set(struct ike_engine *engine, const struct ike_tunnel *tunnel);
void ike_engine_tunnel_del(struct ike_engine *engine, const char *name, uint64_t now_ms);

/* The operator's wishes. -1 with the reason when there is no such tunnel, or it
 * only answers. */
int ike_engine_up(struct ike_engine *engine, const char *name, const struct ike_path *path, uint64_t now_ms,
		  struct diag *diag);
int ike_engine_down(struct ike_engine *engine, const char *name, uint64_t now_ms, struct diag *diag);
int ike_engine_rekey(struct ike_engine *engine, const char *name, bool children, uint64_t now_ms,
		     struct diag *diag);

/* One IKE message as it came, without the non-ESP marker. Written to. */
void ike_engine_packet(struct ike_engine *engine, const struct ike_path *path, uint8_t *data, size_t len,
		       uint64_t now_ms);
/* The answer to ops->sign. auth NULL: it can't. Late answers are ignored. */
void ike_engine_signed(struct ike_engine *engine, uint64_t id, uint8_t method, const uint8_t *auth, size_t len,
		       uint64_t now_ms);
/* From the datapath: an authenticated, newest packet came from elsewhere. */
void ike_engine_esp_moved(struct ike_engine *engine, uint32_t spi_in, const struct ike_endpoint *remote,
			  uint64_t now_ms);
/* From the datapath: a soft limit of bytes or packets is reached. */
void ike_engine_child_expiring(struct ike_engine *engine, uint32_t spi_in, uint64_t now_ms);
/* From the datapath, late: it can't carry a child that child_add() gave it. */
void ike_engine_child_failed(struct ike_engine *engine, uint32_t spi_in, uint64_t now_ms);
/* Our address on a link is another one now (MOBIKE). */
void ike_engine_link_moved(struct ike_engine *engine, uint32_t link, const struct ip_addr *local, uint64_t now_ms);

/* Does what is due; when to come again, UINT64_MAX: not before an event. */
uint64_t ike_engine_run(struct ike_engine *engine, uint64_t now_ms);

/* ---- for show */
struct ike_sa_info {
	uint64_t sa;
	const char *tunnel;
	const char *state;
	bool initiator;
	uint8_t spi_i[IKE_SPI_SIZE], spi_r[IKE_SPI_SIZE];
	struct ike_path path;
	const struct ike_identity *local_id, *remote_id;
	struct ike_suite suite;
	bool nat_local, nat_remote, mobike, fragments;
	uint64_t up_since_ms, rekey_at_ms;
	unsigned n_children;
};
struct ike_child_info {
	uint64_t sa;
	uint32_t spi_in, spi_out;
	const char *state;
	struct ike_suite suite;
	const struct ike_ts_list *local_ts, *remote_ts;
	uint64_t since_ms, rekey_at_ms;
};
void ike_engine_each_sa(const struct ike_engine *engine, void (*fn)(void *ctx, const struct ike_sa_info *sa), void *ctx);
void ike_engine_each_child(const struct ike_engine *engine, uint64_t sa,
			   void (*fn)(void *ctx, const struct ike_child_info *child), void *ctx);

/* What strangers and time did. */
struct ike_counters {
	uint64_t packets, truncated, bad_version, bad_syntax, bad_integrity, unknown_spi, bad_id;
	uint64_t cookies_sent, cookies_good, cookies_bad, half_open_refused, retransmits, duplicates, timeouts;
	uint64_t replies_limited, peer_refused;
	unsigned half_open, sas, children;
};
void ike_engine_counters(const struct ike_engine *engine, struct ike_counters *out);

#endif /* SAV_IKE_ENGINE_H */
