/* SPDX-License-Identifier: MIT */
#include "bed/tty.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/util.h"
#include "rules/wiring.h"

/* What the bridge sends comes once in each USB frame, 1 ms at full speed; so does our turn. */
#define FRAME_NSEC UINT64_C(1000000)

/* As much as goes out at a time where the clock is put forward: a chip that never ends is bounded.
 */
#define OUT_MAX 4096

/* The kernel's rates by their codes, <asm-generic/termbits.h>. */
static const struct {
	tcflag_t code;
	uint32_t baud;
} rates[] = {
	{B1200, 1200},
	{B2400, 2400},
	{B4800, 4800},
	{B9600, 9600},
	{B19200, 19200},
	{B38400, 38400},
	{B57600, 57600},
	{B115200, 115200},
	{B230400, 230400},
	{B460800, 460800},
	{B500000, 500000},
	{B576000, 576000},
	{B921600, 921600},
	{B1000000, 1000000},
	{B1500000, 1500000},
	{B2000000, 2000000},
};

static uint32_t baud_of(const struct termios2 *term)
{
	if ((term->c_cflag & CBAUD) == BOTHER)
		return term->c_ospeed;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if ((term->c_cflag & CBAUD) == rates[i].code)
			return rates[i].baud;
	return 9600;
}

/* What a port of usb-serial begins with: usb_serial_init(), 9600 8N1 HUPCL CLOCAL, and raw. */
static const struct termios2 initial = {
	.c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL,
	.c_cc = {[VMIN] = 1},
	.c_ispeed = 9600,
	.c_ospeed = 9600,
};

static void note_change(struct tty *tty, enum tty_cause cause, uint64_t now)
{
	if (tty->n_changes < TTY_LOG_MAX)
		tty->changes[tty->n_changes++] = (struct tty_change){cause, tty->lines, now};
}

static void set_lines(struct tty *tty, enum tty_cause cause, unsigned lines, uint64_t now)
{
	tty->lines = lines;
	note_change(tty, cause, now);
	sim_set_lines(tty->sim, lines, now + tty->skipped);
}

static void set_termios(struct tty *tty, const struct termios2 *term, uint64_t now)
{
	_Static_assert(sizeof(*term) <= sizeof(tty->termios), "termios2 fits");
	memcpy(tty->termios, term, sizeof(*term));
	tty->baud = baud_of(term);
	tty->parity = term->c_cflag & PARENB && !(term->c_cflag & PARODD);
	tty->hangs_up = term->c_cflag & HUPCL;
	sim_set_format(tty->sim, tty->baud, tty->parity, now + tty->skipped);
}

