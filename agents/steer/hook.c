/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"

#define SAFE_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENV_MAX	  8

struct hook {
	struct hook *next;
	struct hook_event now;	/* as it is */
	struct hook_event told; /* as the program knows; file "": it knows nothing */
	bool gone;		/* the provider is not configured any more */
	pid_t pid;		/* 0: not running */
	int64_t begun_ms;
	bool killed;
	unsigned int failures; /* in a row, of what it is told now */
	int64_t retry_ms;      /* after a failure: when to run it again */
};

struct hooks {
	struct hook *list;
	hook_note_fn *note;
	void *ctx;
};

struct hooks *hooks_new(hook_note_fn *note, void *ctx)
{
	struct hooks *h = mem_alloc(sizeof(*h));

	h->note = note;
	h->ctx = ctx;
	return h;
}

static void kill_all_of(const struct hook *k)
{
	/* a process group of its own, see begin_child() */
	kill(-k->pid, SIGKILL);
}

void hooks_free(struct hooks *h)
{
	if (!h)
		return;
	while (h->list) {
		struct hook *k = h->list;

		h->list = k->next;
		if (k->pid) {
			kill_all_of(k);
			waitpid(k->pid, NULL, 0);
		}
		free(k);
	}
	free(h);
}

/* ---- running ---- */

static bool is_up(const struct hook_event *e, enum ip_family f)
{
	return e->has[f] && e->alive[f];
}

static const char *state_word(const struct hook_event *e, enum ip_family f)
{
	return !e->has[f] ? "none" : e->alive[f] ? "up" : "down";
}

struct environment {
	char text[ENV_MAX][HOOK_PREFIXES_SIZE + 32];
	char *list[ENV_MAX + 1];
};

static void fill(struct environment *env, const struct hook_event *e)
{
	bool any = is_up(e, IP_V4) || is_up(e, IP_V6);
	size_t n = 0, size = sizeof(env->text[0]);

	snprintf(env->text[n++], size, "%s", SAFE_PATH);
	snprintf(env->text[n++], size, "OPENSAV_PROVIDER=%s", e->provider);
	snprintf(env->text[n++], size, "OPENSAV_STATE=%s", any ? "up" : "down");
	snprintf(env->text[n++], size, "OPENSAV_STATE_IPV4=%s", state_word(e, IP_V4));
	snprintf(env->text[n++], size, "OPENSAV_STATE_IPV6=%s", state_word(e, IP_V6));
	snprintf(env->text[n++], size, "OPENSAV_PREFIXES=%s", e->prefixes);
	for (size_t i = 0; i < n; i++)
		env->list[i] = env->text[i];
	env->list[n] = NULL;
}

/* Between fork and exec: only what is safe there. Its output goes where ours
 * goes, to the journal. */
static void __attribute__((noreturn))
begin_child(const char *file, char *const *argv, char *const *env)
{
	sigset_t none;
	int null;

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDONLY);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	/* all descriptors of ours are close-on-exec; libfrr's may not be */
	close_range(3, ~0U, 0);
	execve(file, argv, env);
	_exit(127);
}

static void failed(struct hook *k, int64_t now_ms)
{
	int64_t pause = HOOK_RETRY_MS;

	for (unsigned int i = 0; i < k->failures && pause < HOOK_RETRY_MAX_MS; i++)
		pause *= 2;
	k->failures++;
	k->retry_ms = now_ms + (pause < HOOK_RETRY_MAX_MS ? pause : HOOK_RETRY_MAX_MS);
}

static void run(struct hooks *h, struct hook *k, int64_t now_ms)
{
	char *argv[] = { k->now.file, NULL };
	struct environment *env;
	struct diag diag;
	pid_t pid;

	k->told = k->now;
	if (k->now.file[0] == '\0')
		return;
	env = mem_alloc(sizeof(*env));
	fill(env, &k->now);
	pid = fork();
	if (pid == 0)
		begin_child(k->now.file, argv, env->list);
	free(env);
	if (pid < 0) {
		diag_set(&diag, "the hook of provider %s cannot be run: %s",
			 k->now.provider, strerror(errno));
		h->note(h->ctx, true, diag.text);
		failed(k, now_ms);
		return;
	}
	setpgid(pid, pid); /* whoever of the two is first */
	k->pid = pid;
	k->begun_ms = now_ms;
	k->killed = false;
}

