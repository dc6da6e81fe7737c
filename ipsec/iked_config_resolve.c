/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What comes of a tunnel as the operator wrote it: what lacks, what the engine takes, and
 * what is to be known about it.
 */
#include "ipsec/iked_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ts.h"
#include "lib/mem.h"
#include "lib/wr.h"

static const char *auth_missing(const struct iked_tunnel *t)
{
	if ((t->t.local_auth == IKE_KIND_PSK || t->t.remote_auth == IKE_KIND_PSK) && !t->psk[0])
		return "psk file FILE";
	if (t->t.local_auth != IKE_KIND_PSK && !t->key[0])
		return "local key FILE";
	if (t->t.local_auth != IKE_KIND_PSK && !t->cert[0])
		return t->t.local_auth == IKE_KIND_RAW ? "local certificate FILE (the public key)" : "local certificate FILE";
	if (t->t.remote_auth == IKE_KIND_CERT && t->ca.n == 0)
		return "remote ca FILE";
	if (t->t.remote_auth == IKE_KIND_RAW && t->peer.n == 0)
		return "remote key FILE";
	return NULL;
}

bool iked_tunnel_is_frame(const struct iked_tunnel *t)
{
	return t->n_clients > 0 && t->t.remote_ts->n == 0 && !t->t.pool.len;
}

const char *iked_tunnel_missing(const struct iked_config *config, const struct iked_tunnel *t)
{
	if (!t->link[0] || !iked_link_find(config, t->link))
		return "link NAME";
	if (ike_identity_is_any(&t->t.local_id))
		return "identity local IDENTITY";
	if (!t->has_remote_id)
		return t->of[0] ? "client NAME identity IDENTITY" : "identity remote IDENTITY";
	if (t->of[0] && !t->own_device[0] && t->datapath == IKED_DATAPATH_KERNEL)
		return "client NAME device IFNAME: in the kernel, tunnels do not share an interface";
	if (!t->has_local_auth)
		return "authentication local <psk|cert|key>";
	if (!t->has_remote_auth)
		return "authentication remote <psk|cert|key>";
	if (t->t.local_ts->n == 0 && !t->t.request_address)
		return "selector local PREFIX";
	if (t->t.remote_ts->n == 0 && !t->t.pool.len && !iked_tunnel_is_frame(t))
		return t->of[0] ? "client NAME prefix PREFIX" : "selector remote PREFIX";
	return auth_missing(t);
}

void iked_tunnel_addresses(const struct iked_tunnel *t, struct ike_ts_list *out)
{
	struct ike_ts ts;

	memcpy(out, t->t.remote_ts, ike_ts_list_bytes(t->t.remote_ts));
	if (!t->t.pool.len)
		return;
	ts = ike_ts_of_prefix(&t->t.pool);
	for (unsigned i = 0; i < out->n; i++)
		if (ike_ts_covers(&out->list[i], &ts))
			return;
	out->list[out->n++] = ts;
}

void iked_tunnel_resolve(const struct iked_config *config, const struct iked_tunnel *t, struct ike_tunnel *out)
{
	static struct ike_ts_list from_pool;
	const struct iked_link *link = iked_link_find(config, t->link);

	*out = t->t;
	out->link = link ? link->number : 0;
	out->start = t->start == IKED_AUTO;
	/* a certificate says who one is; with one key for all anybody can say any name */
	out->shared_identity = t->t.shared_identity || (ike_identity_is_any(&t->t.remote_id) && t->t.remote_auth != IKE_KIND_CERT);
	out->only_keys = iked_tunnel_is_frame(t);
	if (t->of[0] || (out->remote_ts->n == 0 && out->pool.len)) {
		iked_tunnel_addresses(t, &from_pool);
		out->remote_ts = &from_pool;
	}
}

static void digest_selectors(struct wr *w, const struct ike_ts_list *list)
{
	char text[IKE_TS_TEXT];

	wr_be32(w, list->n);
	for (unsigned i = 0; i < list->n; i++) {
		ike_ts_format(&list->list[i], text);
		wr_bytes(w, text, strlen(text) + 1);
	}
}

/* What lists hold and not where they lie: another one may lie there. */
void iked_tunnel_digest(const struct iked_config *config, const struct iked_tunnel *t, uint8_t out[DIGEST_SIZE])
{
	struct iked_tunnel *copy = mem_dup(t, sizeof(*t));
	struct wr w = { 0 };

	copy->prev = copy->next = copy->next_name = copy->next_id = copy->next_device = NULL;
	copy->n_clients = 0;
	copy->datapath = iked_link_is_kernel(config, t->link) ? IKED_DATAPATH_KERNEL : IKED_DATAPATH_USER;
	iked_tunnel_resolve(config, t, &copy->t);
	wr_bytes(&w, copy->t.ike, ike_proposals_bytes(copy->t.ike));
	wr_bytes(&w, copy->t.esp, ike_proposals_bytes(copy->t.esp));
	digest_selectors(&w, copy->t.local_ts);
	digest_selectors(&w, copy->t.remote_ts);
	copy->t.ike = copy->t.esp = NULL;
	copy->t.local_ts = copy->t.remote_ts = NULL;
	wr_bytes(&w, copy, sizeof(*copy));
	digest_sha256(w.data, w.len, out);
	wr_fini(&w);
	free(copy);
}

const char *iked_tunnel_device(const struct iked_tunnel *t, char out[IKED_IFNAME])
{
	snprintf(out, IKED_IFNAME, "%s", t->device[0] ? t->device : t->t.name);
	return out;
}

bool iked_client_shares_key(const struct iked_tunnel *t)
{
	return t->of[0] && t->t.remote_auth == IKE_KIND_PSK && t->has_remote_auth && t->has_remote_id && !t->own_psk[0];
}

const char *iked_tunnel_warning(const struct iked_tunnel *t)
{
	if (iked_client_shares_key(t) || (t->t.remote_auth == IKE_KIND_PSK && t->has_remote_auth && t->has_remote_id &&
					  ike_identity_is_any(&t->t.remote_id) && !iked_tunnel_is_frame(t)))
		return "all peers of this tunnel share one key, so each of them can pretend to be another, or to be you";
	if (t->t.remote_id.type == IKE_ID_IPV4 || t->t.remote_id.type == IKE_ID_IPV6 || t->t.local_id.type == IKE_ID_IPV4 ||
	    t->t.local_id.type == IKE_ID_IPV6)
		return "an address is no good identity: a NAT or a new address of the link changes who one is; "
		       "use fqdn, email, key-id or dn";
	return "";
}
