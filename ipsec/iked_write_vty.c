/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "vty.h"

#include "ipsec/ike/ts.h"
#include "ipsec/iked.h"
#include "ipsec/iked_clients_vty.h"
#include "ipsec/iked_ipip.h"
#include "ipsec/iked_write_vty.h"

int iked_write_links(struct vty *vty)
{
	char text[IP_TEXT_SIZE];

	for (const struct iked_link *l = iked.config.links; l; l = l->next) {
		vty_out(vty, "link %s\n", l->name);
		if (l->device[0])
			vty_out(vty, " device %s\n", l->device);
		for (unsigned f = 0; f < IP_FAMILIES; f++)
			if (l->has_source[f])
				vty_out(vty, " source %s\n", ip_addr_format(&l->source[f], text));
		if (l->mark)
			vty_out(vty, " mark %u\n", l->mark);
		vty_out(vty, "exit\n!\n");
	}
	return iked.config.links != NULL;
}

static void write_who(struct vty *vty, const struct iked_tunnel *t)
{
	static const char *const kinds[] = { "psk", "cert", "key" };
	char text[IKE_IDENTITY_TEXT];

	if (t->t.local_id.type)
		vty_out(vty, " identity local %s\n", ike_identity_format(&t->t.local_id, text));
	if (t->has_remote_id)
		vty_out(vty, " identity remote %s\n", ike_identity_format(&t->t.remote_id, text));
	if (t->has_local_auth)
		vty_out(vty, " authentication local %s\n", kinds[t->t.local_auth]);
	if (t->has_remote_auth)
		vty_out(vty, " authentication remote %s\n", kinds[t->t.remote_auth]);
	if (t->psk[0])
		vty_out(vty, " psk file %s\n", t->psk);
	if (t->cert[0])
		vty_out(vty, " local certificate %s\n", t->cert);
	if (t->key[0])
		vty_out(vty, " local key %s\n", t->key);
	for (unsigned i = 0; i < t->ca.n; i++)
		vty_out(vty, " remote ca %s\n", t->ca.name[i]);
	for (unsigned i = 0; i < t->crl.n; i++)
		vty_out(vty, " remote crl %s\n", t->crl.name[i]);
	for (unsigned i = 0; i < t->peer.n; i++)
		vty_out(vty, " remote key %s\n", t->peer.name[i]);
	if (t->t.shared_identity)
		vty_out(vty, " shared-identity\n");
}

static void write_proposals(struct vty *vty, const char *what, const struct ike_proposals *list)
{
	char text[512];

	for (unsigned i = 0; i < list->n; i++) {
		ike_proposal_format(&list->list[i], text, sizeof(text));
		vty_out(vty, " proposal %s %s\n", what, text);
	}
}

static void write_selectors(struct vty *vty, const char *side, const struct ike_ts_list *list)
{
	char text[IKE_TS_TEXT];

	for (unsigned i = 0; i < list->n; i++)
		vty_out(vty, " selector %s %s\n", side, ike_ts_format(&list->list[i], text));
}

static void write_what(struct vty *vty, const struct iked_tunnel *t)
{
	char text[IP_TEXT_SIZE];

	if (t->own_ike)
		write_proposals(vty, "ike", t->t.ike);
	if (t->own_esp)
		write_proposals(vty, "esp", t->t.esp);
	write_selectors(vty, "local", t->t.local_ts);
	write_selectors(vty, "remote", t->t.remote_ts);
	if (t->t.transport)
		vty_out(vty, " mode transport\n");
	if (t->t.request_address)
		vty_out(vty, " request-address\n");
	if (t->t.pool.len)
		vty_out(vty, " pool %s\n", ip_prefix_format(&t->t.pool, text));
	if (iked_has_ipip(t)) {
		vty_out(vty, " ipip local %s", ip_addr_format(&t->ipip.local, text));
		vty_out(vty, " remote %s\n", ip_addr_format(&t->ipip.remote, text));
	}
	if (t->device[0] && t->mtu)
		vty_out(vty, " device %s mtu %u\n", t->device, t->mtu);
	else if (t->device[0])
		vty_out(vty, " device %s\n", t->device);
}

/* "what N", "no what" for 0, nothing for the default. */
static void write_seconds(struct vty *vty, const char *what, uint32_t value, uint32_t usual)
{
	if (value == 0 && usual != 0)
		vty_out(vty, " no %s\n", what);
	else if (value != usual)
		vty_out(vty, " %s %u\n", what, value);
}

static void write_how(struct vty *vty, const struct iked_tunnel *t)
{
	static const char *const childless[] = { "allow", "force", "never" };
	static struct ike_tunnel usual;

	ike_tunnel_defaults(&usual);
	if (t->t.nat != IKE_NAT_AUTO)
		vty_out(vty, " nat %s\n", t->t.nat == IKE_NAT_FORCE ? "force" : "refuse");
	if (t->t.start_natt)
		vty_out(vty, " begin-port 4500\n");
	write_seconds(vty, "keepalive", t->t.keepalive_s, usual.keepalive_s);
	write_seconds(vty, "liveness", t->t.liveness_s, usual.liveness_s);
	write_seconds(vty, "lifetime ike", t->t.ike_rekey_s, usual.ike_rekey_s);
	write_seconds(vty, "lifetime esp", t->t.child_rekey_s, usual.child_rekey_s);
	write_seconds(vty, "reauthentication", t->t.reauth_s, usual.reauth_s);
	write_seconds(vty, "fragment-size", t->t.fragment_bytes, usual.fragment_bytes);
	if (!t->t.mobike)
		vty_out(vty, " no mobike\n");
	if (t->t.childless != IKE_CHILDLESS_ALLOW)
		vty_out(vty, " childless %s\n", childless[t->t.childless]);
}

int iked_write_tunnels(struct vty *vty)
{
	char text[IP_TEXT_SIZE];

	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next) {
		if (t->of[0])
			continue;
		vty_out(vty, "tunnel %s\n", t->t.name);
		if (t->link[0])
			vty_out(vty, " via %s\n", t->link);
		if (t->t.remote_addr.v && t->t.remote_port)
			vty_out(vty, " peer address %s port %u\n", ip_addr_format(&t->t.remote_addr, text), t->t.remote_port);
		else if (t->t.remote_addr.v)
			vty_out(vty, " peer address %s\n", ip_addr_format(&t->t.remote_addr, text));
		write_who(vty, t);
		write_what(vty, t);
		write_how(vty, t);
		if (t->start != IKED_ADD)
			vty_out(vty, " start %s\n", iked_start_name(t->start));
		if (t->datapath != IKED_DATAPATH_AUTO)
			vty_out(vty, " datapath %s\n", t->datapath == IKED_DATAPATH_KERNEL ? "kernel" : "user");
		if (t->carry)
			vty_out(vty, " carry\n");
		iked_write_clients(vty, t);
		vty_out(vty, "exit\n!\n");
	}
	return iked.config.tunnels != NULL;
}
