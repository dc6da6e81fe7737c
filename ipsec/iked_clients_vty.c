/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "memory.h"
#include "vty.h"

#include "ipsec/ike/ts.h"
#include "ipsec/iked.h"
#include "ipsec/iked_clients.h"
#include "ipsec/iked_clients_vty.h"
#include "ipsec/iked_write_vty.h"

#define CLIENT_HELP "A client of this tunnel, with its identity and its prefixes\nName of the client\n"

static int failed(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING_CONFIG_FAILED;
}

/* A copy of the client that a line is about; "no" makes none. */
static bool client_edit(struct vty *vty, const char *name, bool make, struct iked_tunnel *copy)
{
	const char *of = iked_vty_tunnel(vty);
	const struct iked_tunnel *client;
	struct diag diag;

	client = make ? iked_client_get(&iked.config, of, name, &diag) : iked_client_find(&iked.config, of, name);
	if (!client && !make && iked_tunnel_of_node(&iked.config, of, &diag))
		diag_set(&diag, "tunnel %s has no client %s", of, name);
	if (!client) {
		(void)failed(vty, &diag);
		return false;
	}
	*copy = *client;
	return true;
}

/* A line that is refused leaves no client that has nothing. */
static int refused(struct vty *vty, const char *name, const struct diag *diag)
{
	const struct iked_tunnel *c = iked_tunnel_find(&iked.config, name);
	struct diag ignored;

	if (c && !c->has_remote_id && c->t.remote_ts->n == 0 && !c->own_device[0] && !c->own_psk[0] && !c->t.pool.len)
		(void)iked_tunnel_del(&iked.config, name, &ignored);
	return failed(vty, diag);
}

static int client_done(struct vty *vty, const struct iked_tunnel *copy)
{
	struct diag diag;

	if (iked_client_put(&iked.config, copy, &diag) != 0)
		return refused(vty, copy->t.name, &diag);
	iked_changed();
	return CMD_SUCCESS;
}

