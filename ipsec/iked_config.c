/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/iked_clients.h"
#include "ipsec/iked_ipip.h"
#include "lib/fnv.h"
#include "lib/mem.h"
#include "lib/name.h"

void iked_config_free(struct iked_config *config)
{
	while (config->links) {
		struct iked_link *link = config->links;

		config->links = link->next;
		free(link);
	}
	while (config->tunnels) {
		struct iked_tunnel *tunnel = config->tunnels;

		config->tunnels = tunnel->next;
		ike_tunnel_drop(&tunnel->t);
		free(tunnel);
	}
	free(config->claims);
}

int iked_name_check(const char *name, struct diag *diag)
{
	if (!name_is_valid(name) || strlen(name) >= IKE_TUNNEL_NAME)
		return diag_set(diag, "\"%s\" is not a valid name: letters, digits, dots, dashes and underscores, at most %d", name,
				IKE_TUNNEL_NAME - 1);
	return 0;
}

int iked_file_check(const char *name, struct diag *diag)
{
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') || strlen(name) >= PROC_PATH_MAX)
		return diag_set(diag, "\"%s\": name a file of the directory of keys (see --keys), without a directory", name);
	return 0;
}

const char *iked_start_name(enum iked_start start)
{
	static const char *const names[] = { "add", "auto", "trap" };

	return names[start];
}

/* ---- by name, by identity and by interface */

static struct iked_tunnel **name_place(struct iked_config *config, const char *name)
{
	struct iked_tunnel **at = &config->names[fnv_text(name) % IKED_NAMES];

	while (*at && strcmp((*at)->t.name, name) != 0)
		at = &(*at)->next_name;
	return at;
}

struct iked_tunnel *iked_tunnel_find(const struct iked_config *config, const char *name)
{
	/* name_place() only looks */
	return *name_place((struct iked_config *)(uintptr_t)config, name);
}

struct iked_tunnel *iked_tunnel_of_node(const struct iked_config *config, const char *name, struct diag *diag)
{
	struct iked_tunnel *t = iked_tunnel_find(config, name);

	if (!t)
		diag_set(diag, "tunnel %s is gone: type \"exit\"", name);
	else if (t->of[0])
		diag_set(diag, "%s is a client of tunnel %s: type its lines there, as \"client %s prefix PREFIX\"", name, t->of, name);
	return t && !t->of[0] ? t : NULL;
}

static struct iked_tunnel **id_bucket(struct iked_config *config, const struct iked_tunnel *tunnel)
{
	return &config->ids[ike_identity_hash(&tunnel->t.remote_id) % IKED_NAMES];
}

static void id_link(struct iked_config *config, struct iked_tunnel *tunnel)
{
	struct iked_tunnel **at = id_bucket(config, tunnel);

	tunnel->next_id = *at;
	*at = tunnel;
}

static void id_unlink(struct iked_config *config, struct iked_tunnel *tunnel)
{
	struct iked_tunnel **at = id_bucket(config, tunnel);

	while (*at != tunnel)
		at = &(*at)->next_id;
	*at = tunnel->next_id;
}

static struct iked_tunnel **device_bucket(struct iked_config *config, const struct iked_tunnel *tunnel)
{
	char device[IKED_IFNAME];

	return &config->devices[fnv_text(iked_tunnel_device(tunnel, device)) % IKED_NAMES];
}

/* Clients have one interface together, thousands of them: whose it is, claims say. */
static void device_link(struct iked_config *config, struct iked_tunnel *tunnel)
{
	struct iked_tunnel **at = device_bucket(config, tunnel);

	if (tunnel->of[0])
		return;
	tunnel->next_device = *at;
	*at = tunnel;
}

static void device_unlink(struct iked_config *config, struct iked_tunnel *tunnel)
{
	struct iked_tunnel **at = device_bucket(config, tunnel);

	if (tunnel->of[0])
		return;
	while (*at != tunnel)
		at = &(*at)->next_device;
	*at = tunnel->next_device;
}

const struct iked_tunnel *iked_tunnel_on(const struct iked_config *config, const char *device, const struct iked_tunnel *after)
{
	const struct iked_tunnel *t = after ? after->next_device : config->devices[fnv_text(device) % IKED_NAMES];
	char its[IKED_IFNAME];

	while (t && strcmp(iked_tunnel_device(t, its), device) != 0)
		t = t->next_device;
	return t;
}

struct iked_tunnel *iked_tunnel_get(struct iked_config *config, const char *name, struct diag *diag)
{
	struct iked_tunnel **at = name_place(config, name), *tunnel = *at;

	if (tunnel)
		return tunnel;
	if (iked_name_check(name, diag) != 0)
		return NULL;
	tunnel = *at = mem_alloc(sizeof(*tunnel));
	ike_tunnel_defaults(&tunnel->t);
	ike_tunnel_keep(&tunnel->t);
	snprintf(tunnel->t.name, sizeof(tunnel->t.name), "%s", name);
	tunnel->prev = config->last_tunnel;
	if (tunnel->prev)
		tunnel->prev->next = tunnel;
	else
		config->tunnels = tunnel;
	config->last_tunnel = tunnel;
	id_link(config, tunnel);
	device_link(config, tunnel);
	return tunnel;
}

