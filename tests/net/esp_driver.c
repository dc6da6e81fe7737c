/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_driver - plays the main and the IKE process to sav-esp, with keys from its
 * command line: one TUN device, one socket, one or many SAs.
 *
 * With "kernel" in place of PROGRAM it is the kernel's ESP that carries, by
 * policies, and DEVICE says nothing.
 *
 * usage: esp_driver [OPTION]... PROGRAM DEVICE SIDE LOCAL REMOTE SUITE LOCAL_TS REMOTE_TS [COUNT]
 *
 *   --raw         protocol 50 in place of UDP, as far as this end sends
 *   --transport   transport mode
 *   --mark N      of what leaves by the socket
 *   --threads N   of sav-esp
 *
 * SIDE is 0 or 1, the peer has the other. SUITE is a proposal for ESP. Selectors
 * are several with commas between. With COUNT SAs (default 1) each has selectors
 * of one host, counted from the beginning of the first. Prints what sav-esp says,
 * and follows the peer to where it moves. Makes the device anew when it is deleted.
 * Lines on standard input, one step of a rekeying each, a new IKE process, or what
 * was counted last: "rekey", "use", "del-old", "restart-ike", "counters". Prints "in
 * SPI" when one has received its first packets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipsec/esp/esp_counters.h"
#include "ipsec/esp/esp_tun.h"
#include "ipsec/esp/xfrm_nl.h"
#include "ipsec/ike/ts.h"
#include "ipsec/proc.h"

static struct {
	int side;
	struct ike_path path;
	struct ike_suite suite;
	struct ike_ts_list local, remote;
	unsigned int count, generation;
	bool raw, transport;
	int mark;
	unsigned int threads;
	const char *device;
	struct proc_esp_counters counters;
	uint32_t spi_heard; /* the latest that has received */
	struct proc_chan *main, *ike;
	struct xfrm *xfrm; /* or these instead */
	int socket;
} driver;

static void die(const char *what)
{
	fprintf(stderr, "esp_driver: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct proc_chan *channel(int *other)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		die("socketpair");
	*other = fds[1];
	return proc_chan_new(fds[0]);
}

static void start(const char *program)
{
	char threads[32];
	int other;

	snprintf(threads, sizeof(threads), "--threads=%u", driver.threads);
	driver.main = channel(&other);
	if (fork() == 0) {
		if (dup2(other, PROC_CONTROL_FD) < 0)
			_exit(126);
		execl(program, program, threads, (char *)NULL);
		_exit(127);
	}
	close(other);
}

static void give_ike(void)
{
	struct proc_peer peer = { PROC_IKE };
	struct wr w = { 0 };
	int other;

	proc_chan_free(driver.ike);
	driver.ike = channel(&other);
	proc_peer_encode(&w, &peer);
	proc_chan_send(driver.main, &w, other);
	close(other);
}

static int open_socket(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = port ? socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) :
			socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ESP);
	int on = 1, size = 7 << 20;

	in.sin_addr.s_addr = htonl((uint32_t)driver.path.local.addr.v);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (port)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (driver.mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &driver.mark, sizeof(driver.mark)) < 0)
		die("mark");
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("bind");
	return fd;
}

static void give_socket(uint16_t port)
{
	for (unsigned int i = 0; i < driver.threads; i++) {
		struct proc_socket socket_of = { .link = 1, .local = { driver.path.local.addr, port }, .worker = i };
		struct wr w = { 0 };
		int fd = open_socket(port);

		if (port ? i == 0 && esp_sock_spread(fd, 0, driver.threads) < 0 :
			   esp_sock_only(fd, IP_V4, i, driver.threads) < 0)
			die("filter");
		proc_socket_encode(&w, PROC_SOCKET, &socket_of);
		proc_chan_send(driver.main, &w, fd);
		close(fd);
	}
}

static void give_device(void)
{
	for (unsigned int i = 0; i < driver.threads; i++) {
		struct proc_device device = { .tunnel = "t", .many = driver.count > 1, .mtu = 1400, .worker = i };
		struct diag diag;
		struct wr w = { 0 };
		int fd = esp_tun_open(driver.device, driver.threads > 1, &diag);

		if (fd < 0) {
			fprintf(stderr, "esp_driver: %s\n", diag.text);
			exit(1);
		}
		snprintf(device.device, sizeof(device.device), "%s", driver.device);
		proc_device_encode(&w, &device);
		proc_chan_send(driver.main, &w, fd);
		close(fd);
	}
}

/* A function of generation, number and direction only: both ends make the same. */
static struct ike_child_keys keys_of(unsigned int n, unsigned int from)
{
	struct ike_child_keys keys = { 0 };
	struct crypto_shape shape;

