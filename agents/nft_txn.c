/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_txn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>

#include "lib/mem.h"

#define MESSAGE_BYTES 65536
#define TXN_MAX_BYTES (1u << 30) /* some 12 million IPv6 prefixes */
#define ANSWER_BYTES  65536
#define DUMP_TRIES    16

struct note {
	const char *verb;
	char name[TXN_NAME_SIZE];
};

struct txn {
	uint8_t *buf;
	size_t len, cap;
	struct note *notes; /* index: sequence number */
	uint32_t seq, cap_notes;
};

static struct nlmsghdr *header(void *at, uint16_t type, uint16_t flags, uint32_t seq,
			       uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
	return nlh;
}

static struct nlmsghdr *reserve(struct txn *t, const char *verb, const char *name)
{
	if (t->cap - t->len < MESSAGE_BYTES) {
		t->cap = t->cap * 2 + 4 * MESSAGE_BYTES;
		t->buf = mem_realloc(t->buf, t->cap, 1);
	}
	if (t->seq == t->cap_notes) {
		t->cap_notes = t->cap_notes * 2 + 64;
		t->notes = mem_realloc(t->notes, t->cap_notes, sizeof(*t->notes));
	}
	t->notes[t->seq].verb = verb;
	snprintf(t->notes[t->seq].name, TXN_NAME_SIZE, "%s", name);
	return (struct nlmsghdr *)(t->buf + t->len);
}

struct nlmsghdr *txn_get(struct txn *t, uint16_t type, uint16_t flags, const char *verb,
			 const char *name)
{
	struct nlmsghdr *at = reserve(t, verb, name);

	return header(at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, t->seq,
		      NFPROTO_INET, 0);
}

void txn_put(struct txn *t)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(t->buf + t->len);

	t->len += MNL_ALIGN(nlh->nlmsg_len);
	t->seq++;
}

static void put_edge(struct txn *t, uint16_t type, const char *verb)
{
	struct nlmsghdr *at = reserve(t, verb, "");

	header(at, type, 0, t->seq, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	txn_put(t);
}

struct txn *txn_new(void)
{
	struct txn *t = mem_alloc(sizeof(*t));

	put_edge(t, NFNL_MSG_BATCH_BEGIN, "commit");
	return t;
}

void txn_free(struct txn *t)
{
	free(t->buf);
	free(t->notes);
	free(t);
}

size_t txn_bytes(const struct txn *t)
{
	return t->len;
}

bool txn_is_empty(const struct txn *t)
{
	return t->seq == 1; /* its begin message */
}

static const char *remedy(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "another program owns table inet opensav (\"nft list tables\" shows "
		       "it: end that program), or the agent lacks CAP_NET_ADMIN here";
	case ENOMEM:
	case ENOBUFS:
	case EMSGSIZE:
		return "the kernel has not enough memory for a set of this size";
	case EEXIST:
	case ENOENT:
	case EBUSY:
	case ENOTEMPTY:
		return "somebody else changed table inet " TXN_TABLE
		       "; it is rebuilt from the last good state";
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case EINVAL:
		return "this kernel lacks a part of nftables (nf_tables, nft_fib_inet, "
		       "nft_limit, nft_log)";
	default:
		return "the last good state stays";
	}
}

/* The kernel's own words, if it has any (NETLINK_EXT_ACK). */
static const char *kernel_words(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	mnl_attr_for_each(attr, nlh, (unsigned int)skip)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

struct verdict {
	bool acked;
	int error; /* the first one */
};

static void judge(const struct txn *t, const struct nlmsghdr *nlh, struct verdict *v,
		  struct diag *diag)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	const struct note *note;
	const char *words;

	if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq >= t->seq)
		return;
	if (err->error == 0) {
		if (nlh->nlmsg_seq == t->seq - 2)
			v->acked = true;
		return;
	}
	if (v->error != 0)
		return; /* what follows the first is mostly its consequence */
	v->error = -err->error;
	note = &t->notes[nlh->nlmsg_seq];
	words = kernel_words(nlh);
	diag_set(diag, "nftables refused to %s %s: %s%s%s; %s", note->verb, note->name,
		 strerror(v->error), words ? ": " : "", words ? words : "",
		 remedy(v->error));
}