/* ---- what can't work */

/* Which of the two a peer means could not be told. */
static int check_pair(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	char local[IKE_IDENTITY_TEXT], remote[IKE_IDENTITY_TEXT];

	if (ike_identity_is_any(&t->t.local_id) || !t->has_remote_id || t->link[0] == '\0')
		return 0;
	for (const struct iked_tunnel *o = config->ids[ike_identity_hash(&t->t.remote_id) % IKED_NAMES]; o; o = o->next_id)
		if (strcmp(o->t.name, t->t.name) != 0 && strcmp(o->link, t->link) == 0 && o->has_remote_id &&
		    ike_identity_equal(&o->t.local_id, &t->t.local_id) && ike_identity_equal(&o->t.remote_id, &t->t.remote_id))
			return diag_set(diag, "tunnel %s has the same pair of identities on link %s (%.150s and %.150s): a peer's request "
					      "could mean either; change one identity or the link",
					o->t.name, t->link, ike_identity_format(&t->t.local_id, local),
					ike_identity_format(&t->t.remote_id, remote));
	return 0;
}

static int check_families(const struct ike_tunnel *t, struct diag *diag)
{
	for (unsigned i = 0; i < t->local_ts->n; i++)
		for (unsigned k = 0; k < t->remote_ts->n; k++)
			if (t->local_ts->list[i].first.family == t->remote_ts->list[k].first.family)
				return 0;
	if (t->local_ts->n == 0 || t->remote_ts->n == 0)
		return 0;
	return diag_set(diag, "no local selector is of the family (IPv4, IPv6) of a remote one: nothing could be sent");
}

static int check_link(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	const struct iked_link *link = t->link[0] ? iked_link_find(config, t->link) : NULL;
	enum ip_family family = (enum ip_family)t->t.remote_addr.family;

	if (t->link[0] && !link)
		return diag_set(diag, "there is no link %s: \"link %s\" makes one", t->link, t->link);
	if (link && t->t.remote_addr.v && !link->device[0] && !link->has_source[family] && link->has_source[1 - family])
		return diag_set(diag, "the peer's address is IPv%d and link %s has a source of the other family only",
				family == IP_V6 ? 6 : 4, t->link);
	if (link && t->t.remote_addr.v && link->has_source[family] && ip_addr_equal(&link->source[family], &t->t.remote_addr))
		return diag_set(diag, "the peer's address is this system's own on link %s", t->link);
	return 0;
}

/* What changes with it: a tunnel's clients. */
static bool is_akin(const struct iked_tunnel *a, const struct iked_tunnel *b)
{
	return strcmp(a->of[0] ? a->of : a->t.name, b->of[0] ? b->of : b->t.name) == 0;
}

/* UDP_ENCAP on a socket gives the kernel all ESP that comes by it. */
static int check_datapath(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	static const char *const names[] = { "auto", "user", "kernel" };

	const struct iked_link *link = t->link[0] ? iked_link_find(config, t->link) : NULL;

	if (!link || t->datapath == IKED_DATAPATH_AUTO ||
	    link->datapaths[t->datapath == IKED_DATAPATH_USER ? IKED_DATAPATH_KERNEL : IKED_DATAPATH_USER] == 0)
		return 0;
	for (const struct iked_tunnel *o = config->tunnels; o; o = o->next)
		if (!is_akin(o, t) && strcmp(o->link, t->link) == 0 && o->datapath != IKED_DATAPATH_AUTO &&
		    o->datapath != t->datapath)
			return diag_set(diag, "tunnel %s has datapath %s on link %s, and all tunnels of a link have the same: type "
					      "\"datapath %s\" here, or make a link with another source for it",
					o->t.name, names[o->datapath], t->link, names[o->datapath]);
	return 0;
}

static void count_datapath(const struct iked_config *config, const struct iked_tunnel *t, int by)
{
	struct iked_link *link = t->link[0] ? iked_link_find(config, t->link) : NULL;

	if (link)
		link->datapaths[t->datapath] += (unsigned)by;
}

static int check_tunnel(const struct iked_config *config, const struct iked_tunnel *t, struct diag *diag)
{
	if (t->start != IKED_ADD && t->t.remote_addr.v == 0 && t->t.local_ts->n && t->t.remote_ts->n && t->has_remote_auth)
		return diag_set(diag, "start %s needs the peer's address: \"peer address ADDRESS\", or \"start add\"",
				iked_start_name(t->start));
	if (t->t.pool.len && t->t.request_address)
		return diag_set(diag, "a tunnel either gives addresses (pool, client NAME address) or asks for one (request-address)");
	if (t->t.transport && (t->t.pool.len || t->t.request_address))
		return diag_set(diag, "transport mode has no inner addresses to give: use mode tunnel");
	if (t->t.nat == IKE_NAT_REFUSE && t->t.start_natt)
		return diag_set(diag, "nat refuse and port 4500 from the beginning contradict each other");
	if (!ike_identity_is_any(&t->t.local_id) && t->has_remote_id && ike_identity_equal(&t->t.local_id, &t->t.remote_id))
		return diag_set(diag, "local and remote identity are the same");
	return check_link(config, t, diag) != 0 || check_families(&t->t, diag) != 0 || iked_ipip_check(config, t, diag) != 0 ? -1 : 0;
}

