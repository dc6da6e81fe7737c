/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bfd - one BFD session in asynchronous mode (RFC 5880 section 6.8).
 *
 * Pure: packets and the time go in, packets come out. The owner calls
 * bfd_tick() when bfd_due_us() has come, sends what bfd_next() gives until it
 * gives nothing, and looks at state. We take the active role; we never ask for
 * demand mode or echo packets, and obey a peer that asks for demand mode.
 *
 * Times are microseconds of any clock that does not go back.
 */
#ifndef SAV_BFD_H
#define SAV_BFD_H

#include "agents/steer/bfd_wire.h"

#define BFD_SLOW_US 1000000 /* the least interval while not up, section 6.8.3 */
#define BFD_KEY_MAX 20	    /* bytes of a SHA1 key, section 4.4 */

struct bfd_conf {
	uint32_t min_tx_us; /* Desired Min TX Interval once the session is up */
	uint32_t min_rx_us; /* Required Min RX Interval, not 0 */
	uint8_t mult;	    /* Detect Mult, not 0 */
	/* 0: none, BFD_AUTH_SHA1 or BFD_AUTH_METICULOUS_SHA1; the key is padded
	 * with zeros. */
	uint8_t auth_type, key_id;
	uint8_t key[BFD_KEY_MAX];
};

enum bfd_poll {
	BFD_POLL_NONE,
	BFD_POLL_SENDING,
	/* Over, and the next is wanted: it waits for a packet without F, or a
	 * late F would end it (section 6.8.3, third choice). */
	BFD_POLL_AGAIN,
};

/* The RFC's state variables, and what their rules need besides. */
struct bfd {
	struct bfd_conf conf;
	enum bfd_state state, remote_state;
	uint8_t diag, remote_diag; /* LocalDiag; the diagnostic last received */
	uint32_t local_discr, remote_discr;
	uint32_t remote_min_tx_us, remote_min_rx_us;
	uint8_t remote_mult;
	bool remote_demand;

	enum bfd_poll poll;
	bool poll_again; /* something changed again while polling */
	uint32_t tx_advertised_us, tx_used_us;
	uint32_t rx_advertised_us, rx_used_us;
	bool final_due, send_now;
	int64_t sent_us, send_due_us, heard_us; /* heard_us < 0: never */
	int64_t since_us;			/* of the state */

	bool auth_known;
	uint32_t auth_received, auth_sent;
	uint64_t random;
	uint64_t received, transmitted, ups, downs;
};

/* A session that is down and sends its first packet at once. discr is not 0 and
 * of no other session; seed makes the jitter. */
void bfd_init(struct bfd *s, const struct bfd_conf *conf, uint32_t discr, uint64_t seed,
	      int64_t now_us);
/* New times take force by section 6.8.3, by a Poll Sequence. */
void bfd_configure(struct bfd *s, const struct bfd_conf *conf, int64_t now_us);
/* Section 6.8.16. The peer is told: packets go on. */
void bfd_set_admin_down(struct bfd *s, bool down, int64_t now_us);

/* A packet that bfd_decode() took and that belongs to this session; data and len
 * are its bytes, needed for authentication only. Anything but BFD_OK: discarded,
 * by the rules of section 6.8.6. */
enum bfd_error bfd_receive(struct bfd *s, const struct bfd_packet *p, const uint8_t *data,
			   size_t len, int64_t now_us);
/* Has the detection time passed? */
void bfd_tick(struct bfd *s, int64_t now_us);
/* The bytes to send now; 0: none. Call again until then. */
size_t bfd_next(struct bfd *s, int64_t now_us, uint8_t out[BFD_PACKET_MAX]);
int64_t bfd_due_us(const struct bfd *s);

uint32_t bfd_interval_us(const struct bfd *s);	/* ours, as negotiated */
uint64_t bfd_detection_us(const struct bfd *s); /* section 6.8.4; 0: not known */

#endif /* SAV_BFD_H */
