/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec/host_impl.h"
#include "lib/mem.h"

#define KEY_IDS_MAX (16 * 20) /* of CAs in an answer to a stranger */

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	host_socket_send(ctx, path, data, len, false);
}

static void on_keepalive(void *ctx, const struct ike_path *path)
{
	static const uint8_t byte = 0xff;

	host_socket_send(ctx, path, &byte, 1, true);
}

static void on_sign(void *ctx, const struct ike_sign *sign)
{
	struct host *host = ctx;
	struct proc_sign message = { .id = sign->id, .psk = sign->psk, .prf = sign->prf, .hashes = sign->hashes };
	struct wr w = { 0 };

	if (!host->signer) {
		host->signer_gone++;
		return; /* IKE_AUTH ends by its own timer */
	}
	snprintf(message.tunnel, sizeof(message.tunnel), "%s", sign->tunnel);
	memcpy(message.octets, sign->octets, sizeof(message.octets));
	proc_sign_encode(&w, &message);
	proc_chan_send(host->signer, &w, -1);
}

static int on_verify(void *ctx, const struct ike_verify *verify, struct diag *diag)
{
	const struct host_creds *c = host_creds_find(ctx, ike_tunnel_keys(verify->tunnel));

	return c ? creds_verify(c->creds, verify, time(NULL), diag) :
		   diag_set(diag, "tunnel %s has no CA and no public key of the peer", verify->tunnel->name);
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	const struct host_creds *c = host_creds_find(ctx, ike_tunnel_keys(tunnel));

	if (c)
		creds_put_certs(c->creds, tunnel, w);
}

static void put_key_ids(struct ike_writer *w, const struct wr *ids)
{
	if (ids->len)
		ike_cert_encode(w, IKE_PL_CERTREQ, IKE_CERT_X509, ids->data, ids->len < KEY_IDS_MAX ? ids->len : KEY_IDS_MAX);
}

/* A responder does not know yet which tunnel it will be, and asks for what any
 * of them takes. It does so for every stranger, so the list is kept. */
static void put_all_key_ids(struct host *host, struct ike_writer *w)
{
	if (!host->key_ids_made) {
		wr_fini(&host->key_ids);
		for (unsigned i = 0; i < HOST_CREDS_BUCKETS; i++)
			for (struct host_creds *c = host->creds[i]; c && host->key_ids.len < KEY_IDS_MAX; c = c->next)
				creds_add_key_ids(c->creds, &host->key_ids);
		host->key_ids_made = true;
	}
	put_key_ids(w, &host->key_ids);
}

static void on_certreq(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	const struct host_creds *c = tunnel ? host_creds_find(ctx, ike_tunnel_keys(tunnel)) : NULL;
	struct wr ids = { 0 };

	if (!tunnel) {
		put_all_key_ids(ctx, w);
	} else if (c) {
		creds_add_key_ids(c->creds, &ids);
		put_key_ids(w, &ids);
		wr_fini(&ids);
	}
}

static uint32_t on_spi(void *ctx)
{
	return host_child_new(ctx);
}

static void esp_send(struct host *host, struct wr *w)
{
	if (host->esp)
		proc_chan_send(host->esp, w, -1);
	else
		wr_fini(w);
}

/* To the datapath that has the child: main's is the kernel. */
static void child_send(struct host *host, bool kernel, struct wr *w)
{
	if (kernel)
		proc_chan_send(host->main_chan, w, -1);
	else
		esp_send(host, w);
}

static bool is_kernel(struct host *host, uint32_t spi_in)
{
	const struct host_child *child = host_child_find(host, spi_in);

	return child && child->kernel;
}

static void child_send_spi(struct host *host, enum proc_type type, uint32_t spi_in)
{
	const struct proc_spi message = { spi_in };
	struct wr w = { 0 };

	proc_spi_encode(&w, type, &message);
	child_send(host, is_kernel(host, spi_in), &w);
}

static int on_child_add(void *ctx, const struct ike_child_sa *c)
{
	struct host *host = ctx;
	struct proc_child message; /* not from the heap, where it would leave holes between what stays */
	struct wr w = { 0 };
	bool kernel = host_socket_is_kernel(host, c->path.link);

	/* the keys are not kept for an esp that comes: it gets those of a new one */
	if (!kernel && (!host->esp || proc_chan_is_broken(host->esp))) {
		host_log(host, "tunnel %s: child SA %08x is agreed upon, and there is no datapath to carry it now", c->tunnel,
			 c->spi_in);
		host_child_add(host, c, false);
		return 0;
	}
	message = (struct proc_child){
		.spi_in = c->spi_in, .spi_out = c->spi_out, .replaces_in = c->replaces_in, .suite = c->suite.cipher,
		.esn = c->suite.esn, .encap = c->encap, .transport = c->transport, .no_tfc = c->no_tfc,
		.inbound_only = c->inbound_only, .in = *c->in, .out = *c->out, .path = c->path,
	};
	host_ts_copy(&message.local_ts, c->local_ts);
	host_ts_copy(&message.remote_ts, c->remote_ts);
	snprintf(message.tunnel, sizeof(message.tunnel), "%s", c->tunnel);
	proc_child_encode(&w, &message);
	crypto_wipe(&message, sizeof(message));
	child_send(host, kernel, &w);
	proc_plain_encode(&w, PROC_DONE);
	child_send(host, kernel, &w);
	host_socket_hold(host, kernel);
	host_child_add(host, c, true);
	return 0;
}

static void on_child_use(void *ctx, uint32_t spi_in)
{
	host_child_use(ctx, spi_in);
	child_send_spi(ctx, PROC_CHILD_USE, spi_in);
}

static void on_child_unuse(void *ctx, uint32_t spi_in)
{
	host_child_unuse(ctx, spi_in);
	child_send_spi(ctx, PROC_CHILD_UNUSE, spi_in);
}

static void on_child_move(void *ctx, uint32_t spi_in, const struct ike_path *path, bool encap)
{
	const struct proc_move message = { spi_in, *path, encap };
	struct wr w = { 0 };

	host_child_move(ctx, spi_in, path);
	proc_move_encode(&w, &message);
	child_send(ctx, is_kernel(ctx, spi_in), &w);
}

static void on_child_del(void *ctx, uint32_t spi_in)
{
	host_child_drop(ctx, spi_in);
}

static void on_child_retire(void *ctx, uint32_t spi_in)
{
	host_child_retire(ctx, spi_in);
}

static void on_child_yield(void *ctx, uint32_t spi_in)
{
	host_child_yield(ctx, spi_in);
}

void host_child_drop(struct host *host, uint32_t spi_in)
{
	child_send_spi(host, PROC_CHILD_DEL, spi_in);
	host_child_del(host, spi_in);
}

static void on_child_times(void *ctx, uint32_t spi_in, uint64_t *heard_ms, uint64_t *spoke_ms)
{
	const struct host_child *child = host_child_find(ctx, spi_in);

	if (!child)
		return;
	*heard_ms = child->heard_ms;
	*spoke_ms = child->spoke_ms;
}

static void on_event(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	host_tell(ctx, event, sa, tunnel, text);
}

const struct ike_ops host_ops = {
	.send = on_send, .keepalive = on_keepalive, .sign = on_sign, .verify = on_verify, .put_certs = on_certs,
	.put_certreq = on_certreq, .spi = on_spi, .child_add = on_child_add, .child_use = on_child_use,
	.child_unuse = on_child_unuse, .child_move = on_child_move, .child_del = on_child_del,
	.child_retire = on_child_retire, .child_yield = on_child_yield, .child_times = on_child_times, .event = on_event,
};
