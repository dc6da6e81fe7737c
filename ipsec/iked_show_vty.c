/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * show ipsec, and the operator's wishes.
 */
#include "lib/frr_compat.h"

#include "command.h"
#include "json.h"
#include "vty.h"

#include "ipsec/esp/esp_counters.h"
#include "ipsec/ike/ts.h"
#include "ipsec/iked_ipip.h"
#include "ipsec/iked_kernel.h"
#include "lib/digest.h"

#define JSON_HELP "JavaScript Object Notation\n"
#define IPSEC_HELP "IPsec tunnels\n"

static int failed(struct vty *vty, const struct diag *diag)
{
	vty_out(vty, "%% %s\n", diag->text);
	return CMD_WARNING;
}

static int print_json(struct vty *vty, struct json_object *json)
{
	vty_out(vty, "%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

/* ---- what ike tells, in a JSON list; the text is made of it */

struct telling {
	struct json_object *sas;
	struct json_object *last; /* the SA whose children come */
	struct json_object *counters;
};

static struct json_object *json_selectors(const struct ike_ts_list *list)
{
	struct json_object *json = json_object_new_array();
	char text[IKE_TS_TEXT];

	for (unsigned i = 0; i < list->n; i++)
		json_object_array_add(json, json_object_new_string(ike_ts_format(&list->list[i], text)));
	return json;
}

static const char *hex(const uint8_t spi[IKE_SPI_SIZE], char out[2 * IKE_SPI_SIZE + 1])
{
	digest_hex(spi, IKE_SPI_SIZE, out);
	return out;
}

/* -1: never */
static int64_t or_never(uint32_t seconds)
{
	return seconds == UINT32_MAX ? -1 : (int64_t)seconds;
}

static void on_sa(void *ctx, const struct proc_sa *sa)
{
	struct telling *telling = ctx;
	struct json_object *json = json_object_new_object();
	const struct iked_link *link = iked_link_by_number(&iked.config, sa->path.link);
	char text[IKE_IDENTITY_TEXT];

	json_object_string_add(json, "tunnel", sa->tunnel);
	json_object_string_add(json, "state", sa->state);
	json_object_string_add(json, "link", link ? link->name : "");
	json_object_boolean_add(json, "initiator", sa->initiator);
	json_object_string_add(json, "localIdentity", ike_identity_format(&sa->local_id, text));
	json_object_string_add(json, "remoteIdentity", ike_identity_format(&sa->remote_id, text));
	json_object_string_add(json, "local", ike_endpoint_format(&sa->path.local, text));
	json_object_string_add(json, "remote", ike_endpoint_format(&sa->path.remote, text));
	json_object_string_add(json, "initiatorSpi", hex(sa->spi_i, text));
	json_object_string_add(json, "responderSpi", hex(sa->spi_r, text));
	json_object_string_add(json, "suite", sa->suite);
	json_object_boolean_add(json, "natLocal", sa->nat_local);
	json_object_boolean_add(json, "natRemote", sa->nat_remote);
	json_object_boolean_add(json, "mobike", sa->mobike);
	json_object_boolean_add(json, "fragments", sa->fragments);
	json_object_int_add(json, "upSeconds", sa->up_s);
	json_object_int_add(json, "rekeyInSeconds", or_never(sa->rekey_in_s));
	telling->last = json_object_new_array();
	json_object_object_add(json, "children", telling->last);
	json_object_array_add(telling->sas, json);
}

/* What it carried, as the kernel knows, or sav-esp has counted, a second ago at most. */
static void put_use(struct json_object *json, const struct proc_child_row *child)
{
	struct proc_use use = child->use;
	struct xfrm_use in, out;
	bool kernel = iked_kernel_use(child->spi_in, &in, &out);

	if (kernel)
		use = (struct proc_use){ in.packets, in.bytes, out.packets, out.bytes, in.replays, in.bad_icv };
	json_object_int_add(json, "lastInSeconds", or_never(child->heard_s));
	json_object_int_add(json, "lastOutSeconds", or_never(child->spoke_s));
	json_object_string_add(json, "datapath", kernel ? "kernel" : "user");
	json_object_int_add(json, "packetsIn", (int64_t)use.packets_in);
	json_object_int_add(json, "bytesIn", (int64_t)use.bytes_in);
	json_object_int_add(json, "packetsOut", (int64_t)use.packets_out);
	json_object_int_add(json, "bytesOut", (int64_t)use.bytes_out);
	json_object_int_add(json, "replays", use.replays);
	json_object_int_add(json, "badIntegrity", use.bad_integrity);
	if (kernel)
		return;
	json_object_int_add(json, "badForm", use.bad_form);
	json_object_int_add(json, "badSelector", use.bad_selector);
	json_object_int_add(json, "congestion", use.congestion);
	json_object_int_add(json, "tooBig", use.too_big);
	json_object_int_add(json, "unsent", use.unsent);
}

static void on_child(void *ctx, const struct proc_child_row *child)
{
	struct telling *telling = ctx;
	struct json_object *json;
	char text[16];

	if (!telling->last)
		return; /* a child without an SA: ike is not itself */
	json = json_object_new_object();
	json_object_string_add(json, "state", child->state);
	snprintf(text, sizeof(text), "%08x", child->spi_in);
	json_object_string_add(json, "spiIn", text);
	snprintf(text, sizeof(text), "%08x", child->spi_out);
	json_object_string_add(json, "spiOut", text);
	json_object_string_add(json, "suite", child->suite);
	json_object_object_add(json, "localSelectors", json_selectors(&child->local_ts));
	json_object_object_add(json, "remoteSelectors", json_selectors(&child->remote_ts));
	json_object_int_add(json, "upSeconds", child->up_s);
	json_object_int_add(json, "rekeyInSeconds", or_never(child->rekey_in_s));
	put_use(json, child);
	json_object_array_add(telling->last, json);
}

static void on_counters(void *ctx, const struct ike_counters *c)
{
	struct telling *telling = ctx;
	struct json_object *json = json_object_new_object();

	json_object_int_add(json, "sas", c->sas);
	json_object_int_add(json, "halfOpen", c->half_open);
	json_object_int_add(json, "packets", (int64_t)c->packets);
	json_object_int_add(json, "truncated", (int64_t)c->truncated);
	json_object_int_add(json, "badVersion", (int64_t)c->bad_version);
	json_object_int_add(json, "badSyntax", (int64_t)c->bad_syntax);
	json_object_int_add(json, "badIntegrity", (int64_t)c->bad_integrity);
	json_object_int_add(json, "unknownSpi", (int64_t)c->unknown_spi);
	json_object_int_add(json, "badMessageId", (int64_t)c->bad_id);
	json_object_int_add(json, "cookiesSent", (int64_t)c->cookies_sent);
	json_object_int_add(json, "cookiesGood", (int64_t)c->cookies_good);
	json_object_int_add(json, "cookiesBad", (int64_t)c->cookies_bad);
	json_object_int_add(json, "halfOpenRefused", (int64_t)c->half_open_refused);
	json_object_int_add(json, "retransmits", (int64_t)c->retransmits);
	json_object_int_add(json, "duplicates", (int64_t)c->duplicates);
	json_object_int_add(json, "timeouts", (int64_t)c->timeouts);
	json_object_int_add(json, "repliesLimited", (int64_t)c->replies_limited);
	json_object_int_add(json, "peerRefused", (int64_t)c->peer_refused);
	if (telling->counters)
		json_object_free(telling->counters);
	telling->counters = json;
}

static int ask(const char *tunnel, struct telling *telling, struct diag *diag)
{
	const struct iked_rows rows = { on_sa, on_child, on_counters, telling };
	struct proc_command c = { .verb = PROC_SHOW };

	*telling = (struct telling){ .sas = json_object_new_array() };
	snprintf(c.tunnel, sizeof(c.tunnel), "%s", tunnel);
	return iked_command(&c, &rows, diag);
}

static void forget(struct telling *telling)
{
	json_object_free(telling->sas);
	if (telling->counters)
		json_object_free(telling->counters);
}

static const char *text_of(struct json_object *json, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(json, name));

	return text ? text : "";
}

static bool is_true(struct json_object *json, const char *name)
{
	return json_object_get_boolean(json_object_object_get(json, name));
}

static long long int_of(struct json_object *json, const char *name)
{
	return (long long)json_object_get_int64(json_object_object_get(json, name));
}

/* ---- show ipsec sa */

static void print_list(struct vty *vty, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		vty_out(vty, "%s%s", i ? ", " : "", json_object_get_string(json_object_array_get_idx(list, i)));
}

static void print_seconds(struct vty *vty, struct json_object *json)
{
	long long rekey = int_of(json, "rekeyInSeconds");

	vty_out(vty, "up %lld s", int_of(json, "upSeconds"));
	if (rekey >= 0)
		vty_out(vty, ", new keys in %lld s", rekey);
	vty_out(vty, "\n");
}

/* Which only sav-esp can tell, if there were any. */
static void print_other_drops(struct vty *vty, struct json_object *child)
{
	static const struct {
		const char *name, *text;
	} drops[] = {
		{ "badForm", "not well formed" },
		{ "badSelector", "with addresses that are not its own" },
		{ "congestion", "by congestion" },
		{ "tooBig", "too big" },
		{ "unsent", "not sent" },
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
		if (json_object_object_get(child, drops[i].name) && int_of(child, drops[i].name) > 0)
			vty_out(vty, "%s%lld %s", n++ ? ", " : "dropped: ", int_of(child, drops[i].name), drops[i].text);
	if (n)
		vty_out(vty, "\n    ");
}

static void print_last_use(struct vty *vty, struct json_object *child)
{
	long long in = int_of(child, "lastInSeconds"), out = int_of(child, "lastOutSeconds");

	if (in >= 0)
		vty_out(vty, "last in %lld s ago, ", in);
	if (out >= 0)
		vty_out(vty, "last out %lld s ago, ", out);
}

static void print_child(struct vty *vty, struct json_object *child)
{
	vty_out(vty, "  child %s, SPI %s in, %s out, %s\n    ", text_of(child, "state"), text_of(child, "spiIn"),
		text_of(child, "spiOut"), text_of(child, "suite"));
	print_list(vty, json_object_object_get(child, "localSelectors"));
	vty_out(vty, " to ");
	print_list(vty, json_object_object_get(child, "remoteSelectors"));
	vty_out(vty, "\n    ");
	vty_out(vty, "%s: %lld packets (%lld bytes) in, %lld (%lld) out, %lld replayed, %lld damaged\n    ",
		text_of(child, "datapath"), int_of(child, "packetsIn"), int_of(child, "bytesIn"),
		int_of(child, "packetsOut"), int_of(child, "bytesOut"), int_of(child, "replays"),
		int_of(child, "badIntegrity"));
	print_other_drops(vty, child);
	print_last_use(vty, child);
	print_seconds(vty, child);
}

static void print_sa(struct vty *vty, struct json_object *sa)
{
	struct json_object *children = json_object_object_get(sa, "children");

	vty_out(vty, "Tunnel %s: %s, %s by this side, link %s\n", text_of(sa, "tunnel"), text_of(sa, "state"),
		is_true(sa, "initiator") ? "begun" : "not begun", text_of(sa, "link"));
	vty_out(vty, "  %s at %s\n", text_of(sa, "localIdentity"), text_of(sa, "local"));
	vty_out(vty, "  %s at %s\n", text_of(sa, "remoteIdentity"), text_of(sa, "remote"));
	vty_out(vty, "  SPIs %s %s, %s%s%s%s\n  ", text_of(sa, "initiatorSpi"), text_of(sa, "responderSpi"), text_of(sa, "suite"),
		is_true(sa, "natLocal") ? ", we are behind a NAT" : "", is_true(sa, "natRemote") ? ", the peer is behind a NAT" : "",
		is_true(sa, "mobike") ? ", MOBIKE" : "");
	print_seconds(vty, sa);
	for (size_t i = 0; i < json_object_array_length(children); i++)
		print_child(vty, json_object_array_get_idx(children, i));
}

DEFUN(show_ipsec_sa, show_ipsec_sa_cmd, "show ipsec sa [json]", SHOW_STR IPSEC_HELP "Security associations, with their children\n" JSON_HELP)
{
	struct telling telling;
	struct diag diag;

	if (ask("", &telling, &diag) != 0) {
		forget(&telling);
		return failed(vty, &diag);
	}
	if (argc > 3) {
		if (telling.counters)
			json_object_free(telling.counters);
		return print_json(vty, telling.sas);
	}
	for (size_t i = 0; i < json_object_array_length(telling.sas); i++)
		print_sa(vty, json_object_array_get_idx(telling.sas, i));
	forget(&telling);
	return CMD_SUCCESS;
}

/* ---- show ipsec counters */

/* A line of the kernel's, of this network namespace; 0 if it has none. */
static int64_t xfrm_stat(const char *wanted)
{
	FILE *f = fopen("/proc/net/xfrm_stat", "re");
	long long value, found = 0;
	char name[64];

	while (f && fscanf(f, "%63s %lld", name, &value) == 2)
		if (strcmp(name, wanted) == 0)
			found = value;
	if (f)
		fclose(f);
	return found;
}

static void put_kernel_drops(struct json_object *json)
{
	json_object_int_add(json, "kernelUnknownSpi", xfrm_stat("XfrmInNoStates"));
	json_object_int_add(json, "kernelReplays", xfrm_stat("XfrmInStateSeqError"));
	json_object_int_add(json, "kernelBadIcv", xfrm_stat("XfrmInStateProtoError"));
	json_object_int_add(json, "kernelBadForm", xfrm_stat("XfrmInStateMismatch"));
	json_object_int_add(json, "kernelBadSelector", xfrm_stat("XfrmInNoPols"));
	json_object_int_add(json, "kernelOtherTunnel", xfrm_stat("XfrmInTmplMismatch"));
	json_object_int_add(json, "kernelNoSa", xfrm_stat("XfrmOutNoStates"));
}

DEFUN(show_ipsec_counters, show_ipsec_counters_cmd, "show ipsec counters [json]",
      SHOW_STR IPSEC_HELP "What strangers and time did, and the processes\n" JSON_HELP)
{
	struct telling telling;
	struct diag diag;

	if (ask("-", &telling, &diag) != 0 || !telling.counters) {
		forget(&telling);
		return failed(vty, &diag);
	}
	json_object_int_add(telling.counters, "ikeRestarts", iked_helper_restarts(PROC_IKE));
	json_object_int_add(telling.counters, "signerRestarts", iked_helper_restarts(PROC_SIGNER));
	json_object_int_add(telling.counters, "espRestarts", iked_helper_restarts(PROC_ESP));
	json_object_int_add(telling.counters, "ikeProcess", iked_helper_pid(PROC_IKE));
	json_object_int_add(telling.counters, "signerProcess", iked_helper_pid(PROC_SIGNER));
	json_object_int_add(telling.counters, "espProcess", iked_helper_pid(PROC_ESP));
	for (unsigned i = 0; i < iked_esp_counters()->n && esp_counter_name(i); i++)
		json_object_int_add(telling.counters, esp_counter_name(i), (int64_t)iked_esp_counters()->list[i]);
	put_kernel_drops(telling.counters);
	json_object_free(telling.sas);
	if (argc > 3)
		return print_json(vty, telling.counters);
	{
		json_object_object_foreach(telling.counters, name, value)
			vty_out(vty, "%-18s %s\n", name, json_object_get_string(value));
	}
	json_object_free(telling.counters);
	return CMD_SUCCESS;
}

/* ---- show ipsec tunnel */

/* By tunnel: "up" if one SA is, else the state of one. */
static struct json_object *states_of(struct json_object *sas)
{
	struct json_object *states = json_object_new_object();

	for (size_t i = 0; i < json_object_array_length(sas); i++) {
		struct json_object *sa = json_object_array_get_idx(sas, i);

		if (strcmp(text_of(states, text_of(sa, "tunnel")), "up") != 0)
			json_object_string_add(states, text_of(sa, "tunnel"), text_of(sa, "state"));
	}
	return states;
}

static const char *state_of(const struct iked_tunnel *t, struct json_object *states)
{
	const char *state = text_of(states, t->t.name);

	if (state[0])
		return state;
	return iked_tunnel_missing(&iked.config, t) ? "unfinished" : iked_tunnel_is_frame(t) ? "clients" : "down";
}

static const char *wrong_with(const struct iked_tunnel *t)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);

	if (iked_tunnel_error(t->t.name)[0])
		return iked_tunnel_error(t->t.name);
	return link ? iked_link_error(link) : "";
}

