/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_vty - the configuration grammar as libfrr commands.
 *
 * Shared by savd, where each command is a transaction of the store, and by
 * sav-replay, which reads the same text from a file into memory.
 */
#ifndef SAV_CONFIG_VTY_H
#define SAV_CONFIG_VTY_H

#include "lib/frr_compat.h"

#include "vty.h"

#include "controller/policy/config.h"

/* Installs nodes and commands; cfg must outlive them. After cmd_init(). */
void config_vty_init(struct config *cfg);

/* The key that secrets are printed with from now on (seal.h); without it, as in
 * sav-replay, they are printed as they are. 0, or -1 with diag. */
int config_vty_seal(const char *key_path, struct diag *diag);

/* Runs the lines of a file as configuration. All errors are told, as
 * "FILE:LINE: text", and reading goes on; returns how many there were, or -1
 * when the file cannot be read. Unindented lines begin at the top level, as
 * they stand in `show running-config`. */
typedef void config_vty_error_fn(const char *text, void *arg);
int config_vty_read(const char *path, config_vty_error_fn *fn, void *arg);
/* The same into another configuration than that of config_vty_init(). */
int config_vty_read_into(struct config *cfg, const char *path, config_vty_error_fn *fn,
			 void *arg);
/* The same from a text. */
int config_vty_read_text(struct config *cfg, const char *text, config_vty_error_fn *fn,
			 void *arg);
/* What `show running-config` prints of a configuration, below libfrr's heading; the
 * caller frees. */
char *config_vty_text(struct config *cfg);
/* The same into a copy of the configuration: what would be wrong with it. */
int config_vty_check(const char *path, config_vty_error_fn *fn, void *arg);

/* Called after a "metrics listen" that was taken, for savd to say that it does
 * not work yet; sav-replay listens to nobody. */
typedef void config_vty_listen_fn(struct vty *vty, const struct config_listen *l);
void config_vty_on_metrics_listen(config_vty_listen_fn *fn);

#endif /* SAV_CONFIG_VTY_H */
