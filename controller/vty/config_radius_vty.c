/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Provisioning by RADIUS: what holds for all, who may speak, which edge is meant.
 */
#include "controller/vty/grammar_vty.h"

#include "lib/mem.h"
#include "lib/seal.h"

#define RADIUS_HELP "Provisioning by RADIUS\n"
#define ENCRYPTED_HELP "The secret as \"show running-config\" prints it\n"

/* ---- secrets ---- */

static struct seal *seal;

int config_vty_seal(const char *key_path, struct diag *diag)
{
	seal_free(seal);
	seal = seal_new(key_path, diag);
	return seal ? 0 : -1;
}

/* "WORD", or "encrypted WORD" as write_secret() prints it. Without a key nobody
 * can be spoken to anyway (sav-replay): any text stands for the secret. */
static int take_secret(struct vty *vty, const char *text, bool encrypted, char *dst,
		       size_t size)
{
	if (!encrypted) {
		if (strlen(text) >= size)
			return grammar_error(vty, "a secret has at most %zu characters", size - 1);
		snprintf(dst, size, "%s", text);
		return 0;
	}
	if (!seal) {
		snprintf(dst, size, "encrypted");
		return 0;
	}
	if (!seal_open(seal, text, dst, size))
		return grammar_error(vty,
				     "this secret was not encrypted by this savd: type it in "
				     "clear, without \"encrypted\"");
	return 0;
}

static void write_secret(struct vty *vty, const char *what, const char *secret)
{
	char text[SEAL_TEXT_SIZE];

	if (secret[0] == '\0')
		return;
	if (!seal) {
		vty_out(vty, "%s %s", what, secret);
		return;
	}
	seal_text(seal, secret, text);
	vty_out(vty, "%s encrypted %s", what, text);
}

/* ---- listening ---- */

