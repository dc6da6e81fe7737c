/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "command.h"
#include "log.h"
#include "vty.h"

#include "agents/steer/watch_vty.h"

#include "agents/steer/bfd_key.h"
#include "agents/steer/liveness_packet.h"
#include "agents/steer/steer_vty.h"
#include "lib/digest.h"

#define MULTIPLIER 3

static struct site_provider *(*current)(struct vty *vty);
static void (*changed)(void);

/* The time in which so many answers are missed, and half an interval for the last
 * of them to come. */
static uint32_t timeout_of(uint32_t interval_ms, uint32_t multiplier)
{
	return interval_ms * multiplier + interval_ms / 2;
}

static uint32_t multiplier_of(const struct path_watch *w)
{
	return (w->timeout_ms - w->interval_ms / 2) / w->interval_ms;
}

static uint32_t number_after(struct cmd_token *argv[], int argc, const char *word,
			     uint32_t none)
{
	return steer_vty_after(argv, argc, word) ? steer_vty_number_after(argv, argc, word) : none;
}

static int done(void)
{
	changed();
	return CMD_SUCCESS;
}

/* ---- commands ---- */

DEFUN(watch_probe, watch_probe_cmd, "[no] probe",
      NO_STR "Ask whether the paths live; else only the state of interfaces counts\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.probe = !steer_vty_is_no(argv);
	return done();
}

DEFUN(watch_interval, watch_interval_cmd, "probe interval (50-60000) multiplier (1-50)",
      "Ask whether the paths live\nTime between two questions\nMilliseconds\n"
      "Answers missed in a row until a path is down\nNumber\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.interval_ms = number_after(argv, argc, "interval", 0);
	p->watch.timeout_ms = timeout_of(
		p->watch.interval_ms, number_after(argv, argc, "multiplier", MULTIPLIER));
	return done();
}

DEFUN(no_watch_interval, no_watch_interval_cmd,
      "no probe interval [(50-60000) multiplier (1-50)]",
      NO_STR "Ask whether the paths live\nTime between two questions\nMilliseconds\n"
	     "Answers missed in a row until a path is down\nNumber\n")
{
	struct site_provider *p = current(vty);
	struct path_watch usual;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	path_watch_default(&usual);
	p->watch.interval_ms = usual.interval_ms;
	p->watch.timeout_ms = usual.timeout_ms;
	return done();
}

static void remove_target(struct path_watch *w, size_t at)
{
	w->n_targets--;
	memmove(&w->targets[at], &w->targets[at + 1],
		(w->n_targets - at) * sizeof(w->targets[0]));
}