/* The kernel works inside sendto(): all answers are there when it returns. */
static void collect(struct txn *t, struct mnl_socket *nl, struct verdict *v,
		    struct diag *diag)
{
	char *buf = mem_alloc(ANSWER_BYTES);
	ssize_t got;

	for (;;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int left;

		got = recv(mnl_socket_get_fd(nl), buf, ANSWER_BYTES, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (got <= 0)
			break;
		for (left = (int)got; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			judge(t, nlh, v, diag);
	}
	free(buf);
}

/* The last message asks for an answer: no error is not yet a success. */
static void ask_for_ack(struct txn *t)
{
	struct nlmsghdr *nlh = NULL;
	size_t at = 0;

	while (at < t->len) {
		nlh = (struct nlmsghdr *)(t->buf + at);
		at += MNL_ALIGN(nlh->nlmsg_len);
	}
	if (nlh)
		nlh->nlmsg_flags |= NLM_F_ACK;
}

int txn_commit(struct txn *t, struct mnl_socket *nl, int *error, struct diag *diag)
{
	struct verdict v = { 0 };
	int bytes = (int)(t->len + 4096);

	if (error)
		*error = 0;
	if (txn_is_empty(t))
		return 0;
	if (t->len > TXN_MAX_BYTES) {
		if (error)
			*error = EMSGSIZE;
		return diag_set(diag,
				"the change needs %zu MiB in one transaction; the "
				"limit is %u MiB",
				t->len >> 20, TXN_MAX_BYTES >> 20);
	}
	ask_for_ack(t);
	put_edge(t, NFNL_MSG_BATCH_END, "commit");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
		   sizeof(bytes));
	if (mnl_socket_sendto(nl, t->buf, t->len) < 0) {
		v.error = errno;
		diag_set(diag, "cannot send %zu KiB to nftables: %s; %s", t->len >> 10,
			 strerror(v.error), remedy(v.error));
	} else {
		collect(t, nl, &v, diag);
		if (v.error == 0 && !v.acked) {
			v.error = EPROTO;
			diag_set(diag,
				 "nftables did not confirm a transaction of %u messages",
				 t->seq);
		}
	}
	if (error)
		*error = v.error;
	return v.error ? -1 : 0;
}

struct nlmsghdr *txn_query(char buf[TXN_QUERY_BYTES], uint16_t type, uint16_t flags)
{
	return header(buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, 0,
		      NFPROTO_INET, 0);
}

/* 1 more to come, 0 done. The dump is read to its end whatever happens: the
 * kernel answers EBUSY to the next one otherwise. */
static int answer(const struct nlmsghdr *nlh, const struct nlmsghdr *query, int *failed,
		  txn_answer_fn *fn, void *arg)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_seq != query->nlmsg_seq)
		return 1;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		*failed = -EINTR;
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 0;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		*failed = err->error;
		return 0;
	}
	if (*failed == 0)
		*failed = fn(nlh, arg);
	return query->nlmsg_flags & NLM_F_DUMP ? 1 : 0;
}

static int ask_once(struct mnl_socket *nl, struct nlmsghdr *query, char *buf,
		    txn_answer_fn *fn, void *arg)
{
	static uint32_t seq; /* with the top bit: never that of a transaction */
	int failed = 0, more = 1;

	query->nlmsg_seq = ++seq | 0x80000000u;
	if (mnl_socket_sendto(nl, query, query->nlmsg_len) < 0)
		return -errno;
	while (more) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		ssize_t got = mnl_socket_recvfrom(nl, buf, ANSWER_BYTES);
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; more && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			more = answer(nlh, query, &failed, fn, arg);
	}
	return failed;
}

int txn_ask(struct mnl_socket *nl, struct nlmsghdr *query, txn_answer_fn *fn, void *arg)
{
	char *buf = mem_alloc(ANSWER_BYTES);
	int rc = -EINTR;

	for (int i = 0; rc == -EINTR && i < DUMP_TRIES; i++) {
		fn(NULL, arg);
		rc = ask_once(nl, query, buf, fn, arg);
	}
	free(buf);
	return rc;
}

static int gen_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;

	if (!nlh)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(attr));
	}
	return 0;
}

uint32_t txn_generation(struct mnl_socket *nl)
{
	char buf[TXN_QUERY_BYTES];
	uint32_t gen = 0;

	txn_ask(nl, txn_query(buf, NFT_MSG_GETGEN, 0), gen_answer, &gen);
	return gen;
}
