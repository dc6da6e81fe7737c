/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * proc - what the processes of sav-iked say to each other.
 *
 *   main    libfrr: configuration, VTY, sockets; parses no peer's byte
 *   ike     parses peers' bytes; no capability, no key file, no file system
 *   signer  private keys and pre-shared keys
 *   esp     the user-space datapath: session keys only
 *
 * Each pair shares a SOCK_SEQPACKET socket: one packet, one message, in order.
 * A message is a version, a type and the fields of the struct below; ike may be
 * in the hands of a stranger, so whoever receives decodes with rd and takes
 * nothing that is not whole and within its bounds. A process that sends what
 * makes no sense is ended by main and started anew.
 *
 * An open descriptor travels beside the message that is about it (SCM_RIGHTS).
 * main holds every socket too, so the next ike gets the same ones.
 */
#ifndef SAV_PROC_H
#define SAV_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/ike/ike_engine.h"
#include "lib/rd.h"
#include "lib/wr.h"

#define PROC_VERSION 1
#define PROC_CONTROL_FD 3 /* of a helper process: its socket to main */
#define PROC_MESSAGE_MAX (160 * 1024)

enum proc_type {
	/* ---- main -> anyone */
	PROC_PEER = 1, /* struct proc_peer + its socket; a new one takes the old one's place */
	PROC_SOCKET,   /* struct proc_socket + it: to ike, and one per thread to esp */
	PROC_SOCKET_GONE, /* struct proc_socket: link and family; port and address say nothing */

	/* ---- main -> ike */
	PROC_FILE,	  /* struct proc_file + it, before the PROC_TUNNEL that it is for */
	PROC_TUNNEL,	  /* struct proc_tunnel as it lies in memory: main is trusted, the build is one */
	PROC_TUNNEL_GONE, /* struct proc_name */
	PROC_COMMAND,	  /* struct proc_command; answered by PROC_RESULT */
	/* ---- ike -> main */
	PROC_READY,  /* nothing: the sandbox is closed. Every helper says this first */
	PROC_EVENT,  /* struct proc_event */
	PROC_RESULT, /* struct proc_result, the last word on a PROC_COMMAND */
	PROC_SA,     /* struct proc_sa: a row of PROC_SHOW */
	PROC_CHILD,  /* struct proc_child_row: a child of the PROC_SA before it */
	PROC_COUNTERS, /* struct ike_counters, 64-bit fields in order */
	PROC_CARRIES,  /* struct proc_carries: does a tunnel have a child SA that sends? When that changes */

	/* ---- main -> signer */
	PROC_KEY,	/* struct proc_key; answered by PROC_KEY_STATE */
	PROC_KEY_GONE,	/* struct proc_name */
	PROC_KEY_STATE, /* struct proc_key_state */
	/* signer or esp -> main: nothing; ike said what makes no sense or reads nothing, and
	 * gets no more answers. ike -> main: the same of esp */
	PROC_LOST,
	/* ---- ike <-> signer */
	PROC_SIGN,   /* struct proc_sign */
	PROC_SIGNED, /* struct proc_signed */

	/* ---- ike -> esp, or -> main when the kernel is the link's datapath */
	PROC_CHILD_ADD,	 /* struct proc_child */
	PROC_CHILD_USE,	 /* struct proc_spi: now send with it */
	PROC_CHILD_UNUSE, /* struct proc_spi: receive only; another one with its selectors sends */
	PROC_CHILD_MOVE, /* struct proc_move */
	PROC_CHILD_DEL,	 /* struct proc_spi; one that is not there is no error */
	PROC_DONE,	 /* nothing; ike -> who has the datapath, who sends it back: all before it is done */
	/* ---- esp or main -> ike */
	PROC_CHILD_FAILED, /* struct proc_spi: it can't be added; ike deletes the SA */
	PROC_MOVED,	   /* struct proc_moved */
	PROC_EXPIRING,	   /* struct proc_spi: a soft limit, once */
	PROC_TIMES,	   /* struct proc_times: children with packets since the last, once a second */
	PROC_PACKET,	   /* struct proc_packet: an IKE message that came among ESP */
	/* ---- esp -> main */
	PROC_WANTED, /* struct proc_name: a packet for a tunnel that has no SA; once a second at most */
	PROC_MTU,    /* struct proc_mtu: what a tunnel's device shall have */
	PROC_DEVICE_LOST, /* struct proc_name: somebody has deleted the tunnel's device */
	PROC_ESP_COUNTERS, /* struct proc_esp_counters: once a second when they change */
	/* ---- main -> esp */
	PROC_DEVICE,	  /* struct proc_device + a queue of it */
	PROC_DEVICE_GONE, /* struct proc_name */
	/* a new ike has no SA: the children so far receive and send until one of the
	 * same tunnel takes their place or their limits are reached */
	PROC_ORPHANS, /* nothing */
	PROC_TYPE_MAX = PROC_ORPHANS,
};

