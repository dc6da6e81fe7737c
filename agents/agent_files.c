/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/agent_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int agent_files_init(struct agent_files *f, const char *dir, struct diag *diag)
{
	if (strlen(dir) + 32 > sizeof(f->dir))
		return diag_set(diag, "the name of the state directory is too long");
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	snprintf(f->key, sizeof(f->key), "%s/agent.key", dir);
	snprintf(f->cert, sizeof(f->cert), "%s/agent.crt", dir);
	snprintf(f->ca, sizeof(f->ca), "%s/ca.crt", dir);
	snprintf(f->relay_key, sizeof(f->relay_key), "%s/relay.key", dir);
	snprintf(f->relay_cert, sizeof(f->relay_cert), "%s/relay.crt", dir);
	snprintf(f->filters, sizeof(f->filters), "%s/filters", dir);
	snprintf(f->rp_filter, sizeof(f->rp_filter), "%s/rp_filter", dir);
	snprintf(f->accept_ra, sizeof(f->accept_ra), "%s/accept_ra", dir);
	snprintf(f->paths, sizeof(f->paths), "%s/paths", dir);
	snprintf(f->delegations, sizeof(f->delegations), "%s/delegations", dir);
	snprintf(f->all_off, sizeof(f->all_off), "%s/all-off", dir);
	return 0;
}

int agent_files_make_dir(const struct agent_files *f, struct diag *diag)
{
	struct stat st;

	if (mkdir(f->dir, 0700) < 0 && errno != EEXIST)
		return diag_set(diag, "cannot make the state directory %s: %s", f->dir,
				strerror(errno));
	if (stat(f->dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return diag_set(diag, "%s is not a directory", f->dir);
	return 0;
}