static int set_listen(struct vty *vty, struct cmd_token *argv[], int argc, bool dynamic)
{
	bool no = grammar_is_no(argv);
	struct config_radius_listen l = { .dynamic = dynamic };
	struct diag diag;
	int n = argc - no;

	if (grammar_addr(vty, grammar_arg(argv, 3), &l.addr) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	l.port = n > 5	 ? (uint16_t)strtoul(grammar_arg(argv, 5), NULL, 10) :
		 dynamic ? RADIUS_PORT_DYNAMIC :
			   RADIUS_PORT_ACCOUNTING;
	return grammar_result(vty, config_radius_listen_set(grammar_cfg(), &l, !no, &diag),
			      &diag);
}

DEFUN (radius_listen_accounting,
       radius_listen_accounting_cmd,
       "[no] radius listen accounting <A.B.C.D|X:X::X:X> [port (1-65535)]",
       NO_STR
       RADIUS_HELP
       "Where to take requests\n"
       "Accounting (RFC 2866)\n"
       ADDRESS_HELP
       "UDP port, 1813 if not said\n"
       "UDP port number\n")
{
	return set_listen(vty, argv, argc, false);
}

DEFUN (radius_listen_dynamic,
       radius_listen_dynamic_cmd,
       "[no] radius listen dynamic-authorization <A.B.C.D|X:X::X:X> [port (1-65535)]",
       NO_STR
       RADIUS_HELP
       "Where to take requests\n"
       "CoA and Disconnect (RFC 5176)\n"
       ADDRESS_HELP
       "UDP port, 3799 if not said\n"
       "UDP port number\n")
{
	return set_listen(vty, argv, argc, true);
}

/* ---- servers that are asked ---- */

#define SERVER_HELP                                                                    \
	"A server that is asked what an edge with a profile may send\n" ADDRESS_HELP    \
	"UDP port, 1812 if not said\n"                                                  \
	"UDP port number\n"

static int set_server(struct vty *vty, struct cmd_token *argv[], int argc, bool encrypted)
{
	bool no = grammar_is_no(argv);
	struct config_radius_server s = { .port = RADIUS_PORT_ACCESS };
	int at = 3, n = argc - no;
	struct diag diag;

	if (grammar_addr(vty, grammar_arg(argv, 2), &s.addr) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	if (n > at + 1 && strcmp(argv[at + no]->text, "port") == 0) {
		s.port = (uint16_t)strtoul(grammar_arg(argv, at + 1), NULL, 10);
		at += 2;
	}
	if (!no && take_secret(vty, argv[argc - 1]->arg, encrypted, s.secret,
			       sizeof(s.secret)) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return grammar_result(vty, config_radius_server_set(grammar_cfg(), &s, !no, &diag),
			      &diag);
}

DEFUN (radius_server,
       radius_server_cmd,
       "radius server <A.B.C.D|X:X::X:X> [port (1-65535)] secret WORD",
       RADIUS_HELP
       SERVER_HELP
       "What both sides know\n"
       "1 to 128 characters\n")
{
	return set_server(vty, argv, argc, false);
}

DEFUN (radius_server_encrypted,
       radius_server_encrypted_cmd,
       "radius server <A.B.C.D|X:X::X:X> [port (1-65535)] secret encrypted WORD",
       RADIUS_HELP
       SERVER_HELP
       "What both sides know\n"
       ENCRYPTED_HELP
       "Hexadecimal digits\n")
{
	return set_server(vty, argv, argc, true);
}

DEFUN (no_radius_server,
       no_radius_server_cmd,
       "no radius server <A.B.C.D|X:X::X:X> [port (1-65535)]",
       NO_STR
       RADIUS_HELP
       SERVER_HELP)
{
	return set_server(vty, argv, argc, false);
}

/* ---- single values ---- */

static int put_settings(struct vty *vty, const struct config_radius_settings *s)
{
	struct diag diag;

	return grammar_result(vty, config_radius_settings_put(grammar_cfg(), s, &diag), &diag);
}

static struct config_radius_settings settings_now(void)
{
	return grammar_cfg()->radius.settings;
}

static struct config_radius_settings settings_default(void)
{
	struct config_radius_settings s;

	config_radius_settings_init(&s);
	return s;
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

DEFUN (radius_conflict,
       radius_conflict_cmd,
       "radius conflict <newest|refuse|both>",
       RADIUS_HELP
       "Two sessions have one prefix: who may use it\n"
       "The one that began last\n"
       "The one that began first\n"
       "Both, which lets each forge the other\n")
{
	struct config_radius_settings s = settings_now();

	radius_conflict_parse(argv[2]->text, &s.conflict);
	return put_settings(vty, &s);
}

DEFUN (no_radius_conflict,
       no_radius_conflict_cmd,
       "no radius conflict [<newest|refuse|both>]",
       NO_STR
       RADIUS_HELP
       "Two sessions have one prefix: back to newest\n"
       "The one that began last\nThe one that began first\nBoth\n")
{
	struct config_radius_settings s = settings_now();

	s.conflict = settings_default().conflict;
	return put_settings(vty, &s);
}

DEFUN (radius_window,
       radius_window_cmd,
       "radius event-timestamp (0-604800)",
       RADIUS_HELP
       "How far a request's Event-Timestamp may be from now (RFC 5176 sec. 6.3)\n"
       "Seconds; 0: any\n")
{
	struct config_radius_settings s = settings_now();

	s.window_s = number(argv[2]->arg);
	return put_settings(vty, &s);
}

DEFUN (no_radius_window,
       no_radius_window_cmd,
       "no radius event-timestamp [(0-604800)]",
       NO_STR
       RADIUS_HELP
       "How far a request's Event-Timestamp may be from now: back to 300 seconds\n"
       "Seconds\n")
{
	struct config_radius_settings s = settings_now();

	s.window_s = settings_default().window_s;
	return put_settings(vty, &s);
}

DEFUN (radius_silence,
       radius_silence_cmd,
       "radius interim-silence (0-604800) [hold (0-604800)]",
       RADIUS_HELP
       "A session that sent Interim-Updates and sends none any more: its Stop was lost\n"
       "Seconds until an alarm; 0: never\n"
       "How much longer its prefixes stay\n"
       "Seconds, 3600 if not said\n")
{
	struct config_radius_settings s = settings_now();

	s.silence_s = number(argv[2]->arg);
	s.silence_hold_s =
		argc > 4 ? number(argv[4]->arg) : settings_default().silence_hold_s;
	return put_settings(vty, &s);
}

DEFUN (no_radius_silence,
       no_radius_silence_cmd,
       "no radius interim-silence [(0-604800) [hold (0-604800)]]",
       NO_STR
       RADIUS_HELP
       "A session that sends no Interim-Updates any more: back to 3600 seconds and 3600 more\n"
       "Seconds\n"
       "How much longer its prefixes stay\n"
       "Seconds\n")
{
	struct config_radius_settings s = settings_now();

	s.silence_s = settings_default().silence_s;
	s.silence_hold_s = settings_default().silence_hold_s;
	return put_settings(vty, &s);
}

static enum ip_family family_of(const char *word)
{
	return strcmp(word, "ipv4") == 0 ? IP_V4 : IP_V6;
}

DEFUN (radius_prefix_length,
       radius_prefix_length_cmd,
       "radius prefix-length <ipv4|ipv6> minimum (1-128) maximum (1-128)",
       RADIUS_HELP
       "Which prefixes of a session are believed at all\n"
       "IPv4, 8 to 32 if not said\n"
       "IPv6, 16 to 128 if not said\n"
       "No shorter one\n"
       "Bits\n"
       "No longer one\n"
       "Bits\n")
{
	struct config_radius_settings s = settings_now();
	enum ip_family family = family_of(argv[2]->text);

	s.min_len[family] = (uint8_t)number(argv[4]->arg);
	s.max_len[family] = (uint8_t)number(argv[6]->arg);
	return put_settings(vty, &s);
}

DEFUN (no_radius_prefix_length,
       no_radius_prefix_length_cmd,
       "no radius prefix-length <ipv4|ipv6> [minimum (1-128) maximum (1-128)]",
       NO_STR
       RADIUS_HELP
       "Which prefixes of a session are believed at all\n"
       "IPv4: back to 8 to 32\n"
       "IPv6: back to 16 to 128\n"
       "No shorter one\n"
       "Bits\n"
       "No longer one\n"
       "Bits\n")
{
	struct config_radius_settings s = settings_now(), fresh = settings_default();
	enum ip_family family = family_of(argv[3]->text);

	s.min_len[family] = fresh.min_len[family];
	s.max_len[family] = fresh.max_len[family];
	return put_settings(vty, &s);
}

DEFUN (radius_vendor,
       radius_vendor_cmd,
       "radius vendor (1-16777215)",
       RADIUS_HELP
       "Number of the vendor whose attributes OpenSAV's own are (contrib/radius)\n"
       "Private enterprise number, 32473 if not said\n")
{
	struct config_radius_settings s = settings_now();

	s.vendor = number(argv[2]->arg);
	return put_settings(vty, &s);
}

DEFUN (no_radius_vendor,
       no_radius_vendor_cmd,
       "no radius vendor [(1-16777215)]",
       NO_STR
       RADIUS_HELP
       "Number of the vendor: back to 32473\n"
       "Private enterprise number\n")
{
	struct config_radius_settings s = settings_now();

	s.vendor = settings_default().vendor;
	return put_settings(vty, &s);
}

/* ---- profiles ---- */

#define PROFILE_HELP "What edges with a profile may send, asked of \"radius server\"\n"

DEFUN (radius_profile_user,
       radius_profile_user_cmd,
       "radius profile user-name FORMAT",
       RADIUS_HELP
       PROFILE_HELP
       "The User-Name of the question\n"
       "%n is the profile, %r the router, %i the interface; %n if not said\n")
{
	struct config_radius_settings s = settings_now();

	if (strlen(argv[3]->arg) >= sizeof(s.profile_user)) {
		grammar_error(vty, "a user-name has at most %zu characters",
			      sizeof(s.profile_user) - 1);
		return CMD_WARNING_CONFIG_FAILED;
	}
	snprintf(s.profile_user, sizeof(s.profile_user), "%s", argv[3]->arg);
	return put_settings(vty, &s);
}

DEFUN (no_radius_profile_user,
       no_radius_profile_user_cmd,
       "no radius profile user-name [FORMAT]",
       NO_STR
       RADIUS_HELP
       PROFILE_HELP
       "The User-Name of the question: back to %n\n"
       "The format\n")
{
	struct config_radius_settings s = settings_now();

	s.profile_user[0] = '\0';
	return put_settings(vty, &s);
}

static int set_password(struct vty *vty, const char *text, bool encrypted)
{
	struct config_radius_settings s = settings_now();

	if (take_secret(vty, text, encrypted, s.profile_password,
			sizeof(s.profile_password)) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	return put_settings(vty, &s);
}

DEFUN (radius_profile_password,
       radius_profile_password_cmd,
       "radius profile password WORD",
       RADIUS_HELP
       PROFILE_HELP
       "The User-Password of the question\n"
       "1 to 128 characters\n")
{
	return set_password(vty, argv[3]->arg, false);
}

DEFUN (radius_profile_password_encrypted,
       radius_profile_password_encrypted_cmd,
       "radius profile password encrypted WORD",
       RADIUS_HELP
       PROFILE_HELP
       "The User-Password of the question\n"
       ENCRYPTED_HELP
       "Hexadecimal digits\n")
{
	return set_password(vty, argv[4]->arg, true);
}

DEFUN (no_radius_profile_password,
       no_radius_profile_password_cmd,
       "no radius profile password [WORD]",
       NO_STR
       RADIUS_HELP
       PROFILE_HELP
       "The User-Password of the question: empty\n"
       "The password\n")
{
	return set_password(vty, "", false);
}

DEFUN (radius_profile_refresh,
       radius_profile_refresh_cmd,
       "radius profile refresh (60-604800)",
       RADIUS_HELP
       PROFILE_HELP
       "How often it is asked again\n"
       "Seconds\n")
{
	struct config_radius_settings s = settings_now();

	s.profile_refresh_s = number(argv[3]->arg);
	return put_settings(vty, &s);
}

DEFUN (no_radius_profile_refresh,
       no_radius_profile_refresh_cmd,
       "no radius profile refresh [(60-604800)]",
       NO_STR
       RADIUS_HELP
       PROFILE_HELP
       "How often it is asked again: back to 3600 seconds\n"
       "Seconds\n")
{
	struct config_radius_settings s = settings_now();

	s.profile_refresh_s = settings_default().profile_refresh_s;
	return put_settings(vty, &s);
}

/* ---- clients ---- */

DEFUN_NOSH (radius_client,
       radius_client_cmd,
       "radius client NAME",
       RADIUS_HELP
       "Who sends accounting requests: a NAS, or a server that passes on what it hears\n"
       "A name for it\n")
{
	struct config_radius_client c = { 0 };
	struct diag diag;

	if (!config_radius_client_find(grammar_cfg(), argv[2]->arg)) {
		if (strlen(argv[2]->arg) < sizeof(c.name)) /* else told as not valid */
			snprintf(c.name, sizeof(c.name), "%s", argv[2]->arg);
		if (config_radius_client_put(grammar_cfg(), &c, &diag) < 0)
			return grammar_result(vty, -1, &diag);
	}
	return grammar_enter(vty, RADIUS_CLIENT_NODE, argv[2]->arg, "");
}

DEFUN (no_radius_client,
       no_radius_client_cmd,
       "no radius client NAME",
       NO_STR
       RADIUS_HELP
       "Who sends accounting requests: its sessions end\n"
       "Its name\n")
{
	struct diag diag;

	return grammar_result(vty,
			      config_radius_client_del(grammar_cfg(), argv[3]->arg, &diag),
			      &diag);
}

static bool client_edit(struct vty *vty, struct config_radius_client *copy)
{
	VTY_DECLVAR_CONTEXT(place, p);
	const struct config_radius_client *c =
		config_radius_client_find(grammar_cfg(), p->name);

	if (c)
		config_radius_client_copy(copy, c);
	else
		grammar_error(vty, "radius client %s is gone: type \"exit\"", p->name);
	return c != NULL;
}

static int client_done(struct vty *vty, struct config_radius_client *copy)
{
	struct diag diag;
	int ret = config_radius_client_put(grammar_cfg(), copy, &diag);

	config_radius_client_fini(copy);
	return grammar_result(vty, ret, &diag);
}

DEFUN (client_address,
       client_address_cmd,
       "[no] address <A.B.C.D|X:X::X:X|A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "Where its requests come from\n"
       ADDRESS_HELP
       PREFIX_HELP)
{
	const char *text = grammar_arg(argv, 1);
	struct config_radius_client c;
	struct ip_prefix p;
	struct ip_addr a;

	if (strchr(text, '/') ? grammar_prefix(vty, text, &p) < 0 :
				grammar_addr(vty, text, &a) < 0)
		return CMD_WARNING_CONFIG_FAILED;
	if (!strchr(text, '/'))
		p = ip_prefix_make(a.family, a.v, ip_bits(a.family));
	if (!client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&c.addresses, &c.n_addresses, &p, !grammar_is_no(argv));
	return client_done(vty, &c);
}

static int set_client_secret(struct vty *vty, const char *text, bool encrypted)
{
	struct config_radius_client c;
	char secret[RADIUS_SECRET_SIZE];

	if (take_secret(vty, text, encrypted, secret, sizeof(secret)) < 0 ||
	    !client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	snprintf(c.secret, sizeof(c.secret), "%s", secret);
	return client_done(vty, &c);
}

DEFUN (client_secret,
       client_secret_cmd,
       "secret WORD",
       "What both sides know; without it nothing is taken\n"
       "1 to 128 characters\n")
{
	return set_client_secret(vty, argv[1]->arg, false);
}

DEFUN (client_secret_encrypted,
       client_secret_encrypted_cmd,
       "secret encrypted WORD",
       "What both sides know\n"
       ENCRYPTED_HELP
       "Hexadecimal digits\n")
{
	return set_client_secret(vty, argv[2]->arg, true);
}

DEFUN (no_client_secret,
       no_client_secret_cmd,
       "no secret [WORD]",
       NO_STR
       "What both sides know: without it nothing is taken\n"
       "The secret\n")
{
	return set_client_secret(vty, "", false);
}

DEFUN (client_pool,
       client_pool_cmd,
       "[no] pool <A.B.C.D/M|X:X::X:X/M>",
       NO_STR
       "What its sessions may have; all else is refused\n"
       PREFIX_HELP)
{
	struct config_radius_client c;
	struct ip_prefix p;

	if (grammar_prefix(vty, grammar_arg(argv, 1), &p) < 0 || !client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	config_prefixes_set(&c.pool, &c.n_pool, &p, !grammar_is_no(argv));
	return client_done(vty, &c);
}

DEFUN (client_router,
       client_router_cmd,
       "router NAME",
       "Where no rule matches: the edge is this router's interface NAS-Port-Id\n"
       "Name of the router\n")
{
	struct config_radius_client c;

	if (!client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	snprintf(c.router, sizeof(c.router), "%s",
		 strlen(argv[1]->arg) < sizeof(c.router) ? argv[1]->arg : "?");
	return client_done(vty, &c);
}

DEFUN (no_client_router,
       no_client_router_cmd,
       "no router [NAME]",
       NO_STR
       "Where no rule matches: there is no edge\n"
       "Name of the router\n")
{
	struct config_radius_client c;

	if (!client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	c.router[0] = '\0';
	return client_done(vty, &c);
}

DEFUN (client_message_authenticator,
       client_message_authenticator_cmd,
       "[no] message-authenticator",
       NO_STR
       "Each request must have a Message-Authenticator (RFC 2869 sec. 5.14)\n")
{
	struct config_radius_client c;

	if (!client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	c.message_authenticator = !grammar_is_no(argv);
	return client_done(vty, &c);
}

DEFUN (client_dynamic,
       client_dynamic_cmd,
       "[no] dynamic-authorization",
       NO_STR
       "It may send CoA and Disconnect (RFC 5176), for the sessions of all clients\n")
{
	struct config_radius_client c;

	if (!client_edit(vty, &c))
		return CMD_WARNING_CONFIG_FAILED;
	c.dynamic_authorization = !grammar_is_no(argv);
	return client_done(vty, &c);
}

/* ---- text ---- */

static bool is_host(const struct ip_prefix *p)
{
	return p->len == ip_bits(p->family);
}

void config_radius_client_write(struct vty *vty, const struct config_radius_client *c)
{
	char text[IP_TEXT_SIZE];

	vty_out(vty, "radius client %s\n", c->name);
	for (size_t i = 0; i < c->n_addresses; i++) {
		const struct ip_prefix *p = &c->addresses[i];
		struct ip_addr a = { p->v, p->family };

		vty_out(vty, " address %s\n",
			is_host(p) ? ip_addr_format(&a, text) : ip_prefix_format(p, text));
	}
	write_secret(vty, " secret", c->secret);
	if (c->secret[0] != '\0')
		vty_out(vty, "\n");
	if (c->router[0] != '\0')
		vty_out(vty, " router %s\n", c->router);
	grammar_write_prefixes(vty, " pool", c->pool, c->n_pool);
	if (c->message_authenticator)
		vty_out(vty, " message-authenticator\n");
	if (c->dynamic_authorization)
		vty_out(vty, " dynamic-authorization\n");
	vty_out(vty, "exit\n!\n");
}

static int write_clients(struct vty *vty)
{
	const struct config_radius *r = &grammar_cfg()->radius;

	for (size_t i = 0; i < r->n_clients; i++)
		config_radius_client_write(vty, &r->clients[i]);
	return r->n_clients != 0;
}

static int write_listens(struct vty *vty, const struct config_radius *r)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < r->n_listens; i++) {
		const struct config_radius_listen *l = &r->listens[i];

		vty_out(vty, "radius listen %s %s port %u\n",
			l->dynamic ? "dynamic-authorization" : "accounting",
			ip_addr_format(&l->addr, text), l->port);
	}
	for (size_t i = 0; i < r->n_servers; i++) {
		const struct config_radius_server *s = &r->servers[i];

		vty_out(vty, "radius server %s port %u", ip_addr_format(&s->addr, text),
			s->port);
		write_secret(vty, " secret", s->secret);
		vty_out(vty, "\n");
	}
	return r->n_listens != 0 || r->n_servers != 0;
}

static int write_profile(struct vty *vty, const struct config_radius_settings *s)
{
	uint32_t refresh_s = settings_default().profile_refresh_s;

	if (s->profile_user[0] != '\0')
		vty_out(vty, "radius profile user-name %s\n", s->profile_user);
	if (s->profile_password[0] != '\0') {
		write_secret(vty, "radius profile password", s->profile_password);
		vty_out(vty, "\n");
	}
	if (s->profile_refresh_s != refresh_s)
		vty_out(vty, "radius profile refresh %u\n", s->profile_refresh_s);
	return s->profile_user[0] != '\0' || s->profile_password[0] != '\0' ||
	       s->profile_refresh_s != refresh_s;
}

static int write_lengths(struct vty *vty, const struct config_radius_settings *s)
{
	static const char *const names[IP_FAMILIES] = { "ipv4", "ipv6" };
	struct config_radius_settings fresh = settings_default();
	int wrote = 0;

	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (s->min_len[family] == fresh.min_len[family] &&
		    s->max_len[family] == fresh.max_len[family])
			continue;
		vty_out(vty, "radius prefix-length %s minimum %u maximum %u\n", names[family],
			s->min_len[family], s->max_len[family]);
		wrote = 1;
	}
	return wrote;
}

static int write_settings(struct vty *vty, const struct config_radius_settings *s)
{
	struct config_radius_settings fresh = settings_default();
	int wrote = 0;

	if (s->conflict != fresh.conflict)
		wrote |= vty_out(vty, "radius conflict %s\n", radius_conflict_name(s->conflict));
	if (s->window_s != fresh.window_s)
		wrote |= vty_out(vty, "radius event-timestamp %u\n", s->window_s);
	if (s->silence_s != fresh.silence_s || s->silence_hold_s != fresh.silence_hold_s)
		wrote |= vty_out(vty, "radius interim-silence %u hold %u\n", s->silence_s,
				 s->silence_hold_s);
	if (s->vendor != fresh.vendor)
		wrote |= vty_out(vty, "radius vendor %u\n", s->vendor);
	return wrote | write_lengths(vty, s) | write_profile(vty, s);
}

static int write_top(struct vty *vty)
{
	const struct config_radius *r = &grammar_cfg()->radius;
	int wrote = write_listens(vty, r) | write_settings(vty, &r->settings);

	if (wrote)
		vty_out(vty, "!\n");
	return wrote;
}

static struct cmd_node top_node = {
	.name = "radius",
	.node = (enum node_type)RADIUS_NODE,
	.prompt = "",
	.config_write = write_top,
};
static struct cmd_node client_node = {
	.name = "radius client",
	.node = (enum node_type)RADIUS_CLIENT_NODE,
	.parent_node = CONFIG_NODE,
	.prompt = "%s(config-radius-client)# ",
	.config_write = write_clients,
};

void config_radius_vty_init(void)
{
	install_node(&top_node);
	install_node(&client_node);
	install_default((enum node_type)RADIUS_CLIENT_NODE);
	IN(CONFIG_NODE, radius_listen_accounting_cmd);
	IN(CONFIG_NODE, radius_listen_dynamic_cmd);
	IN(CONFIG_NODE, radius_server_cmd);
	IN(CONFIG_NODE, radius_server_encrypted_cmd);
	IN(CONFIG_NODE, no_radius_server_cmd);
	IN(CONFIG_NODE, radius_conflict_cmd);
	IN(CONFIG_NODE, no_radius_conflict_cmd);
	IN(CONFIG_NODE, radius_window_cmd);
	IN(CONFIG_NODE, no_radius_window_cmd);
	IN(CONFIG_NODE, radius_silence_cmd);
	IN(CONFIG_NODE, no_radius_silence_cmd);
	IN(CONFIG_NODE, radius_prefix_length_cmd);
	IN(CONFIG_NODE, no_radius_prefix_length_cmd);
	IN(CONFIG_NODE, radius_vendor_cmd);
	IN(CONFIG_NODE, no_radius_vendor_cmd);
	IN(CONFIG_NODE, radius_profile_user_cmd);
	IN(CONFIG_NODE, no_radius_profile_user_cmd);
	IN(CONFIG_NODE, radius_profile_password_cmd);
	IN(CONFIG_NODE, radius_profile_password_encrypted_cmd);
	IN(CONFIG_NODE, no_radius_profile_password_cmd);
	IN(CONFIG_NODE, radius_profile_refresh_cmd);
	IN(CONFIG_NODE, no_radius_profile_refresh_cmd);
	IN(CONFIG_NODE, radius_client_cmd);
	IN(CONFIG_NODE, no_radius_client_cmd);
	IN(RADIUS_CLIENT_NODE, client_address_cmd);
	IN(RADIUS_CLIENT_NODE, client_secret_cmd);
	IN(RADIUS_CLIENT_NODE, client_secret_encrypted_cmd);
	IN(RADIUS_CLIENT_NODE, no_client_secret_cmd);
	IN(RADIUS_CLIENT_NODE, client_pool_cmd);
	IN(RADIUS_CLIENT_NODE, client_router_cmd);
	IN(RADIUS_CLIENT_NODE, no_client_router_cmd);
	IN(RADIUS_CLIENT_NODE, client_message_authenticator_cmd);
	IN(RADIUS_CLIENT_NODE, client_dynamic_cmd);
	config_radius_rule_vty_init();
}
