/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * lab_nets - small networks that scripts begin with.
 */
#ifndef SAV_TEST_LAB_NETS_H
#define SAV_TEST_LAB_NETS_H

/* One edge that reads its own peer, and hold-downs of 100 s. */
#define ONE_EDGE                                                                        \
	"router r1\n"                                                                   \
	"edge r1 eth0 customer feasible enforce\n"                                      \
	"set r1 eth0 holddown 100\n"                                                    \
	"inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 lo=10.255.0.1\n"
#define ONE_PEER ONE_PEER_AND("")
/* with what a command or record adds */
#define ONE_PEER_AND(more)                                                              \
	"connect r1\n"                                                                  \
	"up r1 10.0.0.2 10.0.0.1\n"                                                     \
	"add r1 10.0.0.2 20.1.0.0/16\n"                                                 \
	"add r1 10.0.0.2 20.3.0.0/16\n"                                                 \
	"eor r1 10.0.0.2\n"                                                             \
	"wait 40\n"                                                                     \
	"expect r1 eth0 enforce 20.1.0.0/16 20.3.0.0/16 " more "\n"

/* Two customers at two routers, a provider; efp-b reads all of them. */
#define NETWORK                                                                         \
	"router r1\n"                                                                   \
	"router r2\n"                                                                   \
	"edge r1 eth0 customer efp-b enforce\n"                                         \
	"edge r2 eth0 customer efp-b enforce\n"                                         \
	"edge r2 up provider loose\n"                                                   \
	"set r1 eth0 holddown 100\n"                                                    \
	"set r2 eth0 holddown 100\n"                                                    \
	"inventory r1 eth0=10.0.0.1\n"                                                  \
	"inventory r2 eth0=10.0.1.1 up=10.9.0.1\n"
#define R1_UP                                                                           \
	"connect r1 10.255.0.1\n"                                                       \
	"up r1 10.0.0.2 10.0.0.1 65001\n"                                               \
	"add r1 10.0.0.2 20.1.0.0/16 65001\n"                                           \
	"eor r1 10.0.0.2\n"
#define R2_UP                                                                           \
	"connect r2 10.255.0.2\n"                                                       \
	"up r2 10.0.1.2 10.0.1.1 65002\n"                                               \
	"up r2 10.9.0.2 10.9.0.1 3356\n"                                                \
	"add r2 10.0.1.2 20.2.0.0/16 65002\n"                                           \
	"add r2 10.9.0.2 20.3.0.0/16 3356 65002\n"                                      \
	"add r2 10.9.0.2 20.9.0.0/16 3356 15169\n"                                      \
	"eor r2 10.0.1.2\n"                                                             \
	"eor r2 10.9.0.2\n"
#define NETWORK_SET "20.1.0.0/16 20.2.0.0/15"

#endif /* SAV_TEST_LAB_NETS_H */
