/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "agents/relay_vty.h"

#include "command.h"
#include "json.h"
#include "vty.h"

static struct agent *agent;

#define BMP_HELP   "BGP Monitoring Protocol\n"
#define RELAY_HELP "BMP of this router's bgpd, carried to the controller\n"

/* BMP is in clear up to here, so it must not have crossed a network. */
static bool is_loopback(const struct ip_addr *a)
{
	return a->family == IP_V4 ? a->v >> 24 == 127 : a->v == 1;
}

DEFUN(bmp_relay, bmp_relay_cmd,
      "bmp relay listen <A.B.C.D|X:X::X:X> port (1-65535) [buffer (1-4096)]",
      BMP_HELP RELAY_HELP
      "Where bgpd connects to\n"
      "Address of the loopback interface\nAddress of the loopback interface\n"
      "TCP port\nTCP port\n"
      "What may wait for the controller\nMiB, 64 if not given\n")
{
	struct relay_listen listen = {
		.port = (uint16_t)strtoul(argv[5]->arg, NULL, 10),
		.buffer_mib = argc > 7 ? (uint32_t)strtoul(argv[7]->arg, NULL, 10)
				       : RELAY_BUFFER_MIB,
	};

	if (!ip_addr_parse(argv[3]->arg, &listen.addr) || !is_loopback(&listen.addr)) {
		vty_out(vty,
			"%% %s is not an address of the loopback interface: type 127.0.0.1 "
			"or ::1, and bgpd's \"bmp connect\" likewise; BMP from elsewhere "
			"would cross the network in clear\n",
			argv[3]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	agent_set_relay(agent, &listen);
	return CMD_SUCCESS;
}

DEFUN(no_bmp_relay, no_bmp_relay_cmd,
      "no bmp relay [listen <A.B.C.D|X:X::X:X> port (1-65535) [buffer (1-4096)]]",
      NO_STR BMP_HELP RELAY_HELP
      "Where bgpd connects to\n"
      "Address of the loopback interface\nAddress of the loopback interface\n"
      "TCP port\nTCP port\n"
      "What may wait for the controller\nMiB\n")
{
	agent_set_relay(agent, &(struct relay_listen){ 0 });
	return CMD_SUCCESS;
}

int relay_vty_write(struct vty *vty)
{
	const struct relay_listen *l = &agent->relay_listen;
	char text[IP_TEXT_SIZE];

	if (l->port == 0)
		return 0;
	vty_out(vty, "bmp relay listen %s port %u", ip_addr_format(&l->addr, text), l->port);
	if (l->buffer_mib != RELAY_BUFFER_MIB)
		vty_out(vty, " buffer %u", l->buffer_mib);
	vty_out(vty, "\n!\n");
	return 1;
}

/* ---- show bmp relay ---- */

static const char *state_word(const struct relay_status *s)
{
	if (agent->relay_listen.port == 0)
		return "not configured";
	if (agent->released)
		return "released";
	if (!agent->host[0])
		return "no controller configured";
	if (s->state == RELAY_DOWN && !certs_relay_ok(agent->certs, time(NULL)))
		return "waiting for a certificate";
	return relay_state_name(s->state);
}

/* What is wrong, "" if nothing is. */
static const char *error_of(const struct relay_status *s)
{
	if (relay_packet_error(agent->relay)[0])
		return relay_packet_error(agent->relay);
	if (agent->certs_error.text[0])
		return agent->certs_error.text;
	return s->last_error;
}

static int show_json(struct vty *vty, const struct relay_status *s)
{
	const struct relay_listen *l = &agent->relay_listen;
	struct json_object *json = json_object_new_object();
	char text[IP_TEXT_SIZE];

	json_object_string_add(json, "state", state_word(s));
	json_object_string_add(json, "address",
			       l->port ? ip_addr_format(&l->addr, text) : "");
	json_object_int_add(json, "port", l->port);
	json_object_int_add(json, "stateSeconds", (agent_now_ms() - s->since_ms) / 1000);
	json_object_int_add(json, "nextAttemptMs", relay_packet_retry_ms(agent->relay));
	json_object_int_add(json, "waitingBytes", (int64_t)s->waiting_bytes);
	json_object_int_add(json, "highBytes", (int64_t)s->totals.high_bytes);
	json_object_int_add(json, "limitBytes", (int64_t)s->totals.limit_bytes);
	json_object_int_add(json, "bytes", (int64_t)s->totals.bytes);
	json_object_int_add(json, "sessions", (int64_t)s->totals.sessions);
	json_object_int_add(json, "overflows", (int64_t)s->totals.overflows);
	json_object_int_add(json, "droppedBytes", (int64_t)s->totals.dropped_bytes);
	json_object_int_add(json, "refused", (int64_t)s->totals.refused);
	json_object_string_add(json, "error", error_of(s));
	vty_out(vty, "%s\n",
		json_object_to_json_string_ext(
			json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_free(json);
	return CMD_SUCCESS;
}

DEFUN(show_bmp_relay, show_bmp_relay_cmd, "show bmp relay [json]",
      SHOW_STR BMP_HELP RELAY_HELP "JavaScript Object Notation\n")
{
	const struct relay_status *s = relay_packet_status(agent->relay);
	const struct relay_listen *l = &agent->relay_listen;
	char text[IP_TEXT_SIZE];

	if (argc > 3)
		return show_json(vty, s);
	vty_out(vty, "BMP relay       %s", state_word(s));
	if (l->port != 0)
		vty_out(vty, ", bgpd's \"bmp connect\" is %s port %u",
			ip_addr_format(&l->addr, text), l->port);
	if (relay_packet_retry_ms(agent->relay) >= 0)
		vty_out(vty, ", next attempt in %" PRId64 " ms",
			relay_packet_retry_ms(agent->relay));
	vty_out(vty,
		"\nBuffer          %zu bytes wait, at most %" PRIu64 " ever did, the bound is %" PRIu64
		"\nSessions        %" PRIu64 ", %" PRIu64 " closed at the bound, %" PRIu64
		" refused\nBytes           %" PRIu64 " relayed, %" PRIu64 " dropped\n",
		s->waiting_bytes, s->totals.high_bytes, s->totals.limit_bytes,
		s->totals.sessions, s->totals.overflows, s->totals.refused, s->totals.bytes,
		s->totals.dropped_bytes);
	if (error_of(s)[0])
		vty_out(vty, "Error           %s\n", error_of(s));
	return CMD_SUCCESS;
}

void relay_vty_init(struct agent *the_agent)
{
	agent = the_agent;
	install_element(VIEW_NODE, &show_bmp_relay_cmd);
	install_element(CONFIG_NODE, &bmp_relay_cmd);
	install_element(CONFIG_NODE, &no_bmp_relay_cmd);
}