enum proc_who {
	PROC_MAIN,
	PROC_IKE,
	PROC_SIGNER,
	PROC_ESP,
	PROC_WHO_MAX = PROC_ESP,
};
const char *proc_who_name(enum proc_who who);

/* ---- messages */

struct proc_peer {
	uint8_t who; /* enum proc_who: at the other end */
};

struct proc_socket {
	uint32_t link;
	struct ike_endpoint local; /* what it is bound to; port 0: a raw one, of protocol 50 */
	uint32_t mtu; /* of the link's interface, 0: not known */
	uint32_t worker; /* of esp, whose it is */
	bool kernel;  /* to ike: children of this link are main's, else esp's */
};

enum proc_file_kind {
	PROC_FILE_OWN,	/* our certificate and its chain */
	PROC_FILE_CA,	/* trust anchors */
	PROC_FILE_CRL,
	PROC_FILE_PEER, /* the peer's raw public key */
	PROC_FILE_KIND_MAX = PROC_FILE_PEER,
};

#define PROC_PATH_MAX 128
struct proc_file {
	char tunnel[IKE_TUNNEL_NAME];
	uint8_t kind;
	char name[PROC_PATH_MAX]; /* for messages */
};

struct proc_name {
	char name[IKE_TUNNEL_NAME];
};

/* Decoded, the tunnel's lists are the ones beside it. */
struct proc_tunnel {
	struct ike_tunnel tunnel;
	struct ike_proposals ike, esp;
	struct ike_ts_list local_ts, remote_ts;
};

enum proc_verb {
	PROC_UP,
	PROC_DOWN,
	PROC_REKEY_IKE,
	PROC_REKEY_CHILD,
	PROC_SHOW,
	PROC_VERB_MAX = PROC_SHOW,
};

struct proc_command {
	uint32_t id; /* of the answer */
	uint8_t verb;
	char tunnel[IKE_TUNNEL_NAME]; /* PROC_SHOW: "" all */
	struct ike_path path;	      /* PROC_UP */
};

#define PROC_TEXT_MAX 512
struct proc_result {
	uint32_t id;
	bool ok;
	char text[PROC_TEXT_MAX];
};

struct proc_event {
	uint8_t event; /* enum ike_event, or PROC_EVENT_LOG */
	uint64_t sa;
	char tunnel[IKE_TUNNEL_NAME];
	char text[PROC_TEXT_MAX];
};
#define PROC_EVENT_LOG 255 /* only a text; tunnel may be "" */

#define PROC_STATE_MAX 16
#define PROC_SUITE_MAX 96
struct proc_sa {
	uint64_t sa;
	char tunnel[IKE_TUNNEL_NAME];
	char state[PROC_STATE_MAX];
	bool initiator, nat_local, nat_remote, mobike, fragments;
	uint8_t spi_i[IKE_SPI_SIZE], spi_r[IKE_SPI_SIZE];
	struct ike_path path;
	struct ike_identity local_id, remote_id;
	char suite[PROC_SUITE_MAX];
	uint32_t up_s;	     /* since it is up */
	uint32_t rekey_in_s; /* UINT32_MAX: never */
};

