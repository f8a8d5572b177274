/* SPDX-License-Identifier: MIT */
/*
 * uart-preload.c - makes the pseudo-terminals of the bed pass for UARTs, beside umockdev's preload.
 *
 * Found by experiment, umockdev 0.17.16 on Debian 12; three things are missing there:
 * - The C library's tcsetattr() enters the kernel by itself, unseen by any preload, and a
 *   pseudo-terminal drops PARENB (pty_set_termios). Both calls become the TCSETS2 and TCGETS2
 *   requests here, which umockdev hands to the bed: it keeps the whole termios as a driver would,
 *   and so learns rate and parity.
 * - fstat() shows the number of the pseudo-terminal. Only st_rdev is put right: inode and device
 *   stay, and by them the holder of a port is found among the descriptors of other processes.
 *   flock() and TIOCEXCL work on the pseudo-terminal as they are.
 * - Netlink overflows, the socket that umockdev puts in its place does not: the bed leaves a mark
 *   beside the socket, and the next read fails with ENOBUFS, once.
 *
 * A worker that has confined itself cannot do for umockdev what a real port does not need: the
 * modem lines go over a socket, and the links of .uart are read at each fstat(). So the filter is
 * loaded with these calls added, here and not in the worker. AddressSanitizer needs more address
 * space than any limit, and its search for leaks traces the process, which is what the filter
 * forbids.
 *
 * $UMOCKDEV_DIR/dev/.uart/N is a link to "MAJOR:MINOR" for each pseudo-terminal N of the bed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* The first major number of Unix98 pseudo-terminals' slaves (kernel, devices.txt). */
#define PTS_MAJOR 136

/* The kernel's own, which <asm/termbits.h> cannot give beside <termios.h>. */
struct termios2 {
	tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
	cc_t c_line;
	cc_t c_cc[19];
	speed_t c_ispeed, c_ospeed;
};

/* The number of the UART that the pseudo-terminal stands for. */
static bool find_uart(const struct stat *st, dev_t *ret)
{
	const char *bed = getenv("UMOCKDEV_DIR");
	char path[512], number[32];
	unsigned major_number, minor_number;
	ssize_t n;

	if (!bed || !S_ISCHR(st->st_mode) || major(st->st_rdev) != PTS_MAJOR)
		return false;
	snprintf(path, sizeof(path), "%s/dev/.uart/%u", bed, minor(st->st_rdev));
	n = readlink(path, number, sizeof(number) - 1);
	if (n < 0)
		return false;
	number[n] = '\0';
	if (sscanf(number, "%u:%u", &major_number, &minor_number) != 2)
		return false;
	*ret = makedev(major_number, minor_number);
	return true;
}

static int real_fstat(int fd, struct stat *st)
{
	int (*next)(int, struct stat *) = dlsym(RTLD_NEXT, "fstat");

	return next(fd, st);
}

static bool is_uart(int fd)
{
	int error = errno;
	struct stat st;
	dev_t number;
	bool is = real_fstat(fd, &st) == 0 && find_uart(&st, &number);

	errno = error;
	return is;
}

int fstat(int fd, struct stat *st)
{
	int r = real_fstat(fd, st);
	int error = errno;
	dev_t number;

	if (r == 0 && find_uart(st, &number))
		st->st_rdev = number;
	errno = error;
	return r;
}

/* The same structure on 64-bit machines, the only ones where the bed was tried. */
int fstat64(int fd, struct stat64 *st)
{
	_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "a 64-bit machine");
	return fstat(fd, (struct stat *)st);
}

int tcgetattr(int fd, struct termios *term)
{
	int (*next)(int, struct termios *) = dlsym(RTLD_NEXT, "tcgetattr");
	struct termios2 kernel = {0};

	if (!is_uart(fd))
		return next(fd, term);
	if (ioctl(fd, TCGETS2, &kernel) < 0)
		return -1;
	memset(term, 0, sizeof(*term));
	term->c_iflag = kernel.c_iflag;
	term->c_oflag = kernel.c_oflag;
	term->c_cflag = kernel.c_cflag;
	term->c_lflag = kernel.c_lflag;
	term->c_line = kernel.c_line;
	memcpy(term->c_cc, kernel.c_cc, sizeof(kernel.c_cc));
	/* As the C library does: the code of the rate, not the rate. */
	term->c_ispeed = term->c_ospeed = kernel.c_cflag & CBAUD;
	return 0;
}

int tcsetattr(int fd, int when, const struct termios *term)
{
	static const unsigned long requests[] = {
		[TCSANOW] = TCSETS2, [TCSADRAIN] = TCSETSW2, [TCSAFLUSH] = TCSETSF2};
	int (*next)(int, int, const struct termios *) = dlsym(RTLD_NEXT, "tcsetattr");
	struct termios2 kernel = {0};

	if (when < TCSANOW || when > TCSAFLUSH || !is_uart(fd))
		return next(fd, when, term);
	kernel.c_iflag = term->c_iflag;
	kernel.c_oflag = term->c_oflag;
	kernel.c_cflag = term->c_cflag;
	kernel.c_lflag = term->c_lflag;
	kernel.c_line = term->c_line;
	memcpy(kernel.c_cc, term->c_cc, sizeof(kernel.c_cc));
	kernel.c_ispeed = term->c_ispeed;
	kernel.c_ospeed = term->c_ospeed;
	return ioctl(fd, requests[when], &kernel);
}

/* Whether the bed dropped events for this socket since the last read. */
static bool take_overflow(int fd)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address);
	char mark[sizeof(address.sun_path) + 16];
	const char *bed = getenv("UMOCKDEV_DIR");

	if (!bed || getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
		address.sun_family != AF_UNIX || strncmp(address.sun_path, bed, strlen(bed)) != 0)
		return false;
	snprintf(mark, sizeof(mark), "%s.overflow", address.sun_path);
	return unlink(mark) == 0;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t (*next)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	int error = errno;

	if (take_overflow(fd)) {
		errno = ENOBUFS;
		return -1;
	}
	errno = error;
	return next(fd, message, flags);
}

/* ------------------------------------------------------------------ confined workers */

static bool is_confined;

/* Asked by LeakSanitizer before it looks for leaks. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_confined;
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	int (*next)(__rlimit_resource_t, const struct rlimit *) = dlsym(RTLD_NEXT, "setrlimit");

	if (resource == RLIMIT_AS && dlsym(RTLD_DEFAULT, "__asan_init"))
		return 0;
	return next(resource, limit);
}

int seccomp_load(const scmp_filter_ctx filter)
{
	static const int calls[] = {SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(sendto),
		SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(readlink),
		SCMP_SYS(getsockname)};
	int (*next)(const scmp_filter_ctx) = dlsym(RTLD_NEXT, "seccomp_load");
	int (*add)(scmp_filter_ctx, uint32_t, int, unsigned, const struct scmp_arg_cmp *) =
		dlsym(RTLD_NEXT, "seccomp_rule_add_array");

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (add(filter, SCMP_ACT_ALLOW, calls[i], 0, NULL) < 0)
			return -EINVAL;
	is_confined = true;
	return next(filter);
}

/*
 * sd-bus asks for a send buffer of 8 MiB, and gets what net.core.wmem_max lets it have: 208 KiB on
 * Debian, megabytes on other hosts. With BED_SMALL_SOCKETS a bus that stands still is felt at once.
 */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
	const int small = 8192;

	if (level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_SNDBUFFORCE) &&
		getenv("BED_SMALL_SOCKETS")) {
		name = SO_SNDBUF;
		value = &small;
		size = sizeof(small);
	}
	return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}
