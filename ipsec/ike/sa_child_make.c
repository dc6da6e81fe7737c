/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What both sides of an exchange that makes a child SA say of it, and how what they agree
 * on comes into the datapath: RFC 7296 1.3.1, 2.9, 2.17, 2.23.1.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/sa.h"
#include "lib/mem.h"

/* ---- writing an offer */

static void put_esp(struct ike_writer *w, const struct ike_proposals *from, uint32_t spi, bool with_dh)
{
	struct ike_proposals *list = mem_dup(from, ike_proposals_bytes(from));
	size_t begun = ike_payload_begin(w, IKE_PL_SA);

	for (unsigned i = 0; i < list->n; i++) {
		struct ike_proposal *p = &list->list[i];
		unsigned kept = 0;

		p->spi_len = 4;
		for (unsigned b = 0; b < 4; b++)
			p->spi[b] = (uint8_t)(spi >> (24 - 8 * b));
		for (unsigned t = 0; t < p->n_transforms; t++)
			if (with_dh || p->transforms[t].type != IKE_T_DH)
				p->transforms[kept++] = p->transforms[t];
		p->n_transforms = (uint8_t)kept;
	}
	ike_proposals_encode(list, &w->wr);
	ike_payload_end(w, begun);
	free(list);
}

void sa_child_proposals(const struct ike_sa *sa, uint16_t first, struct ike_proposals *out)
{
	ike_proposals_with_groups(sa->tunnel->esp, first, sa->tunnel->ike, out);
}

static void put_ke(struct ike_writer *w, const struct crypto_dh *dh)
{
	uint8_t public[CRYPTO_DH_MAX];

	if (!dh)
		return;
	crypto_dh_public(dh, public);
	ike_ke_encode(w, crypto_dh_group(dh), public, crypto_dh_size(crypto_dh_group(dh)));
}

/* What policy has for our side: an address that was given, else the tunnel's. */
static void policy_ts(const struct ike_sa *sa, bool local, struct ike_ts_list *out)
{
	const struct ike_ts_list *list = local ? sa->tunnel->local_ts : sa->tunnel->remote_ts;
	bool is_virtual = sa->virtual_addr.v != 0 && local == sa->began;

	memcpy(out, list, ike_ts_list_bytes(list));
	if (is_virtual) {
		struct ip_prefix host = ip_prefix_make(sa->virtual_addr.family, sa->virtual_addr.v,
						       ip_bits(sa->virtual_addr.family));

		out->n = 1;
		out->list[0] = ike_ts_of_prefix(&host);
	}
}

/* Transport mode is between the two hosts that have the IKE SA, and each of their
 * selectors has exactly that one address (2.23.1). False: none can have it, and
 * the list is as it was. */
static bool keep_host(struct ike_ts_list *list, const struct ip_addr *host)
{
	struct ike_ts only = { .port_last = UINT16_MAX, .first = *host, .last = *host };
	unsigned kept = 0;

	for (unsigned i = 0; i < list->n; i++)
		if (ike_ts_intersect(&list->list[i], &only, &list->list[kept]))
			kept++;
	if (kept > 0)
		list->n = kept;
	return kept > 0;
}

static void set_host(struct ike_ts_list *list, const struct ip_addr *host)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->list[i].first.family == host->family)
			list->list[i].first = list->list[i].last = *host;
}

/* Behind a NAT a host knows itself by another address than its peer does: what the
 * other side wrote, as it is seen here. */
static void as_seen_here(const struct ike_sa *sa, struct ike_ts_list *ours, struct ike_ts_list *theirs)
{
	if (sa->nat.local)
		set_host(ours, &sa->path.local.addr);
	if (sa->nat.remote)
		set_host(theirs, &sa->path.remote.addr);
}