static struct json_object *json_tunnel(const struct iked_tunnel *t, struct json_object *states)
{
	struct json_object *json = json_object_new_object();
	const char *missing = iked_tunnel_missing(&iked.config, t);
	char text[IKE_IDENTITY_TEXT], device[IKED_IFNAME];

	json_object_string_add(json, "name", t->t.name);
	json_object_string_add(json, "state", state_of(t, states));
	json_object_string_add(json, "clientOf", t->of);
	json_object_string_add(json, "link", t->link);
	json_object_string_add(json, "peer", t->t.remote_addr.v ? ip_addr_format(&t->t.remote_addr, text) : "any");
	json_object_string_add(json, "localIdentity", ike_identity_format(&t->t.local_id, text));
	json_object_string_add(json, "remoteIdentity", ike_identity_format(&t->t.remote_id, text));
	json_object_string_add(json, "start", iked_start_name(t->start));
	json_object_string_add(json, "device", iked_tunnel_device(t, device));
	json_object_string_add(json, "ipipLocal", iked_has_ipip(t) ? ip_addr_format(&t->ipip.local, text) : "");
	json_object_string_add(json, "ipipRemote", iked_has_ipip(t) ? ip_addr_format(&t->ipip.remote, text) : "");
	json_object_string_add(json, "missing", missing ? missing : "");
	json_object_string_add(json, "error", wrong_with(t));
	json_object_string_add(json, "warning", iked_tunnel_warning(t));
	json_object_string_add(json, "last", iked_tunnel_last(t->t.name));
	json_object_object_add(json, "localSelectors", json_selectors(t->t.local_ts));
	json_object_object_add(json, "remoteSelectors", json_selectors(t->t.remote_ts));
	return json;
}