DEFUN(watch_target, watch_target_cmd, "[no] probe target <A.B.C.D|X:X::X:X>",
      NO_STR
      "Ask whether the paths live\nAn address beyond the gateway, asked by each path\n"
      "IPv4 address\nIPv6 address\n")
{
	struct site_provider *p = current(vty);
	struct ip_addr a;
	size_t at = 0;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	if (!ip_addr_parse(argv[argc - 1]->arg, &a)) {
		vty_out(vty, "%% %s is no address\n", argv[argc - 1]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	while (at < p->watch.n_targets && !ip_addr_equal(&p->watch.targets[at], &a))
		at++;
	if (at < p->watch.n_targets && steer_vty_is_no(argv)) {
		remove_target(&p->watch, at);
	} else if (at == p->watch.n_targets && !steer_vty_is_no(argv)) {
		if (at == PATH_TARGETS_MAX) {
			vty_out(vty,
				"%% %d targets are enough: \"no probe target\" first\n",
				PATH_TARGETS_MAX);
			return CMD_WARNING_CONFIG_FAILED;
		}
		p->watch.targets[p->watch.n_targets++] = a;
	}
	return done();
}

DEFUN(watch_quorum, watch_quorum_cmd, "probe quorum (1-8)",
      "Ask whether the paths live\nTargets that must answer\nNumber\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.quorum = number_after(argv, argc, "quorum", 1);
	if (p->watch.quorum > p->watch.n_targets && vty->type != VTY_FILE)
		vty_out(vty, "%% there are fewer targets: all of them must answer\n");
	return done();
}

DEFUN(no_watch_quorum, no_watch_quorum_cmd, "no probe quorum [(1-8)]",
      NO_STR "Ask whether the paths live\nTargets that must answer\nNumber\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.quorum = 1;
	return done();
}

#define BFD_STR                                                                          \
	"Bidirectional Forwarding Detection with the gateway or the tunnel's head\n"
#define BFD_TIME_STR "Between packets, of both directions\nMilliseconds\n"
#define BFD_MULT_STR "Packets missed in a row until the session is down\nNumber\n"

DEFUN(watch_bfd, watch_bfd_cmd, "bfd [interval (10-60000)] [multiplier (2-50)]",
      BFD_STR BFD_TIME_STR BFD_MULT_STR)
{
	struct site_provider *p = current(vty);
	struct path_watch usual;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	path_watch_default(&usual);
	p->watch.bfd = true;
	p->watch.bfd_interval_ms =
		number_after(argv, argc, "interval", usual.bfd_interval_ms);
	p->watch.bfd_multiplier =
		number_after(argv, argc, "multiplier", usual.bfd_multiplier);
	return done();
}

#define TTL_STR "Packets that come with less are not believed\nTTL or hop limit\n"

DEFUN(watch_multihop, watch_multihop_cmd,
      "bfd multihop <A.B.C.D|X:X::X:X> [minimum-ttl (1-254)]",
      BFD_STR
      "With this address beyond the gateway (RFC 5883)\nIPv4 address\nIPv6 address\n" TTL_STR)
{
	struct site_provider *p = current(vty);
	struct path_watch usual;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	if (!ip_addr_parse(argv[2]->arg, &p->watch.bfd_peer)) {
		vty_out(vty, "%% %s is no address\n", argv[2]->arg);
		return CMD_WARNING_CONFIG_FAILED;
	}
	path_watch_default(&usual);
	p->watch.bfd = p->watch.bfd_multihop = true;
	p->watch.bfd_min_ttl = number_after(argv, argc, "minimum-ttl", usual.bfd_min_ttl);
	return done();
}

DEFUN(no_watch_multihop, no_watch_multihop_cmd,
      "no bfd multihop [<A.B.C.D|X:X::X:X> [minimum-ttl (1-254)]]",
      NO_STR BFD_STR "With an address beyond the gateway\nIPv4 address\nIPv6 address\n" TTL_STR)
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.bfd_multihop = false;
	return done();
}

#define AUTH_STR                                                                         \
	"Both ends know a key (RFC 5880 section 4.4)\n"                                 \
	"The sequence number may stay for some packets\n"                               \
	"The sequence number counts each packet\n"
#define KEY_STR "Which key, for the other end\nNumber\nA file with the key, a line\nIts full path\n"

/* Without its key a session never comes up, rather than up without one. */
static int read_bfd_key(struct vty *vty, struct path_watch *w, const char *file)
{
	struct diag diag;

	if (bfd_key_read(w, file, &diag) == 0)
		return CMD_SUCCESS;
	vty_out(vty, "%% %s\n", diag.text);
	if (vty->type != VTY_FILE)
		return CMD_WARNING_CONFIG_FAILED;
	zlog_warn("BFD: %s; no session comes up before it can be read: \"site reload\"", diag.text);
	digest_random(w->bfd_key, sizeof(w->bfd_key));
	snprintf(w->bfd_key_file, sizeof(w->bfd_key_file), "%s", file);
	return CMD_SUCCESS;
}

DEFUN(watch_bfd_auth, watch_bfd_auth_cmd,
      "bfd authentication <keyed-sha1|meticulous-keyed-sha1> key-id (0-255) file FILE",
      BFD_STR AUTH_STR KEY_STR)
{
	struct site_provider *p = current(vty);
	const char *file = argv[argc - 1]->arg;
	int rc;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	if (file[0] != '/' || strlen(file) >= sizeof(p->watch.bfd_key_file)) {
		vty_out(vty, "%% the full path of a file, please\n");
		return CMD_WARNING_CONFIG_FAILED;
	}
	rc = read_bfd_key(vty, &p->watch, file);
	if (rc != CMD_SUCCESS)
		return rc;
	p->watch.bfd = true;
	p->watch.bfd_auth = argv[2]->arg[0] == 'k' ? BFD_AUTH_SHA1 : BFD_AUTH_METICULOUS_SHA1;
	p->watch.bfd_key_id = (uint8_t)number_after(argv, argc, "key-id", 0);
	return done();
}

static void forget_bfd_key(struct path_watch *w)
{
	explicit_bzero(w->bfd_key, sizeof(w->bfd_key));
	w->bfd_auth = w->bfd_key_id = 0;
	w->bfd_key_file[0] = '\0';
}

DEFUN(no_watch_bfd_auth, no_watch_bfd_auth_cmd,
      "no bfd authentication [<keyed-sha1|meticulous-keyed-sha1> key-id (0-255) file FILE]",
      NO_STR BFD_STR AUTH_STR KEY_STR)
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	forget_bfd_key(&p->watch);
	return done();
}

DEFUN(no_watch_bfd, no_watch_bfd_cmd, "no bfd [interval (10-60000)] [multiplier (2-50)]",
      NO_STR BFD_STR BFD_TIME_STR BFD_MULT_STR)
{
	struct site_provider *p = current(vty);
	struct path_watch usual;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	path_watch_default(&usual);
	p->watch.bfd = p->watch.bfd_multihop = false;
	forget_bfd_key(&p->watch);
	p->watch.bfd_interval_ms = usual.bfd_interval_ms;
	p->watch.bfd_multiplier = usual.bfd_multiplier;
	return done();
}

DEFUN(watch_hold, watch_hold_cmd, "hold (0-3600)",
      "Return to a path that had failed\nSeconds that it must answer before\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.hold_ms = number_after(argv, argc, "hold", 0) * 1000;
	return done();
}