void sa_child_offer(struct ike_sa *sa, const struct sa_child *rekeyed, uint32_t spi, bool in_auth, struct ike_writer *w)
{
	struct ike_ts_list local, remote;
	struct ike_proposals esp;

	sa_child_proposals(sa, sa->keys.suite.dh, &esp);
	policy_ts(sa, true, &local);
	policy_ts(sa, false, &remote);
	/* asked before an address is given: anything, to be narrowed (2.19) */
	if (in_auth && sa->tunnel->request_address) {
		static const struct ip_prefix any = { .family = IP_V4 };

		local.n = 1;
		local.list[0] = ike_ts_of_prefix(&any);
	}
	if (!rekeyed && sa->tunnel->transport) {
		/* the peer refuses what does not fit */
		(void)keep_host(&local, &sa->path.local.addr);
		(void)keep_host(&remote, &sa->path.remote.addr);
	}
	if (rekeyed)
		ike_notify_spi_encode(w, N_REKEY_SA, IKE_PROTO_ESP, rekeyed->spi_in);
	if (rekeyed ? rekeyed->transport : sa->tunnel->transport)
		ike_notify_encode(w, N_USE_TRANSPORT_MODE, NULL, 0);
	ike_notify_encode(w, N_ESP_TFC_PADDING_NOT_SUPPORTED, NULL, 0);
	put_esp(w, &esp, spi, !in_auth);
	if (!in_auth) {
		ike_nonce_encode(w, sa->out.nonce, sizeof(sa->out.nonce));
		put_ke(w, sa->out.dh);
	}
	ike_ts_encode(w, IKE_PL_TSI, rekeyed ? rekeyed->local_ts : &local);
	ike_ts_encode(w, IKE_PL_TSR, rekeyed ? rekeyed->remote_ts : &remote);
}

/* ---- reading */

struct child_said {
	struct ike_proposals proposals;
	struct ike_ts_list tsi, tsr;
	bool has_ke;
	struct ike_ke ke;
	bool transport, no_tfc;
};

static int said_decode(const struct ike_payloads *payloads, struct child_said *out)
{
	const struct ike_payload *s = ike_payload_find(payloads, IKE_PL_SA);
	const struct ike_payload *i = ike_payload_find(payloads, IKE_PL_TSI);
	const struct ike_payload *r = ike_payload_find(payloads, IKE_PL_TSR);
	const struct ike_payload *k = ike_payload_find(payloads, IKE_PL_KE);
	struct ike_notify n;

	out->has_ke = k != NULL;
	out->transport = sa_notify(payloads, N_USE_TRANSPORT_MODE, &n) != NULL;
	out->no_tfc = sa_notify(payloads, N_ESP_TFC_PADDING_NOT_SUPPORTED, &n) != NULL;
	return s && i && r && ike_proposals_decode(s->body, &out->proposals) == 0 &&
			       ike_ts_decode(i->body, &out->tsi) == 0 && ike_ts_decode(r->body, &out->tsr) == 0 &&
			       (!k || ike_ke_decode(k->body, &out->ke) == 0) ?
		       0 :
		       -1;
}

static uint32_t spi_of(const struct ike_proposal *p)
{
	uint32_t spi = 0;

	for (unsigned i = 0; i < 4; i++)
		spi = spi << 8 | p->spi[i];
	return spi;
}

/* ---- into the datapath */

struct child_new {
	uint32_t spi_in, spi_out;
	struct ike_suite suite;
	const struct ike_ts_list *local_ts, *remote_ts;
	bool transport, no_tfc;
	bool initiator; /* of this exchange */
	const struct crypto_secret *shared;
};

static uint16_t install(struct ike_sa *sa, struct child_exchange *x, const struct child_new *c)
{
	struct ike_child_keys i_to_r, r_to_i;
	struct ike_child_sa install = {
		.sa = sa->number, .tunnel = sa->tunnel->name, .spi_in = c->spi_in, .spi_out = c->spi_out,
		.suite = c->suite, .in = c->initiator ? &r_to_i : &i_to_r, .out = c->initiator ? &i_to_r : &r_to_i,
		.local_ts = c->local_ts, .remote_ts = c->remote_ts, .path = sa->path, .encap = sa_encap(sa),
		.transport = c->transport, .no_tfc = c->no_tfc,
		/* who answers a rekeying lets the other side begin (2.8), and so with one more of
		 * the same selectors; who began any says when it is used */
		.inbound_only = x->rekeyed || c->initiator || sa_child_sends(sa, c->transport, c->local_ts, c->remote_ts),
		.replaces_in = x->rekeyed ? x->rekeyed->spi_in : 0,
	};
	struct sa_child *child;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	char suite[128], ts[IKE_TS_TEXT], other[IKE_TS_TEXT];
	int ret;

	if (sa->n_children == SA_CHILDREN_MAX)
		return N_NO_ADDITIONAL_SAS;
	if (ike_keys_child(&sa->keys, &c->suite, c->shared, &x->ni, &x->nr, &i_to_r, &r_to_i) != 0)
		return N_NO_PROPOSAL_CHOSEN;
	ret = ops->child_add(ctx, &install);
	ike_child_keys_wipe(&i_to_r);
	ike_child_keys_wipe(&r_to_i);
	if (ret != 0)
		return N_NO_PROPOSAL_CHOSEN;
	child = sa_child_new(sa, &(struct sa_child){
					 .state = CHILD_UP, .spi_in = c->spi_in, .spi_out = c->spi_out, .suite = c->suite,
					 .local_ts = c->local_ts, .remote_ts = c->remote_ts,
					 .transport = c->transport, .no_tfc = c->no_tfc, .since_ms = x->now_ms,
					 .rekey_at_ms = sa_jittered(x->now_ms, sa->tunnel->child_rekey_s) });
	x->made = child;
	child->used = !install.inbound_only;
	ike_suite_format(&c->suite, IKE_PROTO_ESP, suite, sizeof(suite));
	sa_event(sa, x->rekeyed ? IKE_EVENT_CHILD_REKEYED : IKE_EVENT_CHILD_UP, "%s to %s%s, %s, SPI %08x in, %08x out",
		 ike_ts_format(&c->local_ts->list[0], ts), ike_ts_format(&c->remote_ts->list[0], other),
		 c->local_ts->n > 1 || c->remote_ts->n > 1 ? " and more" : "", suite, c->spi_in, c->spi_out);
	return 0;
}

