/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/journal_vty.h"

#include <pwd.h>
#include <sys/socket.h>

#include "command.h"
#include "hook.h"

#include "controller/policy/config_replace.h"
#include "controller/vty/grammar_vty.h"
#include "controller/vty/journal_impl_vty.h"
#include "controller/vty/text_diff.h"
#include "lib/mem.h"

/* libfrr has them and its headers do not say so. */
DECLARE_HOOK(cmd_execute, (struct vty * vty, const char *cmd_in, char **cmd_out),
	     (vty, cmd_in, cmd_out));
DECLARE_HOOK(cmd_execute_done, (struct vty * vty, const char *cmd_exec), (vty, cmd_exec));

struct journal journal;

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t journal_revision(void)
{
	return journal.revision;
}

/* ---- who ---- */

static void who_of(struct vty *vty, char who[STORE_WHO_SIZE])
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct passwd *user;

	if (getsockopt(vty->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ||
	    peer.pid == 0) {
		snprintf(who, STORE_WHO_SIZE, "%s",
			 vty->address[0] ? vty->address : "unknown");
		return;
	}
	user = getpwuid(peer.uid);
	snprintf(who, STORE_WHO_SIZE, "%.63s uid %u pid %d", user ? user->pw_name : "?",
		 (unsigned int)peer.uid, (int)peer.pid);
}

/* Only when it is asked for: looking a user up takes its time. */
void journal_who(char who[STORE_WHO_SIZE])
{
	if (journal.vty)
		who_of(journal.vty, journal.who);
	if (who != journal.who)
		snprintf(who, STORE_WHO_SIZE, "%s", journal.who);
}

/* In whose node the command is: "edge r1 eth0: ". */
static void context_of(struct vty *vty, char *text, size_t size)
{
	struct cmd_node *node = vector_lookup(cmdvec, (unsigned int)vty->node);
	struct place *p = vty->node > NODE_TYPE_MAX ? VTY_GET_CONTEXT(place) : NULL;

	text[0] = '\0';
	if (node && p)
		snprintf(text, size, "%s %s%s%s: ", node->name, p->name,
			 p->interface[0] ? " " : "", p->interface);
}

/* What follows these words is nobody's business. */
void journal_hide_secrets(const char *line, char *out, size_t size)
{
	static const char *const words[] = { "password", "secret" };
	size_t len = 0;
	bool hide = false;

	out[0] = '\0';
	while (*line != '\0' && len < size - 1) {
		size_t blank = strspn(line, " \t");
		size_t word = strcspn(line + blank, " \t");
		const char *what = hide ? "*" : line + blank;
		int n = hide && word ? 1 : (int)word;

		len += (size_t)snprintf(out + len, size - len, "%.*s%.*s", (int)blank,
					line, n, what);
		hide = false;
		for (size_t i = 0; i < array_size(words); i++) {
			if (word > 0 && strncmp(words[i], line + blank, word) == 0)
				hide = true;
		}
		line += blank + word;
	}
}

/* ---- rows ---- */

static int command_add(bool revision, const char *result, struct diag *diag)
{
	char line[VTY_BUFSIZ + 2 * CONFIG_NAME_SIZE], context[2 * CONFIG_NAME_SIZE] = "";
	struct store_command c = {
		.at_ms = wall_ms(),
		.who = journal.who,
		.line = line,
		.result = result,
	};

	journal_who(journal.who);
	if (journal.vty)
		context_of(journal.vty, context, sizeof(context));
	snprintf(line, sizeof(line), "%s%s", context, journal.line);
	if (store_command_add(journal.store, &c, revision, diag) < 0)
		return -1;
	journal.id = c.id;
	if (revision)
		journal.revision = c.revision;
	return 0;
}

static int change_add(const char *heading, const char *diff, void *arg)
{
	if (journal.id == 0 && command_add(true, "", arg) < 0)
		return -1;
	return store_command_change(journal.store, journal.id, journal.seq++, heading, diff,
				    arg);
}

static int changes_add(struct config *old, struct config *new, struct diag *diag)
{
	struct text_config a, b;
	char *text_a = config_vty_text(old), *text_b = config_vty_text(new);
	int rc;

	text_config_parse(&a, text_a);
	text_config_parse(&b, text_b);
	rc = text_config_diff(&a, &b, change_add, diag);
	text_config_fini(&a);
	text_config_fini(&b);
	free(text_a);
	free(text_b);
	return rc;
}

/* ---- the sink: each change and its rows in one transaction ---- */

int journal_enter(struct diag *diag)
{
	return journal.batch ? 0 : store_begin(journal.store, diag);
}

/* rc: how the change went. A row that was numbered and undone was never there. */
int journal_leave(int rc, struct config *old, struct config *new, struct diag *diag)
{
	int64_t id = journal.id, seq = journal.seq, revision = journal.revision;

	if (journal.batch)
		return rc;
	if (rc == 0)
		rc = changes_add(old, new, diag);
	if (rc == 0)
		rc = store_commit(journal.store, diag);
	else
		store_rollback(journal.store);
	if (rc < 0) {
		journal.id = id;
		journal.seq = seq;
		journal.revision = revision;
	}
	return rc;
}

/* ---- commands ---- */

