/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ike_flood - IKE_SA_INIT requests from as many addresses as a prefix has.
 *
 * usage: ike_flood --to ADDRESS --from PREFIX --rate N --seconds S
 *
 * PREFIX must be local here (ip route add local PREFIX dev lo): each packet says
 * for itself which address it comes from, so nobody there ever answers. Prints
 * one line of JSON: how many were sent, and how many a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ipsec/ike/message.h"
#include "ipsec/ike/payload.h"
#include "ipsec/ike/proposal.h"
#include "ipsec/crypto.h"
#include "lib/ip.h"

#define BATCH 64

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A request that anybody would answer, but for its SPI and nonce, which differ. */
static void request(struct ike_writer *w)
{
	static struct ike_proposals proposals;
	const struct ike_header header = { .spi_i = { 1 }, .exchange = IKE_SA_INIT, .flags = IKE_FLAG_INITIATOR };
	uint8_t value[32], nonce[32];
	struct crypto_dh *dh = crypto_dh_new(DH_X25519);
	struct diag diag;
	size_t begun;

	if (!dh || ike_proposal_parse("aes256gcm16-prfsha256-x25519", IKE_PROTO_IKE, &proposals.list[0], &diag) != 0)
		exit(2);
	proposals.n = proposals.list[0].number = 1;
	crypto_dh_public(dh, value);
	crypto_random(nonce, sizeof(nonce));
	ike_writer_init_header(w, &header);
	begun = ike_payload_begin(w, IKE_PL_SA);
	ike_proposals_encode(&proposals, &w->wr);
	ike_payload_end(w, begun);
	ike_ke_encode(w, DH_X25519, value, sizeof(value));
	ike_nonce_encode(w, nonce, sizeof(nonce));
	ike_writer_finish(w);
	crypto_dh_free(dh);
}

static struct batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint8_t data[BATCH][512];
	union {
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct cmsghdr align;
	} control[BATCH];
} batch;

static void batch_init(const struct ike_writer *w, struct sockaddr_in *to)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &batch.msgs[i].msg_hdr;
		struct cmsghdr *c;

		memcpy(batch.data[i], w->wr.data, w->wr.len);
		batch.iov[i] = (struct iovec){ batch.data[i], w->wr.len };
		m->msg_name = to;
		m->msg_namelen = sizeof(*to);
		m->msg_iov = &batch.iov[i];
		m->msg_iovlen = 1;
		m->msg_control = batch.control[i].bytes;
		m->msg_controllen = sizeof(batch.control[i].bytes);
		c = CMSG_FIRSTHDR(m);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
	}
}

static void batch_next(const struct ip_prefix *from, size_t len)
{
	static uint64_t number;
	uint32_t hosts = (uint32_t)((1ULL << (32 - from->len)) - 2);

	for (unsigned i = 0; i < BATCH; i++) {
		struct in_pktinfo info = { 0 };

		number++;
		info.ipi_spec_dst.s_addr = htonl((uint32_t)from->v + 1 + (uint32_t)(number * 2654435761u) % hosts);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&batch.msgs[i].msg_hdr)), &info, sizeof(info));
		memcpy(batch.data[i], &number, sizeof(number));
		memcpy(batch.data[i] + len - sizeof(number), &number, sizeof(number));
	}
}

int main(int argc, char **argv)
{
	struct ip_addr to_addr;
	struct ip_prefix from;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(IKE_PORT) };
	uint64_t began = now_us(), sent = 0, rate, seconds, passed = 0;
	struct ike_writer w;
	int fd;

	if (argc != 9 || strcmp(argv[1], "--to") || strcmp(argv[3], "--from") || strcmp(argv[5], "--rate") ||
	    strcmp(argv[7], "--seconds") || !ip_addr_parse(argv[2], &to_addr) || ip_prefix_parse(argv[4], &from) != 0 ||
	    (rate = strtoull(argv[6], NULL, 10)) == 0 || (seconds = strtoull(argv[8], NULL, 10)) == 0) {
		fprintf(stderr, "usage: ike_flood --to ADDRESS --from PREFIX --rate N --seconds S\n");
		return 2;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ip_to_bytes(to_addr.v, IP_V4, (uint8_t *)&to.sin_addr);
	request(&w);
	batch_init(&w, &to);
	while (passed < seconds * 1000000) {
		if (sent < rate * passed / 1000000) {
			int n;

			batch_next(&from, w.wr.len);
			n = sendmmsg(fd, batch.msgs, BATCH, 0);
			if (n < 0 && errno != ENOBUFS && errno != EAGAIN) {
				perror("ike_flood: sendmmsg");
				return 2;
			}
			sent += n > 0 ? (uint64_t)n : 0;
		} else {
			nanosleep(&(struct timespec){ 0, 200000 }, NULL);
		}
		passed = now_us() - began;
	}
	ike_writer_fini(&w);
	printf("{\"sent\": %llu, \"per_second\": %llu}\n", (unsigned long long)sent, (unsigned long long)(sent * 1000000 / passed));
	return 0;
}
