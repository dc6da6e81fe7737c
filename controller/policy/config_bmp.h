/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_bmp - who may connect to the BMP listeners: "feed bmp allow".
 *
 * Part of struct config. BMP names the router itself and proves nothing, so the
 * address, and a password where the router can sign with one (TCP MD5, RFC
 * 2385), is all that a direct session can be judged by.
 */
#ifndef SAV_CONFIG_BMP_H
#define SAV_CONFIG_BMP_H

#include <stdbool.h>

#include "lib/diag.h"
#include "lib/ip.h"

struct config;

#define CONFIG_BMP_PASSWORD_SIZE 81 /* Linux takes keys of 80 bytes */

struct config_bmp_allow {
	struct ip_prefix prefix;
	char password[CONFIG_BMP_PASSWORD_SIZE]; /* "": packets need not be signed */
};

/* Adds, or gives another password; removes. 0, or -1 with diag. */
int config_bmp_allow_set(struct config *cfg, const struct config_bmp_allow *a, bool add,
			 struct diag *diag);
/* Without any statement everybody may; else who is in one of them, and who a
 * router's "bmp source" names. */
bool config_bmp_is_allowed(const struct config *cfg, const struct ip_addr *from);

#endif /* SAV_CONFIG_BMP_H */
