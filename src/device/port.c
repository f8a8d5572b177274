/* SPDX-License-Identifier: MIT */
/*
 * port.c - the tty of a bridge, by libserialport and by what that lacks.
 *
 * Open: who has the port is asked first, for Linux raises DTR and RTS at every open and these lines
 * may reset a board that another program is using. Then the node is opened, checked to be the
 * device that was meant, and locked, before both lines are put to rest in one request. Close: what
 * was sent is waited for, the lines are put to rest, and the lock goes before the descriptor.
 *
 * Reads, writes and waits are done here with poll() and a deadline; the library sets speed, parity
 * and the rest of the mode, but never the lines, which it would set one by one.
 *
 * Each call of port.h is one function that does it and one that also records it.
 */
#include "device/port.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libserialport.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "base/clock.h"
#include "base/util.h"
#include "device/lock.h"
#include "device/transcript.h"

struct port {
	struct sp_port *sp;
	struct lock *lock;
	int fd; /* libserialport's */
	unsigned rest;
	uint32_t baud;
	enum port_parity parity;
	struct transcript *transcript; /* borrowed; NULL: nothing is recorded */
};

/* libserialport tells a failed system call by this code and leaves errno behind. */
static int from_sp(enum sp_return r)
{
	switch (r) {
	case SP_OK:
		return 0;
	case SP_ERR_ARG:
		return -EINVAL;
	case SP_ERR_MEM:
		return -ENOMEM;
	case SP_ERR_SUPP:
		return -ENOTSUP;
	case SP_ERR_FAIL:
		return errno > 0 ? -errno : -EIO;
	}
	return -EIO;
}

/* What a tty says once its bridge is gone, at whatever call notices first. */
static int gone_or(int r)
{
	return r == -EIO || r == -ENXIO || r == -ENOENT || r == -EPIPE ? -ENODEV : r;
}

static void explain_open(const char *path, int r, struct reason *reason)
{
	char holder[TEXT_MAX];

	switch (-r) {
	case EBUSY:
		if (!lock_find_holder(path, holder, sizeof(holder)))
			reason_set(reason,
				"%s is busy: another program has it for itself: `fuser -v %s` as root names it",
				path, path);
		else if (!lock_is_ours(path, holder, reason))
			reason_set(reason, "%s is busy: %s has it open: end that program first",
				path, holder);
		break;
	case EACCES:
	case EPERM:
		reason_set(reason,
			"%s may not be opened: the user needs the group that owns it (dialout): as root adduser NAME dialout, then log in again",
			path);
		break;
	case ENODEV:
	case ENOENT:
		if (access(path, F_OK) == 0)
			reason_set(reason,
				"%s is no serial port that the kernel knows: was the board unplugged just now?",
				path);
		else
			reason_set(
				reason, "%s is not there any more: was the board unplugged?", path);
		break;
	default:
		reason_set(reason, "%s cannot be opened: %s", path, strerror(-r));
	}
}

static int open_locked(struct port *port, const char *path, dev_t devnum, struct reason *reason)
{
	struct stat st = {0};
	int r = from_sp(sp_get_port_by_name(path, &port->sp));

	if (r == 0 && lock_check(path, reason) < 0)
		return -EBUSY;
	if (r == 0)
		r = from_sp(sp_open(port->sp, SP_MODE_READ_WRITE));
	/* Two kinds of "not there": the node is still here, or it is not. */
	if (r == -EINVAL || r == -ENXIO || r == -EIO)
		r = -ENODEV;
	if (r == 0) {
		(void)sp_get_port_handle(port->sp, &port->fd);
		(void)fcntl(port->fd, F_SETFD, FD_CLOEXEC);
		r = fstat(port->fd, &st) < 0 ? gone_or(-errno) : 0;
	}
	if (r < 0) {
		explain_open(path, r, reason);
		return r;
	}
	if (devnum != 0 && st.st_rdev != devnum)
		return reason_refuse(
			-ENODEV, reason, "%s is another device now: the board was unplugged", path);
	r = lock_acquire(path, port->fd, &port->lock, reason);
	/* Pulled, or taken by a program that drives the bridge itself, since it was opened. */
	if (gone_or(r) != r) {
		r = -ENODEV;
		explain_open(path, r, reason);
	}
	return r;
}

/*
 * libserialport 0.1.1 sets CRTSCTS in the wrong word and leaves INPCK as it finds it. With CRTSCTS
 * the bridge would move RTS, which may be BOOT0; with INPCK the cp210x driver inserts line events
 * into the stream (cp210x.md 5). HUPCL would let go of the lines at close.
 */
static int clear_unwanted_flags(struct port *port)
{
	struct termios term;

	if (tcgetattr(port->fd, &term) < 0)
		return -errno;
	if (!(term.c_cflag & (CRTSCTS | HUPCL)) && !(term.c_iflag & (INPCK | IXON | IXOFF)))
		return 0;
	term.c_cflag &= ~(tcflag_t)(CRTSCTS | HUPCL);
	term.c_iflag &= ~(tcflag_t)(INPCK | IXON | IXOFF);
	return tcsetattr(port->fd, TCSANOW, &term) < 0 ? -errno : 0;
}