DEFUN(no_watch_hold, no_watch_hold_cmd, "no hold [(0-3600)]",
      NO_STR "Return to a path that had failed\nSeconds that it must answer before\n")
{
	struct site_provider *p = current(vty);
	struct path_watch usual;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	path_watch_default(&usual);
	p->watch.hold_ms = usual.hold_ms;
	return done();
}

DEFUN(watch_hook, watch_hook_cmd, "hook FILE",
      "A program that is run when the provider dies, and when it is back\nIts full "
      "path\n")
{
	struct site_provider *p = current(vty);
	const char *file = argv[1]->arg;

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	if (file[0] != '/' || strlen(file) >= sizeof(p->watch.hook)) {
		vty_out(vty,
			"%% the full path of a program, please, of at most %d "
			"characters\n",
			PATH_HOOK_SIZE - 1);
		return CMD_WARNING_CONFIG_FAILED;
	}
	if (access(file, X_OK) < 0 && vty->type != VTY_FILE)
		vty_out(vty, "%% %s cannot be run yet: %s\n", file, strerror(errno));
	snprintf(p->watch.hook, sizeof(p->watch.hook), "%s", file);
	return done();
}

DEFUN(no_watch_hook, no_watch_hook_cmd, "no hook [FILE]",
      NO_STR "A program that is run when the provider dies, and when it is back\n"
	     "Its full path\n")
{
	struct site_provider *p = current(vty);

	if (!p)
		return CMD_WARNING_CONFIG_FAILED;
	p->watch.hook[0] = '\0';
	return done();
}

/* libfrr checks that it is constant. */
#define IN_PROVIDER(cmd) install_element((enum node_type)PROVIDER_NODE_SAV, &cmd)

void watch_vty_init(struct site_provider *(*current_fn)(struct vty *vty),
		    void (*changed_fn)(void))
{
	current = current_fn;
	changed = changed_fn;
	IN_PROVIDER(watch_probe_cmd);
	IN_PROVIDER(watch_interval_cmd);
	IN_PROVIDER(no_watch_interval_cmd);
	IN_PROVIDER(watch_target_cmd);
	IN_PROVIDER(watch_quorum_cmd);
	IN_PROVIDER(no_watch_quorum_cmd);
	IN_PROVIDER(watch_bfd_cmd);
	IN_PROVIDER(no_watch_bfd_cmd);
	IN_PROVIDER(watch_multihop_cmd);
	IN_PROVIDER(no_watch_multihop_cmd);
	IN_PROVIDER(watch_bfd_auth_cmd);
	IN_PROVIDER(no_watch_bfd_auth_cmd);
	IN_PROVIDER(watch_hold_cmd);
	IN_PROVIDER(no_watch_hold_cmd);
	IN_PROVIDER(watch_hook_cmd);
	IN_PROVIDER(no_watch_hook_cmd);
}

/* ---- running configuration ---- */

void watch_vty_write(struct vty *vty, const char *indent, const struct site_provider *p)
{
	const struct path_watch *w = &p->watch;
	struct path_watch usual;
	char text[IP_TEXT_SIZE];

	path_watch_default(&usual);
	if (!w->probe)
		vty_out(vty, "%sno probe\n", indent);
	if (w->interval_ms != usual.interval_ms || w->timeout_ms != usual.timeout_ms)
		vty_out(vty, "%sprobe interval %u multiplier %u\n", indent,
			w->interval_ms, multiplier_of(w));
	for (size_t i = 0; i < w->n_targets; i++)
		vty_out(vty, "%sprobe target %s\n", indent,
			ip_addr_format(&w->targets[i], text));
	if (w->quorum != usual.quorum)
		vty_out(vty, "%sprobe quorum %u\n", indent, w->quorum);
	if (w->bfd && (w->bfd_interval_ms != usual.bfd_interval_ms ||
		       w->bfd_multiplier != usual.bfd_multiplier))
		vty_out(vty, "%sbfd interval %u multiplier %u\n", indent,
			w->bfd_interval_ms, w->bfd_multiplier);
	else if (w->bfd && !w->bfd_multihop && !w->bfd_auth)
		vty_out(vty, "%sbfd\n", indent);
	if (w->bfd_multihop) {
		vty_out(vty, "%sbfd multihop %s", indent,
			ip_addr_format(&w->bfd_peer, text));
		if (w->bfd_min_ttl != usual.bfd_min_ttl)
			vty_out(vty, " minimum-ttl %u", w->bfd_min_ttl);
		vty_out(vty, "\n");
	}
	if (w->bfd_auth)
		vty_out(vty, "%sbfd authentication %s key-id %u file %s\n", indent,
			w->bfd_auth == BFD_AUTH_SHA1 ? "keyed-sha1" : "meticulous-keyed-sha1",
			w->bfd_key_id, w->bfd_key_file);
	if (w->hold_ms != usual.hold_ms)
		vty_out(vty, "%shold %u\n", indent, w->hold_ms / 1000);
	if (w->hook[0])
		vty_out(vty, "%shook %s\n", indent, w->hook);
}
