/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Child SAs: RFC 7296 1.3.1, 1.3.3, 2.8, 2.9, 2.17, 2.25.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/sa.h"
#include "lib/mem.h"

#define TRY_AGAIN_MS 10000 /* after TEMPORARY_FAILURE, and more each time (2.25) */
#define KNOWN_MS 60000
#define TRIES_MAX 5
#define CHILD_WAIT_MS 1000 /* before a child that is gone is made anew; doubled each time */
#define CHILD_WAIT_MAX_MS 60000
#define CHILD_WAIT_SECOND 4 /* times as long for who did not begin the IKE SA, so that both do not make one */

/* ---- the table of one SA */

struct sa_child *sa_child_find(struct ike_sa *sa, uint32_t spi_in)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->spi_in == spi_in)
			return sa->children[i];
	return NULL;
}

struct sa_child *sa_child_find_out(struct ike_sa *sa, uint32_t spi_out)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->spi_out == spi_out)
			return sa->children[i];
	return NULL;
}

/* Selectors are many when they are many: mostly there is one. */
static const struct ike_ts_list *ts_dup(const struct ike_ts_list *list)
{
	return mem_dup(list, ike_ts_list_bytes(list));
}

static void child_free(struct sa_child *child)
{
	/* the only owner; const is for readers */
	free((void *)(uintptr_t)child->local_ts);
	free((void *)(uintptr_t)child->remote_ts);
	free(child);
}

void sa_child_use(struct ike_sa *sa, struct sa_child *child)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	child->used = true;
	ops->child_use(ctx, child->spi_in);
}

/* Is it, or what took its place, sending already? */
static bool is_surpassed(struct ike_sa *sa, const struct sa_child *child)
{
	for (unsigned n = 0; child && n < SA_CHILDREN_MAX; n++) {
		if (child->used)
			return true;
		child = child->successor ? sa_child_find(sa, child->successor) : NULL;
	}
	return false;
}

static bool has_selectors(const struct sa_child *child, bool transport, const struct ike_ts_list *local_ts,
			  const struct ike_ts_list *remote_ts)
{
	return child->transport == transport && ike_ts_list_equal(child->local_ts, local_ts) &&
	       ike_ts_list_equal(child->remote_ts, remote_ts);
}

bool sa_child_stays(const struct ike_sa *sa)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->state != CHILD_DELETING)
			return true;
	return false;
}

/* Another one with its selectors, that stays for now: one that sends if there is any. */
static struct sa_child *twin_of(struct ike_sa *sa, const struct sa_child *child)
{
	struct sa_child *twin = NULL;

	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *other = sa->children[i];

		if (other != child && other->state != CHILD_DELETING && (!twin || other->used) &&
		    has_selectors(other, child->transport, child->local_ts, child->remote_ts))
			twin = other;
	}
	return twin;
}

/* What it should have replaced stays, and can be rekeyed again. */
static void disown(struct ike_sa *sa, const struct sa_child *successor)
{
	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *old = sa->children[i];

		if (old->successor != successor->spi_in)
			continue;
		old->successor = 0;
		if (old->state == CHILD_REKEYED)
			old->state = CHILD_UP;
	}
}

void sa_child_remove(struct ike_sa *sa, struct sa_child *child)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	struct sa_child *next, *twin;

	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i] == child) {
			sa->children[i] = sa->children[--sa->n_children];
			break;
		}
	sa_unqueue(sa, REQ_CHILD_DELETE, child->spi_in);
	sa_unqueue(sa, REQ_CHILD_REKEY, child->spi_in);
	disown(sa, child);
	twin = twin_of(sa, child);
	next = sa_child_find(sa, child->successor);
	if (!next || next->state == CHILD_DELETING)
		next = twin;
	/* the peer has dropped the old one, so it has the new one (2.8); it may not, if we
	 * deleted it, but then another one sends */
	if (next && !(twin && twin->used) && !is_surpassed(sa, next))
		sa_child_use(sa, next);
	if (twin && twin->used && child->used)
		ops->child_unuse(ctx, child->spi_in);
	if (next)
		ops->child_retire(ctx, child->spi_in);
	else
		ops->child_del(ctx, child->spi_in);
	engine_child_unlink(sa, child);
	child_free(child);
}

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

/* Of CREATE_CHILD_SA. Who names no group leaves the choice to the peer: libreswan
 * wants the IKE SA's (pfs=yes), strongSwan none; each is its default. */
static void child_proposals(const struct ike_sa *sa, uint16_t first, struct ike_proposals *out)
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

	child_proposals(sa, sa->keys.suite.dh, &esp);
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

