/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_import - a PKCS #12 or PEM file as files that tunnels can name.
 */
#ifndef SAV_IKED_IMPORT_H
#define SAV_IKED_IMPORT_H

#include "lib/diag.h"

/* Writes NAME.key (mode 0600), NAME.crt and NAME-ca.crt into dir, those that the
 * file has; none of them may be there. The passphrase is asked on a terminal,
 * else the first line of standard input. */
int iked_import(const char *file, const char *dir, const char *name, struct diag *diag);

#endif /* SAV_IKED_IMPORT_H */
