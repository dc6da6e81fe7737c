/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savsh - the operator's shell of OpenSAV: options, scripts, the prompt.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/savsh/colour.h"
#include "controller/savsh/line.h"
#include "controller/savsh/screen.h"
#include "controller/savsh/session.h"
#include "controller/savsh/shell.h"
#include "controller/savsh/words.h"
#include "lib/mem.h"
#include "opensav_config.h"

#define SOCKET_DIR "/run/opensav"

/* Asked in this order. */
static const char *const all_daemons[] = { "savd", "sav-agent", "sav-iked" };

struct options {
	const char *dir;
	const char *daemons[SESSION_DAEMONS_MAX];
	size_t n_daemons;
	char **commands;
	size_t n_commands;
	const char *file;
	bool no_color;
};

static volatile sig_atomic_t stop;

static const char usage_text[] =
	"usage: savsh [-d DAEMON]... [--vty_socket DIR] [-c COMMAND]... | [-f FILE]\n"
	"  -c, --command COMMAND   run COMMAND and end; repeat it for several, in turn\n"
	"  -f, --inputfile FILE    run the commands in FILE and end (-: standard input)\n"
	"  -d, --daemon DAEMON     talk to this one only: savd, sav-agent or sav-iked\n"
	"      --vty_socket DIR    directory of the daemons' sockets (" SOCKET_DIR ")\n"
	"      --no-color          no colours on a terminal either\n"
	"  -v, --version           print the version\n"
	"  -h, --help              print this\n"
	"Without -c and -f it is interactive, or runs the commands of standard input if\n"
	"that is no terminal. Exit status: 0, 1 a command failed, 2 wrong usage, 3 no\n"
	"daemon could be reached. See savsh(8).\n";

static void usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "savsh: %s%s%s\n%s", what, arg ? ": " : "", arg ? arg : "",
		usage_text);
	exit(SHELL_USAGE);
}

static void daemon_add(struct options *options, const char *name)
{
	if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
		usage_error("not the name of a daemon", name);
	if (options->n_daemons == SESSION_DAEMONS_MAX)
		usage_error("too many daemons", name);
	options->daemons[options->n_daemons++] = name;
}

static void command_add(struct options *options, char *command)
{
	options->commands = mem_realloc(options->commands, options->n_commands + 1,
					sizeof(*options->commands));
	options->commands[options->n_commands++] = command;
}

static void options_check(struct options *options, const char *extra)
{
	size_t i;

	if (extra)
		usage_error("unexpected argument (commands need -c)", extra);
	if (options->file && options->n_commands)
		usage_error("-c and -f exclude each other", NULL);
	if (options->n_daemons)
		return;
	for (i = 0; i < sizeof(all_daemons) / sizeof(*all_daemons); i++)
		daemon_add(options, all_daemons[i]);
}

static struct options options_parse(int argc, char **argv)
{
	enum { OPTION_VTY_SOCKET = 256, OPTION_NO_COLOR };
	static const struct option longs[] = {
		{ "command", required_argument, NULL, 'c' },
		{ "inputfile", required_argument, NULL, 'f' },
		{ "daemon", required_argument, NULL, 'd' },
		{ "vty_socket", required_argument, NULL, OPTION_VTY_SOCKET },
		{ "no-color", no_argument, NULL, OPTION_NO_COLOR },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .dir = SOCKET_DIR };
	int option;

	while ((option = getopt_long(argc, argv, "c:f:d:vh", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			command_add(&options, optarg);
			break;
		case 'f':
			options.file = optarg;
			break;
		case 'd':
			daemon_add(&options, optarg);
			break;
		case OPTION_VTY_SOCKET:
			options.dir = optarg;
			break;
		case OPTION_NO_COLOR:
			options.no_color = true;
			break;
		case 'v':
			puts("savsh version " PACKAGE_VERSION);
			exit(SHELL_OK);
		case 'h':
			fputs(usage_text, stdout);
			exit(SHELL_OK);
		default: /* getopt has said what is wrong */
			fputs(usage_text, stderr);
			exit(SHELL_USAGE);
		}
	}
	options_check(&options, argv[optind]);
	return options;
}

/* ---- scripts */

/* The commands after a failed one do not run: they might be meant for a node
 * that was not entered. */
static void report(const char *origin, unsigned int number, const char *line)
{
	fprintf(stderr, "savsh: %s%u: failed, nothing after it was run: %s\n", origin,
		number,
		line_is_secret(line) ? "(not shown, as it may hold a secret)" : line);
}

/* One -c may hold several lines, as from a shell's $'...'. */
static enum shell_status run_commands(struct shell *shell, const struct options *options)
{
	enum shell_status status = SHELL_OK;
	size_t i;

