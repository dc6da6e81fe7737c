/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * signer_wire - what savd and savd-signer say to each other, one packet each.
 *
 * The first packet is the signer's: id 0, with its CA or why it gives up.
 */
#ifndef SAV_SIGNER_WIRE_H
#define SAV_SIGNER_WIRE_H

#include "lib/pki.h"

#define SIGNER_PACKET_BYTES 32768
#define SIGNER_TEXT_SIZE    512
#define SIGNER_FD	    3 /* the signer's end */

struct signer_request {
	uint32_t id; /* not 0 */
	struct pki_identity identity;
	uint32_t validity_s;
	const uint8_t *spki; /* decoded: points into the packet */
	size_t spki_len;
};
struct signer_reply {
	uint32_t id;
	bool ok;
	const uint8_t *data; /* DER, or the text of the error without a NUL */
	size_t len;
};

void signer_request_encode(const struct signer_request *request, struct wr *out);
/* false, and *request untouched, for anything but one whole request. */
bool signer_request_decode(const void *data, size_t len, struct signer_request *request);
void signer_reply_encode(const struct signer_reply *reply, struct wr *out);
bool signer_reply_decode(const void *data, size_t len, struct signer_reply *reply);

#endif /* SAV_SIGNER_WIRE_H */