/* What a child of esp's has carried, inner packets and their bytes, and what it has
 * not, by reason. */
struct proc_use {
	uint64_t packets_in, bytes_in, packets_out, bytes_out;
	uint32_t replays, bad_integrity, bad_form, bad_selector, congestion;
	uint32_t too_big, unsent;
};

struct proc_child_row {
	uint32_t spi_in, spi_out;
	char state[PROC_STATE_MAX];
	char suite[PROC_SUITE_MAX];
	struct ike_ts_list local_ts, remote_ts;
	uint32_t up_s, rekey_in_s;
	uint32_t heard_s, spoke_s; /* since the last packet each way; UINT32_MAX: there was none */
	struct proc_use use;	   /* all 0 for one of main's */
};

/* Of the child that was the last to change; without one the rest says nothing. */
struct proc_carries {
	char tunnel[IKE_TUNNEL_NAME];
	bool up;
	struct ike_path path;
	struct ike_ts_list local_ts, remote_ts;
};

enum proc_key_kind {
	PROC_KEY_PSK,	  /* the file's first line */
	PROC_KEY_PRIVATE, /* PEM */
	PROC_KEY_KIND_MAX = PROC_KEY_PRIVATE,
};

/* A tunnel has at most one of each kind. */
struct proc_key {
	char tunnel[IKE_TUNNEL_NAME];
	uint8_t kind;
	char file[PROC_PATH_MAX]; /* in the signer's directory */
};

struct proc_key_state {
	char tunnel[IKE_TUNNEL_NAME];
	bool ok;
	char text[PROC_TEXT_MAX]; /* what is wrong */
};

/* As struct ike_sign; decoded, the parts point into the message. The first is
 * an IKE_SA_INIT message, or the signer refuses: it signs nothing else. */
struct proc_sign {
	uint64_t id;
	char tunnel[IKE_TUNNEL_NAME];
	bool psk;
	uint16_t prf;
	uint32_t hashes;
	struct crypto_part octets[3];
};

struct proc_signed {
	uint64_t id;
	uint8_t method;	     /* 0: it can't, and data is the reason */
	struct ike_bytes data; /* AUTH's */
};

/* As struct ike_child_sa. */
struct proc_child {
	char tunnel[IKE_TUNNEL_NAME];
	uint32_t spi_in, spi_out, replaces_in;
	struct crypto_suite suite;
	bool esn, encap, transport, no_tfc, inbound_only;
	struct ike_child_keys in, out;
	struct ike_ts_list local_ts, remote_ts;
	struct ike_path path;
};

struct proc_spi {
	uint32_t spi_in;
};

struct proc_move {
	uint32_t spi_in;
	struct ike_path path;
	bool encap;
};

struct proc_moved {
	uint32_t spi_in;
	struct ike_endpoint remote; /* of an authenticated packet with the highest number so far */
};

#define PROC_TIMES_MAX 1024
struct proc_times {
	unsigned n;
	struct {
		uint32_t spi_in;
		uint32_t heard_ago_ms, spoke_ago_ms; /* UINT32_MAX: not since the last */
		struct proc_use use;		     /* of esp's */
	} list[PROC_TIMES_MAX];
};

struct proc_packet {
	struct ike_path path;
	struct ike_bytes data; /* without the non-ESP marker */
};

/* Of a device of sav-esp: below, the kernel takes IPv6 away (RFC 8200 5), and more no
 * device has. Others are no message. */
#define PROC_MTU_MIN 1280
#define PROC_MTU_MAX 65535
struct proc_mtu {
	char tunnel[IKE_TUNNEL_NAME];
	uint32_t mtu;
};

#define PROC_ESP_COUNTERS_MAX 64
struct proc_esp_counters {
	unsigned n;
	uint64_t list[PROC_ESP_COUNTERS_MAX]; /* in the order of esp_counter_name() */
};

struct proc_device {
	char tunnel[IKE_TUNNEL_NAME];
	char device[16];
	uint32_t mtu;
	uint32_t worker; /* of esp, whose queue it is */
	bool many; /* anybody may be the tunnel's peer, and what fits one is not what fits all */
	struct ip_addr ipip_local, ipip_remote; /* esp_ipip.h; v 0: no IP in IP */
};

