/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/path_memory.h"

#include <stdio.h>
#include <string.h>

#include "lib/pki.h"
#include "lib/wr.h"

#define FIRST_LINE "opensav paths 1"
#define BOOT_ID	   "/proc/sys/kernel/random/boot_id"
#define LINE_SIZE  (3 * PATH_NAME_SIZE)

/* The machine's boot, "" where there is no /proc. */
static void boot_id(char out[LINE_SIZE])
{
	FILE *f = fopen(BOOT_ID, "re");

	if (!f || !fgets(out, LINE_SIZE, f))
		out[0] = '\0';
	if (f)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
}

static void line_of(const struct site_provider *p, const struct site_path *path,
		    char out[LINE_SIZE])
{
	snprintf(out, LINE_SIZE, "dead %u %s %s", path->number, p->name, path->name);
}

int path_memory_save(const char *file, const struct site *site,
		     const struct path_state *states, struct diag *diag)
{
	char boot[LINE_SIZE], line[2 * LINE_SIZE], what[LINE_SIZE];
	struct wr wr = { 0 };
	int rc;

	boot_id(boot);
	snprintf(line, sizeof(line), FIRST_LINE " %s\n", boot);
	wr_bytes(&wr, line, strlen(line));
	for (size_t i = 0; i < site->n_providers; i++) {
		const struct site_provider *p = &site->providers[i];

		for (size_t j = 0; j < p->n_paths; j++) {
			if (states[p->paths[j].number].alive != PATH_DOWN)
				continue;
			line_of(p, &p->paths[j], what);
			snprintf(line, sizeof(line), "%s\n", what);
			wr_bytes(&wr, line, strlen(line));
		}
	}
	rc = pki_file_write(file, 0600, wr.data, wr.len, diag);
	wr_fini(&wr);
	return rc;
}

static void take_line(const char *line, const struct site *site,
		      struct path_state *states, int64_t now_ms)
{
	char what[LINE_SIZE];

	for (size_t i = 0; i < site->n_providers; i++) {
		const struct site_provider *p = &site->providers[i];

		for (size_t j = 0; j < p->n_paths; j++) {
			struct path_state *s = &states[p->paths[j].number];

			line_of(p, &p->paths[j], what);
			if (strcmp(line, what) != 0)
				continue;
			*s = (struct path_state){ .alive = PATH_DOWN,
						  .since_ms = now_ms,
						  .rtt_us = -1,
						  .loss_percent = -1 };
			snprintf(s->reason, sizeof(s->reason), "%s",
				 "it was dead when sav-agent was started");
		}
	}
}

void path_memory_load(const char *file, const struct site *site,
		      struct path_state *states, int64_t now_ms)
{
	char boot[LINE_SIZE], first[2 * LINE_SIZE], line[2 * LINE_SIZE];
	FILE *f = fopen(file, "re");

	if (!f)
		return;
	boot_id(boot);
	snprintf(first, sizeof(first), FIRST_LINE " %s\n", boot);
	if (boot[0] && fgets(line, sizeof(line), f) && strcmp(line, first) == 0) {
		while (fgets(line, sizeof(line), f)) {
			line[strcspn(line, "\n")] = '\0';
			take_line(line, site, states, now_ms);
		}
	}
	fclose(f);
}
