/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates: the first one for a token, others for whoever has one already.
 */
#include <stdio.h>
#include <string.h>

#include "controller/south/south_impl.h"

#define DAY_MS ((int64_t)86400 * 1000)

static int issue(struct south *s, const struct pki_identity *id,
		 const struct agent_blob *csr, struct wr *cert, struct diag *diag)
{
	struct wr spki = { 0 };
	struct pki_cert read;
	int ret = -1;

	if (pki_csr_spki(csr->data, csr->len, &spki, diag) == 0 &&
	    s->ops.issue(s->ctx, id, spki.data, spki.len, cert, diag) == 0 &&
	    pki_cert_read(cert->data, cert->len, &read, diag) == 0 &&
	    s->ops.enrolled(s->ctx, &read, diag))
		ret = 0;
	wr_fini(&spki);
	return ret;
}

/* The token goes first: what a stranger without one sends is not even parsed
 * as a certificate request. */
void south_enroll(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms)
{
	struct agent_msg reply = { .type = AGENT_MSG_ENROLLED };
	struct south *s = ss->south;
	struct pki_identity id = { 0 };
	uint8_t hash[32];
	struct wr cert = { 0 }, ca = { 0 };
	struct diag diag = { "refused" };

	snprintf(id.name, sizeof(id.name), "%s", msg->u.enroll.name);
	pki_secret_hash(msg->u.enroll.secret, hash);
	if (!s->ops.enroll(s->ctx, id.name, hash, &id.kind, &diag) ||
	    id.kind == PKI_CONTROLLER ||
	    issue(s, &id, &msg->u.enroll.csr, &cert, &diag) < 0) {
		diag_prepend(&diag, "enrolment of %s", id.name);
		south_session_refuse(ss, now_ms, diag.text);
		wr_fini(&cert);
		return;
	}
	wr_bytes(&ca, s->config.ca, s->config.ca_len);
	reply.u.enrolled.certificate = (struct agent_blob){ cert.data, cert.len };
	reply.u.enrolled.ca = (struct agent_blob){ ca.data, ca.len };
	south_session_send(ss, &reply, now_ms);
	wr_fini(&cert);
	wr_fini(&ca);
	s->totals.enrolled++;
	south_session_end(ss, now_ms, false, "enrolled");
}

/* Another certificate of the agent's own kind, or one for its relay; always for
 * the name that its present certificate proves. The bound keeps an agent that
 * is out of its mind from filling the database. */
static int may_certify(struct south_session *ss, enum pki_kind kind, int64_t now_ms,
		       struct diag *diag)
{
	struct south_router *r = ss->router;
	enum pki_kind own = ss->cert.id.kind;

	if (kind != own && !(own == PKI_ROUTER && kind == PKI_RELAY))
		return diag_set(diag, "an agent of kind %s gets no %s certificate", pki_kind_name(own),
				pki_kind_name(kind));
	if (r->certified == 0 || now_ms - r->certified_ms >= DAY_MS) {
		r->certified_ms = now_ms;
		r->certified = 0;
	}
	if (r->certified >= SOUTH_CERTIFY_MAX)
		return diag_set(diag, "%d certificates were asked for within a day",
				SOUTH_CERTIFY_MAX);
	r->certified++;
	return 0;
}

void south_certify(struct south_session *ss, const struct agent_msg *msg, int64_t now_ms)
{
	struct agent_msg reply = { .type = AGENT_MSG_CERTIFIED };
	struct pki_identity id = { .kind = msg->u.certify.kind };
	struct south *s = ss->south;
	struct wr cert = { 0 };
	struct diag diag;

	memcpy(id.name, ss->cert.id.name, sizeof(id.name));
	reply.u.certified.kind = id.kind;
	if (may_certify(ss, id.kind, now_ms, &diag) < 0 ||
	    issue(s, &id, &msg->u.certify.csr, &cert, &diag) < 0) {
		south_note(s, true, "agent %s: no %s certificate: %s", id.name,
			   pki_kind_name(id.kind), diag.text);
		snprintf(reply.u.certified.error, sizeof(reply.u.certified.error), "%.*s",
			 AGENT_TEXT_SIZE - 1, diag.text);
	} else {
		reply.u.certified.certificate = (struct agent_blob){ cert.data, cert.len };
		s->totals.certified++;
	}
	south_session_send(ss, &reply, now_ms);
	wr_fini(&cert);
}