/* ---- responder of the exchange */

/* PFS: the group that was agreed on must be the one that was guessed. */
static uint16_t exchange_keys(struct child_exchange *x, const struct ike_suite *suite, const struct child_said *said,
			      struct crypto_dh **dh, struct crypto_secret *shared)
{
	if (x->in_auth || suite->dh == DH_NONE)
		return 0;
	if (!said->has_ke || said->ke.group != suite->dh) {
		x->wanted_group = suite->dh;
		return N_INVALID_KE_PAYLOAD;
	}
	*dh = crypto_dh_new(suite->dh);
	return *dh && crypto_dh_shared(*dh, said->ke.value.data, said->ke.value.len, shared) == 0 ? 0 : N_INVALID_SYNTAX;
}

static void put_answer(struct child_exchange *x, const struct child_new *c, uint8_t number, const struct crypto_dh *dh,
		       const struct ike_ts_list *tsi, const struct ike_ts_list *tsr, struct ike_writer *w)
{
	struct ike_proposals answer;

	answer.n = 1;
	ike_proposal_of_suite(&c->suite, IKE_PROTO_ESP, number, &answer.list[0]);
	if (c->transport)
		ike_notify_encode(w, N_USE_TRANSPORT_MODE, NULL, 0);
	ike_notify_encode(w, N_ESP_TFC_PADDING_NOT_SUPPORTED, NULL, 0);
	put_esp(w, &answer, c->spi_in, true);
	if (!x->in_auth) {
		ike_nonce_encode(w, x->nr.data, x->nr.len);
		put_ke(w, dh);
	}
	ike_ts_encode(w, IKE_PL_TSI, tsi);
	ike_ts_encode(w, IKE_PL_TSR, tsr);
}

/* What the peer has a value for already costs no further round. */
static uint16_t said_group(const struct ike_sa *sa, const struct child_said *said)
{
	if (!said->has_ke)
		return DH_NONE;
	return ike_proposals_have_group(sa->tunnel->ike, said->ke.group) ? said->ke.group : sa->keys.suite.dh;
}

