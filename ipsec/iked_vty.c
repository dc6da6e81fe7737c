/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Links and tunnels in configuration mode.
 */
#include "lib/frr_compat.h"

#include <ctype.h>

#include "command.h"
#include "memory.h"
#include "qobj.h"
#include "vty.h"

#include "ipsec/ike/ts.h"
#include "ipsec/iked.h"
#include "ipsec/iked_clients_vty.h"
#include "ipsec/iked_write_vty.h"
#include "lib/mem.h"

/* What the commands of a node are about. Kept for ever, one for each name ever
 * typed: a VTY may stay in the node of a thing that is gone. */
struct place {
	struct place *next;
	int node;
	char name[IKE_TUNNEL_NAME];
	QOBJ_FIELDS;
};
DECLARE_QOBJ_TYPE(place);
DEFINE_QOBJ_TYPE(place);

static struct place *places;

static int failed(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

static int enter(struct vty *vty, int node, const char *name)
{
	struct place *place = places;

	while (place && (place->node != node || strcmp(place->name, name) != 0))
		place = place->next;
	if (!place) {
		place = mem_alloc(sizeof(*place));
		place->node = node;
		snprintf(place->name, sizeof(place->name), "%s", name);
		place->next = places;
		places = place;
		QOBJ_REG(place, place);
	}
	VTY_PUSH_CONTEXT(node, place);
	return CMD_SUCCESS;
}

static bool is_no(struct cmd_token *argv[])
{
	return strcmp(argv[0]->text, "no") == 0;
}

/* ---- links */

static bool link_edit(struct vty *vty, struct iked_link *copy)
{
	VTY_DECLVAR_CONTEXT(place, place);
	const struct iked_link *link = iked_link_find(&iked.config, place->name);

	if (link)
		*copy = *link;
	else
		vty_out(vty, "%% link %s is gone: type \"exit\"\n", place->name);
	return link != NULL;
}

static int link_done(struct vty *vty, const struct iked_link *copy)
{
	struct diag diag;

	if (iked_link_put(&iked.config, copy, &diag) != 0)
		return failed(vty, &diag);
	iked_links_changed();
	iked_changed();
	return CMD_SUCCESS;
}

DEFUN_NOSH(link_begin, link_begin_cmd, "link NAME",
	   "A link to a provider: its tunnels use its address\nName of the link\n")
{
	struct diag diag;

	if (!iked_link_get(&iked.config, argv[1]->arg, &diag))
		return failed(vty, &diag);
	return enter(vty, LINK_NODE_SAV, argv[1]->arg);
}

DEFUN(no_link, no_link_cmd, "no link NAME", NO_STR "A link to a provider\nName of the link\n")
{
	struct diag diag;

	if (iked_link_del(&iked.config, argv[2]->arg, &diag) != 0)
		return failed(vty, &diag);
	iked_links_changed();
	return CMD_SUCCESS;
}

DEFUN(link_device, link_device_cmd, "device IFNAME",
      "The interface whose first address is used, if no source is given\nName of the interface\n")
{
	struct iked_link copy;

	if (!link_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (strlen(argv[1]->arg) >= sizeof(copy.device)) {
		vty_out(vty, "%% \"%s\" is not an interface name\n", argv[1]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	snprintf(copy.device, sizeof(copy.device), "%s", argv[1]->arg);
	return link_done(vty, &copy);
}

DEFUN(no_link_device, no_link_device_cmd, "no device [IFNAME]",
      NO_STR "The interface whose first address is used\nName of the interface\n")
{
	struct iked_link copy;

	if (!link_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	copy.device[0] = '\0';
	return link_done(vty, &copy);
}

DEFUN(link_source, link_source_cmd, "[no] source <A.B.C.D|X:X::X:X>",
      NO_STR "The address that packets have; one of each family\nIPv4 address\nIPv6 address\n")
{
	struct iked_link copy;
	struct ip_addr addr;

	if (!link_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (!ip_addr_parse(argv[argc - 1]->arg, &addr) || !ike_addr_is_host(&addr)) {
		vty_out(vty, "%% \"%s\" is not an address to send from\n", argv[argc - 1]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	copy.has_source[addr.family] = !is_no(argv);
	copy.source[addr.family] = addr;
	return link_done(vty, &copy);
}

DEFUN(link_mark, link_mark_cmd, "mark WORD",
      "Mark of this link's own packets, for ip rule\nThe mark, as 131072 or 0x20000\n")
{
	const char *text = argv[1]->arg;
	char *end;
	unsigned long long mark = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 0) : 0;
	struct iked_link copy;

	if (!link_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (mark == 0 || mark > UINT32_MAX || *end != '\0') {
		vty_out(vty, "%% \"%s\" is no mark: 1 to 4294967295, or 0x1 to 0xffffffff\n", text);
		return CMD_WARNING_CONFIG_FAILED;
	}
	copy.mark = (uint32_t)mark;
	return link_done(vty, &copy);
}

DEFUN(no_link_mark, no_link_mark_cmd, "no mark [WORD]",
      NO_STR "Mark of this link's own packets\nThe mark\n")
{
	struct iked_link copy;

	if (!link_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	copy.mark = 0;
	return link_done(vty, &copy);
}

/* ---- tunnels */

static bool tunnel_edit(struct vty *vty, struct iked_tunnel *copy)
{
	VTY_DECLVAR_CONTEXT(place, place);
	struct diag diag;
	const struct iked_tunnel *tunnel = iked_tunnel_of_node(&iked.config, place->name, &diag);

	if (tunnel)
		*copy = *tunnel;
	else
		(void)failed(vty, &diag);
	return tunnel != NULL;
}

static int tunnel_done(struct vty *vty, const struct iked_tunnel *copy)
{
	struct diag diag;

	if (iked_tunnel_put(&iked.config, copy, &diag) != 0)
		return failed(vty, &diag);
	iked_changed();
	return CMD_SUCCESS;
}

DEFUN_NOSH(tunnel_begin, tunnel_begin_cmd, "tunnel NAME", "A tunnel to one peer, or to many peers alike\nName of the tunnel\n")
{
	struct diag diag;

	if (!iked_tunnel_get(&iked.config, argv[1]->arg, &diag) ||
	    !iked_tunnel_of_node(&iked.config, argv[1]->arg, &diag))
		return failed(vty, &diag);
	iked_changed();
	return enter(vty, TUNNEL_NODE_SAV, argv[1]->arg);
}

DEFUN(no_tunnel, no_tunnel_cmd, "no tunnel NAME", NO_STR "A tunnel\nName of the tunnel\n")
{
	struct diag diag;

	if (iked_tunnel_del(&iked.config, argv[2]->arg, &diag) != 0)
		return failed(vty, &diag);
	iked_changed();
	return CMD_SUCCESS;
}

const char *iked_vty_tunnel(struct vty *vty)
{
	const struct place *place = VTY_GET_CONTEXT(place);

	return place ? place->name : "";
}

/* A change of one value. */
#define EDIT(statement)                                      \
	do {                                                 \
		struct iked_tunnel copy;                     \
                                                             \
		if (!tunnel_edit(vty, &copy))                \
			return CMD_WARNING_CONFIG_FAILED;    \
		statement;                                   \
		return tunnel_done(vty, &copy);              \
	} while (0)

static const struct ike_tunnel *defaults(void)
{
	static struct ike_tunnel tunnel;

	if (tunnel.ike_rekey_s == 0)
		ike_tunnel_defaults(&tunnel);
	return &tunnel;
}

static uint32_t number(struct cmd_token *argv[], int i)
{
	return (uint32_t)strtoul(argv[i]->arg, NULL, 10);
}

DEFUN(tunnel_via, tunnel_via_cmd, "via NAME", "The link that this tunnel uses\nName of the link\n")
{
	EDIT(snprintf(copy.link, sizeof(copy.link), "%s", argv[1]->arg));
}

DEFUN(no_tunnel_via, no_tunnel_via_cmd, "no via [NAME]", NO_STR "The link that this tunnel uses\nName of the link\n")
{
	EDIT(copy.link[0] = '\0');
}

DEFUN(tunnel_peer, tunnel_peer_cmd, "peer address <A.B.C.D|X:X::X:X> [port (1-65535)]",
      "Where the peer is\nIts address; without one this side only answers\nIPv4 address\nIPv6 address\n"
      "UDP port\nUDP port, 500 if not given\n")
{
	EDIT(copy.t.remote_port = argc > 3 ? (uint16_t)number(argv, 4) : 0; if (!ip_addr_parse(argv[2]->arg, &copy.t.remote_addr) ||
									     !ike_addr_is_host(&copy.t.remote_addr)) {
		vty_out(vty, "%% \"%s\" is no peer's address\n", argv[2]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	});
}

DEFUN(no_tunnel_peer, no_tunnel_peer_cmd, "no peer address [<A.B.C.D|X:X::X:X> [port (1-65535)]]",
      NO_STR "Where the peer is\nIts address\nIPv4 address\nIPv6 address\nUDP port\nUDP port\n")
{
	EDIT(copy.t.remote_port = 0; copy.t.remote_addr = (struct ip_addr){ 0 });
}

/* ---- who */

DEFUN(tunnel_identity, tunnel_identity_cmd, "identity <local|remote> LINE...",
      "Who one is\nThis side\nThe peer\n"
      "fqdn NAME, email USER@NAME, key-id TEXT, dn C=..,CN=.., address ADDRESS; of the peer also any\n")
{
	bool local = strcmp(argv[1]->text, "local") == 0;
	struct iked_tunnel copy;
	struct diag diag;
	char *text;
	int ret;

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	text = argv_concat(argv, argc, 2);
	ret = ike_identity_parse(text, local ? &copy.t.local_id : &copy.t.remote_id, &diag);
	XFREE(MTYPE_TMP, text);
	if (ret == 0 && local && copy.t.local_id.type == 0)
		ret = diag_set(&diag, "this side is somebody: \"any\" is for the peer");
	if (ret != 0)
		return failed(vty, &diag);
	copy.has_remote_id = copy.has_remote_id || !local;
	return tunnel_done(vty, &copy);
}

DEFUN(tunnel_auth, tunnel_auth_cmd, "authentication <local|remote> <psk|cert|key>",
      "How one proves who one is\nThis side\nThe peer\nA pre-shared key\nA certificate\nA public key that is known\n")
{
	static const struct {
		const char *word;
		enum ike_auth_kind kind;
	} words[] = { { "psk", IKE_KIND_PSK }, { "cert", IKE_KIND_CERT }, { "key", IKE_KIND_RAW } };
	bool local = strcmp(argv[1]->text, "local") == 0;
	enum ike_auth_kind kind = IKE_KIND_PSK;

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(words[i].word, argv[2]->text) == 0)
			kind = words[i].kind;
	EDIT(if (local) {
		copy.t.local_auth = kind;
		copy.has_local_auth = true;
	} else {
		copy.t.remote_auth = kind;
		copy.has_remote_auth = true;
	});
}

static int set_file(struct vty *vty, size_t offset, const char *name)
{
	struct iked_tunnel copy;
	struct diag diag;

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (name && iked_file_check(name, &diag) != 0)
		return failed(vty, &diag);
	snprintf((char *)&copy + offset, PROC_PATH_MAX, "%s", name ? name : "");
	return tunnel_done(vty, &copy);
}

/* Adds to a list, or takes out; NULL: all. */
static int change_files(struct vty *vty, size_t offset, const char *name, bool add)
{
	struct iked_tunnel copy;
	struct iked_files *files = (struct iked_files *)((char *)&copy + offset);
	struct diag diag;
	unsigned kept = 0;

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (add && iked_file_check(name, &diag) != 0)
		return failed(vty, &diag);
	for (unsigned i = 0; i < files->n; i++)
		if (name && strcmp(files->name[i], name) != 0)
			memmove(files->name[kept++], files->name[i], PROC_PATH_MAX);
	for (unsigned i = kept; i < files->n; i++)
		memset(files->name[i], 0, PROC_PATH_MAX);
	files->n = kept;
	if (add && files->n == IKED_FILES_MAX) {
		vty_out(vty, "%% %d files are the most; one file may hold several certificates\n", IKED_FILES_MAX);
		return CMD_WARNING_CONFIG_FAILED;
	}
	if (add)
		snprintf(files->name[files->n++], PROC_PATH_MAX, "%s", name);
	return tunnel_done(vty, &copy);
}

#define FILE_HELP "A file in the directory of keys (--keys)\n"

DEFUN(tunnel_psk, tunnel_psk_cmd, "psk file FILE", "The pre-shared key\nIs in a file, which only the signer reads\n" FILE_HELP)
{
	return set_file(vty, offsetof(struct iked_tunnel, psk), argv[2]->arg);
}

DEFUN(no_tunnel_psk, no_tunnel_psk_cmd, "no psk file [FILE]", NO_STR "The pre-shared key\nIs in a file\n" FILE_HELP)
{
	return set_file(vty, offsetof(struct iked_tunnel, psk), NULL);
}

DEFUN(tunnel_own_file, tunnel_own_file_cmd, "local <certificate|key> FILE",
      "This side\nCertificate and its chain, or the public key, in PEM\nThe private key, which only the signer reads\n" FILE_HELP)
{
	bool key = strcmp(argv[1]->text, "key") == 0;

	return set_file(vty, key ? offsetof(struct iked_tunnel, key) : offsetof(struct iked_tunnel, cert), argv[2]->arg);
}

DEFUN(no_tunnel_own_file, no_tunnel_own_file_cmd, "no local <certificate|key> [FILE]",
      NO_STR "This side\nCertificate and its chain, or the public key\nThe private key\n" FILE_HELP)
{
	bool key = strcmp(argv[2]->text, "key") == 0;

	return set_file(vty, key ? offsetof(struct iked_tunnel, key) : offsetof(struct iked_tunnel, cert), NULL);
}

static size_t list_offset(const char *word)
{
	return strcmp(word, "ca") == 0	? offsetof(struct iked_tunnel, ca) :
	       strcmp(word, "crl") == 0 ? offsetof(struct iked_tunnel, crl) :
					  offsetof(struct iked_tunnel, peer);
}

DEFUN(tunnel_peer_file, tunnel_peer_file_cmd, "remote <ca|crl|key> FILE",
      "The peer\nCertificates of CAs that vouch for it, PEM\nRevocation lists, one of each CA, PEM\nIts public key, PEM\n" FILE_HELP)
{
	return change_files(vty, list_offset(argv[1]->text), argv[2]->arg, true);
}

DEFUN(no_tunnel_peer_file, no_tunnel_peer_file_cmd, "no remote <ca|crl|key> [FILE]",
      NO_STR "The peer\nCertificates of CAs that vouch for it\nRevocation lists\nIts public key\n" FILE_HELP)
{
	return change_files(vty, list_offset(argv[2]->text), argc > 3 ? argv[3]->arg : NULL, false);
}

/* ---- what */

DEFUN(tunnel_selector, tunnel_selector_cmd, "selector <local|remote> LINE...",
      "Which packets the tunnel carries\nTheir address on this side\nTheir address on the peer's\n"
      "PREFIX [proto PROTOCOL [port PORT[-PORT]]]\n")
{
	bool local = strcmp(argv[1]->text, "local") == 0;
	struct iked_tunnel copy;
	const struct ike_ts_list **at = local ? &copy.t.local_ts : &copy.t.remote_ts;
	struct ike_ts_list list;
	struct diag diag;
	struct ike_ts ts;
	char *text;
	int ret;

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	text = argv_concat(argv, argc, 2);
	ret = ike_ts_parse(text, &ts, &diag);
	XFREE(MTYPE_TMP, text);
	if (ret != 0)
		return failed(vty, &diag);
	memcpy(&list, *at, ike_ts_list_bytes(*at));
	for (unsigned i = 0; i < list.n; i++)
		if (ike_ts_covers(&list.list[i], &ts) && ike_ts_covers(&ts, &list.list[i]))
			return CMD_SUCCESS;
	if (list.n == IKE_TS_MAX) {
		vty_out(vty, "%% %d selectors are the most\n", IKE_TS_MAX);
		return CMD_WARNING_CONFIG_FAILED;
	}
	list.list[list.n++] = ts;
	*at = &list;
	return tunnel_done(vty, &copy);
}

static int drop_selectors(struct vty *vty, bool local, const struct ike_ts *one)
{
	struct iked_tunnel copy;
	const struct ike_ts_list **at = local ? &copy.t.local_ts : &copy.t.remote_ts;
	struct ike_ts_list list = { 0 };

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	for (unsigned i = 0; one && i < (*at)->n; i++)
		if (!ike_ts_covers(&(*at)->list[i], one) || !ike_ts_covers(one, &(*at)->list[i]))
			list.list[list.n++] = (*at)->list[i];
	*at = &list;
	return tunnel_done(vty, &copy);
}

DEFUN(no_tunnel_selector, no_tunnel_selector_cmd, "no selector <local|remote> LINE...",
      NO_STR "Which packets the tunnel carries\nThis side\nThe peer\nOne of them\n")
{
	char *text = argv_concat(argv, argc, 3);
	struct ike_ts ts;
	struct diag diag;
	int ret = ike_ts_parse(text, &ts, &diag);

	XFREE(MTYPE_TMP, text);
	return ret != 0 ? failed(vty, &diag) : drop_selectors(vty, strcmp(argv[2]->text, "local") == 0, &ts);
}

DEFUN(no_tunnel_selectors, no_tunnel_selectors_cmd, "no selector <local|remote>",
      NO_STR "Which packets the tunnel carries: none\nThis side\nThe peer\n")
{
	return drop_selectors(vty, strcmp(argv[2]->text, "local") == 0, NULL);
}

/* ---- how */

DEFUN(tunnel_proposal, tunnel_proposal_cmd, "proposal <ike|esp> LINE...",
      "Algorithms; the first proposal replaces the defaults\nOf the IKE SA\nOf the packets\n"
      "As aes256gcm16-prfsha384-x25519; alternatives of one kind side by side\n")
{
	bool ike = strcmp(argv[1]->text, "ike") == 0;
	struct iked_tunnel copy;
	const struct ike_proposals **at = ike ? &copy.t.ike : &copy.t.esp;
	struct ike_proposals list = { 0 };
	bool *own = ike ? &copy.own_ike : &copy.own_esp;
	struct ike_proposal proposal;
	struct diag diag;
	char *text;
	int ret;

	if (!tunnel_edit(vty, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	text = argv_concat(argv, argc, 2);
	ret = ike_proposal_parse(text, ike ? IKE_PROTO_IKE : IKE_PROTO_ESP, &proposal, &diag);
	XFREE(MTYPE_TMP, text);
	if (ret != 0)
		return failed(vty, &diag);
	if (*own)
		memcpy(&list, *at, ike_proposals_bytes(*at));
	if (list.n == IKE_PROPOSALS_MAX) {
		vty_out(vty, "%% %d proposals are the most\n", IKE_PROPOSALS_MAX);
		return CMD_WARNING_CONFIG_FAILED;
	}
	*own = true;
	proposal.number = (uint8_t)(list.n + 1);
	list.list[list.n++] = proposal;
	*at = &list;
	return tunnel_done(vty, &copy);
}

DEFUN(no_tunnel_proposal, no_tunnel_proposal_cmd, "no proposal <ike|esp>",
      NO_STR "Algorithms: back to the defaults\nOf the IKE SA\nOf the packets\n")
{
	if (strcmp(argv[2]->text, "ike") == 0)
		EDIT(copy.t.ike = defaults()->ike; copy.own_ike = false);
	EDIT(copy.t.esp = defaults()->esp; copy.own_esp = false);
}

DEFUN(tunnel_mode, tunnel_mode_cmd, "mode <tunnel|transport>",
      "What is inside\nWhole packets\nWhat one host sends another\n")
{
	EDIT(copy.t.transport = strcmp(argv[1]->text, "transport") == 0);
}

DEFUN(tunnel_nat, tunnel_nat_cmd, "nat <auto|force|refuse>",
      "NATs on the path\nPackets go in UDP if there is one\nPackets always go in UDP\nNo tunnel if there is one\n")
{
	enum ike_nat_policy nat = argv[1]->text[0] == 'f' ? IKE_NAT_FORCE : argv[1]->text[0] == 'r' ? IKE_NAT_REFUSE : IKE_NAT_AUTO;

	EDIT(copy.t.nat = nat);
}

DEFUN(tunnel_begin_port, tunnel_begin_port_cmd, "begin-port <500|4500>",
      "The port that IKE begins on\nAs RFC 7296 says\nAt once where NATs leave it alone\n")
{
	EDIT(copy.t.start_natt = strcmp(argv[1]->text, "4500") == 0);
}

DEFUN(tunnel_keepalive, tunnel_keepalive_cmd, "keepalive (5-3600)",
      "Behind a NAT, a byte keeps its mapping\nAfter so many seconds without a packet\n")
{
	EDIT(copy.t.keepalive_s = number(argv, 1));
}

DEFUN(no_tunnel_keepalive, no_tunnel_keepalive_cmd, "no keepalive [(5-3600)]",
      NO_STR "Behind a NAT, a byte keeps its mapping\nSeconds\n")
{
	EDIT(copy.t.keepalive_s = 0);
}

DEFUN(tunnel_liveness, tunnel_liveness_cmd, "liveness (1-86400)",
      "Ask whether the peer lives\nAfter so many seconds without a packet from it\n")
{
	EDIT(copy.t.liveness_s = number(argv, 1));
}

DEFUN(no_tunnel_liveness, no_tunnel_liveness_cmd, "no liveness [(1-86400)]", NO_STR "Ask whether the peer lives\nSeconds\n")
{
	EDIT(copy.t.liveness_s = 0);
}

DEFUN(tunnel_lifetime, tunnel_lifetime_cmd, "lifetime <ike|esp> (60-604800)",
      "When new keys are made\nOf the IKE SA\nOf the packets\nSeconds\n")
{
	if (strcmp(argv[1]->text, "ike") == 0)
		EDIT(copy.t.ike_rekey_s = number(argv, 2));
	EDIT(copy.t.child_rekey_s = number(argv, 2));
}

DEFUN(no_tunnel_lifetime, no_tunnel_lifetime_cmd, "no lifetime <ike|esp> [(60-604800)]",
      NO_STR "When new keys are made: back to the default\nOf the IKE SA\nOf the packets\nSeconds\n")
{
	if (strcmp(argv[2]->text, "ike") == 0)
		EDIT(copy.t.ike_rekey_s = defaults()->ike_rekey_s);
	EDIT(copy.t.child_rekey_s = defaults()->child_rekey_s);
}

DEFUN(tunnel_reauth, tunnel_reauth_cmd, "reauthentication (300-31536000)",
      "Authenticate anew, on an SA beside the old one\nSeconds\n")
{
	EDIT(copy.t.reauth_s = number(argv, 1));
}

DEFUN(no_tunnel_reauth, no_tunnel_reauth_cmd, "no reauthentication [(300-31536000)]", NO_STR "Authenticate anew\nSeconds\n")
{
	EDIT(copy.t.reauth_s = 0);
}

DEFUN(tunnel_fragment, tunnel_fragment_cmd, "fragment-size (576-9000)",
      "Long IKE messages go in pieces (RFC 7383)\nBytes of the largest IP packet\n")
{
	EDIT(copy.t.fragment_bytes = (uint16_t)number(argv, 1));
}

DEFUN(no_tunnel_fragment, no_tunnel_fragment_cmd, "no fragment-size [(576-9000)]",
      NO_STR "Long IKE messages go whole, in IP fragments\nBytes\n")
{
	EDIT(copy.t.fragment_bytes = 0);
}

DEFUN(tunnel_mobike, tunnel_mobike_cmd, "[no] mobike", NO_STR "Follow a change of addresses by RFC 4555\n")
{
	EDIT(copy.t.mobike = !is_no(argv));
}

DEFUN(tunnel_childless, tunnel_childless_cmd, "childless <allow|force|never>",
      "IKE_AUTH without a child SA (RFC 6023)\nAnswer it\nNothing else\nRefuse it\n")
{
	enum ike_childless childless = argv[1]->text[0] == 'f' ? IKE_CHILDLESS_FORCE :
				       argv[1]->text[0] == 'n' ? IKE_CHILDLESS_NEVER :
								 IKE_CHILDLESS_ALLOW;

	EDIT(copy.t.childless = childless);
}

DEFUN(tunnel_request_address, tunnel_request_address_cmd, "[no] request-address", NO_STR "Ask the peer for an inner address\n")
{
	EDIT(copy.t.request_address = !is_no(argv));
}

DEFUN(tunnel_pool, tunnel_pool_cmd, "pool <A.B.C.D/M|X:X::X:X/M>",
      "Give peers an inner address from here\nIPv4 prefix\nIPv6 prefix\n")
{
	struct ip_prefix pool;

	if (ip_prefix_parse(argv[1]->arg, &pool) != IP_PARSE_OK || pool.len == 0 || pool.len + 2 > (int)ip_bits((enum ip_family)pool.family)) {
		vty_out(vty, "%% \"%s\": a prefix without host bits, with room for some addresses\n", argv[1]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	EDIT(copy.t.pool = pool);
}

DEFUN(no_tunnel_pool, no_tunnel_pool_cmd, "no pool [<A.B.C.D/M|X:X::X:X/M>]",
      NO_STR "Give peers an inner address\nIPv4 prefix\nIPv6 prefix\n")
{
	EDIT(memset(&copy.t.pool, 0, sizeof(copy.t.pool)));
}

DEFUN(tunnel_shared, tunnel_shared_cmd, "[no] shared-identity",
      NO_STR "Several peers have the remote identity: a new one does not end the others' SAs\n")
{
	EDIT(copy.t.shared_identity = !is_no(argv));
}

DEFUN(tunnel_start, tunnel_start_cmd, "start <auto|trap|add>",
      "Who begins\nThis side, and keeps it up\nThis side, with the first packet for it\nThe peer, or ipsec up\n")
{
	enum iked_start start = argv[1]->text[1] == 'u' ? IKED_AUTO : argv[1]->text[0] == 't' ? IKED_TRAP : IKED_ADD;

	EDIT(copy.start = start);
}

DEFUN(tunnel_datapath, tunnel_datapath_cmd, "datapath <auto|user|kernel>",
      "What carries packets; the same for all tunnels of a link\nThe kernel's ESP if it works here, else sav-esp\n"
      "The process sav-esp\nThe kernel's ESP\n")
{
	const char *word = argv[1]->text;

	EDIT(copy.datapath = strcmp(word, "kernel") == 0 ? IKED_DATAPATH_KERNEL :
			     strcmp(word, "user") == 0	 ? IKED_DATAPATH_USER :
							   IKED_DATAPATH_AUTO);
}

DEFUN(tunnel_protect, tunnel_protect_cmd, "protect",
      "What the selectors name never leaves in clear, also while the tunnel is down\n")
{
	EDIT(copy.carry = false);
}

DEFUN(tunnel_carry, tunnel_carry_cmd, "carry", "What the selectors name may go another way while the tunnel is down\n")
{
	EDIT(copy.carry = true);
}

DEFUN(tunnel_device, tunnel_device_cmd, "device IFNAME [mtu (576-65000)]",
      "The tunnel's interface, made for it\nIts name; that of the tunnel if not given\nLargest inner packet\nBytes, 1400 if not given\n")
{
	if (strlen(argv[1]->arg) >= IKED_IFNAME) {
		vty_out(vty, "%% \"%s\" is not an interface name\n", argv[1]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	EDIT(snprintf(copy.device, sizeof(copy.device), "%s", argv[1]->arg); copy.mtu = argc > 2 ? number(argv, 3) : 0);
}

DEFUN(tunnel_ipip, tunnel_ipip_cmd, "ipip local <A.B.C.D|X:X::X:X> remote <A.B.C.D|X:X::X:X>",
      "IP in IP inside ESP, for a peer that only knows policies\nThis side's end\nIPv4 address\nIPv6 address\n"
      "The peer's end\nIPv4 address\nIPv6 address\n")
{
	struct esp_ipip ipip;

	if (!ip_addr_parse(argv[2]->arg, &ipip.local) || !ip_addr_parse(argv[4]->arg, &ipip.remote) || ipip.local.v == 0 ||
	    ipip.remote.v == 0) {
		vty_out(vty, "%% ipip: both ends are addresses of hosts\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	EDIT(copy.ipip = ipip);
}

DEFUN(no_tunnel_ipip, no_tunnel_ipip_cmd, "no ipip [local <A.B.C.D|X:X::X:X> remote <A.B.C.D|X:X::X:X>]",
      NO_STR "IP in IP inside ESP\nThis side's end\nIPv4 address\nIPv6 address\nThe peer's end\nIPv4 address\nIPv6 address\n")
{
	EDIT(copy.ipip = (struct esp_ipip){ 0 });
}

DEFUN(no_tunnel_device, no_tunnel_device_cmd, "no device [IFNAME [mtu (576-65000)]]",
      NO_STR "The tunnel's interface: named as the tunnel\nIts name\nLargest inner packet\nBytes\n")
{
	EDIT(copy.device[0] = '\0'; copy.mtu = 0);
}

/* ---- nodes */

static struct cmd_node link_node = {
	.name = "link",
	.node = (enum node_type)LINK_NODE_SAV,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-link)# ",
	.config_write = iked_write_links,
};
static struct cmd_node tunnel_node = {
	.name = "tunnel",
	.node = (enum node_type)TUNNEL_NODE_SAV,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-tunnel)# ",
	.config_write = iked_write_tunnels,
};

/* libfrr checks the constancy of both arguments, hence macros. */
#define IN_LINK(cmd) install_element((enum node_type)LINK_NODE_SAV, &cmd)
#define IN_TUNNEL(cmd) install_element((enum node_type)TUNNEL_NODE_SAV, &cmd)

static void install_link(void)
{
	install_node(&link_node);
	install_default((enum node_type)LINK_NODE_SAV);
	install_element(CONFIG_NODE, &link_begin_cmd);
	install_element(CONFIG_NODE, &no_link_cmd);
	IN_LINK(link_device_cmd);
	IN_LINK(no_link_device_cmd);
	IN_LINK(link_source_cmd);
	IN_LINK(link_mark_cmd);
	IN_LINK(no_link_mark_cmd);
}

void iked_vty_init(void)
{
	install_link();
	install_node(&tunnel_node);
	install_default((enum node_type)TUNNEL_NODE_SAV);
	install_element(CONFIG_NODE, &tunnel_begin_cmd);
	install_element(CONFIG_NODE, &no_tunnel_cmd);
	IN_TUNNEL(tunnel_via_cmd);
	IN_TUNNEL(no_tunnel_via_cmd);
	IN_TUNNEL(tunnel_peer_cmd);
	IN_TUNNEL(no_tunnel_peer_cmd);
	IN_TUNNEL(tunnel_identity_cmd);
	IN_TUNNEL(tunnel_auth_cmd);
	IN_TUNNEL(tunnel_psk_cmd);
	IN_TUNNEL(no_tunnel_psk_cmd);
	IN_TUNNEL(tunnel_own_file_cmd);
	IN_TUNNEL(no_tunnel_own_file_cmd);
	IN_TUNNEL(tunnel_peer_file_cmd);
	IN_TUNNEL(no_tunnel_peer_file_cmd);
	IN_TUNNEL(tunnel_selector_cmd);
	IN_TUNNEL(no_tunnel_selector_cmd);
	IN_TUNNEL(no_tunnel_selectors_cmd);
	IN_TUNNEL(tunnel_proposal_cmd);
	IN_TUNNEL(no_tunnel_proposal_cmd);
	IN_TUNNEL(tunnel_mode_cmd);
	IN_TUNNEL(tunnel_nat_cmd);
	IN_TUNNEL(tunnel_begin_port_cmd);
	IN_TUNNEL(tunnel_keepalive_cmd);
	IN_TUNNEL(no_tunnel_keepalive_cmd);
	IN_TUNNEL(tunnel_liveness_cmd);
	IN_TUNNEL(no_tunnel_liveness_cmd);
	IN_TUNNEL(tunnel_lifetime_cmd);
	IN_TUNNEL(no_tunnel_lifetime_cmd);
	IN_TUNNEL(tunnel_reauth_cmd);
	IN_TUNNEL(no_tunnel_reauth_cmd);
	IN_TUNNEL(tunnel_fragment_cmd);
	IN_TUNNEL(no_tunnel_fragment_cmd);
	IN_TUNNEL(tunnel_mobike_cmd);
	IN_TUNNEL(tunnel_childless_cmd);
	IN_TUNNEL(tunnel_request_address_cmd);
	IN_TUNNEL(tunnel_pool_cmd);
	IN_TUNNEL(no_tunnel_pool_cmd);
	IN_TUNNEL(tunnel_shared_cmd);
	IN_TUNNEL(tunnel_start_cmd);
	IN_TUNNEL(tunnel_datapath_cmd);
	IN_TUNNEL(tunnel_protect_cmd);
	IN_TUNNEL(tunnel_carry_cmd);
	IN_TUNNEL(tunnel_device_cmd);
	IN_TUNNEL(no_tunnel_device_cmd);
	IN_TUNNEL(tunnel_ipip_cmd);
	IN_TUNNEL(no_tunnel_ipip_cmd);
	iked_clients_vty_init();
}