int port_open(
	const char *path, dev_t devnum, unsigned rest, struct port **ret, struct reason *reason)
{
	struct port *port = calloc(1, sizeof(*port));
	int r;

	if (!port)
		return -ENOMEM;
	port->fd = -1;
	port->rest = rest;
	r = open_locked(port, path, devnum, reason);
	if (r == 0) {
		r = port_set_lines(port, LINE_DTR | LINE_RTS, rest);
		/* Now, so that the rest outlives the close whenever that comes. */
		if (r == 0)
			r = gone_or(clear_unwanted_flags(port));
		if (r < 0)
			reason_set(reason, "%s: its lines or its mode cannot be set: %s", path,
				strerror(-r));
	}
	if (r < 0) {
		port_close(port);
		return r;
	}
	*ret = port;
	return 0;
}

void port_record(struct port *port, struct transcript *transcript)
{
	port->transcript = transcript;
	transcript_lines(transcript, port_now(port), port->rest, 0);
}

struct transcript *port_transcript(const struct port *port)
{
	return port->transcript;
}

struct port *port_close(struct port *port)
{
	if (!port)
		return NULL;
	if (port->lock) {
		(void)port_drain(port, port_now(port) + USEC_PER_SEC);
		(void)port_set_lines(port, LINE_DTR | LINE_RTS, port->rest);
	}
	lock_release(port->lock);
	if (port->fd >= 0)
		sp_close(port->sp);
	sp_free_port(port->sp);
	free(port);
	return NULL;
}

static void sp_configp(struct sp_port_config **config)
{
	sp_free_config(*config);
}

/* Only what is set is applied: above all not the lines, which libserialport would set one by one.
 */
static int apply(struct port *port, uint32_t baud, enum port_parity parity)
{
	CLEANUP(sp_configp) struct sp_port_config *config = NULL;
	int r = from_sp(sp_new_config(&config));

	if (r < 0)
		return r;
	sp_set_config_baudrate(config, (int)baud);
	sp_set_config_bits(config, 8);
	sp_set_config_parity(config, parity == PORT_PARITY_EVEN ? SP_PARITY_EVEN : SP_PARITY_NONE);
	sp_set_config_stopbits(config, 1);
	/* sp_new_config() of 0.1.1 leaves this one to chance. */
	sp_set_config_xon_xoff(config, SP_XONXOFF_DISABLED);
	return from_sp(sp_set_config(port->sp, config));
}

static int check_kept(
	struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	CLEANUP(sp_configp) struct sp_port_config *config = NULL;
	enum sp_parity kept_parity = SP_PARITY_INVALID;
	int kept_baud = 0;
	int r = from_sp(sp_new_config(&config));

	if (r == 0)
		r = from_sp(sp_get_config(port->sp, config));
	if (r < 0)
		return r;
	sp_get_config_parity(config, &kept_parity);
	sp_get_config_baudrate(config, &kept_baud);
	if (kept_parity != (parity == PORT_PARITY_EVEN ? SP_PARITY_EVEN : SP_PARITY_NONE))
		return reason_refuse(-ENOTSUP, reason,
			"the driver of the port does not keep %s parity: not a UART?",
			parity == PORT_PARITY_EVEN ? "even" : "no");
	/* The bridge divides down from 48 MHz: 115200 may read 115384. AN3155 allows 2.5 %. */
	if (kept_baud > 0 && labs((long)kept_baud - (long)baud) > (long)(baud / 40))
		return reason_refuse(-ENOTSUP, reason,
			"the bridge runs at %d baud instead of %u: choose another `baud`",
			kept_baud, baud);
	return 0;
}

static int configure(
	struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	int r = apply(port, baud, parity);

	if (r == 0)
		r = clear_unwanted_flags(port);
	if (r < 0) {
		reason_set(reason, "the port cannot be set to %u baud 8%c1: %s", baud,
			parity == PORT_PARITY_EVEN ? 'E' : 'N', strerror(-r));
		return gone_or(r);
	}
	r = check_kept(port, baud, parity, reason);
	if (r < 0)
		return gone_or(r);
	port->baud = baud;
	port->parity = parity;
	return 0;
}

int port_configure(struct port *port, uint32_t baud, enum port_parity parity, struct reason *reason)
{
	int r = configure(port, baud, parity, reason);

	transcript_rate(port->transcript, port_now(port), baud, parity == PORT_PARITY_EVEN, r);
	return r;
}

