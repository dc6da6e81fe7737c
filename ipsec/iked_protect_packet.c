/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeps the kernel's routes of last resort as iked_protect.h has them.
 */
#include "lib/frr_compat.h"

#include "log.h"

#include "ipsec/esp/prohibit_nl.h"
#include "ipsec/iked.h"
#include "ipsec/iked_protect.h"

static struct iked_prefixes there;
static bool looked; /* at what a predecessor left */

static void note(void *ctx, const struct ip_prefix *prefix)
{
	iked_prefixes_append(&there, prefix);
}

static void change(bool add, const struct ip_prefix *prefix)
{
	struct diag diag;

	if (prohibit_set(add, prefix, &diag) != 0)
		zlog_warn("%s%s", diag.text, add ? "; what is for it may leave in clear while its tunnel is down" : "");
}

/* Both are sorted. */
static void apply(const struct iked_prefixes *was, const struct iked_prefixes *is)
{
	for (size_t i = 0, k = 0; i < was->n || k < is->n;) {
		int order = i == was->n ? 1 : k == is->n ? -1 : ip_prefix_cmp(&was->list[i], &is->list[k]);

		if (order < 0)
			change(false, &was->list[i]);
		else if (order > 0)
			change(true, &is->list[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

void iked_protect(void)
{
	struct iked_prefixes wanted = { 0 };

	iked_protected(&iked.config, &wanted);
	iked_privileges(true);
	if (!looked) {
		prohibit_each(note, NULL);
		iked_prefixes_sort(&there);
		looked = true;
	}
	apply(&there, &wanted);
	iked_privileges(false);
	iked_prefixes_fini(&there);
	there = wanted;
}
