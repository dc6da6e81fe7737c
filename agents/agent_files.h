/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * agent_files - what lies where in the agent's state directory.
 */
#ifndef SAV_AGENT_FILES_H
#define SAV_AGENT_FILES_H

#include "lib/diag.h"

#define AGENT_PATH_SIZE 4096

struct agent_files {
	char dir[AGENT_PATH_SIZE];
	char key[AGENT_PATH_SIZE];	 /* private key, mode 0600 */
	char cert[AGENT_PATH_SIZE];	 /* the agent's certificate */
	char ca[AGENT_PATH_SIZE];	 /* the controller's CA */
	char relay_key[AGENT_PATH_SIZE]; /* likewise, of the BMP relay */
	char relay_cert[AGENT_PATH_SIZE];
	char filters[AGENT_PATH_SIZE];	 /* cache.h */
	char rp_filter[AGENT_PATH_SIZE]; /* rpfilter.h */
	char accept_ra[AGENT_PATH_SIZE]; /* steer/accept_ra.h */
	char paths[AGENT_PATH_SIZE];	 /* steer/path_memory.h */
	char delegations[AGENT_PATH_SIZE]; /* steer/delegations.h */
	char all_off[AGENT_PATH_SIZE];	 /* exists: the hand brake is on */
};

/* -1 if the directory's name is too long. */
int agent_files_init(struct agent_files *f, const char *dir, struct diag *diag);
/* Makes the directory if it is missing, mode 0700. */
int agent_files_make_dir(const struct agent_files *f, struct diag *diag);

#endif /* SAV_AGENT_FILES_H */
