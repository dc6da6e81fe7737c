/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-ike - the process that parses strangers' bytes.
 *
 * It has no capability, no file system, no key and no way to get one of them:
 * sockets, tunnels and public files come over its channel to sav-iked.
 */
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipsec/helper.h"
#include "ipsec/host.h"

int main(int argc, char **argv)
{
	/* of descriptors that are given; nothing here opens one */
	static const long calls[] = { SYS_fstat,
#ifdef SYS_newfstatat
				      SYS_newfstatat, /* what glibc's fstat() is; no path leads anywhere */
#endif
	};
	struct proc_chan *main_chan = helper_begin("sav-ike");
	struct host *host;
	struct diag diag;

	if (helper_give_up_rights(argc, argv, calls, sizeof(calls) / sizeof(calls[0]), &diag) != 0)
		helper_give_up(main_chan, &diag);
	host = host_new(main_chan);
	helper_ready(main_chan);
	while (host_step(host))
		;
	host_free(host);
	_exit(0); /* exit handlers would want system calls that are gone */
}
