/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/shell.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/savsh/screen.h"
#include "controller/savsh/sieve.h"
#include "controller/savsh/text.h"
#include "controller/savsh/words.h"
#include "lib/mem.h"

#define LENGTH_MAX 512 /* lines; as in FRRouting */

static void print(struct shell *shell, const struct wr *text)
{
	if (text->len == 0 || screen_print((const char *)text->data, text->len) == 0)
		return;
	shell->cannot_write = true;
	/* "| head" has seen enough; anything else is worth a word. */
	if (errno != EPIPE)
		fprintf(stderr, "savsh: cannot write to standard output: %s\n",
			strerror(errno));
}

static void complain(struct shell *shell, const struct wr *text)
{
	if (shell->interactive)
		print(shell, text);
	else
		screen_complain((const char *)text->data, text->len);
}

static void complain_text(struct shell *shell, const char *text)
{
	struct wr out = { 0 };

	text_addf(&out, "%% %s\n", text);
	complain(shell, &out);
	wr_fini(&out);
}

/* ---- commands of the shell itself */

/* In a script: the log until somebody ends it, or the daemons do. */
static enum shell_status follow(struct shell *shell)
{
	struct pollfd fds[SESSION_DAEMONS_MAX + 1];
	struct wr out = { 0 };
	size_t n;

	while (!shell->cannot_write && (n = session_log_fds(shell->session, fds)) > 0) {
		fds[n] = (struct pollfd){ .fd = STDOUT_FILENO };
		if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
			break;
		if (fds[n].revents & (POLLERR | POLLHUP)) {
			shell->cannot_write = true; /* whoever read it has seen enough */
			break;
		}
		session_log_read(shell->session, &out);
		print(shell, &out);
		out.len = 0;
	}
	wr_fini(&out);
	return shell->cannot_write ? SHELL_FAILED : SHELL_UNREACHABLE;
}

static enum shell_status run_monitor(struct shell *shell, const char *line)
{
	struct wr complaints = { 0 };
	struct words words;
	bool on = !line_is(line, "no");
	size_t n, at = on ? 2 : 3;
	enum shell_status status = SHELL_OK;

	words_init(&words, line);
	if (words.n > at + 1) {
		complain_text(shell, "one daemon at most: \"terminal monitor [DAEMON]\"");
		words_fini(&words);
		return SHELL_FAILED;
	}
	n = session_log(shell->session, words.n > at ? words.word[at] : NULL, on,
			&complaints);
	words_fini(&words);
	if (complaints.len > 0) {
		complain(shell, &complaints);
		status = SHELL_FAILED;
	}
	wr_fini(&complaints);
	return on && n > 0 && !shell->interactive ? follow(shell) : status;
}

/* "terminal length [LINES]": 0 is no pager. */
static enum shell_status run_length(struct shell *shell, const struct words *words)
{
	const char *text = words->n > 2 && strcmp(words->word[1], "no") != 0 ?
				   words->word[2] :
				   "";
	size_t digits = strspn(text, "0123456789");
	unsigned long lines = strtoul(text, NULL, 10);

	if (text[digits] != '\0' || digits > 3 || lines > LENGTH_MAX || words->n > 3) {
		complain_text(shell, "a number of lines, 0 to 512: \"terminal length 0\" is no "
				     "pager, \"terminal no length\" as many as fit");
		return SHELL_FAILED;
	}
	screen_set_paging(shell->interactive && (digits == 0 || lines != 0));
	screen_set_length((unsigned int)lines);
	return SHELL_OK;
}

static enum shell_status run_terminal(struct shell *shell, const char *line)
{
	enum shell_status status = SHELL_OK;
	struct words words;

	words_init(&words, line);
	if (line_is(line, "ter.minal pa.ginate") || line_is(line, "no ter.minal pa.ginate"))
		screen_set_paging(shell->interactive && strcmp(words.word[0], "no") != 0);
	else
		status = run_length(shell, &words);
	words_fini(&words);
	return status;
}

static bool is_monitor(const char *line)
{
	return line_is(line, "ter.minal mon.itor") || line_is(line, "no ter.minal mon.itor");
}

