/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * nft_rules - the rules of an edge's chain and of the base chain.
 *
 * What a packet meets, in this order: base chain (decrypted IPsec steps
 * aside, the interface's name selects an edge), then in the edge's chain the
 * accepted addresses (nft_parts.h), the fixed exceptions, sample, count and
 * drop. The addresses come first because nearly every honest packet ends there.
 */
#ifndef SAV_NFT_RULES_H
#define SAV_NFT_RULES_H

#include "agents/nft_parts.h"
#include "agents/nft_txn.h"
#include "lib/filter.h"

#define RULES_BASE_CHAIN   "prerouting"
#define RULES_MAP	   "edges"
#define RULES_SAMPLE_BYTES 128 /* of a packet: headers, not people's data */

/* Objects of which an edge has one per family or more. */
enum rules_object {
	RULES_ACCEPT,	 /* set: what the controller says */
	RULES_DROP,	 /* or its complement */
	RULES_CONNECTED, /* set: subnets of the interface */
	RULES_PEER,	 /* set: configured peers */
	RULES_SPLIT,	 /* map: from addresses to the chains of the parts */
	RULES_PART,	 /* chain: looks into one part of a large list */
	RULES_OBJECTS
};

enum rules_counter {
	RULES_COUNT_ACCEPT,
	RULES_COUNT_DROP,
	RULES_COUNT_EXCEPT,
	RULES_COUNTERS
};

/* Names of an edge's objects. '/' cannot be in an interface name, so they are
 * unambiguous, and nft(8) reads them back. Most carry a version: a fresh one
 * is filled under a new name. */
struct rules_name {
	enum rules_object object;
	enum ip_family family;
	char interface[FILTER_IFNAME_SIZE];
	uint64_t version;
};
void rules_chain_name(const char *interface, char name[TXN_NAME_SIZE]);
void rules_name(enum rules_object object, enum ip_family family, const char *interface,
		uint64_t version, char name[TXN_NAME_SIZE]);
/* false: not such a name */
bool rules_name_parse(const char *text, struct rules_name *name);
void rules_counter_name(enum rules_counter counter, const char *interface,
			char name[TXN_NAME_SIZE]);

/* Where the accepted addresses of a family are. */
struct rules_accept {
	enum kernel_shape shape;
	uint64_t map; /* version of the split map; 0: a single set */
	uint64_t set; /* version of that */
};

struct rules_edge {
	const char *interface;
	struct rules_accept accept[IP_FAMILIES];
	uint64_t others; /* version of the connected and peer sets */
	enum filter_action action;
	unsigned int sample_group;
	const char *comment; /* kept at the last rule */
};

struct rules_base {
	bool brake;   /* one rule: everything passes */
	bool secpath; /* this kernel knows decrypted packets */
};

/* Adds the rules to an empty chain. */
void rules_put_edge(struct txn *t, const struct rules_edge *e);
/* The rule of a part's chain. */
void rules_put_part(struct txn *t, const char *interface, enum ip_family family,
		    enum kernel_shape shape, const struct part *part);
void rules_put_base(struct txn *t, const struct rules_base *b);
/* One rule with the part in question, to see whether this kernel takes it. */
enum rules_part {
	RULES_PART_ROUTE,   /* fib */
	RULES_PART_SECPATH, /* meta secpath */
	RULES_PART_SAMPLE,  /* limit, log to NFLOG */
};
void rules_put_probe(struct txn *t, const char *chain, enum rules_part part);
/* Empties a chain. */
void rules_flush(struct txn *t, const char *chain);

/* Text by which rules are compared with what the kernel has; malloc'ed. */
char *rules_edge_text(const struct rules_edge *e);
char *rules_part_text(const char *interface, enum ip_family family,
		      enum kernel_shape shape, uint64_t set);
char *rules_base_text(const struct rules_base *b);
/* The same of a chain in the kernel, and the last comment (may be empty).
 * 0 or a negative errno. */
#define RULES_COMMENT_SIZE 128
int rules_read(struct mnl_socket *nl, const char *chain, char **text,
	       char comment[RULES_COMMENT_SIZE]);

#endif /* SAV_NFT_RULES_H */
