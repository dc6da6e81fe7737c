/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_window - which sequence numbers of an inbound SA have been seen.
 *
 * A number is checked before the packet is opened and noted only after its
 * integrity was shown, so nobody without the key moves the window.
 *
 * Source: RFC 4303 3.4.3 and appendix A; the ring of words is RFC 6479's.
 */
#ifndef SAV_ESP_WINDOW_H
#define SAV_ESP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define ESP_WINDOW_WORDS 32
/* One word is being cleared while the window moves on (RFC 6479 2). */
#define ESP_WINDOW_SIZE (64 * (ESP_WINDOW_WORDS - 1))

struct esp_window {
	uint64_t top; /* highest number seen, 0: none */
	uint64_t seen[ESP_WINDOW_WORDS];
};

enum esp_seq {
	ESP_SEQ_NEW,
	ESP_SEQ_AGAIN, /* seen */
	ESP_SEQ_OLD,   /* left of the window, or 0 */
};

/* The whole number from its low half on the wire: with extended numbers the
 * high half is the one that brings it closest to the window (A2.2). 0 when it
 * would lie before the first packet. */
uint64_t esp_window_infer(const struct esp_window *w, uint32_t low, bool esn);

enum esp_seq esp_window_check(const struct esp_window *w, uint64_t seq);

/* Notes a number that was checked; true when it is the highest so far. */
bool esp_window_commit(struct esp_window *w, uint64_t seq);

#endif /* SAV_ESP_WINDOW_H */
