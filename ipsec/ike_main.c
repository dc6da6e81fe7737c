/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-ike - the process that parses strangers' bytes.
 *
 * It has no capability, no file system, no key and no way to get one of them:
 * sockets, tunnels and public files come over its channel to sav-iked.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipsec/helper.h"
#include "ipsec/host.h"
#include "lib/sandbox.h"

static int give_up_rights(uid_t uid, gid_t gid, struct diag *diag)
{
	/* of descriptors that are given; nothing here opens one */
	static const long calls[] = { SYS_fstat,
#ifdef SYS_newfstatat
				      SYS_newfstatat, /* what glibc's fstat() is; no path leads anywhere */
#endif
	};

	if (sandbox_hide_files(diag) < 0 || sandbox_become(uid, gid, diag) < 0 || sandbox_drop_caps(diag) < 0)
		return -1;
	return sandbox_enter_with(calls, sizeof(calls) / sizeof(calls[0]), diag);
}

int main(int argc, char **argv)
{
	static const struct option known[] = { { "uid", required_argument, NULL, 'u' },
					       { "gid", required_argument, NULL, 'g' },
					       { 0 } };
	struct proc_chan *main_chan;
	unsigned long uid = 65534, gid = 65534; /* nobody, unless sav-iked knows better */
	struct host *host;
	struct diag diag;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'u')
			uid = strtoul(optarg, NULL, 10);
		else if (c == 'g')
			gid = strtoul(optarg, NULL, 10);
	}
	main_chan = helper_begin("sav-ike");
	if (give_up_rights((uid_t)uid, (gid_t)gid, &diag) != 0)
		helper_give_up(main_chan, &diag);
	host = host_new(main_chan);
	helper_ready(main_chan);
	while (host_step(host))
		;
	host_free(host);
	_exit(0); /* exit handlers would want system calls that are gone */
}
