/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * journal_vty - every change of the configuration with who made it, by which
 * command, and what it did to the text; and the way back.
 *
 * Stands between the configuration and the store's sink: the rows of the
 * journal are in the transaction of the change itself, so that there is neither
 * without the other. A command that changes something makes one revision,
 * however many objects it touches.
 */
#ifndef SAV_JOURNAL_VTY_H
#define SAV_JOURNAL_VTY_H

#include "lib/frr_compat.h"

#include "vty.h"

#include "controller/store/store_history.h"

/* Takes the place of cfg's sink, which must be the store's; after the store was
 * loaded, once. Notes each command that the VTYs run from now on. */
void journal_init(struct config *cfg, struct store *store);

/* The number of the newest revision; 0: nothing was ever changed. */
int64_t journal_revision(void);

/* Who runs the command that runs now. */
void journal_who(char who[STORE_WHO_SIZE]);

/* A command that acts and changes no configuration (a token, a brake) is noted
 * too: for the command that runs now, once it has succeeded. */
void journal_action(void);

/* What acts by itself, as if it had typed the line: until journal_self_end(). */
void journal_self_begin(const char *who, const char *line);
void journal_self_end(void);

/* Makes the running configuration say what target says, as one revision of the
 * command that runs now. -1 with diag: nothing is changed, on disk or in force. */
int journal_replace(const struct config *target, struct diag *diag);

/* What the configuration was after a revision; *out is filled (fini it). -1 with
 * diag: there is no such revision, or it is not kept any more. */
int journal_config_of(int64_t revision, struct config *out, struct diag *diag);
/* Its text. The caller frees; NULL with diag. */
char *journal_text_of(int64_t revision, struct diag *diag);

/* As text, without what it keeps secret; size is that of out. */
void journal_hide_secrets(const char *line, char *out, size_t size);

#endif /* SAV_JOURNAL_VTY_H */
