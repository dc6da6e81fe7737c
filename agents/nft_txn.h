/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_txn - one nftables transaction, and the queries beside it.
 *
 * Messages are collected and sent by one system call, so that the kernel
 * takes all of them or none. Each message carries a note of what it does,
 * because the kernel's answer names no more than a sequence number.
 */
#ifndef SAV_NFT_TXN_H
#define SAV_NFT_TXN_H

#include <arpa/inet.h>
#include <stdbool.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>

#include "lib/diag.h"

#define TXN_TABLE     "opensav"
#define TXN_NAME_SIZE 64 /* "connected6/" IFNAME "/" 64 bits of decimals */

struct txn;

struct txn *txn_new(void); /* with its begin message */
void txn_free(struct txn *t);

/* Room for one message of at most 64 KiB, header and nfgenmsg filled in. verb
 * is a literal ("add set"); name says to what. Ends with txn_put(). */
struct nlmsghdr *txn_get(struct txn *t, uint16_t type, uint16_t flags, const char *verb,
			 const char *name);
void txn_put(struct txn *t);
size_t txn_bytes(const struct txn *t);
bool txn_is_empty(const struct txn *t);

/* Sends; 0 when the kernel has committed, -1 when it refused (diag: which
 * message, why, what to do). *error is the errno of a refusal, may be NULL. */
int txn_commit(struct txn *t, struct mnl_socket *nl, int *error, struct diag *diag);

/* A dump or get request of family inet; fn sees each answer and returns 0 or a
 * negative errno. It is called with NULL first, and again when the rules changed
 * during the dump: start over. 0, or a negative errno (-ENOENT: not there). */
#define TXN_QUERY_BYTES 1024
struct nlmsghdr *txn_query(char buf[TXN_QUERY_BYTES], uint16_t type, uint16_t flags);
typedef int txn_answer_fn(const struct nlmsghdr *nlh, void *arg);
int txn_ask(struct mnl_socket *nl, struct nlmsghdr *query, txn_answer_fn *fn, void *arg);
/* Every transaction of anybody adds one to it; 0: the kernel does not say. */
uint32_t txn_generation(struct mnl_socket *nl);

#endif /* SAV_NFT_TXN_H */
