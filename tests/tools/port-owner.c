/* SPDX-License-Identifier: MIT */
/*
 * port-owner: a program that has a stick for itself, as zigbee2mqtt and its like have: `port-owner
 * PORT`.
 *
 * It opens the port, locks it (TIOCEXCL and flock()), resets the stick by RTS, asks by MT for ping
 * and version at 115200 until it is answered, says so in one line, and asks again each second from
 * then on. Where the port goes, or the stick no longer answers, it ends with 1 and says why: the
 * unit that runs it starts it again, as those of such programs do. It knows MT by ti-bsl.md 3, and
 * nothing of the code in src.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TRIES	    20
#define ANSWER_MSEC 1000
#define RESET_MSEC  150

enum { MT_START = 0xFE, MT_DATA_MAX = 250 };

/* A frame as it stands between its start and its checksum: length, two bytes of command, data. */
struct frame {
	uint8_t bytes[3 + MT_DATA_MAX + 1];
	size_t n;
};

static _Noreturn void end(const char *object, const char *what)
{
	printf("%s: %s\n", object, what);
	exit(1);
}

static int64_t now_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_msec(long msec)
{
	const struct timespec time = {msec / 1000, msec % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void set_rts(int fd, bool is_asserted)
{
	int lines;

	if (ioctl(fd, TIOCMGET, &lines) < 0)
		return;
	lines &= ~(TIOCM_DTR | TIOCM_RTS);
	if (is_asserted)
		lines |= TIOCM_RTS;
	(void)ioctl(fd, TIOCMSET, &lines);
}

static int open_port(const char *path)
{
	struct termios term;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		end(path, strerror(errno));
	if (ioctl(fd, TIOCEXCL) < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		end(path, "somebody else has it");
	if (tcgetattr(fd, &term) < 0)
		end(path, strerror(errno));
	cfmakeraw(&term);
	term.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&term, B115200);
	if (tcsetattr(fd, TCSANOW, &term) < 0)
		end(path, strerror(errno));
	set_rts(fd, false);
	wait_msec(RESET_MSEC);
	set_rts(fd, true);
	wait_msec(RESET_MSEC);
	set_rts(fd, false);
	wait_msec(RESET_MSEC);
	(void)tcflush(fd, TCIFLUSH);
	return fd;
}

/* Takes a byte; true: it ended a frame whose checksum is right. */
static bool take_byte(struct frame *frame, uint8_t byte)
{
	uint8_t sum = 0;

	if (frame->n == 0 && byte != MT_START)
		return false;
	/* The start is kept in the place of nothing: it is not part of the checksum. */
	if (frame->n == 0) {
		frame->n = 1;
		return false;
	}
	frame->bytes[frame->n++ - 1] = byte;
	if (frame->bytes[0] > MT_DATA_MAX) {
		frame->n = 0;
		return false;
	}
	if (frame->n < 1 + 3 + (size_t)frame->bytes[0] + 1)
		return false;
	for (size_t i = 0; i < 3 + (size_t)frame->bytes[0]; i++)
		sum ^= frame->bytes[i];
	frame->n = 0;
	return sum == frame->bytes[3 + frame->bytes[0]];
}

/* Asks, and waits for the answer of this kind; false: none came in time. */
static bool ask(int fd, uint8_t command, struct frame *ret)
{
	const uint8_t request[] = {MT_START, 0, 0x21, command, (uint8_t)(0x21 ^ command)};
	int64_t deadline = now_msec() + ANSWER_MSEC;
	struct frame frame = {.n = 0};

	if (write(fd, request, sizeof(request)) != (ssize_t)sizeof(request))
		end("port", strerror(errno));
	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_msec();
		uint8_t byte;
		ssize_t n;

		if (left <= 0 || poll(&pfd, 1, (int)left) == 0)
			return false;
		n = read(fd, &byte, 1);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			end("port", "it is gone");
		if (n == 1 && take_byte(&frame, byte) && frame.bytes[1] == 0x61 &&
			frame.bytes[2] == command) {
			*ret = frame;
			return true;
		}
	}
}

static uint32_t revision(const struct frame *frame)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4 && 5 + i < frame->bytes[0]; i++)
		value |= (uint32_t)frame->bytes[3 + 5 + i] << 8 * i;
	return value;
}

int main(int argc, char **argv)
{
	struct frame answer;
	int fd, n = 0;

	if (argc != 2) {
		fputs("usage: port-owner PORT\n", stderr);
		return 2;
	}
	setlinebuf(stdout);
	fd = open_port(argv[1]);
	while (!ask(fd, 1, &answer) || !ask(fd, 2, &answer))
		if (++n == TRIES)
			end("stick", "it does not answer");
	printf("the stick answers: version %" PRIu32 "\n", revision(&answer));
	for (;;) {
		wait_msec(1000);
		for (n = 0; !ask(fd, 1, &answer);)
			if (++n == 3)
				end("stick", "it answers no longer");
	}
}