DEFUN(no_client, no_client_cmd, "no client NAME", NO_STR CLIENT_HELP)
{
	struct iked_tunnel copy;
	struct diag diag;

	if (!client_edit(vty, argv[2]->arg, false, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	if (iked_tunnel_del(&iked.config, copy.t.name, &diag) != 0)
		return failed(vty, &diag);
	iked_changed();
	return CMD_SUCCESS;
}

DEFUN(client_identity, client_identity_cmd, "client NAME identity LINE...",
      CLIENT_HELP "Who it is\nfqdn NAME, email USER@NAME, key-id TEXT or dn C=..,CN=..\n")
{
	char *text = argv_concat(argv, argc, 3);
	struct ike_identity id;
	struct iked_tunnel copy;
	struct diag diag;
	int ret = ike_identity_parse(text, &id, &diag);

	XFREE(MTYPE_TMP, text);
	if (ret == 0 && id.type == 0)
		ret = diag_set(&diag, "a client is somebody: \"any\" is for the tunnel itself");
	if (ret != 0)
		return failed(vty, &diag);
	if (!client_edit(vty, argv[1]->arg, true, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	copy.t.remote_id = id;
	copy.has_remote_id = true;
	return client_done(vty, &copy);
}

static bool prefix_parse(struct vty *vty, const char *text, struct ike_ts *out)
{
	char right[IP_TEXT_SIZE];
	struct ip_prefix p;

	switch (ip_prefix_parse(text, &p)) {
	case IP_PARSE_OK:
		*out = ike_ts_of_prefix(&p);
		return true;
	case IP_PARSE_HOST_BITS:
		vty_out(vty, "%% %s has host bits set; did you mean %s?\n", text, ip_prefix_format(&p, right));
		return false;
	case IP_PARSE_SYNTAX:
		break;
	}
	vty_out(vty, "%% %s is no prefix\n", text);
	return false;
}

#define PREFIX_HELP "Addresses that are its: what it may send from, and what is sent to it\nIPv4 prefix\nIPv6 prefix\n"

DEFUN(client_prefix, client_prefix_cmd, "client NAME prefix <A.B.C.D/M|X:X::X:X/M>", CLIENT_HELP PREFIX_HELP)
{
	struct ike_ts_list list;
	struct iked_tunnel copy;
	struct ike_ts ts;

	if (!prefix_parse(vty, argv[3]->arg, &ts) || !client_edit(vty, argv[1]->arg, true, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	memcpy(&list, copy.t.remote_ts, ike_ts_list_bytes(copy.t.remote_ts));
	for (unsigned i = 0; i < list.n; i++)
		if (ike_ts_covers(&list.list[i], &ts))
			return CMD_SUCCESS;
	if (list.n == IKE_TS_MAX) {
		vty_out(vty, "%% %d prefixes are the most\n", IKE_TS_MAX);
		return CMD_WARNING_CONFIG_FAILED;
	}
	list.list[list.n++] = ts;
	copy.t.remote_ts = &list;
	return client_done(vty, &copy);
}

DEFUN(no_client_prefix, no_client_prefix_cmd, "no client NAME prefix <A.B.C.D/M|X:X::X:X/M>", NO_STR CLIENT_HELP PREFIX_HELP)
{
	struct ike_ts_list list = { 0 };
	struct iked_tunnel copy;
	struct ike_ts ts;

	if (!prefix_parse(vty, argv[4]->arg, &ts) || !client_edit(vty, argv[2]->arg, false, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	for (unsigned i = 0; i < copy.t.remote_ts->n; i++) {
		const struct ike_ts *one = &copy.t.remote_ts->list[i];

		if (!ike_ts_covers(one, &ts) || !ike_ts_covers(&ts, one))
			list.list[list.n++] = *one;
	}
	copy.t.remote_ts = &list;
	return client_done(vty, &copy);
}

#define ADDRESS_HELP "An inner address that it is given when it asks for one, always the same\nIPv4 address\nIPv6 address\n"

DEFUN(client_address, client_address_cmd, "client NAME address <A.B.C.D|X:X::X:X>", CLIENT_HELP ADDRESS_HELP)
{
	struct iked_tunnel copy;
	struct ip_addr addr;

	if (!ip_addr_parse(argv[3]->arg, &addr) || addr.v == 0) {
		vty_out(vty, "%% %s is no address that a host could have\n", argv[3]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	if (!client_edit(vty, argv[1]->arg, true, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	copy.t.pool = ip_prefix_make((enum ip_family)addr.family, addr.v, ip_bits((enum ip_family)addr.family));
	return client_done(vty, &copy);
}

DEFUN(no_client_address, no_client_address_cmd, "no client NAME address [<A.B.C.D|X:X::X:X>]", NO_STR CLIENT_HELP ADDRESS_HELP)
{
	struct iked_tunnel copy;

	if (!client_edit(vty, argv[2]->arg, false, &copy))
		return CMD_WARNING_CONFIG_FAILED;
	memset(&copy.t.pool, 0, sizeof(copy.t.pool));
	return client_done(vty, &copy);
}

/* A text that a client has of its own, its interface or its key's file; "" takes it away. */
static int set_own(struct vty *vty, const char *name, bool psk, const char *text)
{
	struct iked_tunnel copy;
	char *own = psk ? copy.own_psk : copy.own_device;

	if (!client_edit(vty, name, text[0] != '\0', &copy))
		return CMD_WARNING_CONFIG_FAILED;
	/* all of it, for digests */
	memset(own, 0, psk ? sizeof(copy.own_psk) : sizeof(copy.own_device));
	memcpy(own, text, strlen(text));
	return client_done(vty, &copy);
}

#define DEVICE_HELP "An interface of its own, so that it may have addresses that others have too\nName of the interface\n"

DEFUN(client_device, client_device_cmd, "client NAME device IFNAME", CLIENT_HELP DEVICE_HELP)
{
	if (strlen(argv[3]->arg) >= IKED_IFNAME) {
		vty_out(vty, "%% \"%s\" is not an interface name\n", argv[3]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	return set_own(vty, argv[1]->arg, false, argv[3]->arg);
}

DEFUN(no_client_device, no_client_device_cmd, "no client NAME device [IFNAME]", NO_STR CLIENT_HELP DEVICE_HELP)
{
	return set_own(vty, argv[2]->arg, false, "");
}

#define PSK_HELP "Its own pre-shared key\nIs in a file, which only the signer reads\nA file in the directory of keys (--keys)\n"

DEFUN(client_psk, client_psk_cmd, "client NAME psk file FILE", CLIENT_HELP PSK_HELP)
{
	struct diag diag;

	if (iked_file_check(argv[4]->arg, &diag) != 0)
		return failed(vty, &diag);
	return set_own(vty, argv[1]->arg, true, argv[4]->arg);
}

DEFUN(no_client_psk, no_client_psk_cmd, "no client NAME psk file [FILE]", NO_STR CLIENT_HELP PSK_HELP)
{
	return set_own(vty, argv[2]->arg, true, "");
}

static void write_client(struct vty *vty, const struct iked_tunnel *c)
{
	char text[IKE_IDENTITY_TEXT];

	if (c->has_remote_id)
		vty_out(vty, " client %s identity %s\n", c->t.name, ike_identity_format(&c->t.remote_id, text));
	if (c->own_device[0])
		vty_out(vty, " client %s device %s\n", c->t.name, c->own_device);
	if (c->own_psk[0])
		vty_out(vty, " client %s psk file %s\n", c->t.name, c->own_psk);
	if (c->t.pool.len)
		vty_out(vty, " client %s address %s\n", c->t.name,
			ip_addr_format(&(struct ip_addr){ c->t.pool.v, c->t.pool.family }, text));
	for (unsigned i = 0; i < c->t.remote_ts->n; i++)
		vty_out(vty, " client %s prefix %s\n", c->t.name, ike_ts_format(&c->t.remote_ts->list[i], text));
}

void iked_write_clients(struct vty *vty, const struct iked_tunnel *of)
{
	unsigned left = of->n_clients;

	for (const struct iked_tunnel *t = of->next; t && left; t = t->next)
		if (strcmp(t->of, of->t.name) == 0) {
			write_client(vty, t);
			left--;
		}
}

/* libfrr checks the constancy of both arguments, hence a macro. */
#define IN_TUNNEL(cmd) install_element((enum node_type)TUNNEL_NODE_SAV, &cmd)

void iked_clients_vty_init(void)
{
	IN_TUNNEL(client_identity_cmd);
	IN_TUNNEL(client_prefix_cmd);
	IN_TUNNEL(no_client_prefix_cmd);
	IN_TUNNEL(client_address_cmd);
	IN_TUNNEL(no_client_address_cmd);
	IN_TUNNEL(client_device_cmd);
	IN_TUNNEL(no_client_device_cmd);
	IN_TUNNEL(client_psk_cmd);
	IN_TUNNEL(no_client_psk_cmd);
	IN_TUNNEL(no_client_cmd);
}