static void print_tunnel(struct vty *vty, const struct iked_tunnel *t, struct json_object *states)
{
	const char *missing = iked_tunnel_missing(&iked.config, t);
	char addr[IP_TEXT_SIZE];

	vty_out(vty, "%-20s %-14s %-12s %-24s %s\n", t->t.name, state_of(t, states), t->link,
		t->t.remote_addr.v ? ip_addr_format(&t->t.remote_addr, addr) : "any", iked_start_name(t->start));
	if (missing)
		vty_out(vty, "  lacks: %s\n", missing);
	if (wrong_with(t)[0])
		vty_out(vty, "  wrong: %s\n", wrong_with(t));
	if (iked_tunnel_warning(t)[0])
		vty_out(vty, "  note: %s\n", iked_tunnel_warning(t));
	if (iked_tunnel_last(t->t.name)[0])
		vty_out(vty, "  last: %s\n", iked_tunnel_last(t->t.name));
}

DEFUN(show_ipsec_tunnel, show_ipsec_tunnel_cmd, "show ipsec tunnel [json]",
      SHOW_STR IPSEC_HELP "Tunnels: as configured, and how they are\n" JSON_HELP)
{
	struct json_object *list = json_object_new_array();
	struct telling telling;
	struct diag diag;
	bool asked = ask("", &telling, &diag) == 0;
	struct json_object *states = states_of(telling.sas);

	if (argc <= 3)
		vty_out(vty, "%-20s %-14s %-12s %-24s %s\n", "Tunnel", "State", "Link", "Peer", "Start");
	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next) {
		if (argc > 3)
			json_object_array_add(list, json_tunnel(t, states));
		else
			print_tunnel(vty, t, states);
	}
	if (!asked && argc <= 3)
		vty_out(vty, "%% %s\n", diag.text);
	json_object_free(states);
	forget(&telling);
	if (argc > 3)
		return print_json(vty, list);
	json_object_free(list);
	return CMD_SUCCESS;
}