	crypto_suite_shape(&driver.suite.cipher, &shape);
	keys.encr.len = shape.encr_key;
	keys.integ.len = shape.integ_key;
	for (size_t i = 0; i < CRYPTO_KEY_MAX; i++) {
		keys.encr.bytes[i] = (uint8_t)(i * 3 + n * 5 + (n >> 8) + from * 7 + driver.generation * 11);
		keys.integ.bytes[i] = (uint8_t)(keys.encr.bytes[i] + 101);
	}
	return keys;
}

static uint32_t spi_of(unsigned int n, unsigned int side)
{
	return 0x10000000u * (side + 1) + driver.generation * 0x100000u + n + 256;
}

static struct ike_ts_list selectors_of(const struct ike_ts_list *all, unsigned int n)
{
	struct ike_ts_list host = { .n = 1, .list = { all->list[0] } };

	if (driver.count == 1)
		return *all;
	host.list[0].first.v += n;
	host.list[0].last = host.list[0].first;
	return host;
}

static void kernel_said(const struct diag *diag, int ret)
{
	if (ret != 0)
		printf("failed %s\n", diag->text);
}

static void kernel_add(const struct proc_child *child)
{
	static const struct xfrm_way way;
	struct diag diag;
	struct esp_sa_conf conf = {
		.tunnel = 1,
		.spi_in = child->spi_in,
		.spi_out = child->spi_out,
		.suite = child->suite,
		.in = &child->in,
		.out = &child->out,
		.esn = child->esn,
		.local_ts = &child->local_ts,
		.remote_ts = &child->remote_ts,
		.path = { 1, child->path.local, child->path.remote, child->encap },
	};

	kernel_said(&diag, xfrm_add(driver.xfrm, &conf, &way, !child->inbound_only, &diag));
}

static void add(unsigned int n, bool inbound_only)
{
	static struct proc_child child;
	struct wr w = { 0 };

	child = (struct proc_child){
		.tunnel = "t",
		.spi_in = spi_of(n, (unsigned int)driver.side),
		.spi_out = spi_of(n, !driver.side),
		.suite = driver.suite.cipher,
		.esn = driver.suite.esn,
		/* of many, every other one is behind a NAT */
		.encap = !driver.raw || n % 2 == 1,
		.transport = driver.transport,
		.in = keys_of(n, !driver.side),
		.out = keys_of(n, (unsigned int)driver.side),
		.inbound_only = inbound_only,
		.local_ts = selectors_of(&driver.local, n),
		.remote_ts = selectors_of(&driver.remote, n),
		.path = driver.path,
	};
	if (driver.xfrm) {
		kernel_add(&child);
		return;
	}
	proc_child_encode(&w, &child);
	proc_chan_send(driver.ike, &w, -1);
	proc_chan_flush(driver.ike);
}

static void send_spi(enum proc_type type, uint32_t spi_in)
{
	struct proc_spi spi = { spi_in };
	struct wr w = { 0 };
	struct diag diag;

	if (driver.xfrm && type == PROC_CHILD_USE) {
		kernel_said(&diag, xfrm_use(driver.xfrm, spi_in, &diag));
		return;
	}
	if (driver.xfrm) {
		xfrm_del(driver.xfrm, spi_in);
		return;
	}
	proc_spi_encode(&w, type, &spi);
	proc_chan_send(driver.ike, &w, -1);
}

/* To all SAs of a generation. */
static void send_spis(enum proc_type type, unsigned int generation)
{
	unsigned int now = driver.generation;

	driver.generation = generation;
	for (unsigned int n = 0; n < driver.count; n++)
		send_spi(type, spi_of(n, (unsigned int)driver.side));
	driver.generation = now;
}

static void command(const char *line)
{
	if (strcmp(line, "rekey\n") == 0) {
		driver.generation++;
		for (unsigned int n = 0; n < driver.count; n++)
			add(n, true);
	} else if (strcmp(line, "use\n") == 0) {
		send_spis(PROC_CHILD_USE, driver.generation);
	} else if (strcmp(line, "del-old\n") == 0) {
		send_spis(PROC_CHILD_DEL, driver.generation - 1);
	} else if (strcmp(line, "restart-ike\n") == 0) {
		struct wr w = { 0 };

		proc_plain_encode(&w, PROC_ORPHANS);
		proc_chan_send(driver.main, &w, -1);
		give_ike();
	} else if (strcmp(line, "counters\n") == 0) {
		for (unsigned int i = 0; i < driver.counters.n; i++)
			if (driver.counters.list[i] > 0)
				printf("%s %lu\n", esp_counter_name(i), (unsigned long)driver.counters.list[i]);
	} else {
		printf("what? %s", line);
	}
	printf("done %s", line);
	fflush(stdout);
}

