/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sa - one IKE SA: private to the engine's files (ike_engine_impl.h) and sa*.c.
 *
 *   tables.c     SAs and children by what a message names
 *   sa.c         life of an SA, its exchanges: window, retransmission, sealing
 *   sa_init.c    IKE_SA_INIT
 *   sa_auth.c    IKE_AUTH
 *   sa_child.c   its child SAs: which send, which go, when there are new ones
 *   sa_child_make.c  how one is made, in IKE_AUTH and CREATE_CHILD_SA
 *   sa_create.c  CREATE_CHILD_SA for a child
 *   sa_rekey.c   CREATE_CHILD_SA that replaces the IKE SA
 *   sa_info.c    INFORMATIONAL: delete, liveness, MOBIKE
 *   sa_mobike.c  where else the peer is
 *
 * An exchange that we begin is a request: it waits in a queue, since the window
 * is one (RFC 7296 2.3), is built when its turn comes, and is over with its
 * response. What the peer begins is answered at once; the answer is kept and
 * repeated until the next one.
 */
#ifndef SAV_SA_H
#define SAV_SA_H

#include "ipsec/ike/ike_engine.h"
#include "ipsec/ike/fragment.h"
#include "ipsec/ike/message.h"
#include "ipsec/ike/natd.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/ts.h"

#define SA_CHILDREN_MAX 16
#define SA_QUEUE_MAX 24
#define SA_PEER_ADDRS_MAX 6
#define SA_RETRIES 7	  /* times that a request is sent, 0.5 s doubled between: 63.5 s in all */
#define SA_RETRY_FIRST_MS 500
#define SA_HALF_OPEN_MS 30000
#define SA_REKEY_AGAIN_MS 120000 /* a rekeying that came to nothing is begun anew */
#define SA_LINGER_MS 5000 /* a replaced or deleted SA answers repeated requests for so long */

enum sa_state {
	SA_INIT_SENT,	/* initiator: waits for IKE_SA_INIT's response */
	SA_INIT_DONE,	/* responder: waits for IKE_AUTH */
	SA_SIGNING,	/* initiator: own AUTH is being made */
	SA_AUTH_SENT,	/* initiator: waits for IKE_AUTH's response */
	SA_CHECKING,	/* either: the AUTH that the peer should have sent is being made */
	SA_ANSWERING,	/* responder: own AUTH is being made */
	SA_UP,
	SA_REPLACED,	/* rekeyed: only a delete is left to do */
	SA_DELETING,	/* our delete waits for its answer */
	SA_DEAD,	/* freed when nobody looks */
};

struct sa_nonce {
	uint16_t len;
	uint8_t bytes[IKE_NONCE_MAX];
};

/* In one of the engine's tables (tables.h). */
struct table_node {
	struct table_node *next;
	uint64_t key;
	bool in;
};

enum child_state {
	CHILD_UP,
	CHILD_REKEYING, /* our CREATE_CHILD_SA for it is on its way */
	CHILD_REKEYED,	/* replaced; its delete is to come */
	CHILD_DELETING, /* our delete is on its way */
};

struct sa_child {
	struct table_node in_table;
	struct ike_sa *sa; /* whose it is */
	enum child_state state;
	uint32_t spi_in, spi_out;
	struct ike_suite suite;
	const struct ike_ts_list *local_ts, *remote_ts; /* own copies, no longer than they need be */
	bool transport;
	bool no_tfc;
	bool used; /* the datapath may send with it */
	uint64_t since_ms, rekey_at_ms;
	/* the peer asked for it, and has our answer when it sends a request of this
	 * number; 0: it has it */
	uint32_t known_from;
	uint32_t successor; /* spi_in of what the peer made in its place, 0: none */
	struct sa_nonce peer_lowest; /* of that exchange's two nonces (2.8.1) */
};

