/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ladder - two IKE engines in one process: the wire is a queue that the test
 * holds, time is a number, keys can be compared at the end.
 *
 * What must hold in here for any test aborts (tests/fuzz/fuzz_assert.h), so that
 * unit tests and fuzz targets share it.
 */
#ifndef SAV_LADDER_H
#define SAV_LADDER_H

#include "ipsec/creds.h"
#include "ipsec/crypto_cert.h"
#include "ipsec/ike/ike_engine.h"
#include "ipsec/ike/sa.h"

#define LADDER_WIRE_MAX 256
#define LADDER_KIDS_MAX 64
#define LADDER_SIGNS_MAX 16
#define LADDER_NOW_S 1800000000 /* for certificates: seconds since 1970 */

/* A child SA of the datapath; in the order in which they came. */
struct kid {
	uint32_t spi_in, spi_out;
	struct crypto_key in, out;
	unsigned used; /* sends: the one with the highest number; 0: does not */
	bool encap;
	struct ike_path path;
	bool transport, no_tfc;
	struct ike_ts local, remote; /* the first of its selectors */
};

struct end {
	struct ike_engine *engine;
	const char *psk;
	struct creds *creds; /* for tunnels with certificates; the ladder frees both */
	struct crypto_private *key;
	struct ike_endpoint at;
	uint32_t next_spi;
	bool refuses, no_spi; /* its datapath takes no child, or has no SPI left */
	unsigned n_used;
	unsigned n_kids;
	struct kid kids[LADDER_KIDS_MAX];
	unsigned n_signs;
	struct {
		uint64_t id;
		uint8_t method;
		struct wr auth;
	} signs[LADDER_SIGNS_MAX];
	unsigned ups, downs, yielded, failures;
	unsigned keepalives;
	uint64_t heard_ms, spoke_ms; /* of its children's packets */
	char last[512], told[2048]; /* the last event; and the last ones, a line each */
};

struct datagram {
	unsigned to;
	struct ike_path path; /* as the receiver sees it */
	uint8_t *data;
	size_t len;
};

struct ladder {
	struct end ends[2];
	struct datagram wire[LADDER_WIRE_MAX];
	unsigned n_wire;
	uint64_t now;
	bool hold_signs, one_sign; /* the signers do not answer; one answer and no more */
	struct ike_endpoint nat; /* port 0: none; hides ends[0] */
};
extern struct ladder ladder;

/* Two ends that know each other by a pre-shared key; change (or NULL) sees the
 * tunnel of each before it is set. */
void ladder_begin(void (*change)(struct ike_tunnel *t, unsigned end));
void ladder_up(void); /* the first begins, until nobody has anything to say */
/* Begun without a change, and as far as IKE_AUTH, which is on the wire. */
void ladder_until_auth(void);
void ladder_end(void);

void ladder_run(void); /* both do what is due */
void ladder_deliver(unsigned i);
void ladder_drop(unsigned i);
/* Until nothing is on the wire and nobody has anything to say. */
void ladder_settle(void);

/* What an end that proved itself could send to the other: the IKE SA that is the
 * nth with keys at the sender (the last one, if there are fewer). NULL: none. */
struct ike_sa *ladder_sa(unsigned from, unsigned nth);
/* Seals a chain of payloads under its keys and hands it over at once. */
void ladder_forge(unsigned from, struct ike_sa *sa, const struct ike_header *header,
		  const struct ike_writer *chain);
/* Bytes from the other end's address, or, with port, from that port of it. */
void ladder_inject(unsigned to, const uint8_t *data, size_t len, uint16_t port);

struct ike_endpoint ladder_endpoint(const char *text); /* port 500 */
struct ike_counters ladder_counters(unsigned end);
struct kid *ladder_kid(struct end *e, uint32_t spi_in); /* it must be there */

#endif /* SAV_LADDER_H */