	for (i = 0; i < options->n_commands && status == SHELL_OK && !shell->done; i++) {
		char *state = NULL, *line;

		for (line = strtok_r(options->commands[i], "\n", &state);
		     line && status == SHELL_OK && !shell->done;
		     line = strtok_r(NULL, "\n", &state)) {
			status = shell_run(shell, line);
			if (status != SHELL_OK && !shell->cannot_write &&
			    options->n_commands > 1)
				report("-c number ", (unsigned int)i + 1, line);
		}
	}
	return status;
}

static enum shell_status run_stream(struct shell *shell, FILE *in, const char *name)
{
	enum shell_status status = SHELL_OK;
	char *line = NULL, *origin;
	size_t cap = 0;
	unsigned int number = 0;
	ssize_t len;

	if (asprintf(&origin, "%s:", name) < 0)
		abort(); /* out of memory */
	while (status == SHELL_OK && !shell->done &&
	       (len = getline(&line, &cap, in)) >= 0) {
		number++;
		if (memchr(line, '\0', (size_t)len)) {
			fprintf(stderr, "savsh: %s%u: a NUL byte is no text\n", origin,
				number);
			status = SHELL_FAILED;
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		status = shell_run(shell, line);
		if (status != SHELL_OK && !shell->cannot_write)
			report(origin, number, line);
	}
	if (ferror(in)) {
		fprintf(stderr, "savsh: %s: %s\n", name, strerror(errno));
		status = SHELL_FAILED;
	}
	free(origin);
	free(line);
	return status;
}

static enum shell_status run_file(struct shell *shell, const char *name)
{
	enum shell_status status;
	FILE *in;

	if (strcmp(name, "-") == 0)
		return run_stream(shell, stdin, "standard input");
	in = fopen(name, "re");
	if (!in) {
		fprintf(stderr, "savsh: %s: %s\n", name, strerror(errno));
		return SHELL_USAGE;
	}
	status = run_stream(shell, in, name);
	fclose(in);
	return status;
}

/* ---- the prompt */

static enum shell_status run_interactive(struct shell *shell)
{
	char *names = session_names(shell->session, true);
	char *absent = session_names(shell->session, false);
	char *line;

	shell->interactive = true;
	screen_set_paging(true);
	screen_set_stop(&stop);
	line_init(shell->session, &stop);
	printf("OpenSAV " PACKAGE_VERSION " shell, connected to %s%s%s. \"?\" helps.\n",
	       names, *absent ? "; not to " : "", absent);
	fflush(stdout);
	free(names);
	free(absent);
	while (!shell->done && (line = line_read(session_prompt(shell->session)))) {
		if (!line_is_blank(line)) {
			line_remember(line);
			shell_run(shell, line);
			shell->cannot_write = false;
		}
		free(line);
	}
	line_fini();
	return SHELL_OK;
}

/* False: there is nobody to talk to. */
static bool connect_all(struct shell *shell, const struct options *options)
{
	bool any = session_open(shell->session) > 0;
	struct wr why = { 0 };

	if (!any)
		fprintf(stderr, "savsh: no daemon could be reached:\n");
	session_explain(shell->session, !any, &why);
	screen_complain((const char *)why.data, why.len);
	wr_fini(&why);
	if (!any)
		fprintf(stderr,
			"The sockets are looked for in %s; --vty_socket DIR names "
			"another directory.\n",
			options->dir);
	return any;
}

static enum shell_status run(struct shell *shell, const struct options *options)
{
	if (!connect_all(shell, options))
		return SHELL_UNREACHABLE;
	if (options->n_commands)
		return run_commands(shell, options);
	if (options->file)
		return run_file(shell, options->file);
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return run_interactive(shell);
	return run_file(shell, "-");
}

/* A daemon's socket must not be taken for standard output, where that was
 * closed: writing to what is put there instead is an error. */
static void keep_standard_streams_apart(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options = options_parse(argc, argv);
	struct shell shell = { 0 };
	enum shell_status status;

	screen_set_colour(!options.no_color && colour_is_wanted());
	keep_standard_streams_apart();
	/* A daemon or a reader of ours that goes away is an error to report. */
	signal(SIGPIPE, SIG_IGN);
	shell.session =
		session_new(options.dir, options.daemons, options.n_daemons, &stop);
	status = run(&shell, &options);
	session_free(shell.session);
	free(options.commands);
	return (int)status;
}
