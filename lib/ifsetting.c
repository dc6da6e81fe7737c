/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ifsetting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int setting_open(const char *conf, const char *interface, const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s", conf, interface, name);
	return open(path, flags | O_CLOEXEC);
}

int ifsetting_read(const char *conf, const char *interface, const char *name)
{
	int fd = setting_open(conf, interface, name, O_RDONLY);
	char text[16] = "";
	ssize_t got = -1;

	if (fd >= 0) {
		got = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return got > 0 && text[0] >= '0' && text[0] <= '9' ? atoi(text) : -1;
}

int ifsetting_write(const char *conf, const char *interface, const char *name, int value)
{
	int fd = setting_open(conf, interface, name, O_WRONLY | O_TRUNC);
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", value), error = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (write(fd, text, (size_t)len) != len)
		error = errno;
	close(fd);
	return -error;
}
