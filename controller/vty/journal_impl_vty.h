/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * journal_impl_vty - what the two files of journal_vty share.
 */
#ifndef SAV_JOURNAL_IMPL_VTY_H
#define SAV_JOURNAL_IMPL_VTY_H

#include "controller/vty/journal_vty.h"

extern struct journal {
	struct config *cfg;
	struct store *store;
	const struct config_sink *below; /* its context is the store */
	struct config_sink sink;

	/* the command that runs now */
	struct vty *vty; /* NULL: savd itself, or nobody */
	char who[STORE_WHO_SIZE];
	char line[VTY_BUFSIZ];
	int64_t id;  /* of its row, 0: it has none yet */
	int64_t seq; /* of its next change */
	bool acted;

	bool batch; /* the transaction is journal_replace()'s, and so are the rows */
	int64_t revision;
} journal;

/* A change in the store's hands, and its rows, are one transaction between these
 * two. rc: how the change went; old and new: what of the configuration differs. */
int journal_enter(struct diag *diag);
int journal_leave(int rc, struct config *old, struct config *new, struct diag *diag);
void journal_sink_init(void);

#endif /* SAV_JOURNAL_IMPL_VTY_H */
