/* SPDX-License-Identifier: MIT */
/*
 * The enclosure: a mount namespace with an empty /run, so that nothing of the host is touched, and
 * a network namespace, whose queues of UNIX datagrams may be made as long as those of netlink.
 *
 * As root this works wherever unshare() does, also where systemd is not process 1. Another user
 * needs unprivileged user namespaces (user.max_user_namespaces, and on some kernels
 * kernel.unprivileged_userns_clone), in which it is root.
 */
#include "bed/enclosure.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

#define JOURNALD "/lib/systemd/systemd-journald"
#define UMOCKDEV "libumockdev-preload.so.0"

/* Nothing is passed on to the host's syslog, kernel log or terminals, and nothing is written to
 * disk. */
static const char journald_configuration[] = "[Journal]\n"
					     "Storage=volatile\n"
					     "ReadKMsg=no\n"
					     "Audit=no\n"
					     "ForwardToSyslog=no\n"
					     "ForwardToWall=no\n"
					     "RateLimitIntervalSec=0\n";

static _Noreturn void give_up(const char *what)
{
	printf("Bail out! the bed cannot be set up: %s: %s\n", what, strerror(errno));
	if (geteuid() != 0)
		printf("# run it as root, or allow unprivileged user namespaces "
		       "(kernel.unprivileged_userns_clone=1)\n");
	exit(1);
}

static int write_file(const char *path, const char *text)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* The user stays owner of its files and is root inside. */
static void become_root(uid_t uid, gid_t gid)
{
	char map[64];

	(void)write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_file("/proc/self/uid_map", map) < 0)
		give_up("uid_map");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	if (write_file("/proc/self/gid_map", map) < 0)
		give_up("gid_map");
}

static void make_run(void)
{
	static const char *const directories[] = {"/run/systemd", "/run/systemd/journald.conf.d",
		"/run/log", "/run/log/journal", "/run/lock", "/run/udev", ENCLOSURE_DIRECTORY};

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		give_up("a tmpfs on /run");
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdir(directories[i], 0755) < 0)
			give_up(directories[i]);
	if (write_file("/run/systemd/journald.conf.d/bed.conf", journald_configuration) < 0)
		give_up("journald.conf");
	/* Lines of a program that logs before its journal is there would end up with the host. */
	(void)mount("/dev/null", "/dev/kmsg", NULL, MS_BIND, NULL);
}

/* journald keeps nothing without a machine id, and a fresh container may have an empty one. */
static void make_machine_id(void)
{
	struct stat st;

	if (stat("/etc/machine-id", &st) == 0 && st.st_size >= 32)
		return;
	if (write_file("/run/machine-id", "0123456789abcdef0123456789abcdef\n") < 0 ||
		mount("/run/machine-id", "/etc/machine-id", NULL, MS_BIND, NULL) < 0)
		give_up("/etc/machine-id is empty and cannot be covered");
}

static void unshare_all(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | (uid == 0 ? 0 : CLONE_NEWUSER)) < 0)
		give_up("unshare");
	if (uid != 0)
		become_root(uid, gid);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		give_up("private mounts");
	make_run();
	make_machine_id();
	/* Netlink holds thousands of events, a UNIX socket ten; this is the namespace's own value.
	 */
	(void)write_file("/proc/sys/net/unix/max_dgram_qlen", "1000");
}

static int listen_for_ready(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		give_up(path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static pid_t journald;

pid_t enclosure_journald(void)
{
	return journald;
}

/* The journal ends with the program, and is ready when this returns. */
static void start_journald(void)
{
	const char *path = ENCLOSURE_DIRECTORY "/journald";
	CLEANUP(closep) int fd = listen_for_ready(path);
	pid_t parent = getpid(), child = fork();
	char message[256];
	ssize_t n;

	if (child < 0)
		give_up("fork");
	if (child == 0) {
		/* Its own log is not the test's. */
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || null < 0)
			_exit(1);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		setenv("NOTIFY_SOCKET", path, 1);
		execl(JOURNALD, JOURNALD, (char *)NULL);
		_exit(127);
	}
	journald = child;
	do {
		n = recv(fd, message, sizeof(message) - 1, 0);
		if (n < 0)
			give_up(JOURNALD " does not get ready (Debian package systemd)");
		message[n] = '\0';
	} while (!strstr(message, "READY=1"));
}

const char *enclosure_build(void)
{
	static char path[4096];
	const char *build = getenv("BUILD");

	if (!path[0] && !realpath(build && *build ? build : "build", path))
		give_up("the folder $BUILD or build/");
	return path;
}

/* The first library whose name has "libasan.so" in it. */
static int find_sanitiser(struct dl_phdr_info *info, size_t size, void *userdata)
{
	(void)size;
	if (!info->dlpi_name || !strstr(info->dlpi_name, "libasan.so"))
		return 0;
	snprintf(userdata, 512, "%s", info->dlpi_name);
	return 1;
}

const char *enclosure_preload_plain(void)
{
	static char text[4096 + 64];

	snprintf(text, sizeof(text), "%s/uart-preload.so:%s", enclosure_build(), UMOCKDEV);
	return text;
}

/* AddressSanitizer insists on being the first library of a process. */
const char *enclosure_preload(void)
{
	static char text[4096 + 1024];
	char sanitiser[512] = "";

	dl_iterate_phdr(find_sanitiser, sanitiser);
	snprintf(text, sizeof(text), "%s%s%s", sanitiser, sanitiser[0] ? ":" : "",
		enclosure_preload_plain());
	return text;
}

void enclosure_enter(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)enclosure_build();
	unshare_all();
	setenv("TMPDIR", ENCLOSURE_DIRECTORY, 1);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start_journald();
}
