/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_merge - the reverse of esp_super: decrypted packets of one flow that follow
 * each other go to the TUN device in one write.
 *
 * Nothing is copied: a frame is a header and pieces of the packets where they
 * lie. Packets of one flow keep their order; a packet that can't be joined goes
 * alone, as it came.
 */
#ifndef SAV_ESP_MERGE_H
#define SAV_ESP_MERGE_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "ipsec/esp/esp_inner.h"

/* One write takes so many pieces (UIO_MAXIOV is 1024). */
#define ESP_MERGE_PIECES 64
/* So many frames are open for more packets at a time. */
#define ESP_MERGE_FLOWS 8

struct esp_frame {
	uint32_t tunnel;
	struct virtio_net_hdr vnet;
	struct iovec iov[1 + ESP_MERGE_PIECES]; /* vnet, the first packet, payloads */
	unsigned int n_iov;
	/* while it can grow */
	struct esp_inner inner; /* of the first packet */
	uint16_t headers;
	uint16_t size;	  /* payload of each packet */
	uint32_t next;	  /* TCP: sequence number of the next one */
	uint32_t payload; /* of all */
	bool open;
	bool verified;	  /* the checksum was right */
};

struct esp_merge {
	struct esp_frame *frames;
	unsigned int n, max;
	bool udp; /* the device takes UDP_L4 (Linux 6.2) */
};

/* Room for max frames. */
void esp_merge_init(struct esp_merge *m, unsigned int max, bool udp);
void esp_merge_fini(struct esp_merge *m);

/* Takes a packet for a tunnel's device; it must stay where it is, and may be
 * written to, until the frames are written. False: no room; write and reset. */
bool esp_merge_add(struct esp_merge *m, uint32_t tunnel, uint8_t *packet, const struct esp_inner *inner);

bool esp_merge_is_full(const struct esp_merge *m);

/* Completes all frames: lengths, checksums, header. They can then be written. */
void esp_merge_finish(struct esp_merge *m);
void esp_merge_reset(struct esp_merge *m);

#endif /* SAV_ESP_MERGE_H */
