/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * capture - packet captures in the classic pcap format, as far as the source
 * address of each packet.
 *
 * Either byte order, time stamps in micro- or nanoseconds. pcapng is another
 * format, and is refused with a way to convert it.
 */
#ifndef SAV_CAPTURE_H
#define SAV_CAPTURE_H

#include "lib/diag.h"
#include "lib/ip.h"
#include "lib/rd.h"

#define CAPTURE_MAGIC_BYTES  4
#define CAPTURE_HEADER_BYTES 24
#define CAPTURE_RECORD_BYTES 16
/* What libpcap stores at most; a longer record is damage. */
#define CAPTURE_PACKET_MAX 262144

struct capture {
	bool swapped; /* the file is little-endian */
	uint16_t link;
};

/* By the first four bytes: a capture, pcapng too. */
bool capture_is_one(struct rd rd);
/* The header of the file. -1 with diag: not one that can be read. */
int capture_header_decode(struct rd *rd, struct capture *c, struct diag *diag);

struct capture_record {
	uint32_t stored; /* bytes of the packet that follow */
	uint32_t length; /* of the packet as it was, at least as many */
};
/* false: no record can look like this. */
bool capture_record_decode(struct rd *rd, const struct capture *c,
			   struct capture_record *r);

enum capture_kind {
	CAPTURE_SOURCE,	  /* *src and *bytes are set */
	CAPTURE_OUTGOING, /* the capture says that this host sent it */
	CAPTURE_OTHER,	  /* not IP */
	CAPTURE_SHORT,	  /* cut before the end of the source address */
};
/* bytes: without the link layer's header. */
enum capture_kind capture_source(const struct capture *c, const struct capture_record *r,
				 struct rd packet, struct ip_addr *src, uint32_t *bytes);

#endif /* SAV_CAPTURE_H */
