/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IKE in the clear: what decodes lies in the message, and every decoder of a
 * payload's body holds its bounds on any bytes.
 */
#include <string.h>

#include "ipsec/ike/identity.h"
#include "ipsec/ike/message.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/proposal.h"
#include "ipsec/ike/ts.h"
#include "tests/fuzz/fuzz_assert.h"

static void is_inside(const struct ike_bytes *bytes, const struct rd *body)
{
	HOLDS(bytes->len == 0 || (bytes->data >= body->p && bytes->data + bytes->len <= body->end));
}

static void try_proposals(struct rd body)
{
	static struct ike_proposals proposals, again;
	struct wr wr = { 0 };

	if (ike_proposals_decode(body, &proposals) != 0)
		return;
	HOLDS(proposals.n <= IKE_PROPOSALS_MAX);
	for (unsigned int i = 0; i < proposals.n; i++) {
		char text[1024];

		HOLDS(proposals.list[i].n_transforms <= IKE_TRANSFORMS_MAX);
		ike_proposal_format(&proposals.list[i], text, sizeof(text));
		HOLDS(memchr(text, 0, sizeof(text)));
	}
	ike_proposals_encode(&proposals, &wr);
	/* unknown attributes are not kept, so it need not be the same bytes */
	HOLDS(ike_proposals_decode(rd_init(wr.data, wr.len), &again) == 0 && again.n == proposals.n);
	wr_fini(&wr);
}

static void try_selectors(struct rd body)
{
	static struct ike_ts_list ts, narrow;
	char text[IKE_TS_TEXT];

	if (ike_ts_decode(body, &ts) != 0)
		return;
	HOLDS(ts.n <= IKE_TS_MAX);
	for (unsigned int i = 0; i < ts.n; i++)
		HOLDS(memchr(ike_ts_format(&ts.list[i], text), 0, sizeof(text)));
	ike_ts_narrow(&ts, &ts, &narrow);
	HOLDS(ike_ts_list_covers(&ts, &narrow));
}

static void try_identity(struct rd body)
{
	struct ike_id_payload id;
	struct ike_identity identity;
	char text[IKE_IDENTITY_TEXT];

	if (ike_id_decode(body, &id) != 0)
		return;
	is_inside(&id.data, &body);
	if (ike_identity_from_payload(&id, &identity) != 0)
		return;
	ike_identity_format(&identity, text);
	HOLDS(memchr(text, 0, sizeof(text)));
}

/* The type chooses the decoder in the engine; here each sees each body. */
static void try_all(struct rd body)
{
	struct ike_ke ke;
	struct ike_cert cert;
	struct ike_auth auth;
	struct ike_bytes nonce;
	struct ike_notify notify;
	struct ike_delete delete;
	struct ike_cfg cfg;

	try_proposals(body);
	try_selectors(body);
	try_identity(body);
	if (ike_ke_decode(body, &ke) == 0)
		is_inside(&ke.value, &body);
	if (ike_cert_decode(body, &cert) == 0)
		is_inside(&cert.data, &body);
	if (ike_auth_decode(body, &auth) == 0)
		is_inside(&auth.data, &body);
	if (ike_nonce_decode(body, &nonce) == 0) {
		is_inside(&nonce, &body);
		HOLDS(nonce.len >= IKE_NONCE_MIN && nonce.len <= IKE_NONCE_MAX);
	}
	if (ike_notify_decode(body, &notify) == 0) {
		is_inside(&notify.data, &body);
		HOLDS(ike_notify_name(notify.type));
	}
	if (ike_delete_decode(body, &delete) == 0)
		HOLDS(delete.n <= IKE_DELETE_MAX);
	if (ike_cfg_decode(body, &cfg) == 0)
		for (unsigned int i = 0; i < cfg.n; i++)
			is_inside(&cfg.items[i].value, &body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ike_payloads payloads;
	struct ike_header header;
	struct rd rd = rd_init(data, size);
	uint8_t bad = 0;

	try_all(rd_init(data, size));
	if (ike_header_decode(data, size, &header) != IKE_DECODED)
		return 0;
	HOLDS(header.len == size);
	rd_skip(&rd, IKE_HEADER_SIZE);
	if (ike_payloads_decode(header.next, rd, &payloads, &bad) != IKE_DECODED)
		return 0;
	HOLDS(payloads.n <= IKE_PAYLOADS_MAX);
	for (unsigned int i = 0; i < payloads.n; i++) {
		HOLDS(payloads.list[i].body.p >= data && payloads.list[i].body.end <= data + size);
		try_all(payloads.list[i].body);
	}
	return 0;
}
