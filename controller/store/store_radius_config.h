/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_radius_config - config_radius.h in the database, for the store only.
 *
 * The first five are members of struct config_sink; ctx is a struct store.
 */
#ifndef SAV_STORE_RADIUS_CONFIG_H
#define SAV_STORE_RADIUS_CONFIG_H

#include "controller/policy/config.h"

struct store;

int store_radius_client(void *ctx, const char *name, const struct config_radius_client *new,
			struct diag *diag);
int store_radius_rule(void *ctx, uint32_t number, const struct config_radius_rule *new,
		      struct diag *diag);
int store_radius_server(void *ctx, const struct config_radius_server *s, bool add,
			struct diag *diag);
int store_radius_listen(void *ctx, const struct config_radius_listen *l, bool add,
			struct diag *diag);
int store_radius_settings(void *ctx, const struct config_radius_settings *new,
			  struct diag *diag);

/* As part of store_config_load(). */
int store_radius_load(struct store *store, struct config *cfg, struct diag *diag);

#endif /* SAV_STORE_RADIUS_CONFIG_H */
