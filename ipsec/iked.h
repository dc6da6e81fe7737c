/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked - what the files of sav-iked's main process share.
 *
 *   iked_main.c           options, start, end
 *   iked_helper_packet.c  the processes ike, signer and esp, and talk with them
 *   iked_link_packet.c    links: addresses, sockets, devices
 *   iked_kernel_packet.c  the kernel's ESP (iked_kernel.h)
 *   iked_push_packet.c    configuration to the processes
 *   iked_publish_packet.c what the tunnels are, to who subscribes
 *   iked_vty.c            links and tunnels in configuration mode
 *   iked_clients_vty.c    clients of tunnels
 *   iked_show_vty.c       show ipsec, ipsec up ...
 */
#ifndef SAV_IKED_H
#define SAV_IKED_H

#include "ipsec/esp/esp_sock.h"
#include "ipsec/iked_config.h"
#include "ipsec/proc.h"

struct event_loop;
struct vty;

struct iked {
	struct event_loop *loop;
	struct iked_config config;
	char programs[4096]; /* directory of the helpers' programs */
	char keys[256];	     /* directory of keys and certificates */
	unsigned ike_uid, ike_gid;
	bool without_esp;
	unsigned esp_threads; /* workers of sav-esp */
};
extern struct iked iked;

void iked_privileges(bool raise);

/* ---- iked_helper_packet.c */
/* -1: a program is missing. The signer is started at once, others too. */
int iked_helpers_start(struct diag *diag);
void iked_helpers_stop(void);
bool iked_helper_is_up(enum proc_who who);
unsigned iked_helper_restarts(enum proc_who who);
int iked_helper_pid(enum proc_who who);
/* Wipes w; nothing happens while that one is down: it gets all when it is up. */
void iked_send(enum proc_who who, struct wr *w, int fd);

/* Rows of PROC_SHOW. */
struct iked_rows {
	void (*sa)(void *ctx, const struct proc_sa *sa);
	void (*child)(void *ctx, const struct proc_child_row *child);
	void (*counters)(void *ctx, const struct ike_counters *counters);
	void *ctx;
};
/* Asks ike and waits, a second or two at most. rows may be NULL. */
int iked_command(const struct proc_command *command, const struct iked_rows *rows, struct diag *diag);
/* The tunnel, where nothing lacks; else NULL, and why. */
const struct iked_tunnel *iked_whole_tunnel(const char *name, struct diag *diag);
int iked_up(const char *tunnel, struct diag *diag);

/* ---- iked_link_packet.c */
void iked_links_start(void);
void iked_links_stop(void);
void iked_links_changed(void); /* by configuration */
void iked_links_check(void); /* the same, now */
void iked_links_push(enum proc_who who); /* all sockets to one that is new */
/* The link's address of a family, if it has one now. */
bool iked_link_address(const struct iked_link *link, enum ip_family family, struct ip_addr *out);
/* What its interface takes, in bytes; 0: not known. */
uint32_t iked_link_mtu(uint32_t link, enum ip_family family);
const char *iked_link_error(const struct iked_link *link); /* "" none */

/* ---- iked_push_packet.c */
void iked_changed(void); /* by configuration: soon to be told to ike and signer */
void iked_push_now(void); /* what has changed, if it waits to be told */
void iked_push_all(enum proc_who who); /* to one that is new */
void iked_reload(void); /* key and certificate files may be others now; SAs stay */
void iked_push_stop(void);
/* The last word on a tunnel: what is wrong with its keys or files, and what
 * happened last. "" nothing. */
const char *iked_tunnel_error(const char *name);
const char *iked_tunnel_last(const char *name);
void iked_note_key(const struct proc_key_state *state);
void iked_note_event(const struct proc_event *event);
void iked_note_down(const char *tunnel, bool down); /* "ipsec down", until "ipsec up" */
void iked_wanted(const char *tunnel); /* a packet for it: start trap */
void iked_tunnel_mtu(const struct proc_mtu *mtu); /* esp has worked it out */
void iked_device_lost(const char *tunnel); /* somebody has deleted its interface */
const struct proc_esp_counters *iked_esp_counters(void); /* as esp told last */

/* ---- iked_protect_packet.c */
void iked_protect(void); /* after each change of the configuration */

/* ---- iked_publish_packet.c */
void iked_publish_start(const char *directory); /* of the socket */
void iked_publish_stop(void);
void iked_publish_soon(void); /* configuration, links or interfaces may have changed */
void iked_publish_carries(const struct proc_carries *carries);
void iked_publish_ike_lost(void);
bool iked_publish_is_up(const char *tunnel);

/* ---- VTY */
const char *iked_vty_tunnel(struct vty *vty); /* whose node that one is in */
void iked_vty_init(void);
void iked_show_vty_init(void);

#endif /* SAV_IKED_H */