enum request_kind {
	REQ_INIT,
	REQ_AUTH,
	REQ_CHILD_NEW,
	REQ_CHILD_REKEY,
	REQ_CHILD_DELETE,
	REQ_CHILD_UNMADE, /* the peer made it with us, and we could not: it shall delete it */
	REQ_IKE_REKEY,
	REQ_IKE_DELETE,
	REQ_LIVENESS,
	REQ_MOVE, /* MOBIKE: UPDATE_SA_ADDRESSES */
	REQ_ADDRESSES, /* MOBIKE, of who did not begin: where we are */
};

struct sa_request {
	enum request_kind kind;
	uint32_t spi;	 /* of the child it is about: inbound */
	uint16_t group;	 /* of a second try after INVALID_KE_PAYLOAD, 0: the first of ours */
	uint64_t not_before_ms;
	uint8_t tries;	 /* after TEMPORARY_FAILURE */
};

/* A message as it went out, to go out again. */
struct sa_packets {
	unsigned n;
	struct wr *list; /* a datagram each */
};

/* Of the exchange on its way: what its response needs. */
struct sa_exchange {
	bool active;
	struct sa_request req;
	uint32_t id;
	struct sa_packets packets;
	unsigned sent; /* times */
	uint64_t resend_at_ms;
	/* CREATE_CHILD_SA */
	uint8_t nonce[IKE_NONCE_MIN * 2];
	struct crypto_dh *dh;
	uint32_t new_spi;
	uint8_t new_ike_spi[IKE_SPI_SIZE];
	/* MOBIKE */
	uint8_t cookie2[16];
	struct ike_path path; /* where it was sent last */
};

struct ike_sa {
	struct ike_sa *prev, *next; /* all */
	struct table_node in_spi, in_number, in_begun, in_address, in_identity;
	struct ike_sa *prev_tunnel, *next_tunnel; /* of one tunnel's name */
	uint64_t due_ms; /* nothing to do before, unless: */
	size_t heap_at;	 /* in the heap of those that wait */
	bool touched;	 /* since it was looked at */
	struct ike_sa *next_touched;
	struct ike_engine *engine;
	uint64_t number;
	enum sa_state state;
	bool initiator; /* of this IKE SA: who rekeyed the last one */
	/* of the first in a row of rekeyed ones: "the initiator" of RFC 4555 and of
	 * configuration payloads */
	bool began;
	bool half_open_counted;
	bool lingers;	      /* dead, refused, and kept for its answer */
	bool yields;	      /* to one that its peer begins anew */
	uint8_t init_repeats; /* of IKE_SA_INIT's answer */
	struct ike_sa *prev_half, *next_half;
	uint64_t spare_of; /* made by rekeying that SA, and not decided yet that it stays; 0: it does */
	uint64_t half_open_source;
	const struct ike_tunnel *tunnel; /* a reference; NULL: a responder before IKE_AUTH */
	struct ike_identity peer_id, own_id;

	struct ike_path path;
	struct ike_path reply_path; /* where the request being answered came from */
	struct natd_result nat;
	bool peer_natt;	    /* sent NAT_DETECTION */
	bool natt_port;	    /* uses 4500 */
	bool peer_fragments;
	bool peer_mobike;
	bool peer_childless;
	uint32_t peer_hashes;
	uint64_t number_replaced; /* reauthentication: this one goes when we are up */
	bool auth_failed;	  /* initiator: the responder is not who it should be */
	unsigned n_peer_addrs;
	struct ip_addr peer_addrs[SA_PEER_ADDRS_MAX]; /* that the peer has besides (RFC 4555 3.4) */
	struct ip_addr virtual_addr; /* the initiator's, v 0: none (RFC 7296 3.15) */

	uint8_t spi_i[IKE_SPI_SIZE], spi_r[IKE_SPI_SIZE];
	struct ike_keys keys;
	struct crypto_cipher *tx, *rx;
	uint64_t tx_counter;

	/* requests of ours */
	uint32_t next_id;
	struct sa_exchange out;
	unsigned n_queue;
	struct sa_request queue[SA_QUEUE_MAX];

