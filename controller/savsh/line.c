/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "controller/savsh/screen.h"
#include "controller/savsh/sieve.h"
#include "controller/savsh/text.h"
#include "controller/savsh/words.h"
#include "lib/mem.h"

#define HISTORY_LINES 1000
#define KEY_CTRL_C    3
#define KEY_CTRL_Z    26

static struct {
	struct session *session;
	volatile sig_atomic_t *stop;
	char *history_file; /* NULL: none */
	char **candidates;  /* of the completion in progress */
	size_t next_candidate;
} state;

static volatile sig_atomic_t suspended, terminated;

/* ---- signals */

static void on_signal(int number)
{
	if (number == SIGTSTP) {
		suspended = 1;
		return;
	}
	*state.stop = 1;
	if (number != SIGINT)
		terminated = 1;
}

/* No SA_RESTART: waits must see the signal. */
static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTSTP, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &sa, NULL);
}

/* Log lines of the daemons, above the line that is being typed. */
static void logs_print(void)
{
	struct wr out = { 0 };

	session_log_read(state.session, &out);
	if (out.len > 0) {
		rl_clear_visible_line();
		fflush(rl_outstream);
		screen_print_lines((const char *)out.data, out.len);
		rl_on_new_line();
		rl_forced_update_display();
	}
	wr_fini(&out);
}

/* Waits for a key with the signals open only inside ppoll(), so that none
 * gets lost between looking at the flags and sleeping. Signals become keys.
 * Returns 0 for "look": a key may be there, or not. */
static int key_wait(int fd)
{
	struct pollfd fds[1 + SESSION_DAEMONS_MAX] = { { .fd = fd, .events = POLLIN } };
	size_t n = 1 + session_log_fds(state.session, fds + 1);
	sigset_t block, old;
	int key = 0;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTSTP);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigprocmask(SIG_BLOCK, &block, &old);
	if (!*state.stop && !suspended && !terminated)
		ppoll(fds, n, NULL, &old);
	if (terminated)
		key = EOF;
	else if (*state.stop)
		key = KEY_CTRL_C;
	else if (suspended)
		key = KEY_CTRL_Z;
	*state.stop = 0;
	suspended = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return key;
}

static bool key_is_there(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) != 0;
}

static int key_read(FILE *in)
{
	for (;;) {
		int key = key_wait(fileno(in));
		unsigned char c;
		ssize_t n;

		if (key)
			return key;
		rl_check_signals(); /* the window may have a new size */
		logs_print();
		if (!key_is_there(fileno(in)))
			continue;
		n = read(fileno(in), &c, 1);
		if (n == 1)
			return c;
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return EOF;
	}
}

/* ---- keys of our own */

static int key_discard(int count, int key)
{
	rl_echo_signal_char(SIGINT);
	rl_crlf();
	rl_replace_line("", 1);
	rl_on_new_line();
	rl_redisplay();
	return 0;
}

static int key_end(int count, int key)
{
	if (session_level(state.session) < LEVEL_CONFIG)
		return 0;
	rl_replace_line("end", 1);
	return rl_newline(1, '\n');
}

static char *line_to_cursor(void)
{
	char *line = mem_strdup(rl_line_buffer);

	line[rl_point] = '\0';
	return line;
}

static void sieves_print(struct wr *out)
{
	const struct sieve_name *name;

	for (name = sieve_names(); name->name; name++)
		text_addf(out, "  %-8s %s\n", name->name, name->description);
}

/* The cursor is in a filter's regular expression, where '?' is a character. */
static bool in_regex(const char *bar)
{
	bar++;
	bar += strspn(bar, " \t");
	return bar[strcspn(bar, " \t")] != '\0';
}

static int key_help(int count, int key)
{
	char *line = line_to_cursor();
	const char *bar = sieve_start(line);
	struct wr out = { 0 };

	if (bar && in_regex(bar)) {
		free(line);
		return rl_insert(count, key);
	}
	if (bar)
		sieves_print(&out);
	else if (!session_help(state.session, line, &out))
		text_add(&out, "% nothing fits here\n");
	rl_crlf();
	fflush(rl_outstream);
	/* The pager wants the terminal as it was. */
	rl_deprep_terminal();
	screen_print((const char *)out.data, out.len);
	rl_prep_terminal(1);
	rl_on_new_line();
	rl_redisplay();
	wr_fini(&out);
	free(line);
	return 0;
}

