/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_counters.h"

#include <string.h>

/* In the order of struct esp_worker_counters. */
static const char *const names[] = {
	"espIn",	"espOut",	"espBytesIn",	"espBytesOut",	"espDelivered",	"espShort",	"espReplayed",	"espBadIcv",
	"espBadPadding", "espDummy",	"espBadInner",	"espBadSelector", "espUnknownSpi", "espKeepalives",
	"espIke",	"espStray",	"espTooBig",	"espCut",	"espMssLowered", "espTooLong",
	"espPathMtu",	"espAliasesFull", "espInterfacesLost", "espHanded", "espHandedFull", "espNoSa",	"espBadFrame",	"espNoSocket",	"espCongestion",
	"espQueueFull", "espRefused",	"espInterfaceRefused", "espExhausted", "espIkeFull",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == ESP_COUNTERS, "a name for each counter");
_Static_assert(sizeof(struct esp_worker_counters) % sizeof(uint64_t) == 0, "counters only");

const char *esp_counter_name(unsigned int i)
{
	return i < ESP_COUNTERS ? names[i] : NULL;
}

void esp_counters_list(const struct esp_worker_counters *counters, uint64_t out[ESP_COUNTERS])
{
	memcpy(out, counters, sizeof(*counters));
}

void esp_counters_sum(uint64_t sum[ESP_COUNTERS], const uint64_t more[ESP_COUNTERS])
{
	for (unsigned int i = 0; i < ESP_COUNTERS; i++)
		sum[i] += more[i];
}