	/* requests of the peer */
	uint32_t recv_id;	   /* the next new one */
	struct sa_packets response; /* to recv_id - 1 */
	uint8_t request_hash[20];  /* of IKE_SA_INIT's request: is it a repetition? */
	struct fragments *fragments;

	/* of the first two exchanges, until up */
	struct sa_setup *setup;

	struct sa_child *children[SA_CHILDREN_MAX];
	unsigned n_children;
	uint64_t child_since_ms, child_wait_ms; /* see sa_child_again() */
	uint64_t created_ms, up_ms, rekey_at_ms, reauth_at_ms, die_at_ms;
	uint64_t heard_ms, spoke_ms;
	bool has_nat_baseline;
	uint8_t nat_baseline[20]; /* hash of where the peer saw us */

	/* of an IKE rekey collision (2.8.2) */
	uint64_t peer_successor; /* its number, 0: none */
	struct sa_nonce peer_lowest;
};

/* Between IKE_SA_INIT's first packet and the end of IKE_AUTH. */
struct sa_setup {
	struct wr own_message, peer_message; /* IKE_SA_INIT as signed */
	uint8_t own_nonce[IKE_NONCE_MIN * 2];
	struct sa_nonce peer_nonce;
	struct crypto_dh *dh;
	uint16_t group;
	struct wr peer_ke; /* responder: the costly half is done when IKE_AUTH comes */
	struct ike_suite suite;
	uint8_t cookie[64];
	size_t cookie_len;
	unsigned restarts; /* INIT again: cookie, another group */
	uint32_t child_spi; /* that we offered */
	/* own ID payload's body, as signed */
	struct wr own_id_body, peer_id_body;
	struct ike_auth_octets octets;
	uint64_t sign_id; /* what is being waited for, 0: nothing */
	/* the whole IKE_AUTH message of the peer, opened, while AUTH is being made */
	struct wr kept;
	uint8_t kept_first;
	uint32_t kept_id;
};

/* ---- sa.c */
struct ike_sa *sa_new(struct ike_engine *engine, bool initiator, const struct ike_path *path, uint64_t now_ms);
void sa_free(struct ike_sa *sa);
void sa_set_state(struct ike_sa *sa, enum sa_state state);
const char *sa_state_text(enum sa_state state);
struct ike_header sa_header(const struct ike_sa *sa, uint8_t exchange, bool response, uint32_t id);
void sa_setup_free(struct ike_sa *sa);
int sa_keys_use(struct ike_sa *sa); /* ciphers from keys */

void sa_queue(struct ike_sa *sa, const struct sa_request *request);
bool sa_is_queued(const struct ike_sa *sa, enum request_kind kind, uint32_t spi);
void sa_unqueue(struct ike_sa *sa, enum request_kind kind, uint32_t spi);
/* Sends the exchange that sa->out describes: chain goes inside SK. */
void sa_request_send(struct ike_sa *sa, uint8_t exchange, const struct ike_writer *chain, uint64_t now_ms);
void sa_request_send_plain(struct ike_sa *sa, const struct ike_writer *message, uint64_t now_ms);
void sa_exchange_end(struct ike_sa *sa);
/* Answers the request of this ID and keeps the answer. */
void sa_respond(struct ike_sa *sa, uint8_t exchange, uint32_t id, const struct ike_writer *chain, uint64_t now_ms);
void sa_respond_notify(struct ike_sa *sa, uint8_t exchange, uint32_t id, uint16_t notify, const void *data,
		       size_t len, uint64_t now_ms);