static bool has_sending(const struct ike_sa *sa, const struct child_new *c)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->used && has_selectors(sa->children[i], c->transport, c->local_ts, c->remote_ts))
			return true;
	return false;
}

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
		.inbound_only = x->rekeyed || c->initiator || has_sending(sa, c),
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
	child = mem_alloc(sizeof(*child));
	*child = (struct sa_child){ .state = CHILD_UP, .spi_in = c->spi_in, .spi_out = c->spi_out, .suite = c->suite,
				    .transport = c->transport, .no_tfc = c->no_tfc, .since_ms = x->now_ms,
				    .rekey_at_ms = sa_jittered(x->now_ms, sa->tunnel->child_rekey_s) };
	child->local_ts = ts_dup(c->local_ts);
	child->remote_ts = ts_dup(c->remote_ts);
	sa->children[sa->n_children++] = child;
	engine_child_link(sa, child);
	sa->child_since_ms = x->now_ms;
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
	child_proposals(sa, said_group(sa, &said), &esp);
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
	child_proposals(sa, sa->keys.suite.dh, &esp);
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

void sa_child_unmake(struct ike_sa *sa, uint32_t spi_in)
{
	const struct sa_request request = { .kind = REQ_CHILD_UNMADE, .spi = spi_in };

	sa_queue(sa, &request);
}

/* ---- our CREATE_CHILD_SA */

/* Has the peer our answer that made the child? It would say CHILD_SA_NOT_FOUND
 * else, and we would drop what it is about to use. A peer that waits for an
 * answer has given up after KNOWN_MS. */
static bool is_known(const struct ike_sa *sa, const struct sa_child *child, uint64_t now_ms)
{
	return child->known_from == 0 || sa->recv_id > child->known_from || now_ms >= child->since_ms + KNOWN_MS;
}

bool sa_child_unuse(struct ike_sa *sa, struct sa_child *child, uint64_t now_ms)
{
	struct sa_child *twin = twin_of(sa, child);
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (!child->used || !twin)
		return true;
	if (!twin->used && !is_known(sa, twin, now_ms))
		return false;
	if (!twin->used)
		sa_child_use(sa, twin);
	child->used = false;
	ops->child_unuse(ctx, child->spi_in);
	return true;
}

void sa_child_begin(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	struct sa_child *rekeyed = out->req.kind == REQ_CHILD_REKEY ? sa_child_find(sa, out->req.spi) : NULL;
	struct ike_proposals esp;
	struct ike_writer w;
	uint16_t group;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (sa->state != SA_UP || (out->req.kind == REQ_CHILD_REKEY && (!rekeyed || rekeyed->state != CHILD_UP)))
		return;
	if (rekeyed && !is_known(sa, rekeyed, now_ms)) {
		out->req.not_before_ms = now_ms + TRY_AGAIN_MS;
		sa_queue(sa, &out->req);
		return;
	}
	out->new_spi = ops->spi(ctx);
	if (out->new_spi == 0)
		return;
	child_proposals(sa, sa->keys.suite.dh, &esp);
	group = out->req.group ? out->req.group : ike_proposals_first_group(&esp);
	crypto_random(out->nonce, sizeof(out->nonce));
	out->dh = group != DH_NONE ? crypto_dh_new(group) : NULL;
	if (rekeyed)
		rekeyed->state = CHILD_REKEYING;
	ike_writer_init(&w);
	sa_child_offer(sa, rekeyed, out->new_spi, false, &w);
	sa_request_send(sa, CREATE_CHILD_SA, &w, now_ms);
	ike_writer_fini(&w);
}

static const struct sa_nonce *lower(const struct sa_nonce *a, const struct sa_nonce *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int cmp = memcmp(a->bytes, b->bytes, n);

	if (cmp != 0)
		return cmp < 0 ? a : b;
	return a->len <= b->len ? a : b;
}

struct sa_nonce sa_lowest(const struct ike_bytes *ni, const struct ike_bytes *nr)
{
	struct sa_nonce a = { .len = (uint16_t)ni->len }, b = { .len = (uint16_t)nr->len };

	memcpy(a.bytes, ni->data, ni->len);
	memcpy(b.bytes, nr->data, nr->len);
	return *lower(&a, &b);
}

bool sa_nonce_is_lower(const struct sa_nonce *a, const struct sa_nonce *b)
{
	return lower(a, b) == a;
}

static void delete_later(struct ike_sa *sa, const struct sa_child *child)
{
	const struct sa_request request = { .kind = REQ_CHILD_DELETE, .spi = child->spi_in };

	sa_queue(sa, &request);
}