/* One function each way for each message. An encoder appends to w a message of
 * that type, header and all. A decoder takes the fields after the header: true,
 * or false and *out is not to be used. Strings end with NUL, flags are 0 or 1,
 * numbers of an enum are in it. */
struct proc_header {
	uint8_t type; /* enum proc_type */
};
bool proc_header_decode(struct rd *rd, struct proc_header *out);
void proc_plain_encode(struct wr *w, enum proc_type type); /* without fields */

#define PROC_CODEC(name, type_name)                                      \
	void proc_##name##_encode(struct wr *w, const type_name *in);    \
	bool proc_##name##_decode(struct rd rd, type_name *out);
/* the same fields under several types */
#define PROC_CODEC_OF(name, type_name)                                                      \
	void proc_##name##_encode(struct wr *w, enum proc_type type, const type_name *in);  \
	bool proc_##name##_decode(struct rd rd, type_name *out);

PROC_CODEC(peer, struct proc_peer)
PROC_CODEC_OF(socket, struct proc_socket)
PROC_CODEC(file, struct proc_file)
void proc_tunnel_encode(struct wr *w, const struct ike_tunnel *in);
bool proc_tunnel_decode(struct rd rd, struct proc_tunnel *out);
PROC_CODEC_OF(name, struct proc_name)
PROC_CODEC(command, struct proc_command)
PROC_CODEC(event, struct proc_event)
PROC_CODEC(result, struct proc_result)
PROC_CODEC(sa, struct proc_sa)
PROC_CODEC(child_row, struct proc_child_row)
PROC_CODEC(counters, struct ike_counters)
PROC_CODEC(carries, struct proc_carries)
PROC_CODEC(key, struct proc_key)
PROC_CODEC(key_state, struct proc_key_state)
PROC_CODEC(sign, struct proc_sign)
PROC_CODEC(signed, struct proc_signed)
PROC_CODEC(child, struct proc_child)
PROC_CODEC_OF(spi, struct proc_spi)
PROC_CODEC(move, struct proc_move)
PROC_CODEC(moved, struct proc_moved)
PROC_CODEC(times, struct proc_times)
PROC_CODEC(packet, struct proc_packet)
PROC_CODEC(device, struct proc_device)
PROC_CODEC(mtu, struct proc_mtu)
PROC_CODEC(esp_counters, struct proc_esp_counters)

/* ---- the sockets between */

/* One end. What the kernel does not take at once waits, up to a bound; beyond
 * it, or when the other side is gone, the channel is broken and says so. */
struct proc_chan;

struct proc_chan *proc_chan_new(int fd); /* takes it; non-blocking from now on */
void proc_chan_free(struct proc_chan *chan); /* wipes what waits */
/* What is received is not swapped, as far as the system's limits allow. A process
 * that has closed its sandbox can't any more. */
void proc_chan_lock(struct proc_chan *chan);
int proc_chan_fd(const struct proc_chan *chan);
bool proc_chan_is_broken(const struct proc_chan *chan);
/* The other end is closed: whoever had it is no more, or has had enough of us. */
bool proc_chan_has_ended(const struct proc_chan *chan);
bool proc_chan_wants_write(const struct proc_chan *chan);
/* Sends the message in w and wipes w; fd (-1: none) stays the caller's. */
void proc_chan_send(struct proc_chan *chan, struct wr *w, int fd);
/* Never waits, as a packet in a full queue: false when it was dropped. */
bool proc_chan_offer(struct proc_chan *chan, struct wr *w);
void proc_chan_flush(struct proc_chan *chan); /* when the socket can be written */
/* The next message: 1 and *body at its fields, 0 none now, -1 broken, or a
 * message that is none. *fd is the caller's to close, -1 without. body is good
 * until the next call, which wipes it. */
int proc_chan_receive(struct proc_chan *chan, struct proc_header *header, struct rd *body, int *fd);

#endif /* SAV_PROC_H */
