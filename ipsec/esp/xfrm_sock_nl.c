/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sockets that share a port with the kernel's ESP, and whether it has any.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/xfrm.h>

#include "ipsec/esp/xfrm_nl.h"
#include "ipsec/ike/ike.h"

#ifndef UDP_ENCAP
#define UDP_ENCAP 100
#endif
#define UDP_ENCAP_TYPE 2 /* UDP_ENCAP_ESPINUDP, RFC 3948 */

static int bypass(int fd, enum ip_family family, struct diag *diag)
{
	struct xfrm_userpolicy_info policy = { .action = XFRM_POLICY_ALLOW,
					       .sel.family = family == IP_V6 ? AF_INET6 : AF_INET };
	int level = family == IP_V6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int option = family == IP_V6 ? IPV6_XFRM_POLICY : IP_XFRM_POLICY;
	const uint8_t dirs[] = { XFRM_POLICY_IN, XFRM_POLICY_OUT };

	for (unsigned int i = 0; i < 2; i++) {
		policy.dir = dirs[i];
		if (setsockopt(fd, level, option, &policy, sizeof(policy)) < 0)
			return diag_set(diag, "the kernel does not let IKE pass its policies: %s", strerror(errno));
	}
	return 0;
}

int xfrm_socket(int fd, enum ip_family family, struct diag *diag)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int type = UDP_ENCAP_TYPE;
	uint16_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
		port = ntohs(family == IP_V6 ? ((struct sockaddr_in6 *)&addr)->sin6_port : ((struct sockaddr_in *)&addr)->sin_port);
	if (port != IKE_PORT && setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) < 0)
		return diag_set(diag, "the kernel takes no ESP in UDP: %s", strerror(errno));
	return bypass(fd, family, diag);
}

/* ---- probe */

static void nothing_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
}

static void nothing_expires(void *ctx, uint32_t number)
{
}

static int probe_state(struct xfrm *x, struct diag *diag)
{
	struct ike_child_keys keys = { .encr.len = 36 };
	struct ike_ts_list none = { .n = 0 };
	struct esp_sa_conf conf = { .tunnel = XFRM_OURS,
				    .suite = { .encr = ENCR_AES_GCM_16, .key_bits = 256 },
				    .in = &keys, .out = &keys, .esn = true, .local_ts = &none, .remote_ts = &none };
	static const struct xfrm_way way;

	crypto_random(&conf.spi_in, sizeof(conf.spi_in));
	conf.spi_in |= 0x80000000u;
	conf.spi_out = conf.spi_in ^ 1;
	crypto_random(keys.encr.bytes, keys.encr.len);
	/* to itself: nobody's packets are meant */
	conf.path = (struct esp_path){ .encap = true };
	conf.path.local = conf.path.remote = (struct ike_endpoint){ { 0x7f000001, IP_V4 }, IKE_NATT_PORT };
	if (xfrm_add(x, &conf, &way, false, diag) != 0)
		return -1;
	xfrm_del(x, conf.spi_in);
	return 0;
}

int xfrm_probe(struct diag *diag)
{
	static const struct xfrm_ops ops = { nothing_moved, nothing_expires, nothing_expires, nothing_expires };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct xfrm *x = xfrm_new(&ops, NULL, diag);

	ret = !x ? -1 : fd < 0 ? diag_set(diag, "no UDP socket: %s", strerror(errno)) : xfrm_socket(fd, IP_V4, diag);
	if (ret == 0)
		ret = probe_state(x, diag);
	xfrm_free(x);
	if (fd >= 0)
		close(fd);
	return ret;
}