/* Ours was answered. When the peer rekeyed the same child meanwhile, the one
 * with the lowest of the four nonces goes, deleted by who began it (2.8.1). */
static void rekeyed_by_us(struct ike_sa *sa, struct sa_child *old, struct sa_child *made, const struct sa_nonce *ours)
{
	struct sa_child *theirs = old->successor ? sa_child_find(sa, old->successor) : NULL;

	old->state = CHILD_REKEYED;
	if (theirs && sa_nonce_is_lower(ours, &old->peer_lowest)) {
		/* never used, so nothing is on its way in it when the peer drops it; and
		 * the peer deletes the old one, which sends until then */
		delete_later(sa, made);
		return;
	}
	sa_child_use(sa, made);
	old->successor = made->spi_in;
	delete_later(sa, old);
}

static void child_refused(struct ike_sa *sa, const struct sa_request *req, struct sa_child *old,
			  const struct ike_notify *n, uint64_t now_ms)
{
	struct sa_request again = *req;
	struct rd rd = rd_init(n->data.data, n->data.len);
	struct ike_proposals esp;

	if (old && old->state == CHILD_REKEYING)
		old->state = old->successor ? CHILD_REKEYED : CHILD_UP;
	if (old && old->successor)
		return; /* the peer's rekeying did it */
	sa_event(sa, IKE_EVENT_REFUSED, "no child SA: %s", ike_notify_name(n->type));
	if (n->type == N_CHILD_SA_NOT_FOUND && old) {
		sa_child_remove(sa, old); /* 2.25: the peer does not have it */
		again = (struct sa_request){ .kind = REQ_CHILD_NEW };
	} else if (n->type == N_INVALID_KE_PAYLOAD) {
		again.group = rd_be16(&rd);
		child_proposals(sa, sa->keys.suite.dh, &esp);
		if (!rd_done(&rd) || !ike_proposals_have_group(&esp, again.group) || req->group)
			return;
	} else {
		again.not_before_ms = now_ms + (uint64_t)TRY_AGAIN_MS * (1u + req->tries);
	}
	if (again.tries++ < TRIES_MAX)
		sa_queue(sa, &again);
}

void sa_child_response(struct ike_sa *sa, const struct ike_payloads *payloads, uint64_t now_ms)
{
	struct sa_exchange *out = &sa->out;
	const struct ike_payload *nonce = ike_payload_find(payloads, IKE_PL_NONCE);
	struct sa_request req = out->req;
	struct child_exchange x = { .payloads = payloads, .ni = { out->nonce, sizeof(out->nonce) }, .now_ms = now_ms };
	struct ike_notify n = { 0 };
	struct sa_nonce ours = { 0 };
	uint32_t spi = out->new_spi;
	uint16_t error;
	bool made;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	x.rekeyed = req.kind == REQ_CHILD_REKEY ? sa_child_find(sa, req.spi) : NULL;
	error = sa_error(payloads, &n);
	made = !error;
	if (!error && (!nonce || ike_nonce_decode(nonce->body, &x.nr) != 0))
		error = N_INVALID_SYNTAX;
	if (!error) {
		ours = sa_lowest(&x.ni, &x.nr);
		error = sa_child_accept(sa, &x, spi, out->dh);
	}
	sa_exchange_end(sa);
	if (error) {
		n.type = error;
		ops->child_del(ctx, spi);
		if (made)
			sa_child_unmake(sa, spi);
		child_refused(sa, &req, x.rekeyed, &n, now_ms);
		return;
	}
	if (x.rekeyed)
		rekeyed_by_us(sa, x.rekeyed, x.made, &ours);
	else if (req.kind == REQ_CHILD_REKEY)
		delete_later(sa, x.made); /* the old one was deleted meanwhile, so nobody wants it */
	else
		sa_child_use(sa, x.made);
}

/* ---- the peer's CREATE_CHILD_SA */

static bool is_ike_rekey(const struct ike_payloads *payloads)
{
	const struct ike_payload *s = ike_payload_find(payloads, IKE_PL_SA);
	struct ike_proposals proposals;

	return s && ike_proposals_decode(s->body, &proposals) == 0 && proposals.list[0].protocol == IKE_PROTO_IKE;
}