uint16_t sa_child_answer(struct ike_sa *sa, struct child_exchange *x, struct ike_writer *w)
{
	struct ike_ts_list policy, local, remote;
	struct ike_proposals esp;
	const struct ike_proposal *chosen;
	struct child_new c = { .initiator = false };
	struct crypto_secret shared = { 0 };
	struct crypto_dh *dh = NULL;
	struct child_said said;
	uint16_t error;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (said_decode(x->payloads, &said) != 0)
		return N_INVALID_SYNTAX;
	/* who has no address of the pool would else have all of it (RFC 7296 2.19) */
	if (sa->tunnel->pool.len != 0 && !ike_tunnel_gives_one(sa->tunnel) && !sa->began && sa->virtual_addr.v == 0)
		return N_FAILED_CP_REQUIRED;
	sa_child_proposals(sa, said_group(sa, &said), &esp);
	if (ike_proposal_select(&esp, &said.proposals, IKE_PROTO_ESP, !x->in_auth, &c.suite, &chosen) != 0)
		return N_NO_PROPOSAL_CHOSEN;
	c.spi_out = spi_of(chosen);
	/* 0 to 255 are never an SA's (RFC 4303 2.1) */
	if (c.spi_out < 256)
		return N_INVALID_SYNTAX;
	c.transport = said.transport && sa->tunnel->transport;
	if (c.transport)
		as_seen_here(sa, &said.tsr, &said.tsi);
	policy_ts(sa, true, &policy);
	ike_ts_narrow(&policy, &said.tsr, &local);
	policy_ts(sa, false, &policy);
	ike_ts_narrow(&policy, &said.tsi, &remote);
	/* also of a peer that has tunnel mode instead: it would get all that the tunnel's
	 * selectors leave open for hosts that are not known beforehand */
	if (sa->tunnel->transport &&
	    (!keep_host(&local, &sa->path.local.addr) || !keep_host(&remote, &sa->path.remote.addr)))
		return N_TS_UNACCEPTABLE;
	if (local.n == 0 || remote.n == 0 || engine_ts_is_taken(sa, &remote, c.transport))
		return N_TS_UNACCEPTABLE;
	error = exchange_keys(x, &c.suite, &said, &dh, &shared);
	c.local_ts = &local;
	c.remote_ts = &remote;
	c.no_tfc = said.no_tfc;
	c.shared = dh ? &shared : NULL;
	if (!error && (c.spi_in = ops->spi(ctx)) == 0)
		error = N_NO_ADDITIONAL_SAS;
	if (!error && (error = install(sa, x, &c)) != 0)
		ops->child_del(ctx, c.spi_in);
	if (!error)
		put_answer(x, &c, chosen->number, dh, &remote, &local, w);
	crypto_secret_wipe(&shared);
	crypto_dh_free(dh);
	return error;
}

/* ---- initiator of the exchange */

uint16_t sa_child_accept(struct ike_sa *sa, struct child_exchange *x, uint32_t spi, struct crypto_dh *dh)
{
	struct child_new c = { .spi_in = spi, .initiator = true };
	struct ike_ts_list local, remote;
	struct ike_proposals esp;
	struct crypto_secret shared = { 0 };
	struct child_said said;
	uint16_t error;

	if (said_decode(x->payloads, &said) != 0)
		return N_INVALID_SYNTAX;
	sa_child_proposals(sa, sa->keys.suite.dh, &esp);
	if (ike_proposal_accept(&esp, &said.proposals, IKE_PROTO_ESP, dh != NULL, &c.suite) != 0)
		return N_NO_PROPOSAL_CHOSEN;
	c.spi_out = spi_of(&said.proposals.list[0]);
	if (said.transport)
		as_seen_here(sa, &said.tsi, &said.tsr);
	/* a virtual address is known by now, so the wide offer has its bounds */
	policy_ts(sa, true, &local);
	policy_ts(sa, false, &remote);
	/* no more than was offered, if the peer declines transport mode */
	if (sa->tunnel->transport) {
		(void)keep_host(&local, &sa->path.local.addr);
		(void)keep_host(&remote, &sa->path.remote.addr);
	}
	if (c.spi_out < 256 || said.tsi.n == 0 || said.tsr.n == 0 ||
	    !ike_ts_list_covers(x->rekeyed ? x->rekeyed->local_ts : &local, &said.tsi) ||
	    !ike_ts_list_covers(x->rekeyed ? x->rekeyed->remote_ts : &remote, &said.tsr) ||
	    engine_ts_is_taken(sa, &said.tsr, said.transport))
		return N_TS_UNACCEPTABLE;
	if (c.suite.dh != DH_NONE &&
	    (!dh || !said.has_ke || said.ke.group != crypto_dh_group(dh) || c.suite.dh != crypto_dh_group(dh) ||
	     crypto_dh_shared(dh, said.ke.value.data, said.ke.value.len, &shared) != 0))
		return N_INVALID_KE_PAYLOAD;
	c.local_ts = &said.tsi;
	c.remote_ts = &said.tsr;
	/* the peer may decline transport mode; we asked for it (1.3.1) */
	c.transport = said.transport;
	c.no_tfc = said.no_tfc;
	c.shared = c.suite.dh != DH_NONE ? &shared : NULL;
	error = said.transport && !(x->rekeyed ? x->rekeyed->transport : sa->tunnel->transport) ? N_INVALID_SYNTAX :
												   install(sa, x, &c);
	crypto_secret_wipe(&shared);
	return error;
}