static void tell_times(struct rd body)
{
	static struct proc_times times;

	if (!proc_times_decode(body, &times))
		return;
	for (unsigned int i = 0; i < times.n; i++)
		if (times.list[i].heard_ago_ms != UINT32_MAX && times.list[i].spi_in > driver.spi_heard) {
			driver.spi_heard = times.list[i].spi_in; /* they grow with the generation */
			printf("in %08x\n", driver.spi_heard);
		}
}

static void heard(const struct proc_header *header, struct rd body)
{
	char text[IKE_ENDPOINT_TEXT];
	struct proc_moved moved;
	struct proc_packet packet;
	struct proc_spi spi;
	struct proc_mtu mtu;

	if (header->type == PROC_READY) {
		printf("ready\n");
	} else if (header->type == PROC_MOVED && proc_moved_decode(body, &moved)) {
		struct proc_move move = { .spi_in = moved.spi_in, .path = driver.path, .encap = !driver.raw };
		struct wr w = { 0 };

		move.path.remote = driver.path.remote = moved.remote;
		proc_move_encode(&w, &move);
		proc_chan_send(driver.ike, &w, -1);
		printf("moved %08x %s\n", moved.spi_in, ike_endpoint_format(&moved.remote, text));
	} else if (header->type == PROC_PACKET && proc_packet_decode(body, &packet)) {
		printf("ike %zu bytes from %s\n", packet.data.len, ike_endpoint_format(&packet.path.remote, text));
	} else if (header->type == PROC_EXPIRING && proc_spi_decode(body, &spi)) {
		printf("expiring %08x\n", spi.spi_in);
	} else if (header->type == PROC_CHILD_FAILED && proc_spi_decode(body, &spi)) {
		printf("failed %08x\n", spi.spi_in);
	} else if (header->type == PROC_MTU && proc_mtu_decode(body, &mtu)) {
		printf("mtu %u\n", mtu.mtu);
	} else if (header->type == PROC_DEVICE_LOST) {
		printf("device lost\n");
		give_device();
	} else if (header->type == PROC_ESP_COUNTERS) {
		(void)proc_esp_counters_decode(body, &driver.counters);
	} else if (header->type == PROC_TIMES) {
		tell_times(body);
	} else {
		printf("message %u\n", header->type);
	}
	fflush(stdout);
}

static void hear(struct proc_chan *chan)
{
	struct proc_header header;
	struct rd body;
	int fd, got;

	while ((got = proc_chan_receive(chan, &header, &body, &fd)) > 0) {
		heard(&header, body);
		if (fd >= 0)
			close(fd);
	}
	if (got < 0) {
		printf("sav-esp has ended\n");
		exit(2);
	}
}

static void serve(void)
{
	bool commands = true;

	for (;;) {
		struct pollfd fds[] = { { proc_chan_fd(driver.main), POLLIN, 0 },
					{ proc_chan_fd(driver.ike), POLLIN, 0 },
					{ commands ? 0 : -1, POLLIN, 0 } };
		char line[64];

		if (proc_chan_wants_write(driver.ike))
			fds[1].events |= POLLOUT;
		if (poll(fds, 3, -1) < 0)
			continue;
		proc_chan_flush(driver.ike);
		hear(driver.main);
		hear(driver.ike);
		if (fds[2].revents) {
			commands = fgets(line, sizeof(line), stdin) != NULL;
			if (commands)
				command(line);
		}
	}
}

/* ---- with the kernel's ESP */

static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
	struct esp_path path = { 1, driver.path.local, *remote, true };
	char text[IKE_ENDPOINT_TEXT];
	struct diag diag;

	driver.path.remote = *remote;
	kernel_said(&diag, xfrm_move(driver.xfrm, spi_in, &path, &diag));
	printf("moved %08x %s\n", spi_in, ike_endpoint_format(remote, text));
}

static void on_expiring(void *ctx, uint32_t spi_in)
{
	printf("expiring %08x\n", spi_in);
}

static void on_acquire(void *ctx, uint32_t tunnel)
{
	printf("acquire %u\n", tunnel);
}

static void start_kernel(void)
{
	static const struct xfrm_ops ops = { on_moved, on_expiring, on_expiring, on_acquire };
	struct diag diag;

	driver.socket = open_socket(IKE_NATT_PORT);
	driver.xfrm = xfrm_new(&ops, NULL, &diag);
	if (!driver.xfrm || xfrm_socket(driver.socket, IP_V4, &diag) < 0) {
		fprintf(stderr, "esp_driver: %s\n", diag.text);
		exit(1);
	}
}

