/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The metrics of every process, by the names that all Prometheus clients use.
 */
#include "lib/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const struct metric cpu = { "process_cpu_seconds_total",
				   "User and system time of the main process", METRIC_COUNTER };
static const struct metric resident = { "process_resident_memory_bytes",
					"Memory in RAM", METRIC_GAUGE };
static const struct metric virtual_memory = { "process_virtual_memory_bytes",
					      "Address space in use", METRIC_GAUGE };
static const struct metric start = { "process_start_time_seconds",
				     "When the process began", METRIC_GAUGE };
static const struct metric fds = { "process_open_fds", "Open file descriptors", METRIC_GAUGE };
static const struct metric max_fds = { "process_max_fds",
				       "Bound on open file descriptors", METRIC_GAUGE };

static void collect_memory(struct metrics *m)
{
	unsigned long size, rss;
	FILE *f = fopen("/proc/self/statm", "re");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!f)
		return;
	if (fscanf(f, "%lu %lu", &size, &rss) == 2) {
		metric_add(m, &resident, NULL, rss * page);
		metric_add(m, &virtual_memory, NULL, size * page);
	}
	fclose(f);
}

/* Field 22 of /proc/self/stat, in ticks since boot; the name in field 2 may
 * contain anything, so count from its closing parenthesis. */
static void collect_start(struct metrics *m)
{
	static int64_t kept;
	unsigned long long ticks;
	struct timespec boot, now;
	int64_t began_ms;
	char line[1024], *p;
	FILE *f = fopen("/proc/self/stat", "re");

	if (!f)
		return;
	p = fgets(line, sizeof(line), f);
	fclose(f);
	p = p ? strrchr(line, ')') : NULL;
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
				"%*d %*d %*d %*d %llu",
			 &ticks) != 1)
		return;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	began_ms = ((int64_t)now.tv_sec - boot.tv_sec) * 1000 +
		   (now.tv_nsec - boot.tv_nsec) / 1000000 +
		   (int64_t)(ticks * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
	metric_add_ms(m, &start, NULL, metric_steady_ms(&kept, began_ms));
}

static void collect_fds(struct metrics *m)
{
	DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit;
	uint64_t n = 0;

	if (dir) {
		while (readdir(dir))
			n++;
		closedir(dir);
		metric_add(m, &fds, NULL, n > 3 ? n - 3 : 0); /* . and .. and dir itself */
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		metric_add(m, &max_fds, NULL, limit.rlim_cur);
}

bool metrics_collect_process(struct metrics *m, uint64_t *step, void *arg)
{
	struct rusage usage;

	(void)step;
	(void)arg;
	getrusage(RUSAGE_SELF, &usage);
	metric_add_us(m, &cpu, NULL,
		      ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
			      usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	collect_memory(m);
	collect_start(m);
	collect_fds(m);
	return true;
}

bool metrics_collect_build(struct metrics *m, uint64_t *step, void *arg)
{
	const struct metrics_build *build = arg;
	struct metric_labels labels = { 0 };

	(void)step;
	metric_label(&labels, "version", build->version);
	metric_label(&labels, "libfrr", build->library);
	metric_add(m, &build->family, &labels, 1);
	metric_labels_fini(&labels);
	return true;
}