void sa_send_packets(struct ike_sa *sa, const struct sa_packets *packets, const struct ike_path *path);
struct wr *sa_packets_next(struct sa_packets *packets); /* one datagram more */
void sa_packets_free(struct sa_packets *packets);
/* The end, without a word to the peer: children out of the datapath. */
void sa_kill(struct ike_sa *sa, enum ike_event event, const char *why, uint64_t now_ms);
void sa_event(struct ike_sa *sa, enum ike_event event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sa_run(struct ike_sa *sa, uint64_t now_ms);
uint64_t sa_heard_ms(const struct ike_sa *sa); /* anything, on its children too */
uint64_t sa_deadline(const struct ike_sa *sa);
/* A protected or IKE_SA_INIT message for this SA. */
void sa_packet(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header, uint8_t *data,
	       size_t len, uint64_t now_ms);
const struct ike_notify *sa_notify(const struct ike_payloads *payloads, uint16_t type, struct ike_notify *out);
/* The first error notify, 0: none. */
uint16_t sa_error(const struct ike_payloads *payloads, struct ike_notify *out);
/* With all that depends on it: children, NAT state. */
void sa_move(struct ike_sa *sa, const struct ike_path *path, uint64_t now_ms);
/* Our own address is another one: packets leave from there at once, and the
 * peer is told. */
void sa_relocate(struct ike_sa *sa, const struct ip_addr *local, uint64_t now_ms);
bool sa_encap(const struct ike_sa *sa);

/* ---- sa_init.c */
/* What makes an IKE SA, new or rekeyed, whoever says it. */
struct sa_said {
	struct ike_proposals proposals;
	struct ike_ke ke;
	struct ike_bytes nonce;
};
/* -1: one of the three is missing or damaged. */
int sa_said_decode(const struct ike_payloads *payloads, struct sa_said *out);
void sa_init_begin(struct ike_sa *sa, uint64_t now_ms); /* builds and sends the request */
void sa_init_response(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header,
		      const struct ike_payloads *payloads, const uint8_t *data, size_t len, uint64_t now_ms);
/* The responder's keys, when IKE_AUTH comes. -1: the peer's value is none. */
int sa_init_derive(struct ike_sa *sa);
/* A new responder SA answers; false: it came to nothing. */
bool sa_init_answer(struct ike_sa *sa, const struct ike_payloads *payloads, const uint8_t *data, size_t len,
		    uint64_t now_ms);

/* ---- sa_auth.c */
/* Authenticated on both sides: timers, INITIAL_CONTACT, the event. */
void sa_up(struct ike_sa *sa, bool initial_contact, uint64_t now_ms);
/* now_ms plus the seconds less up to a tenth, so that many do not rekey at once
 * and both ends seldom together (RFC 7296 2.8). 0 s: never. */
uint64_t sa_jittered(uint64_t now_ms, uint32_t seconds);
void sa_auth_begin(struct ike_sa *sa, uint64_t now_ms);
void sa_auth_request(struct ike_sa *sa, uint32_t id, uint8_t first, struct rd plain, uint64_t now_ms);
void sa_auth_response(struct ike_sa *sa, uint8_t first, struct rd plain, uint64_t now_ms);
void sa_auth_signed(struct ike_sa *sa, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms);

/* ---- sa_child.c */
struct sa_child *sa_child_find(struct ike_sa *sa, uint32_t spi_in);
struct sa_child *sa_child_find_out(struct ike_sa *sa, uint32_t spi_out);
/* One like that, with copies of its selectors; there must be room. */
struct sa_child *sa_child_new(struct ike_sa *sa, const struct sa_child *from);
void sa_child_use(struct ike_sa *sa, struct sa_child *child); /* from now on the datapath sends with it */
/* Before it is deleted: the peer receives nothing with it then, so another one with its
 * selectors sends. False: not yet, the peer may not have that one. */
bool sa_child_unuse(struct ike_sa *sa, struct sa_child *child, uint64_t now_ms);
void sa_child_remove(struct ike_sa *sa, struct sa_child *child);
/* The peer agreed and has it, and here it came to nothing: what it sends with it
 * would be lost (1.3, 2.21). */
void sa_child_unmake(struct ike_sa *sa, uint32_t spi_in);
/* One with these selectors sends. */
bool sa_child_sends(const struct ike_sa *sa, bool transport, const struct ike_ts_list *local_ts,
		    const struct ike_ts_list *remote_ts);
bool sa_child_stays(const struct ike_sa *sa); /* there is one whose delete is not on its way */
/* Has the peer our answer that made the child? It would say CHILD_SA_NOT_FOUND else, and
 * we would drop what it is about to use. A peer that waits for an answer has given up
 * after a minute. */
bool sa_child_is_known(const struct ike_sa *sa, const struct sa_child *child, uint64_t now_ms);
void sa_child_timers(struct ike_sa *sa, uint64_t now_ms);
/* For an SA that shall have a child and has none: asks for one, each time a little
 * later unless the last one was there for a while. Who began the SA asks sooner. */
void sa_child_again(struct ike_sa *sa, uint64_t now_ms);

/* ---- sa_child_make.c */
/* What both halves of making a child need. i: who began the exchange. */
struct child_exchange {
	const struct ike_payloads *payloads; /* the other side's */
	struct sa_child *rekeyed;	     /* whose place it takes, or NULL */
	struct ike_bytes ni, nr;
	bool in_auth; /* IKE_AUTH: no nonces and no key exchange of its own */
	uint64_t now_ms;
	struct sa_child *made;	/* out */
	uint16_t wanted_group;	/* out, with N_INVALID_KE_PAYLOAD */
};

/* Of CREATE_CHILD_SA, that group first. Who names none leaves the choice to the peer:
 * libreswan wants the IKE SA's (pfs=yes), strongSwan none; each is its default. */
void sa_child_proposals(const struct ike_sa *sa, uint16_t first, struct ike_proposals *out);
/* SA, TSi, TSr and notifies of a new child, the SPI being ours to receive on;
 * with nonce and key exchange unless in IKE_AUTH. */
void sa_child_offer(struct ike_sa *sa, const struct sa_child *rekeyed, uint32_t spi, bool in_auth,
		    struct ike_writer *w);
/* Takes the peer's offer: 0 and the answer's payloads in w, or a notify number. */
uint16_t sa_child_answer(struct ike_sa *sa, struct child_exchange *x, struct ike_writer *w);
/* The peer took ours: 0, or why it can't be, as a notify number. */
uint16_t sa_child_accept(struct ike_sa *sa, struct child_exchange *x, uint32_t spi, struct crypto_dh *dh);

/* ---- sa_create.c */
void sa_child_begin(struct ike_sa *sa, uint64_t now_ms); /* REQ_CHILD_NEW, REQ_CHILD_REKEY */
void sa_child_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms);
/* A CREATE_CHILD_SA of the peer, whatever it is for. */
void sa_create_request(struct ike_sa *sa, uint32_t id, const struct ike_payloads *payloads, uint64_t now_ms);
/* The lower of an exchange's two nonces, and which of two is lower (2.8.1). */
struct sa_nonce sa_lowest(const struct ike_bytes *ni, const struct ike_bytes *nr);
bool sa_nonce_is_lower(const struct sa_nonce *a, const struct sa_nonce *b);

