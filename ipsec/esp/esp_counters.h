/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_counters - the worker's counters as a list with names, for messages and
 * for whoever shows them.
 */
#ifndef SAV_ESP_COUNTERS_H
#define SAV_ESP_COUNTERS_H

#include "ipsec/esp/esp_worker.h"

#define ESP_COUNTERS (sizeof(struct esp_worker_counters) / sizeof(uint64_t))

/* The place of one in the list. */
#define ESP_COUNTER(field) (offsetof(struct esp_worker_counters, field) / sizeof(uint64_t))

/* As in JSON; NULL beyond the last. */
const char *esp_counter_name(unsigned int i);
void esp_counters_list(const struct esp_worker_counters *counters, uint64_t out[ESP_COUNTERS]);
void esp_counters_sum(uint64_t sum[ESP_COUNTERS], const uint64_t more[ESP_COUNTERS]);

#endif /* SAV_ESP_COUNTERS_H */
