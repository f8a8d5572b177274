/* SPDX-License-Identifier: MIT */
#include "peers/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

static char folder[64];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void peer_make_folder(void)
{
	snprintf(folder, sizeof(folder), "/dev/shm/peerXXXXXX");
	if (!mkdtemp(folder)) {
		snprintf(folder, sizeof(folder), "/tmp/peerXXXXXX");
		if (!mkdtemp(folder))
			die(folder);
	}
}

void peer_remove_folder(void)
{
	if (rmdir(folder) < 0)
		die(folder);
}

const char *peer_folder(void)
{
	return folder;
}

static void path_of(const char *name, char *to, size_t size)
{
	snprintf(to, size, "%s/%s", folder, name);
}

static int open_slave(int master)
{
	struct termios term;
	int unlock = 0, slave;

	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		die("a pseudo-terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &term) < 0)
		die("a pseudo-terminal");
	cfmakeraw(&term);
	if (tcsetattr(slave, TCSANOW, &term) < 0)
		die("a pseudo-terminal");
	return slave;
}

static _Noreturn void run(int slave, const char *const argv[])
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || chdir(folder) < 0 || dup2(slave, STDIN_FILENO) < 0 ||
		dup2(slave, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void make_terminal(struct peer *peer)
{
	peer->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (peer->master < 0)
		die("/dev/ptmx");
	peer->slave = open_slave(peer->master);
}

static void make_socket(struct peer *peer)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
		fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		die("a socket");
	peer->master = ends[0];
	peer->slave = ends[1];
}

void peer_begin(struct peer *peer, const char *const argv[], enum peer_line line)
{
	switch (line) {
	case PEER_TERMINAL:
		make_terminal(peer);
		break;
	case PEER_SOCKET:
		make_socket(peer);
		break;
	}
	peer->pid = fork();
	if (peer->pid < 0)
		die("fork");
	if (peer->pid == 0)
		run(peer->slave, argv);
}

int peer_end(struct peer *peer, unsigned milliseconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, peer->pid, 0);
	uint64_t deadline = monotonic_usec() + milliseconds * USEC_PER_MSEC;
	int status = -1;

	/* It may have more to say, and must not wait for somebody who listens. */
	while (pidfd >= 0 && monotonic_usec() < deadline) {
		struct pollfd pfds[] = {
			{.fd = pidfd, .events = POLLIN}, {.fd = peer->master, .events = POLLIN}};
		char dropped[256];

		if (poll(pfds, 2, 100) < 0 || pfds[0].revents)
			break;
		if (pfds[1].revents & POLLIN)
			(void)!read(peer->master, dropped, sizeof(dropped));
	}
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, &status, 0);
	close(pidfd);
	close(peer->master);
	close(peer->slave);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint8_t *peer_read_file(const char *name, size_t *ret_n)
{
	char path[256];
	CLEANUP(fclosep) FILE *from = NULL;
	uint8_t *bytes;
	long size;

	path_of(name, path, sizeof(path));
	from = fopen(path, "re");
	if (!from)
		return NULL;
	if (fseek(from, 0, SEEK_END) < 0 || (size = ftell(from)) < 0)
		die(path);
	rewind(from);
	bytes = malloc((size_t)size + 1);
	if (!bytes || fread(bytes, 1, (size_t)size, from) != (size_t)size)
		die(path);
	*ret_n = (size_t)size;
	return bytes;
}

void peer_write_file(const char *name, const uint8_t *data, size_t n_data)
{
	char path[256];
	CLEANUP(fclosep) FILE *to = NULL;

	path_of(name, path, sizeof(path));
	to = fopen(path, "we");
	if (!to || fwrite(data, 1, n_data, to) != n_data || fflush(to) != 0)
		die(path);
}

void peer_remove_file(const char *name)
{
	char path[256];

	path_of(name, path, sizeof(path));
	(void)unlink(path);
}