/* ---- completion */

static char *next_candidate(const char *text, int again)
{
	size_t len = strlen(text);

	if (!again)
		state.next_candidate = 0;
	while (state.candidates && state.candidates[state.next_candidate]) {
		const char *found = state.candidates[state.next_candidate++];

		if (strncmp(found, text, len) == 0)
			return mem_strdup(found);
	}
	return NULL;
}

static char **sieve_candidates(void)
{
	const struct sieve_name *names = sieve_names();
	char **found;
	size_t n = 0, i;

	while (names[n].name)
		n++;
	found = mem_calloc(n + 1, sizeof(*found));
	for (i = 0; i < n; i++)
		found[i] = mem_strdup(names[i].name);
	return found;
}

static char **complete(const char *text, int start, int end)
{
	char *line = line_to_cursor(), **matches;
	const char *bar = sieve_start(line);
	size_t i;

	rl_attempted_completion_over = 1; /* never file names */
	if (!bar)
		state.candidates = session_complete(state.session, line);
	else
		state.candidates = in_regex(bar) ? NULL : sieve_candidates();
	matches = rl_completion_matches(text, next_candidate);
	for (i = 0; state.candidates && state.candidates[i]; i++)
		free(state.candidates[i]);
	free(state.candidates);
	state.candidates = NULL;
	free(line);
	return matches;
}

/* ---- history */

static char *history_path(void)
{
	const char *file = getenv("SAVSH_HISTFILE"), *home = getenv("HOME");
	char *path;

	if (file)
		return *file ? mem_strdup(file) : NULL;
	if (!home || !*home)
		return NULL;
	if (asprintf(&path, "%s/.savsh_history", home) < 0)
		abort(); /* out of memory */
	return path;
}

static void history_open(void)
{
	int fd;

	using_history();
	stifle_history(HISTORY_LINES);
	state.history_file = history_path();
	if (!state.history_file)
		return;
	/* readline appends only to a file that exists, and ours is private. */
	fd = open(state.history_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		close(fd);
		read_history(state.history_file);
	} else {
		free(state.history_file);
		state.history_file = NULL;
	}
}

void line_remember(const char *line)
{
	const HIST_ENTRY *last =
		history_length ? history_get(history_base + history_length - 1) : NULL;

	if (line_is_secret(line) || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	/* At once: sessions end in many ways, and others run meanwhile. */
	if (state.history_file)
		append_history(1, state.history_file);
}

/* ---- all of it */

void line_init(struct session *session, volatile sig_atomic_t *stop)
{
	state.session = session;
	state.stop = stop;
	catch_signals();
	rl_readline_name = "savsh";
	rl_catch_signals = 0;
	rl_getc_function = key_read;
	rl_attempted_completion_function = complete;
	rl_basic_word_break_characters = " \t|";
	rl_completer_quote_characters = "";
	rl_initialize();
	/* Pasted configuration is lines to run, not one line to edit. */
	rl_variable_bind("enable-bracketed-paste", "off");
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_bind_key('?', key_help);
	rl_bind_key('\t', rl_complete);
	rl_bind_key(KEY_CTRL_C, key_discard);
	rl_bind_key(KEY_CTRL_Z, key_end);
	history_open();
}

void line_fini(void)
{
	if (state.history_file)
		history_truncate_file(state.history_file, HISTORY_LINES);
	free(state.history_file);
	state.history_file = NULL;
}

char *line_read(const char *prompt)
{
	char *line;

	*state.stop = 0;
	suspended = 0;
	line = readline(prompt);
	if (terminated) {
		/* readline hands over what was typed so far; nobody ended that line. */
		free(line);
		return NULL;
	}
	if (line)
		return line;
	/* Ctrl-D: up by one node, as on a router; the terminal has no newline. */
	putchar('\n');
	fflush(stdout);
	return session_level(state.session) >= LEVEL_CONFIG ? mem_strdup("exit") : NULL;
}