/* False: it is for the daemons. */
static bool run_local(struct shell *shell, const char *line, enum shell_status *status)
{
	bool at_top = session_level(shell->session) < LEVEL_CONFIG;

	*status = SHELL_OK;
	if (line_is_do(line)) {
		return false;
	} else if (at_top && (line_is(line, "ex.it") || line_is(line, "q.uit"))) {
		shell->done = true;
		return true;
	} else if (line_is(line, "ter.minal le.ngth") ||
		   line_is(line, "ter.minal no le.ngth") ||
		   line_is(line, "ter.minal pa.ginate") ||
		   line_is(line, "no ter.minal pa.ginate")) {
		*status = run_terminal(shell, line);
		return true;
	} else if (is_monitor(line)) {
		*status = run_monitor(shell, line);
		return true;
	}
	return false;
}

/* "show ?" in a script; a typed '?' is a key and never gets here. */
static bool run_help(struct shell *shell, const char *line, enum shell_status *status)
{
	size_t len = strlen(line);
	struct wr out = { 0 };
	char *before;

	if (shell->interactive || len == 0 || line[len - 1] != '?' || sieve_start(line))
		return false;
	before = mem_strdup(line);
	before[len - 1] = '\0';
	*status = SHELL_OK;
	if (session_help(shell->session, before, &out)) {
		print(shell, &out);
	} else {
		complain_text(shell, "nothing fits here");
		*status = SHELL_FAILED;
	}
	wr_fini(&out);
	free(before);
	return true;
}

/* ---- commands of the daemons */

/* What the operator can do about a line that no daemon took. */
static void hint(struct shell *shell, const char *line, struct answer *answer)
{
	char *absent = session_names(shell->session, false);

	if (answer->verdict == VERDICT_NO_MATCH && *absent)
		text_addf(&answer->text, "%% not asked, because not connected: %s\n",
			  absent);
	session_expected(shell->session, line, answer->verdict, &answer->text);
	free(absent);
}

static enum shell_status answer_print(struct shell *shell, const char *line,
				      const struct sieve *sieve, struct answer *answer)
{
	struct wr out = { 0 };
	enum shell_status status = SHELL_FAILED;

	if (answer->notes.len)
		complain(shell, &answer->notes);
	switch (answer->verdict) {
	case VERDICT_OK:
		sieve_apply(sieve, (const char *)answer->text.data, answer->text.len,
			    &out);
		print(shell, &out);
		wr_fini(&out);
		return SHELL_OK;
	case VERDICT_NO_MATCH:
	case VERDICT_AMBIGUOUS:
	case VERDICT_INCOMPLETE:
		hint(shell, line, answer);
		break;
	case VERDICT_FAILED:
		if (answer->text.len == 0)
			text_add(&answer->text,
				 "% the daemon refused without saying why\n");
		break;
	case VERDICT_LOST:
		status = SHELL_UNREACHABLE;
		break;
	}
	complain(shell, &answer->text);
	return status;
}

static enum shell_status run_command(struct shell *shell, const char *line,
				     const struct sieve *sieve)
{
	struct answer answer;
	enum shell_status status;

	session_run(shell->session, line, &answer);
	status = answer_print(shell, line, sieve, &answer);
	answer_fini(&answer);
	return status;
}

enum shell_status shell_run(struct shell *shell, const char *line)
{
	enum shell_status status = SHELL_OK;
	struct diag diag = { 0 };
	struct sieve sieve;
	char *command;

	if (line_is_blank(line) || run_help(shell, line, &status))
		return status;
	if (sieve_parse(line, &sieve, &command, &diag) < 0) {
		complain_text(shell, diag.text);
		return SHELL_FAILED;
	}
	if (!sieve_is_empty(&sieve) && is_monitor(command)) {
		complain_text(shell, "log lines are not filtered");
		status = SHELL_FAILED;
	} else if (!run_local(shell, command, &status)) {
		status = run_command(shell, command, &sieve);
	}
	free(command);
	sieve_fini(&sieve);
	return shell->cannot_write ? SHELL_FAILED : status;
}
