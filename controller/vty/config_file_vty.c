/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/vty/grammar_vty.h"

#include "buffer.h"
#include "memory.h"

struct reading {
	const char *path;
	config_vty_error_fn *fn;
	void *arg;
	unsigned int line;
	int errors;
};

static void tell(struct reading *r, const char *text)
{
	char line[VTY_BUFSIZ + 600];

	snprintf(line, sizeof(line), "%s:%u: %s", r->path, r->line, text);
	r->fn(line, r->arg);
	r->errors++;
}

static int run_line(struct vty *vty, const char *line)
{
	bool indented = line[0] == ' ' || line[0] == '\t';
	enum node_type before = vty->node;
	int ret;

	snprintf(vty->buf, VTY_BUFSIZ, "%s", line);
	if (!indented && strcmp(line, "exit") != 0)
		vty->node = CONFIG_NODE;
	ret = command_config_read_one_line(vty, NULL, 0, 0);
	if (ret == CMD_ERR_NO_MATCH && vty->node == CONFIG_NODE &&
	    before != CONFIG_NODE) {
		vty->node = before;
		ret = command_config_read_one_line(vty, NULL, 0, 0);
	}
	return ret;
}

static void read_line(struct reading *r, struct vty *vty, char *line)
{
	char text[VTY_BUFSIZ + 64], *out, *first;
	int ret;

	line[strcspn(line, "\r\n")] = '\0';
	first = line + strspn(line, " \t");
	if (*first == '\0' || *first == '!' || *first == '#' || strcmp(first, "end") == 0)
		return;
	/* libfrr's heading of `show running-config` */
	if (strncmp(first, "frr version ", 12) == 0 ||
	    strncmp(first, "frr defaults ", 13) == 0)
		return;
	ret = run_line(vty, line);
	out = buffer_getstr(vty->obuf);
	buffer_reset(vty->obuf);
	if (ret == CMD_ERR_NO_MATCH || ret == CMD_ERR_INCOMPLETE ||
	    ret == CMD_ERR_AMBIGUOUS) {
		snprintf(text, sizeof(text), "%s: \"%s\"",
			 ret == CMD_ERR_NO_MATCH     ? "unknown command"
			 : ret == CMD_ERR_INCOMPLETE ? "the command is not complete"
						     : "the command is ambiguous",
			 first);
		tell(r, text);
	} else if (ret != CMD_SUCCESS && ret != CMD_WARNING) {
		out[strcspn(out, "\n")] = '\0';
		tell(r, strncmp(out, "% ", 2) == 0 ? out + 2 : out);
	}
	XFREE(MTYPE_TMP, out);
}

static int read_stream(FILE *file, const char *name, config_vty_error_fn *fn, void *arg)
{
	struct reading r = { .path = name, .fn = fn, .arg = arg };
	char line[VTY_BUFSIZ];
	struct vty *vty = vty_new();

	vty->type = VTY_FILE;
	vty->node = CONFIG_NODE;
	while (fgets(line, sizeof(line), file)) {
		r.line++;
		if (!strchr(line, '\n') && !feof(file)) {
			tell(&r, "the line is too long");
			while (fgets(line, sizeof(line), file) && !strchr(line, '\n'))
				;
			continue;
		}
		read_line(&r, vty, line);
	}
	if (ferror(file)) {
		tell(&r, strerror(errno));
		r.errors = -1;
	}
	vty_close(vty);
	return r.errors;
}

int config_vty_read(const char *path, config_vty_error_fn *fn, void *arg)
{
	FILE *file = fopen(path, "re");
	char text[300];
	int errors;

	if (!file) {
		snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
		fn(text, arg);
		return -1;
	}
	errors = read_stream(file, path, fn, arg);
	fclose(file);
	return errors;
}

int config_vty_read_text(struct config *cfg, const char *text, config_vty_error_fn *fn,
			 void *arg)
{
	struct config *running;
	FILE *file;
	int errors;

	if (*text == '\0')
		return 0;
	file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	if (!file)
		return -1;
	running = grammar_use(cfg);
	config_set_time(cfg, running->now_s);
	errors = read_stream(file, "configuration", fn, arg);
	grammar_use(running);
	fclose(file);
	return errors;
}

int config_vty_read_into(struct config *cfg, const char *path, config_vty_error_fn *fn,
			 void *arg)
{
	struct config *running = grammar_use(cfg);
	int errors;

	config_set_time(cfg, running->now_s);
	errors = config_vty_read(path, fn, arg);
	grammar_use(running);
	return errors;
}

int config_vty_check(const char *path, config_vty_error_fn *fn, void *arg)
{
	struct config scratch;
	int errors;

	config_clone(&scratch, grammar_cfg());
	errors = config_vty_read_into(&scratch, path, fn, arg);
	config_fini(&scratch);
	return errors;
}
