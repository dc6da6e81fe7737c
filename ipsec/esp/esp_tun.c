/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_tun.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ipsec/esp/esp_bytes.h"

static int set_up(int fd, const char *name, bool many, struct diag *diag)
{
	/* not kept when we end: a route to a device that is gone leaks elsewhere, and
	 * that is what prohibit routes are for */
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (many ? IFF_MULTI_QUEUE : 0)) };
	unsigned int tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	int size = sizeof(struct virtio_net_hdr);

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return diag_set(diag, "cannot make the device %s: %s%s", name, strerror(errno),
				errno == EBUSY ? " (another program holds it)" : "");
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return diag_set(diag, "%s: %s", name, strerror(errno));
	/* UDP since Linux 6.2; without any, packets come one by one */
	if (ioctl(fd, TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6) < 0)
		(void)ioctl(fd, TUNSETOFFLOAD, tso);
	return 0;
}

int esp_tun_open(const char *name, bool many, struct diag *diag)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return diag_set(diag, "/dev/net/tun: %s; load the module with \"modprobe tun\"", strerror(errno));
	if (strlen(name) >= IFNAMSIZ) {
		close(fd);
		return diag_set(diag, "%s: a device's name has at most %d characters", name, IFNAMSIZ - 1);
	}
	if (set_up(fd, name, many, diag) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool esp_tun_name(int fd, char name[IF_NAMESIZE])
{
	struct ifreq ifr = { 0 };

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return false;
	memcpy(name, ifr.ifr_name, IF_NAMESIZE);
	name[IF_NAMESIZE - 1] = '\0';
	return true;
}
