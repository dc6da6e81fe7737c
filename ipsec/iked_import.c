/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "ipsec/crypto_cert.h"
#include "lib/name.h"
#include "lib/pki.h"
#include "lib/wr.h"

static int read_whole(const char *file, struct wr *out, struct diag *diag)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	uint8_t buf[8192];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0 && out->len <= CRYPTO_FILE_MAX)
		wr_bytes(out, buf, (size_t)n);
	crypto_wipe(buf, sizeof(buf));
	if (fd < 0 || n < 0)
		diag_set(diag, "%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	return fd < 0 || n < 0 ? -1 : 0;
}

static void ask(char *out, int size)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;

	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs("Passphrase (empty: none): ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	if (!fgets(out, size, stdin))
		out[0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputs("\n", stderr);
	}
}

static void path_of(char *out, size_t size, const char *dir, const char *name, const char *end)
{
	snprintf(out, size, "%s/%s%s", dir, name, end);
}

static int check_free(const char *dir, const char *name, const char *end, struct diag *diag)
{
	char path[1024];

	path_of(path, sizeof(path), dir, name, end);
	return access(path, F_OK) < 0 ? 0 : diag_set(diag, "%s is there already: choose another name, or delete it", path);
}

static int write_one(const char *dir, const char *name, const char *end, unsigned mode, const struct wr *data,
		     struct diag *diag)
{
	char path[1024];
	struct stat st;

	if (data->len == 0)
		return 0;
	path_of(path, sizeof(path), dir, name, end);
	if (pki_file_write(path, mode, data->data, data->len, diag) != 0)
		return -1;
	/* the signer is the directory's owner */
	if (stat(dir, &st) == 0 && geteuid() == 0 && chown(path, st.st_uid, st.st_gid) < 0)
		return diag_set(diag, "%s: cannot give it to the directory's owner: %s", path, strerror(errno));
	printf("%s\n", path);
	return 0;
}

int iked_import(const char *file, const char *dir, const char *name, struct diag *diag)
{
	struct crypto_import import = { 0 };
	struct wr data = { 0 };
	char passphrase[256];
	int ret = -1;

	if (!name_is_valid(name))
		return diag_set(diag, "\"%s\" is not a valid name: letters, digits, dots, dashes and underscores", name);
	if (check_free(dir, name, ".key", diag) != 0 || check_free(dir, name, ".crt", diag) != 0 ||
	    check_free(dir, name, "-ca.crt", diag) != 0 || read_whole(file, &data, diag) != 0)
		goto out;
	ask(passphrase, sizeof(passphrase));
	if (crypto_import_read(data.data, data.len, passphrase, &import, diag) != 0)
		goto wipe;
	if (import.key.len && import.own.len == 0)
		ret = diag_set(diag, "%s has a key and no certificate for it", file);
	else if (write_one(dir, name, ".key", 0600, &import.key, diag) == 0 &&
		 write_one(dir, name, ".crt", 0644, &import.own, diag) == 0 &&
		 write_one(dir, name, "-ca.crt", 0644, &import.ca, diag) == 0)
		ret = 0;
wipe:
	crypto_wipe(passphrase, sizeof(passphrase));
	crypto_import_free(&import);
out:
	if (data.data)
		crypto_wipe(data.data, data.len);
	wr_fini(&data);
	return ret;
}
