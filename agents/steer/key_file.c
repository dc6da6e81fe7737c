/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_key_file(int fd, const char *file, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return diag_set(diag, "key file %s is no file", file);
	if (st.st_mode & 077)
		return diag_set(diag, "key file %s has mode %04o: others could read it; \"chmod 600 %s\"",
				file, (unsigned)st.st_mode & 07777, file);
	return 0;
}

static int take_key(int fd, const char *file, size_t min, size_t max, uint8_t *out,
		    size_t *out_len, struct diag *diag)
{
	uint8_t text[KEY_FILE_MAX + 2];
	ssize_t len = read(fd, text, sizeof(text));
	int rc = 0;

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len < (ssize_t)min || len > (ssize_t)max) {
		rc = diag_set(diag,
			      "key file %s: a key is a line of %zu to %zu characters, such as "
			      "\"openssl rand -hex %zu\" prints",
			      file, min, max, max < 64 ? max / 2 : 32);
	} else {
		memcpy(out, text, (size_t)len);
		*out_len = (size_t)len;
	}
	explicit_bzero(text, sizeof(text));
	return rc;
}

int key_file_read(const char *file, size_t min, size_t max, uint8_t *out, size_t *len,
		  struct diag *diag)
{
	/* not to hang on a pipe */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return diag_set(diag, "cannot read key file %s: %s", file, strerror(errno));
	rc = check_key_file(fd, file, diag);
	if (rc == 0)
		rc = take_key(fd, file, min, max, out, len, diag);
	close(fd);
	return rc;
}