/* How it ended, if that is worth a line. */
static void ended(struct hooks *h, struct hook *k, int status, int64_t now_ms)
{
	struct diag diag;

	if (k->killed)
		diag_set(&diag, "%s of provider %s was killed: it ran longer than %d s",
			 k->now.file, k->now.provider, HOOK_LIMIT_MS / 1000);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		diag_set(&diag,
			 "%s of provider %s cannot be run (status 127): is it there, "
			 "and may user and group of sav-agent execute it?",
			 k->now.file, k->now.provider);
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		diag_set(&diag, "%s of provider %s failed with status %d", k->now.file,
			 k->now.provider, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		diag_set(&diag, "%s of provider %s ended by signal %d", k->now.file,
			 k->now.provider, WTERMSIG(status));
	else
		diag.text[0] = '\0';
	if (!diag.text[0]) {
		k->failures = 0;
		return;
	}
	h->note(h->ctx, true, diag.text);
	failed(k, now_ms);
}

/* Prefixes count too: a delegated one may be another today. */
static bool is_news(const struct hook *k)
{
	const struct hook_event *a = &k->told, *b = &k->now;

	return strcmp(a->file, b->file) != 0 || strcmp(a->prefixes, b->prefixes) != 0 ||
	       is_up(a, IP_V4) != is_up(b, IP_V4) || is_up(a, IP_V6) != is_up(b, IP_V6);
}

static void look_at(struct hooks *h, struct hook *k, int64_t now_ms)
{
	int status;

	if (k->pid && waitpid(k->pid, &status, WNOHANG) == k->pid) {
		if (!k->killed)
			kill_all_of(k); /* what it left behind */
		ended(h, k, status, now_ms);
		k->pid = 0;
	}
	if (k->pid && !k->killed && now_ms - k->begun_ms >= HOOK_LIMIT_MS) {
		k->killed = true;
		kill_all_of(k);
	}
	if (k->pid || k->gone)
		return;
	if (is_news(k)) {
		k->failures = 0;
		run(h, k, now_ms);
	} else if (k->failures && now_ms >= k->retry_ms) {
		run(h, k, now_ms);
	}
}

/* -1: not by itself. */
static int64_t due_in(const struct hook *k, int64_t now_ms)
{
	if (k->pid)
		return HOOK_LOOK_MS;
	if (!k->failures)
		return -1;
	return k->retry_ms > now_ms ? k->retry_ms - now_ms : 0;
}

int64_t hooks_look(struct hooks *h, int64_t now_ms)
{
	struct hook **at = &h->list;
	int64_t due = -1, one;

	while (*at) {
		struct hook *k = *at;

		look_at(h, k, now_ms);
		if (k->gone && !k->pid) {
			*at = k->next;
			free(k);
			continue;
		}
		one = due_in(k, now_ms);
		if (one >= 0 && (due < 0 || one < due))
			due = one;
		at = &k->next;
	}
	return due;
}

/* ---- providers ---- */

static struct hook *find(struct hooks *h, const char *provider)
{
	for (struct hook *k = h->list; k; k = k->next) {
		if (strcmp(k->now.provider, provider) == 0)
			return k;
	}
	return NULL;
}

void hooks_set(struct hooks *h, const struct hook_event *providers, size_t n,
	       int64_t now_ms)
{
	for (struct hook *k = h->list; k; k = k->next)
		k->gone = true;
	for (size_t i = 0; i < n; i++) {
		struct hook *k = find(h, providers[i].provider);

		if (!k) {
			k = mem_alloc(sizeof(*k));
			k->next = h->list;
			h->list = k;
		}
		k->now = providers[i];
		k->gone = false;
	}
	hooks_look(h, now_ms);
}