static void tell_use(void)
{
	struct xfrm_use in, out;
	int ret = xfrm_query(driver.xfrm, spi_of(0, (unsigned int)driver.side), &in, &out);

	printf("use %d: %lu packets in, %lu out, last %s\n", ret, (unsigned long)in.packets,
	       (unsigned long)out.packets, in.last_s ? "known" : "unknown");
}

static void serve_kernel(void)
{
	bool commands = true;

	for (;;) {
		struct pollfd fds[] = { { xfrm_fd(driver.xfrm), POLLIN, 0 },
					{ driver.socket, POLLIN, 0 },
					{ commands ? 0 : -1, POLLIN, 0 } };
		char line[2048];
		ssize_t n;

		if (poll(fds, 3, -1) < 0)
			continue;
		xfrm_ready(driver.xfrm);
		while ((n = recv(driver.socket, line, sizeof(line), MSG_DONTWAIT)) > 0)
			printf("ike %zd bytes\n", n - 4); /* with its marker */
		if (fds[2].revents) {
			commands = fgets(line, sizeof(line), stdin) != NULL;
			if (commands && strcmp(line, "show\n") == 0)
				tell_use();
			else if (commands && strcmp(line, "quit\n") == 0)
				break;
			else if (commands)
				command(line);
		}
		fflush(stdout);
	}
	xfrm_free(driver.xfrm);
}

/* ---- start */

static struct ike_ts_list parse_ts(char *text)
{
	struct ike_ts_list list = { 0 };
	struct diag diag;

	for (char *word = strtok(text, ","); word; word = strtok(NULL, ","))
		if (list.n == IKE_TS_MAX || ike_ts_parse(word, &list.list[list.n++], &diag) != 0) {
			fprintf(stderr, "esp_driver: %s: %s\n", word, diag.text);
			exit(1);
		}
	return list;
}

static void parse(char **argv)
{
	struct ike_proposal proposal;
	struct ike_proposals proposals = { .n = 1 };
	const struct ike_proposal *chosen;
	struct diag diag = { "an address" };

	driver.side = atoi(argv[3]);
	driver.path = (struct ike_path){ .link = 1, .local.port = IKE_NATT_PORT, .remote.port = IKE_NATT_PORT };
	if (!ip_addr_parse(argv[4], &driver.path.local.addr) || !ip_addr_parse(argv[5], &driver.path.remote.addr) ||
	    ike_proposal_parse(argv[6], IKE_PROTO_ESP, &proposal, &diag) != 0) {
		fprintf(stderr, "esp_driver: %s\n", diag.text);
		exit(1);
	}
	proposals.list[0] = proposal;
	proposals.list[0].number = 1;
	if (ike_proposal_select(&proposals, &proposals, IKE_PROTO_ESP, false, &driver.suite, &chosen) != 0) {
		fprintf(stderr, "esp_driver: %s: no suite\n", argv[6]);
		exit(1);
	}
	driver.local = parse_ts(argv[7]);
	driver.remote = parse_ts(argv[8]);
	driver.count = argv[9] ? (unsigned int)atoi(argv[9]) : 1;
}

static char **parse_options(int argc, char **argv)
{
	static const struct option known[] = { { "raw", no_argument, NULL, 'r' },
					       { "transport", no_argument, NULL, 't' },
					       { "mark", required_argument, NULL, 'm' },
					       { "threads", required_argument, NULL, 'n' },
					       { 0 } };
	int c;

	driver.threads = 1;
	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		driver.raw = driver.raw || c == 'r';
		driver.transport = driver.transport || c == 't';
		if (c == 'm')
			driver.mark = atoi(optarg);
		else if (c == 'n')
			driver.threads = (unsigned int)atoi(optarg);
	}
	if (c == '?' || argc - optind < 8 || argc - optind > 9) {
		fprintf(stderr, "usage: esp_driver [OPTION]... PROGRAM DEVICE SIDE LOCAL REMOTE SUITE LOCAL_TS REMOTE_TS [COUNT]\n");
		exit(1);
	}
	return argv + optind - 1;
}

int main(int argc, char **argv)
{
	argv = parse_options(argc, argv);
	parse(argv);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(argv[1], "kernel") == 0) {
		start_kernel();
		for (unsigned int n = 0; n < driver.count; n++)
			add(n, false);
		printf("ready\n");
		fflush(stdout);
		serve_kernel();
		return 0;
	}
	start(argv[1]);
	give_socket(IKE_NATT_PORT);
	give_socket(0);
	driver.device = argv[2];
	give_device();
	give_ike(); /* after them, so what ike says finds them there */
	for (unsigned int n = 0; n < driver.count; n++)
		add(n, false);
	printf("ready\n");
	fflush(stdout);
	serve();
	return 0;
}
