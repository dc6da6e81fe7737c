/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_window.h"

#define WORD(seq) (((seq) / 64) % ESP_WINDOW_WORDS)
#define BIT(seq)  (UINT64_C(1) << ((seq) % 64))

uint64_t esp_window_infer(const struct esp_window *w, uint32_t low, bool esn)
{
	uint64_t high = w->top >> 32;
	uint32_t bottom = (uint32_t)w->top - ESP_WINDOW_SIZE + 1; /* wraps on purpose */

	if (!esn)
		return low;
	if ((uint32_t)w->top >= ESP_WINDOW_SIZE - 1) {
		/* the window lies within one high half */
		if (low < bottom)
			high++;
	} else if (low >= bottom) {
		/* it reaches back into the one before */
		if (high == 0)
			return 0;
		high--;
	}
	/* the numbers are used up: what comes next was never sent (3.3.3) */
	return high > UINT32_MAX ? 0 : high << 32 | low;
}

enum esp_seq esp_window_check(const struct esp_window *w, uint64_t seq)
{
	if (seq == 0 || (seq <= w->top && w->top - seq >= ESP_WINDOW_SIZE))
		return ESP_SEQ_OLD;
	if (seq > w->top)
		return ESP_SEQ_NEW;
	return w->seen[WORD(seq)] & BIT(seq) ? ESP_SEQ_AGAIN : ESP_SEQ_NEW;
}

bool esp_window_commit(struct esp_window *w, uint64_t seq)
{
	bool newest = seq > w->top;

	if (newest) {
		uint64_t words = seq / 64 - w->top / 64;

		if (words > ESP_WINDOW_WORDS)
			words = ESP_WINDOW_WORDS;
		for (uint64_t i = 0; i < words; i++)
			w->seen[(seq / 64 - i) % ESP_WINDOW_WORDS] = 0;
		w->top = seq;
	}
	w->seen[WORD(seq)] |= BIT(seq);
	return newest;
}
