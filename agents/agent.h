/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * agent - what agent_main.c wires together, as agent_vty.c shows it.
 */
#ifndef SAV_AGENT_H
#define SAV_AGENT_H

#include "agents/agent_files.h"
#include "agents/apply.h"
#include "agents/certs.h"
#include "agents/kernel.h"
#include "agents/links.h"
#include "agents/north.h"
#include "agents/north_packet.h"
#include "agents/relay_packet.h"
#include "agents/rpfilter.h"

struct agent {
	struct agent_files files;
	struct kernel *kernel;
	struct apply *apply;
	struct links *links;
	struct link_table table;
	struct rpfilter *rpfilter; /* NULL: its state file is damaged */
	struct north *north;
	struct north_packet *packet;
	struct certs *certs;
	struct relay_packet *relay;
	struct relay_listen relay_listen;
	char host[UPLINK_HOST_SIZE]; /* "": no controller is configured */
	uint16_t port;
	bool host_from_command_line;
	bool released; /* by hand; nothing is done until the next start */
	/* Texts of what is wrong now, "" if nothing is. */
	struct diag cache_error, rpfilter_error, links_error, certs_error;
};

int64_t agent_now_ms(void);

void agent_set_controller(struct agent *a, const char *host, uint16_t port);
/* Port 0: no relay. */
void agent_set_relay(struct agent *a, const struct relay_listen *listen);
/* The hand brake; remembered over restarts. */
int agent_all_off(struct agent *a, bool on, struct diag *diag);
/* Filters out, rp_filter back, session down until the next start. */
int agent_release(struct agent *a, struct diag *diag);

/* agent_vty.c */
void agent_vty_init(struct agent *agent);

#endif /* SAV_AGENT_H */