static void begin(struct vty *vty, const char *who, const char *line)
{
	journal.vty = vty;
	snprintf(journal.who, sizeof(journal.who), "%s", who);
	journal_hide_secrets(line + strspn(line, " \t"), journal.line, sizeof(journal.line));
	journal.id = journal.seq = 0;
	journal.acted = false;
	grammar_forget_error();
}

/* What changed something has its row. */
static void end(void)
{
	const char *error = grammar_last_error();
	struct diag diag;

	if (journal.id == 0 && (journal.acted || error[0] != '\0') &&
	    command_add(false, error, &diag) < 0)
		zlog_err("the history of commands: %s", diag.text);
	begin(NULL, "savd", "by itself");
}

static int on_command(struct vty *vty, const char *line, char **unused)
{
	(void)unused;
	begin(vty, "", line);
	return 0;
}

static int on_command_done(struct vty *vty, const char *line)
{
	(void)vty;
	(void)line;
	end();
	return 0;
}

void journal_action(void)
{
	journal.acted = true;
}

void journal_self_begin(const char *who, const char *line)
{
	begin(NULL, who, line);
}

void journal_self_end(void)
{
	end();
}

/* ---- many changes as one ---- */

/* What was made in memory is undone there; nothing can refuse what was before. */
static void restore(const struct config *before)
{
	struct diag unused;

	journal.cfg->sink = NULL;
	if (config_replace(journal.cfg, before, &unused) < 0)
		zlog_err("the configuration before could not be restored: %s; start savd "
			 "again: the database has it",
			 unused.text);
	journal.cfg->sink = &journal.sink;
}

/* Whether there is more to a configuration than config_replace() knows of. */
static int check_text(const struct config *target, struct diag *diag)
{
	struct config copy = *target; /* printing changes nothing */
	char *have = config_vty_text(journal.cfg), *want = config_vty_text(&copy);
	int rc = 0;

	if (strcmp(have, want) != 0)
		rc = diag_set(diag, "what would come out is not what was asked for; this is "
				    "a fault of savd, and nothing was changed");
	free(have);
	free(want);
	return rc;
}

static int replace_all(struct config *before, const struct config *target, struct diag *diag)
{
	int rc = config_replace(journal.cfg, target, diag);

	if (rc == 0)
		rc = check_text(target, diag);
	if (rc == 0)
		rc = changes_add(before, journal.cfg, diag);
	if (rc == 0)
		return store_commit(journal.store, diag);
	store_rollback(journal.store);
	return rc;
}

int journal_replace(const struct config *target, struct diag *diag)
{
	int64_t revision = journal.revision;
	struct config before;
	int rc;

	if (store_begin(journal.store, diag) < 0)
		return -1;
	config_clone(&before, journal.cfg);
	journal.batch = true;
	rc = replace_all(&before, target, diag);
	journal.batch = false;
	if (rc < 0) {
		journal.id = journal.seq = 0;
		journal.revision = revision;
		restore(&before);
	}
	config_fini(&before);
	return rc;
}

/* ---- the past ---- */

static void undo_one(int64_t revision, const char *object, const char *diff, void *arg)
{
	(void)revision;
	text_object_undo(text_config_get(arg, object), diff);
}

static int check_revision(int64_t revision, struct diag *diag)
{
	int64_t newest, oldest;

	if (store_revisions(journal.store, &newest, &oldest, diag) < 0)
		return -1;
	if (revision >= oldest && revision <= newest)
		return 0;
	if (newest == 0)
		return diag_set(diag, "there is no revision yet: nothing was changed so far");
	return diag_set(diag, "there is no revision %lld: type one from %lld to %lld",
			(long long)revision, (long long)oldest, (long long)newest);
}

char *journal_text_of(int64_t revision, struct diag *diag)
{
	struct text_config c;
	struct wr out = { 0 };
	char *text;
	int rc;

	if (check_revision(revision, diag) < 0)
		return NULL;
	text = config_vty_text(journal.cfg);
	text_config_parse(&c, text);
	free(text);
	rc = store_changes_walk(journal.store, revision, undo_one, &c, diag);
	if (rc == 0)
		text_config_print(&c, &out);
	text_config_fini(&c);
	return (char *)out.data;
}

static void keep_first(const char *text, void *arg)
{
	struct diag *diag = arg;

	if (diag->text[0] == '\0')
		diag_set(diag, "%s", text);
}

int journal_config_of(int64_t revision, struct config *out, struct diag *diag)
{
	char *text = journal_text_of(revision, diag);
	int errors;

	if (!text)
		return -1;
	config_init(out);
	diag->text[0] = '\0';
	errors = config_vty_read_text(out, text, keep_first, diag);
	free(text);
	if (errors == 0)
		return 0;
	config_fini(out);
	return diag_prepend(diag, "revision %lld cannot be read any more",
			    (long long)revision);
}

void journal_init(struct config *cfg, struct store *store)
{
	int64_t oldest;
	struct diag diag;

	journal.cfg = cfg;
	journal.store = store;
	journal.below = cfg->sink;
	journal_sink_init();
	cfg->sink = &journal.sink;
	if (store_revisions(store, &journal.revision, &oldest, &diag) < 0)
		zlog_err("%s", diag.text);
	begin(NULL, "savd", "by itself");
	hook_register(cmd_execute, on_command);
	hook_register(cmd_execute_done, on_command_done);
}