static bool same_pair(const struct iked_tunnel *a, const struct iked_tunnel *b)
{
	return strcmp(a->link, b->link) == 0 && a->has_remote_id == b->has_remote_id &&
	       ike_identity_equal(&a->t.local_id, &b->t.local_id) && ike_identity_equal(&a->t.remote_id, &b->t.remote_id);
}

static void take(struct iked_config *config, struct iked_tunnel *tunnel, const struct iked_tunnel *changed)
{
	struct iked_tunnel was = *tunnel;

	id_unlink(config, tunnel);
	device_unlink(config, tunnel);
	count_datapath(config, &was, -1);
	count_datapath(config, changed, 1);
	*tunnel = *changed;
	tunnel->prev = was.prev;
	tunnel->next = was.next;
	tunnel->next_name = was.next_name;
	tunnel->n_clients = was.n_clients;
	ike_tunnel_keep(&tunnel->t);
	ike_tunnel_drop(&was.t);
	id_link(config, tunnel);
	device_link(config, tunnel);
}

/* datapaths: those that were compared with other tunnels' in this change, for a tunnel
 * and its thousands of clients are compared with none of each other. */
static int put_one(struct iked_config *config, struct iked_tunnel *tunnel, const struct iked_tunnel *changed,
		   bool datapaths[3], struct diag *diag)
{
	if (check_tunnel(config, changed, diag) != 0 ||
	    (!datapaths[changed->datapath] && check_datapath(config, changed, diag) != 0))
		return -1;
	datapaths[changed->datapath] = true;
	if (!same_pair(tunnel, changed) && check_pair(config, changed, diag) != 0)
		return -1;
	take(config, tunnel, changed);
	return 0;
}

/* What clients have from it, anew. -1: one of them could not have it. */
static int put_clients(struct iked_config *config, const struct iked_tunnel *of, struct diag *diag)
{
	bool datapaths[3] = { false };

	for (struct iked_tunnel *client = config->tunnels; client; client = client->next) {
		struct iked_tunnel copy;

		if (strcmp(client->of, of->t.name) != 0)
			continue;
		copy = *client;
		iked_client_inherit(&copy, of);
		if (put_one(config, client, &copy, datapaths, diag) != 0) {
			diag_prepend(diag, "client %s", client->t.name);
			return -1;
		}
	}
	return iked_claims_renew(config, diag);
}

int iked_tunnel_put(struct iked_config *config, const struct iked_tunnel *changed, struct diag *diag)
{
	struct iked_tunnel *tunnel = iked_tunnel_find(config, changed->t.name), was;
	bool datapaths[3] = { false };
	struct diag ignored;
	int ret;

	if (!tunnel)
		return diag_set(diag, "tunnel %s is gone: type \"exit\"", changed->t.name);
	if (tunnel->n_clients == 0 && !changed->of[0] && iked_claims_check(config, changed, diag) != 0)
		return -1;
	if (tunnel->n_clients == 0)
		return put_one(config, tunnel, changed, datapaths, diag);
	was = *tunnel;
	ike_tunnel_keep(&was.t); /* its lists outlive the change */
	ret = put_one(config, tunnel, changed, datapaths, diag);
	if (ret == 0 && put_clients(config, tunnel, diag) != 0) {
		/* as it was before: that was possible */
		take(config, tunnel, &was);
		(void)put_clients(config, tunnel, &ignored);
		ret = -1;
	}
	ike_tunnel_drop(&was.t);
	return ret;
}

static void tunnel_free(struct iked_config *config, struct iked_tunnel *tunnel)
{
	struct iked_tunnel **at = name_place(config, tunnel->t.name);

	count_datapath(config, tunnel, -1);
	id_unlink(config, tunnel);
	device_unlink(config, tunnel);
	*at = tunnel->next_name;
	if (tunnel->prev)
		tunnel->prev->next = tunnel->next;
	else
		config->tunnels = tunnel->next;
	if (tunnel->next)
		tunnel->next->prev = tunnel->prev;
	else
		config->last_tunnel = tunnel->prev;
	ike_tunnel_drop(&tunnel->t);
	free(tunnel);
}

int iked_tunnel_del(struct iked_config *config, const char *name, struct diag *diag)
{
	struct iked_tunnel *tunnel = iked_tunnel_find(config, name), *of, *next;

	if (!tunnel)
		return diag_set(diag, "there is no tunnel %s", name);
	iked_claims_drop(config, name);
	of = tunnel->of[0] ? iked_tunnel_find(config, tunnel->of) : NULL;
	if (of && --of->n_clients == 0)
		iked_claims_drop(config, of->t.name);
	for (struct iked_tunnel *t = tunnel->n_clients ? config->tunnels : NULL; t; t = next) {
		next = t->next;
		if (strcmp(t->of, name) == 0)
			tunnel_free(config, t);
	}
	tunnel_free(config, tunnel);
	return 0;
}