/* `ret_lines`: both, as they are from now on. */
static int set_lines(struct port *port, unsigned mask, unsigned lines, unsigned *ret_lines)
{
	int state = 0;

	if (ioctl(port->fd, TIOCMGET, &state) < 0)
		return gone_or(-errno);
	if (mask & LINE_DTR)
		state = lines & LINE_DTR ? state | TIOCM_DTR : state & ~TIOCM_DTR;
	if (mask & LINE_RTS)
		state = lines & LINE_RTS ? state | TIOCM_RTS : state & ~TIOCM_RTS;
	*ret_lines = (state & TIOCM_DTR ? LINE_DTR : 0) | (state & TIOCM_RTS ? LINE_RTS : 0);
	return ioctl(port->fd, TIOCMSET, &state) < 0 ? gone_or(-errno) : 0;
}

int port_set_lines(struct port *port, unsigned mask, unsigned lines)
{
	unsigned now = lines & mask;
	int r = set_lines(port, mask, lines, &now);

	transcript_lines(port->transcript, port_now(port), now, r);
	return r;
}

/* Waits for the event; -ETIMEDOUT at the deadline, -ENODEV once the tty was hung up. */
static int wait_for(struct port *port, short events, uint64_t deadline)
{
	struct pollfd pfd = {.fd = port->fd, .events = events};

	for (;;) {
		uint64_t now = port_now(port);
		uint64_t left = deadline > now ? deadline - now : 0;
		struct timespec timeout = {
			.tv_sec = (time_t)(left / USEC_PER_SEC),
			.tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC),
		};
		int r = ppoll(&pfd, 1, &timeout, NULL);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		if (pfd.revents & events)
			return 0;
		return -ENODEV;
	}
}

static int write_all(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	while (n_data > 0) {
		enum sp_return n = sp_nonblocking_write(port->sp, data, n_data);

		if (n < 0)
			return gone_or(from_sp(n));
		data += n;
		n_data -= (size_t)n;
		if (n_data > 0) {
			int r = wait_for(port, POLLOUT, deadline);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

int port_write(struct port *port, const uint8_t *data, size_t n_data, uint64_t deadline)
{
	int r = write_all(port, data, n_data, deadline);

	transcript_sent(port->transcript, port_now(port), data, n_data, r);
	return r;
}

/* A tty whose bridge went says so from then on (tty_io.c, hung_up_tty_poll()). */
static bool is_hung_up(struct port *port)
{
	struct pollfd pfd = {.fd = port->fd, .events = POLLIN};

	return poll(&pfd, 1, 0) < 0 || (pfd.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static int read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	enum sp_return n;
	int r = wait_for(port, POLLIN, deadline);

	if (r < 0)
		return r;
	n = sp_nonblocking_read(port->sp, to, n_to);
	if (n < 0)
		return gone_or(from_sp(n));
	/* Readable and yet nothing there: hung up, or another program was quicker. */
	if (n == 0)
		return is_hung_up(port) ? -ENODEV : -EBUSY;
	*ret_n = (size_t)n;
	return 0;
}

int port_read_some(struct port *port, uint8_t *to, size_t n_to, uint64_t deadline, size_t *ret_n)
{
	int r = read_some(port, to, n_to, deadline, ret_n);

	transcript_heard(port->transcript, port_now(port), to, r == 0 ? *ret_n : 0, r);
	return r;
}

int port_discard_input(struct port *port)
{
	int r = gone_or(from_sp(sp_flush(port->sp, SP_BUF_INPUT)));

	transcript_called(port->transcript, port_now(port), r, "discard");
	return r;
}

static int drain(struct port *port, uint64_t deadline)
{
	for (;;) {
		uint64_t now = port_now(port), wait;
		int n_queued = 0;

		if (ioctl(port->fd, TIOCOUTQ, &n_queued) < 0)
			return gone_or(-errno);
		if (n_queued <= 0)
			return 0;
		if (now >= deadline)
			return -ETIMEDOUT;
		/* tcdrain() knows no deadline; the time the rest takes on the line is known. */
		wait = port_line_time(port, (size_t)n_queued) + USEC_PER_MSEC;
		clock_sleep(wait < deadline - now ? wait : deadline - now);
	}
}

int port_drain(struct port *port, uint64_t deadline)
{
	int r = drain(port, deadline);

	transcript_called(port->transcript, port_now(port), r, "drain");
	return r;
}

uint64_t port_now(struct port *port)
{
	(void)port;
	return monotonic_usec();
}

int port_wait(struct port *port, uint64_t usec)
{
	clock_sleep(usec);
	transcript_called(port->transcript, port_now(port), 0, "wait %" PRIu64, usec);
	return 0;
}

uint32_t port_rate(const struct port *port)
{
	return port->baud;
}

uint64_t port_line_time(const struct port *port, size_t n_bytes)
{
	uint64_t bits = port->parity == PORT_PARITY_EVEN ? 11 : 10;

	if (port->baud == 0)
		return 0;
	return (n_bytes * bits * USEC_PER_SEC + port->baud - 1) / port->baud;
}
