/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * init - the first process of a test machine: mounts the host's file system and
 * goes on in it with the script that the kernel's command line names.
 *
 * Linked statically and alone in the initial file system, with the kernel's
 * modules that it needs in the order of their names.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
		perror(path); /* it may be built in */
	close(fd);
}

static int is_module(const struct dirent *entry)
{
	return strstr(entry->d_name, ".ko") != NULL;
}

int main(int argc, char **argv)
{
	struct dirent **modules;
	int n = scandir("/modules", &modules, is_module, alphasort);
	const char *script = getenv("script"); /* unknown words of the command line come here */

	for (int i = 0; i < n; i++)
		load(modules[i]->d_name);
	mkdir("/host", 0755);
	if (mount("host", "/host", "virtiofs", 0, NULL) < 0)
		perror("virtiofs");
	if (chdir("/host") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		perror("/host");
	if (script)
		execl("/bin/bash", "bash", script, (char *)NULL);
	perror("bash");
	for (;;)
		pause();
}
