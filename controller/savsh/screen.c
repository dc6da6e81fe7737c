/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savsh/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/savsh/colour.h"
#include "controller/savsh/text.h"
#include "lib/wr.h"

/* -F leaves at once if all fits, -X leaves the answer on the screen, -R lets colours
 * through and nothing else. */
#define DEFAULT_PAGER "less -FRX"
/* The shell's "no such command". */
#define EXIT_NOT_FOUND 127

/* A terminal takes what it is given at once, whatever Ctrl-C says later. */
#define TERMINAL_BYTES 4096

static bool paging, colour;
static unsigned int page_lines;
static const volatile sig_atomic_t *stop;

void screen_set_paging(bool on)
{
	paging = on;
}

void screen_set_length(unsigned int lines)
{
	page_lines = lines;
}

void screen_set_colour(bool on)
{
	colour = on;
}

void screen_set_stop(const volatile sig_atomic_t *flag)
{
	stop = flag;
}

/* Controls as ^X. A C1 control in UTF-8 is 0xc2 and a byte below 0xa0. */
static void make_visible(const char *text, size_t len, struct wr *out)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
			text_addf(out, "^%c", c ^ 0x40);
		} else if (c == 0xc2 && i + 1 < len &&
			   (unsigned char)text[i + 1] < 0xa0) {
			text_addf(out, "<%02X>", (unsigned char)text[i + 1]);
			i++;
		} else {
			wr_u8(out, c);
		}
	}
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_until_stopped(const char *text, size_t len)
{
	while (len && !(stop && *stop)) {
		size_t some = len < TERMINAL_BYTES ? len : TERMINAL_BYTES;
		ssize_t n = write(STDOUT_FILENO, text, some);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	/* The prompt is to begin a line, in no colour. */
	if (len && colour)
		write_all(STDOUT_FILENO, "\033[0m", 4);
	return len ? write_all(STDOUT_FILENO, "\n", 1) : 0;
}

static bool is_longer_than_screen(const char *text, size_t len)
{
	struct winsize size = { 0 };
	const char *end = text + len;
	unsigned int lines = 0, most;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	/* the prompt needs a line of the terminal */
	most = page_lines ? page_lines + 1 : size.ws_row;
	if (most == 0)
		return false;
	while (text < end && lines < most) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *next = nl ? nl + 1 : end;

		/* Long lines wrap. */
		lines += 1 + (unsigned int)((next - text - 1) /
					    (size.ws_col ? size.ws_col : 80));
		text = next;
	}
	return lines >= most;
}

static void pager_exec(const char *pager, const int fds[2])
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	close(fds[1]);
	execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
	_exit(EXIT_NOT_FOUND);
}

/* False: there is no such pager, nothing was shown. */
static bool page(const char *pager, const char *text, size_t len)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_int, old_tstp;
	int fds[2], status = 0;
	pid_t pid;

	if (pipe(fds) < 0)
		return false;
	fflush(stdout);
	/* Ctrl-C and Ctrl-Z are the pager's as long as it runs. */
	sigaction(SIGINT, &ignore, &old_int);
	sigaction(SIGTSTP, &ignore, &old_tstp);
	pid = fork();
	if (pid == 0)
		pager_exec(pager, fds);
	close(fds[0]);
	if (pid > 0)
		write_all(fds[1], text, len); /* it may be left early: no error */
	close(fds[1]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sigaction(SIGINT, &old_int, NULL);
	sigaction(SIGTSTP, &old_tstp, NULL);
	return pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND);
}

/* What a terminal gets. An operator's own pager might show colours as garbage. */
static void make_up(const struct wr *visible, struct wr *out)
{
	if (colour)
		colour_add((const char *)visible->data, visible->len, out);
	else
		wr_bytes(out, visible->data, visible->len);
}

/* False: not paged, nothing was shown. */
static bool print_paged(const struct wr *visible)
{
	const char *pager = getenv("SAVSH_PAGER"), *text = (const char *)visible->data;
	struct wr shown = { 0 };
	bool done;

	if (!paging || (pager && !*pager) || !is_longer_than_screen(text, visible->len))
		return false;
	if (pager)
		return page(pager, text, visible->len);
	make_up(visible, &shown);
	done = page(DEFAULT_PAGER, (const char *)shown.data, shown.len);
	wr_fini(&shown);
	return done;
}

static int print(const char *text, size_t len, bool may_page)
{
	struct wr visible = { 0 }, shown = { 0 };
	int rc = 0;

	if (!isatty(STDOUT_FILENO))
		return write_all(STDOUT_FILENO, text, len);
	make_visible(text, len, &visible);
	if (!may_page || !print_paged(&visible)) {
		make_up(&visible, &shown);
		rc = write_until_stopped((const char *)shown.data, shown.len);
	}
	wr_fini(&visible);
	wr_fini(&shown);
	return rc;
}

int screen_print(const char *text, size_t len)
{
	return print(text, len, true);
}

int screen_print_lines(const char *text, size_t len)
{
	return print(text, len, false);
}

void screen_complain(const char *text, size_t len)
{
	struct wr visible = { 0 }, shown = { 0 };

	if (isatty(STDERR_FILENO)) {
		make_visible(text, len, &visible);
		make_up(&visible, &shown);
		write_all(STDERR_FILENO, (const char *)shown.data, shown.len);
	} else {
		write_all(STDERR_FILENO, text, len);
	}
	wr_fini(&visible);
	wr_fini(&shown);
}
