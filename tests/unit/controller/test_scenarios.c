/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Plays the files of scenarios/, each a script (lab.h) in virtual time. Each says with
 * "honest" what an enforced set may never be without, whatever happens, and that
 * is looked at whenever a filter is handed out and after each run of the engine.
 *
 * Beyond what lab.h knows: "repeat N" to "end" plays the lines between them so often.
 * A file is given by name, or all are played.
 */
#include "tests/unit/controller/lab.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define SCENARIOS_MAX 64

static char *read_file(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail_msg("%s cannot be read", path);
	n = fread(text, 1, sizeof(text) - 1, f);
	assert_true(feof(f));
	fclose(f);
	text[n] = '\0';
	return mem_strdup(text);
}

/* The line that begins with this word, from here on; NULL: there is none. */
static char *line_of(char *from, const char *word)
{
	for (char *line = from; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n \t");
		if (strncmp(line, word, strlen(word)) == 0)
			return line;
		if (*line == '\0')
			return NULL;
	}
	return NULL;
}

static void play(struct lab *lab, char *text)
{
	char *repeat, *end, *body;
	long times;

	while ((repeat = line_of(text, "repeat "))) {
		end = line_of(repeat, "end\n");
		assert_non_null(end);
		times = strtol(repeat + strlen("repeat "), &body, 10);
		assert_true(times > 0);
		*repeat = *end = '\0';
		lab_play(lab, text);
		while (times-- > 0)
			lab_play(lab, body);
		text = end + strlen("end\n");
	}
	lab_play(lab, text);
}

static void test_scenario(void **state)
{
	struct lab *lab = *state;
	const char *src = getenv("OPENSAV_SRC"), *name = lab->scenario;
	char path[1000], *text;

	snprintf(path, sizeof(path), "%s/tests/unit/controller/scenarios/%s", src ? src : ".",
		 name);
	text = read_file(path);
	/* one that promises nothing tests little */
	assert_non_null(strstr(text, "\nhonest "));
	play(lab, text);
	free(text);
}

static int setup(void **state)
{
	const char *name = *state;
	struct lab *lab;

	lab_setup(state);
	lab = *state;
	lab->scenario = name;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct CMUnitTest *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static size_t list(struct CMUnitTest *tests)
{
	const char *src = getenv("OPENSAV_SRC");
	struct dirent *entry;
	char path[1000];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/tests/unit/controller/scenarios", src ? src : ".");
	dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	while ((entry = readdir(dir)) && n < SCENARIOS_MAX) {
		size_t len = strlen(entry->d_name);
		char *name;

		if (len < 5 || strcmp(entry->d_name + len - 4, ".txt") != 0)
			continue;
		name = mem_strdup(entry->d_name);
		tests[n++] = (struct CMUnitTest){ .name = name,
						  .test_func = test_scenario,
						  .setup_func = setup,
						  .teardown_func = lab_teardown,
						  .initial_state = name };
	}
	closedir(dir);
	qsort(tests, n, sizeof(tests[0]), by_name);
	return n;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[SCENARIOS_MAX];
	size_t n = list(tests);
	int failed;

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	if (n == 0)
		return 1;
	failed = _cmocka_run_group_tests("scenarios", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)tests[i].name);
	return failed;
}