/* ---- sa_rekey.c */
void sa_rekey_begin(struct ike_sa *sa, uint64_t now_ms);
void sa_rekey_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms);
void sa_rekey_request(struct ike_sa *sa, uint32_t id, const struct ike_payloads *payloads, uint64_t now_ms);
/* The peer deletes this SA: which successor inherits, if one still has to. */
void sa_rekey_deleted(struct ike_sa *sa, uint64_t now_ms);
/* The peer uses what it made while we wait for an answer to our own rekeying. */
void sa_rekey_taken(struct ike_sa *spare, uint64_t now_ms);

/* ---- sa_info.c */
void sa_info_begin(struct ike_sa *sa, uint64_t now_ms); /* deletes, liveness, moves */
void sa_info_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms);
void sa_info_request(struct ike_sa *sa, const struct ike_path *path, uint32_t id, const struct ike_payloads *payloads,
		     uint64_t now_ms);

/* ---- sa_mobike.c */
/* The peer's other addresses, from IKE_AUTH. False: nothing is said of them. */
bool sa_mobike_learn(struct ike_sa *sa, const struct ike_payloads *payloads);
/* The same from INFORMATIONAL: if it is not where it was, we go there. */
void sa_mobike_told(struct ike_sa *sa, const struct ike_path *path, const struct ike_payloads *payloads);
/* A request without an answer goes to the peer's other addresses too. */
void sa_mobike_probe(struct ike_sa *sa);
/* An answer came by this path: the other one is dead. */
void sa_mobike_answered(struct ike_sa *sa, const struct ike_path *path);