/* 2.25.1: what a request about a child meets. 0: go on. */
static uint16_t rekey_target(struct ike_sa *sa, const struct ike_notify *n, struct sa_child **child)
{
	struct rd rd = rd_init(n->spi, n->spi_len);

	if (n->protocol != IKE_PROTO_ESP || n->spi_len != 4)
		return N_INVALID_SYNTAX;
	*child = sa_child_find_out(sa, rd_be32(&rd));
	if (!*child)
		return N_CHILD_SA_NOT_FOUND;
	/* done already from its side, or on its way out from ours */
	return (*child)->successor || (*child)->state == CHILD_DELETING || (*child)->state == CHILD_REKEYED ?
		       N_TEMPORARY_FAILURE :
		       0;
}

static uint16_t answer(struct ike_sa *sa, struct child_exchange *x, struct ike_writer *w)
{
	const struct ike_payload *nonce = ike_payload_find(x->payloads, IKE_PL_NONCE);
	struct ike_notify n;
	uint16_t error;

	if (sa->state != SA_UP)
		return N_TEMPORARY_FAILURE;
	if (sa_is_queued(sa, REQ_IKE_REKEY, 0) && sa->out.active && sa->out.req.kind == REQ_IKE_REKEY)
		return N_TEMPORARY_FAILURE; /* 2.25.2 */
	if (!nonce || ike_nonce_decode(nonce->body, &x->ni) != 0)
		return N_INVALID_SYNTAX;
	if (sa_notify(x->payloads, N_REKEY_SA, &n) && (error = rekey_target(sa, &n, &x->rekeyed)) != 0)
		return error;
	return sa_child_answer(sa, x, w);
}

void sa_create_request(struct ike_sa *sa, uint32_t id, const struct ike_payloads *payloads, uint64_t now_ms)
{
	uint8_t nr[2 * IKE_NONCE_MIN], group[2];
	struct child_exchange x = { .payloads = payloads, .nr = { nr, sizeof(nr) }, .now_ms = now_ms };
	struct ike_writer w;
	uint16_t error;

	if (is_ike_rekey(payloads)) {
		sa_rekey_request(sa, id, payloads, now_ms);
		return;
	}
	crypto_random(nr, sizeof(nr));
	ike_writer_init(&w);
	error = answer(sa, &x, &w);
	if (error) {
		group[0] = (uint8_t)(x.wanted_group >> 8);
		group[1] = (uint8_t)x.wanted_group;
		sa_respond_notify(sa, CREATE_CHILD_SA, id, error, group, error == N_INVALID_KE_PAYLOAD ? 2 : 0, now_ms);
		sa_event(sa, IKE_EVENT_REFUSED, "CREATE_CHILD_SA answered with %s", ike_notify_name(error));
	} else {
		x.made->known_from = id + 1;
		if (x.rekeyed) {
			x.rekeyed->successor = x.made->spi_in;
			x.rekeyed->peer_lowest = sa_lowest(&x.ni, &x.nr);
			if (x.rekeyed->state == CHILD_UP)
				x.rekeyed->state = CHILD_REKEYED;
		} else {
			sa_unqueue(sa, REQ_CHILD_NEW, 0); /* what we would have asked for is there */
		}
		sa_respond(sa, CREATE_CHILD_SA, id, &w, now_ms);
	}
	ike_writer_fini(&w);
}

void sa_child_timers(struct ike_sa *sa, uint64_t now_ms)
{
	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *child = sa->children[i];
		const struct sa_request rekey = { .kind = REQ_CHILD_REKEY, .spi = child->spi_in };

		if (child->rekey_at_ms > now_ms)
			continue;
		child->rekey_at_ms = now_ms + SA_REKEY_AGAIN_MS; /* unless it is gone by then */
		if (child->state == CHILD_UP && !sa_is_queued(sa, REQ_CHILD_REKEY, child->spi_in))
			sa_queue(sa, &rekey);
	}
}

void sa_child_again(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_request again = { .kind = REQ_CHILD_NEW };

	if (sa->state != SA_UP || sa->n_children > 0 || sa_is_queued(sa, REQ_CHILD_NEW, 0))
		return;
	if (sa->child_since_ms && now_ms >= sa->child_since_ms + CHILD_WAIT_MAX_MS)
		sa->child_wait_ms = 0;
	sa->child_since_ms = 0;
	sa->child_wait_ms = sa->child_wait_ms ? 2 * sa->child_wait_ms : CHILD_WAIT_MS;
	if (sa->child_wait_ms > CHILD_WAIT_MAX_MS)
		sa->child_wait_ms = CHILD_WAIT_MAX_MS;
	again.not_before_ms = now_ms + sa->child_wait_ms * (sa->began ? 1 : CHILD_WAIT_SECOND);
	sa_queue(sa, &again);
}