static int open_pair(struct tty *tty)
{
	int unlock = 0, slave;

	tty->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (tty->master < 0 || ioctl(tty->master, TIOCSPTLCK, &unlock) < 0 ||
		ioctl(tty->master, TIOCGPTN, &tty->index) < 0 ||
		ioctl(tty->master, TCSETS2, &initial) < 0)
		return -errno;
	/* Only after a slave was closed does the master tell that nobody has one open. */
	slave = ioctl(tty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	close(slave);
	return 0;
}

int tty_init(struct tty *tty, struct sim *sim, bool is_paced)
{
	struct timespec now;
	int r;

	*tty = (struct tty){.master = -1, .sim = sim, .is_paced = is_paced};
	r = open_pair(tty);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &now);
	set_termios(tty, &initial, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	return 0;
}

void tty_pull(struct tty *tty)
{
	if (tty->master >= 0)
		close(tty->master);
	tty->master = -1;
	tty->is_open = false;
}

void tty_on_open(struct tty *tty, uint64_t now)
{
	struct pollfd pfd = {.fd = tty->master};

	/* umockdev tells of an open that failed as well; then nobody is at the other end. */
	if (tty->master < 0 || poll(&pfd, 1, 0) < 0 || pfd.revents & POLLHUP)
		return;
	tty->n_opens++;
	tty_advance(tty, now);
	tty->is_open = true;
	/* At every open, not only the first: tty_port_block_til_ready(). */
	set_lines(tty, TTY_OPENED, LINE_DTR | LINE_RTS, now);
}

/* Which of the two lines the request is about, as our bits. */
static unsigned lines_of(const void *arg)
{
	int bits;

	memcpy(&bits, arg, sizeof(bits));
	return (bits & TIOCM_DTR ? LINE_DTR : 0) | (bits & TIOCM_RTS ? LINE_RTS : 0);
}

static void give_int(void *arg, int value)
{
	memcpy(arg, &value, sizeof(value));
}

size_t tty_ioctl_size(unsigned long request)
{
	switch (request) {
	case TIOCMGET:
	case TIOCMSET:
	case TIOCMBIS:
	case TIOCMBIC:
	case TIOCOUTQ:
		return sizeof(int);
	case TCGETS2:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return sizeof(struct termios2);
	}
	return 0;
}

int tty_on_ioctl(struct tty *tty, unsigned long request, void *arg, uint64_t now)
{
	struct termios2 term;

	tty->n_requests++;
	if (tty->master < 0)
		return -EIO;
	/* What was written before must reach the chip before. */
	tty_advance(tty, now);
	switch (request) {
	case TIOCMGET:
		give_int(arg, (tty->lines & LINE_DTR ? TIOCM_DTR : 0) |
				      (tty->lines & LINE_RTS ? TIOCM_RTS : 0));
		return 0;
	case TIOCMSET:
		set_lines(tty, TTY_SET, lines_of(arg), now);
		return 0;
	case TIOCMBIS:
		set_lines(tty, TTY_SET, tty->lines | lines_of(arg), now);
		return 0;
	case TIOCMBIC:
		set_lines(tty, TTY_SET, tty->lines & ~lines_of(arg), now);
		return 0;
	case TIOCOUTQ:
		give_int(arg, (int)(tty->tail - tty->head));
		return 0;
	case TCGETS2:
		memcpy(arg, tty->termios, sizeof(struct termios2));
		return 0;
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		memcpy(&term, arg, sizeof(term));
		set_termios(tty, &term, now);
		/* The line discipline is the pseudo-terminal's own. */
		return TTY_PASS;
	}
	return TTY_PASS;
}

/* Takes what the host wrote; each byte arrives when the line had time for it. */
static void take_input(struct tty *tty, uint64_t now)
{
	uint8_t bytes[1024];

	while (TTY_QUEUE - (tty->tail - tty->head) >= sizeof(bytes)) {
		ssize_t n = read(tty->master, bytes, sizeof(bytes));

		/* EIO: the last one who had it open closed it. */
		if (n < 0 && errno == EIO && tty->is_open) {
			tty->is_open = false;
			if (tty->hangs_up)
				set_lines(tty, TTY_CLOSED, 0, now);
		}
		if (n <= 0)
			return;
		if (tty->line_free < now + tty->skipped)
			tty->line_free = now + tty->skipped;
		for (ssize_t i = 0; i < n; i++) {
			tty->line_free += sim_byte_nsec(tty->sim);
			tty->queue[tty->tail % TTY_QUEUE].byte = bytes[i];
			tty->queue[tty->tail % TTY_QUEUE].due = tty->line_free;
			tty->tail++;
		}
	}
}

/* Nobody has the port open, or nobody reads: the bytes are lost as a driver loses them. */
static void give_output(struct tty *tty, const uint8_t *bytes, size_t n_bytes)
{
	ssize_t n = tty->is_open && n_bytes > 0 ? write(tty->master, bytes, n_bytes) : 0;

	tty->n_lost += n_bytes - (size_t)(n > 0 ? n : 0);
}

/*
 * Whether time may be put forward: there is something on the line, or a boot loader at work. The
 * application of a board prints by the clock, and would never end.
 */
static bool may_skip(const struct tty *tty)
{
	return !tty->is_paced && (tty->head != tty->tail || sim_state(tty->sim) == SIM_ROM);
}

/* One byte into or out of the chip, whichever is next at or before `now`; false: none. */
static bool step(struct tty *tty, uint64_t now, uint8_t out[OUT_MAX], size_t *n_out)
{
	uint64_t in_due =
		tty->head != tty->tail ? tty->queue[tty->head % TTY_QUEUE].due : SIM_NEVER;
	uint64_t out_due = sim_next(tty->sim);
	uint64_t next = in_due < out_due ? in_due : out_due;

	if (next == SIM_NEVER || *n_out == OUT_MAX)
		return false;
	if (next > now + tty->skipped) {
		if (!may_skip(tty))
			return false;
		tty->skipped = next - now;
	}
	if (out_due <= in_due) {
		if (sim_send(tty->sim, &out[*n_out], out_due))
			(*n_out)++;
	} else {
		sim_receive(tty->sim, tty->queue[tty->head % TTY_QUEUE].byte, in_due);
		tty->head++;
	}
	return true;
}

/* The board's clock as the monotonic one will show it. */
static uint64_t next_turn(const struct tty *tty, uint64_t now)
{
	uint64_t due = tty->head != tty->tail ? tty->queue[tty->head % TTY_QUEUE].due : SIM_NEVER;
	uint64_t next = sim_next(tty->sim);

	if (due < next)
		next = due;
	if (next == SIM_NEVER)
		return SIM_NEVER;
	next = next > tty->skipped ? next - tty->skipped : 0;
	return next > now + FRAME_NSEC ? next : now + FRAME_NSEC;
}

uint64_t tty_advance(struct tty *tty, uint64_t now)
{
	uint8_t out[OUT_MAX];
	size_t n_out = 0;

	if (tty->master < 0)
		return SIM_NEVER;
	take_input(tty, now);
	while (!sim_has_vanished(tty->sim) && step(tty, now, out, &n_out))
		;
	give_output(tty, out, n_out);
	return next_turn(tty, now);
}