/* ---- the engine's files, for the above */
/* Gives the SA its tunnel, with a reference. */
void engine_sa_tunnel(struct ike_sa *sa, const struct ike_tunnel *tunnel);
void engine_sa_untunnel(struct ike_sa *sa);
/* Something of it has changed: it is looked at in the next run. */
void engine_touch(struct ike_sa *sa);
void engine_child_link(struct ike_sa *sa, struct sa_child *child);
void engine_child_unlink(struct ike_sa *sa, struct sa_child *child);
const struct ike_ops *engine_ops(struct ike_engine *engine, void **ctx);
struct ike_counters *engine_counters(struct ike_engine *engine);
uint64_t engine_sign_id(struct ike_engine *engine, struct ike_sa *sa);
void engine_sa_link(struct ike_engine *engine, struct ike_sa *sa); /* into the tables, its own SPI being set */
/* What the fragments of all strangers take together; NULL: this one is none. */
size_t *engine_fragment_bytes(struct ike_sa *sa);
/* May it be kept for its last answer when it is dead? Of strangers so many are. */
bool engine_may_linger(struct ike_sa *sa);
void engine_half_open_done(struct ike_engine *engine, struct ike_sa *sa);
void engine_sa_is_up(struct ike_sa *sa); /* its peer's identity is proved */
/* What strangers cause is told so many times a second. */
bool engine_may_tell(struct ike_engine *engine, enum ike_event event, const struct ike_sa *sa);
/* What tunnels that may be meant by a packet on this path offer: of tunnels with
 * the same offer only one is told. The next after that one, the first after NULL. */
const struct ike_tunnel *engine_offer_next(struct ike_engine *engine, const struct ike_path *path,
					   const struct ike_tunnel *after);
/* Tunnels that may be meant, whose remote identity is this one. */
const struct ike_tunnel *engine_tunnel_of(struct ike_engine *engine, const struct ike_path *path,
					  const struct ike_identity *id, const struct ike_tunnel *after);
/* 2.4: the peer has no other SAs with us any more. */
void engine_initial_contact(struct ike_engine *engine, struct ike_sa *sa, uint64_t now_ms);
bool engine_is_first_contact(struct ike_engine *engine, const struct ike_sa *sa);
/* A peer has so many IKE SAs of one tunnel, and who is silent goes first. False: the new
 * one is one too many. */
bool engine_peer_may_begin(struct ike_sa *sa, uint64_t now_ms);
bool engine_peer_may_rekey(struct ike_sa *sa); /* with new keys there are two for a while */
/* An address of the tunnel's pool for this SA's peer: that of its other SAs, for a peer
 * has one at a time (see engine_ts_is_taken() for who is the same peer), or the next
 * free one. False: there is none left. */
bool engine_pool_take(struct ike_engine *engine, struct ike_sa *sa, struct ip_addr *out);
/* Another peer of the same tunnel has some of these addresses, so that answers for
 * the one would go to the other (RFC 7296 2.9; RFC 3948 5.1): told as an event, and
 * that one is asked whether it still lives. The same peer may have them twice, as it
 * does while it reauthenticates or comes back. */
bool engine_ts_is_taken(struct ike_sa *sa, const struct ike_ts_list *remote, bool transport);
struct ike_sa *engine_sa_by_number(struct ike_engine *engine, uint64_t number);

#endif /* SAV_SA_H */