/* ---- wishes */

DEFUN(ipsec_up, ipsec_up_cmd, "ipsec up NAME", IPSEC_HELP "Bring a tunnel up\nName of the tunnel\n")
{
	struct diag diag;

	return iked_up(argv[2]->arg, &diag) != 0 ? failed(vty, &diag) : CMD_SUCCESS;
}

static int command(struct vty *vty, enum proc_verb verb, const char *tunnel)
{
	struct proc_command c = { .verb = (uint8_t)verb };
	struct diag diag;

	snprintf(c.tunnel, sizeof(c.tunnel), "%s", tunnel);
	return !iked_whole_tunnel(tunnel, &diag) || iked_command(&c, NULL, &diag) != 0 ? failed(vty, &diag) : CMD_SUCCESS;
}

DEFUN(ipsec_down, ipsec_down_cmd, "ipsec down NAME",
      IPSEC_HELP "Take a tunnel down; with start auto until the next ipsec up\nName of the tunnel\n")
{
	int ret = command(vty, PROC_DOWN, argv[2]->arg);

	if (ret == CMD_SUCCESS)
		iked_note_down(argv[2]->arg, true);
	return ret;
}

DEFUN(ipsec_rekey, ipsec_rekey_cmd, "ipsec rekey NAME [ike]",
      IPSEC_HELP "Make new keys now\nName of the tunnel\nOf the IKE SA, instead of those of the packets\n")
{
	return command(vty, argc > 3 ? PROC_REKEY_IKE : PROC_REKEY_CHILD, argv[2]->arg);
}

DEFUN(ipsec_reload, ipsec_reload_cmd, "ipsec reload",
      IPSEC_HELP "Read the files of keys, certificates and revocation lists anew; what is up stays up\n")
{
	int ret = CMD_SUCCESS;

	iked_reload();
	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next)
		if (iked_tunnel_error(t->t.name)[0]) {
			vty_out(vty, "%% tunnel %s: %s\n", t->t.name, iked_tunnel_error(t->t.name));
			ret = CMD_WARNING;
		}
	return ret;
}

void iked_show_vty_init(void)
{
	install_element(VIEW_NODE, &show_ipsec_sa_cmd);
	install_element(VIEW_NODE, &show_ipsec_tunnel_cmd);
	install_element(VIEW_NODE, &show_ipsec_counters_cmd);
	install_element(ENABLE_NODE, &ipsec_up_cmd);
	install_element(ENABLE_NODE, &ipsec_down_cmd);
	install_element(ENABLE_NODE, &ipsec_rekey_cmd);
	install_element(ENABLE_NODE, &ipsec_reload_cmd);
}
