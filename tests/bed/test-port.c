/* SPDX-License-Identifier: MIT */
/*
 * test-port.c - the real port, on a bridge of the bed. What uses the port is this program once
 * more, as a child under the preloads: `test-port PART PORT [TEXT]`; what the bridge saw of it is
 * judged by the test.
 */
#include <asm/termbits.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/util.h"
#include "bed/bed-private.h"
#include "bed/enclosure.h"
#include "bed/scene.h"
#include "device/port.h"
#include "rules/wiring.h"
#include "unit/patience.h"

/* <asm/termbits.h> of this machine has no name for it. */
#ifndef CRTSCTS
#define CRTSCTS 020000000000
#endif

/* ------------------------------------------------------------------ the child's parts */

#define EXPECT(is_so)                                                       \
	do {                                                                \
		if (!(is_so)) {                                             \
			printf("# child, line %d: %s\n", __LINE__, #is_so); \
			fflush(stdout);                                     \
			_exit(1);                                           \
		}                                                           \
	} while (0)

static struct port *open_port(const char *path, unsigned rest)
{
	struct reason reason = {""};
	struct port *port = NULL;
	int r = port_open(path, 0, rest, &port, &reason);

	if (r < 0)
		printf("# child: %s\n", reason.text);
	EXPECT(r == 0);
	return port;
}

static struct port *open_configured(const char *path)
{
	struct port *port = open_port(path, 0);
	struct reason reason = {""};

	EXPECT(port_configure(port, 115200, PORT_PARITY_EVEN, &reason) == 0);
	return port;
}

/* Opens with `text` as the lines at rest, and closes. */
static void part_open(const char *path, const char *text)
{
	port_close(open_port(path, (unsigned)strtoul(text, NULL, 10)));
}

static void part_lines(const char *path, const char *text)
{
	struct port *port = open_configured(path);

	(void)text;
	EXPECT(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR | LINE_RTS) == 0);
	EXPECT(port_set_lines(port, LINE_DTR, 0) == 0);
	EXPECT(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR) == 0);
	port_close(port);
}

/* Another reader, that is quicker: what poll() saw is gone when the port reads. */
static bool is_robbed;

int ppoll(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout, const sigset_t *mask)
{
	int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *) =
		dlsym(RTLD_NEXT, "ppoll");
	int r = next(fds, n_fds, timeout, mask);
	char taken[256];

	while (is_robbed && r == 1 && read(fds[0].fd, taken, sizeof(taken)) > 0)
		;
	return r;
}

/* "115200 E" */
static void part_configure(const char *path, const char *text)
{
	struct port *port = open_port(path, 0);
	struct reason reason = {""};
	uint32_t baud = (uint32_t)strtoul(text, NULL, 10);
	bool even = strchr(text, 'E');

	EXPECT(port_configure(port, baud, even ? PORT_PARITY_EVEN : PORT_PARITY_NONE, &reason) ==
		0);
	EXPECT(port_line_time(port, 1000) ==
		(UINT64_C(1000000000) * (even ? 11 : 10) + baud - 1) / baud);
	port_close(port);
}

/* Leaves the port in a state that is wrong in every way. */
static void part_spoil(const char *path, const char *text)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios2 term;

	(void)text;
	EXPECT(fd >= 0 && ioctl(fd, TCGETS2, &term) == 0);
	term.c_cflag = B9600 | CS7 | CSTOPB | PARENB | PARODD | CRTSCTS | HUPCL;
	term.c_iflag |= INPCK | IXON | IXOFF | ISTRIP | ICRNL | PARMRK | BRKINT;
	term.c_oflag |= OPOST;
	term.c_lflag |= ICANON | ECHO | ISIG | IEXTEN;
	EXPECT(ioctl(fd, TCSETS2, &term) == 0);
}

static int read_byte(struct port *port, uint64_t usec)
{
	uint8_t byte;
	size_t n = 0;
	int r = port_read_some(port, &byte, 1, port_now(port) + usec, &n);

	return r < 0 ? r : n == 1 ? byte : -EPROTO;
}

/* How long a wait is and how often it is tried: the shortest counts, for a machine may stand still
 * in any of them. */
#define WAIT_USEC (300 * USEC_PER_MSEC)
#define TRIES	  3

static void waited(uint64_t *shortest, uint64_t usec)
{
	if (usec < *shortest)
		*shortest = usec;
}

/* Into the boot loader by the lines, one byte there and one back, then silence. */
static void part_talk(const char *path, const char *text)
{
	static const uint8_t sync[] = {0x7F}, get[] = {0x00, 0xFF};
	struct port *port = open_configured(path);
	uint8_t answer[64];
	uint64_t begin, wait = UINT64_MAX, none = UINT64_MAX;
	size_t n = 0;

	(void)text;
	EXPECT(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR | LINE_RTS) == 0);
	EXPECT(port_wait(port, 50 * USEC_PER_MSEC) == 0);
	EXPECT(port_set_lines(port, LINE_DTR, 0) == 0);
	EXPECT(port_wait(port, 50 * USEC_PER_MSEC) == 0);
	EXPECT(port_discard_input(port) == 0);
	EXPECT(port_write(port, sync, 1, port_now(port) + USEC_PER_SEC) == 0);
	EXPECT(read_byte(port, 5 * USEC_PER_SEC) == 0x79);
	for (unsigned i = 0; i < TRIES; i++) {
		begin = port_now(port);
		EXPECT(read_byte(port, WAIT_USEC) == -ETIMEDOUT);
		waited(&wait, port_now(port) - begin);
	}
	EXPECT(wait >= WAIT_USEC && wait < WAIT_USEC + USEC_PER_SEC);
	/* A deadline of the past is no wait, and takes what is there all the same. */
	for (unsigned i = 0; i < TRIES; i++) {
		begin = port_now(port);
		EXPECT(port_read_some(port, answer, 1, 0, &n) == -ETIMEDOUT);
		waited(&none, port_now(port) - begin);
	}
	EXPECT(none < USEC_PER_SEC);
	EXPECT(port_write(port, get, 2, port_now(port) + USEC_PER_SEC) == 0);
	EXPECT(port_drain(port, port_now(port) + 5 * USEC_PER_SEC) == 0);
	EXPECT(read_byte(port, 5 * USEC_PER_SEC) == 0x79);
	EXPECT(port_wait(port, 300 * USEC_PER_MSEC) == 0);
	EXPECT(port_read_some(port, answer, sizeof(answer), 0, &n) == 0 && n == 14);
	EXPECT(answer[13] == 0x79);
	/* What was thrown away does not come again. */
	EXPECT(port_write(port, get, 2, port_now(port) + USEC_PER_SEC) == 0);
	EXPECT(port_wait(port, 500 * USEC_PER_MSEC) == 0);
	EXPECT(port_discard_input(port) == 0);
	EXPECT(read_byte(port, 100 * USEC_PER_MSEC) == -ETIMEDOUT);
	port_close(port);
}

/* A rate at which what is queued takes far longer than the deadline. */
static void part_drain(const char *path, const char *text)
{
	static const uint8_t bytes[1024];
	struct port *port = open_port(path, 0);
	struct reason reason = {""};
	uint64_t begin, wait = UINT64_MAX;

	(void)text;
	EXPECT(port_configure(port, 1200, PORT_PARITY_EVEN, &reason) == 0);
	EXPECT(port_write(port, bytes, sizeof(bytes), port_now(port) + USEC_PER_SEC) == 0);
	for (unsigned i = 0; i < TRIES; i++) {
		begin = port_now(port);
		EXPECT(port_drain(port, begin + WAIT_USEC) == -ETIMEDOUT);
		waited(&wait, port_now(port) - begin);
	}
	EXPECT(wait >= WAIT_USEC && wait < WAIT_USEC + USEC_PER_SEC);
	port_close(port);
}

/* Waits for a byte that never comes, for far longer than the test. */
static void part_read(const char *path, const char *text)
{
	struct port *port = open_configured(path);
	struct reason reason = {""};
	const uint8_t byte = 0x7F;
	uint64_t begin;

	(void)text;
	EXPECT(read_byte(port, 600 * USEC_PER_SEC) == -ENODEV);
	/* And so says whatever else is tried, at once. */
	begin = port_now(port);
	EXPECT(read_byte(port, 600 * USEC_PER_SEC) == -ENODEV);
	EXPECT(port_write(port, &byte, 1, begin + 600 * USEC_PER_SEC) == -ENODEV);
	EXPECT(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_RTS) == -ENODEV);
	EXPECT(port_configure(port, 9600, PORT_PARITY_EVEN, &reason) == -ENODEV);
	EXPECT(port_drain(port, begin + 600 * USEC_PER_SEC) == -ENODEV);
	EXPECT(port_discard_input(port) <= 0);
	port_close(port);
	EXPECT(monotonic_usec() - begin < PATIENCE_USEC);
}

/* The bridge is there, and the bytes are not. */
static void part_robbed(const char *path, const char *text)
{
	static const uint8_t sync[] = {0x7F};
	struct port *port = open_configured(path);

	(void)text;
	EXPECT(port_set_lines(port, LINE_DTR | LINE_RTS, LINE_DTR | LINE_RTS) == 0);
	EXPECT(port_wait(port, 50 * USEC_PER_MSEC) == 0);
	EXPECT(port_set_lines(port, LINE_DTR, 0) == 0);
	EXPECT(port_wait(port, 50 * USEC_PER_MSEC) == 0);
	EXPECT(port_write(port, sync, 1, port_now(port) + USEC_PER_SEC) == 0);
	is_robbed = true;
	EXPECT(read_byte(port, 5 * USEC_PER_SEC) == -EBUSY);
	is_robbed = false;
	port_close(port);
}

/* Opens what must be refused: "-EBUSY" by its number, then what the reason says. */
static void part_refused(const char *path, const char *text)
{
	struct reason reason = {"not set"};
	struct port *port = NULL;
	char *part;
	int error = (int)strtol(text, &part, 10);
	int r = port_open(path, 0, 0, &port, &reason);

	if (r != -error || !strstr(reason.text, part + 1))
		printf("# child: %d, %s\n", r, reason.text);
	EXPECT(r == -error);
	EXPECT(!port);
	EXPECT(strstr(reason.text, path));
	EXPECT(strstr(reason.text, part + 1));
}

static void part_devnum(const char *path, const char *text)
{
	struct reason reason = {""};
	struct port *port = NULL;

	(void)text;
	EXPECT(port_open(path, makedev(188, 77), 0, &port, &reason) == -ENODEV);
	EXPECT(strstr(reason.text, "another device"));
	EXPECT(port_open(path, makedev(188, 0), 0, &port, &reason) == 0);
	port_close(port);
}

/* The lock file has our number while the port is open, and nobody else gets in. */
static void part_locked(const char *path, const char *text)
{
	struct port *port = open_port(path, 0);
	CLEANUP(fclosep) FILE *f = fopen("/run/lock/LCK..ttyUSB0", "re");
	int pid = 0;

	(void)text;
	EXPECT(f && fscanf(f, "%d", &pid) == 1 && pid == (int)getpid());
	EXPECT(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) < 0 && errno == EBUSY);
	port_close(port);
	EXPECT(access("/run/lock/LCK..ttyUSB0", F_OK) < 0);
	port = open_port(path, 0);
	port_close(port);
}

static const struct {
	const char *name;
	void (*run)(const char *path, const char *text);
} parts[] = {
	{"open", part_open},
	{"lines", part_lines},
	{"configure", part_configure},
	{"spoil", part_spoil},
	{"talk", part_talk},
	{"drain", part_drain},
	{"read", part_read},
	{"refused", part_refused},
	{"robbed", part_robbed},
	{"devnum", part_devnum},
	{"locked", part_locked},
};

static int play_part(const char *name, const char *path, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i].name, name) == 0) {
			parts[i].run(path, text);
			return 0;
		}
	return 1;
}

/* ------------------------------------------------------------------ the tests */

static pid_t start_part(struct bed_unit *unit, const char *name, const char *text)
{
	return bed_spawn(
		unit->bed, BED_MATCH("/proc/self/exe", name, bed_port(unit), text ? text : ""));
}

static void await_part(struct bed_unit *unit, pid_t pid)
{
	int status = -1;

	assert_true(bed_wait_child(unit->bed, BED_LONG, pid, &status));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void run_part(struct bed_unit *unit, const char *name, const char *text)
{
	await_part(unit, start_part(unit, name, text));
}

static struct bed_unit *plug_silently(struct bed *bed, const struct bed_board *board)
{
	struct bed_board silent = *board;

	silent.is_silent = true;
	return bed_plug(bed, &silent);
}

/*
 * The levels of the lines since the plug-in, DTR 1 and RTS 2, as "opened:3 0": a line that changes
 * alone shows. libserialport asks once for each line at its open, for what it is already.
 */
static void assert_lines(struct bed_unit *unit, const char *expected)
{
	static const char *const causes[] = {"opened:", "", "closed:"};
	const struct tty_change *changes;
	char text[256] = "";
	size_t n_changes, n = 0;

	assert_true(bed_wait_closed(unit, BED_LONG));
	changes = bed_lines(unit, &n_changes);
	for (size_t i = 0; i < n_changes && n + 16 < sizeof(text); i++) {
		if (changes[i].cause == TTY_SET && changes[i].lines == changes[i - 1].lines)
			continue;
		n += (size_t)sprintf(text + n, "%s%s%u", i ? " " : "", causes[changes[i].cause],
			changes[i].lines);
	}
	assert_string_equal(text, expected);
}

static void bytes_that_another_program_took_are_no_unplugging(void **state)
{
	run_part(plug_silently(*state, GATE), "robbed", NULL);
}

static void opening_raises_the_lines_and_one_request_sets_them_to_rest(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	run_part(unit, "open", "0");
	assert_lines(unit, "opened:3 0");
}

/* And stays so after the close: HUPCL would let go of it, and hold a board in reset by that. */
static void the_rest_may_be_a_line_that_is_asserted(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	run_part(unit, "open", "2");
	assert_lines(unit, "opened:3 2");
}

static void both_lines_change_in_one_request_and_stay_after_the_close(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	run_part(unit, "lines", NULL);
	assert_lines(unit, "opened:3 0 3 2 1 0");
}

static const struct format_row {
	const char *name;
	const char *text;
	uint32_t baud;
	bool even;
} format_rows[] = {
	{"115200 8E1", "115200 E", 115200, true},
	{"9600 8N1", "9600 N", 9600, false},
	{"460800 8E1", "460800 E", 460800, true},
	{"1200 8E1", "1200 E", 1200, true},
	{"a rate the kernel has no name for", "250000 E", 250000, true},
};

/* After somebody who left behind everything that must not be. */
static void the_format_is_what_was_asked_for_and_no_more(void **state)
{
	const struct format_row *row = *state;
	struct bed *bed = bed_new();
	struct bed_unit *unit = plug_silently(bed, GATE);
	struct termios2 term;

	run_part(unit, "spoil", NULL);
	memcpy(&term, unit->plug->tty.termios, sizeof(term));
	assert_true(term.c_cflag & CRTSCTS && term.c_iflag & INPCK && term.c_iflag & IXON);
	run_part(unit, "configure", row->text);
	memcpy(&term, unit->plug->tty.termios, sizeof(term));
	assert_int_equal(unit->plug->tty.baud, row->baud);
	assert_int_equal(term.c_cflag & (CSIZE | CSTOPB | PARODD | CRTSCTS | HUPCL), CS8);
	assert_int_equal(term.c_cflag & PARENB, row->even ? PARENB : 0);
	assert_int_equal(term.c_cflag & (CREAD | CLOCAL), CREAD | CLOCAL);
	assert_int_equal(term.c_iflag & (INPCK | IXON | IXOFF | ISTRIP | ICRNL | INLCR | IGNCR |
						PARMRK | BRKINT),
		0);
	assert_int_equal(term.c_oflag & OPOST, 0);
	assert_int_equal(term.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0);
	bed_free(bed);
}

static void bytes_go_there_and_back_and_deadlines_are_kept(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	run_part(unit, "talk", NULL);
	assert_int_equal(bed_counters(unit).syncs, 1);
	assert_int_equal(bed_counters(unit).commands[0x00], 2);
	assert_int_equal(bed_counters(unit).sync_bytes_bad, 0);
	assert_lines(unit, "opened:3 0 3 2 0");
}

static void waiting_for_the_last_byte_has_a_deadline_too(void **state)
{
	run_part(plug_silently(*state, GATE_PACED), "drain", NULL);
}

static bool is_configured(void *userdata)
{
	const struct bed_unit *unit = userdata;

	return unit->plug->tty.parity;
}

static void fault_15_unplugged_while_reading_is_told_within_a_second(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);
	pid_t pid = start_part(unit, "read", NULL);
	uint64_t begin;

	assert_true(bed_wait(unit->bed, BED_LONG, is_configured, unit));
	/* Until it surely waits; where it does not yet, it is told all the same. */
	bed_run(unit->bed, 100);
	begin = bed_now();
	bed_unplug(unit);
	await_part(unit, pid);
	assert_in_range(bed_now() - begin, 0, UINT64_C(1000000000));
	assert_int_equal(access("/run/lock/LCK..ttyUSB0", F_OK), -1);
}

static void fault_8_a_node_of_another_device_is_not_used(void **state)
{
	run_part(plug_silently(*state, GATE), "devnum", NULL);
}

static void the_lock_is_held_while_open_and_given_back(void **state)
{
	run_part(plug_silently(*state, GATE), "locked", NULL);
}

/* Refused with this text in the reason; the bridge has not noticed the attempt at all. */
static void expect_refused(struct bed_unit *unit, int error, const char *part)
{
	unsigned n_opens = bed_opens(unit), n_requests = bed_requests(unit);
	char text[128];

	snprintf(text, sizeof(text), "%d %s", error, part);
	run_part(unit, "refused", text);
	assert_int_equal(bed_opens(unit), n_opens);
	assert_int_equal(bed_requests(unit), n_requests);
}

/* Its lines would be raised by an open, and the board behind it reset. */
static void fault_11_a_port_that_somebody_has_open_is_not_even_opened(void **state)
{
	static const char *const ways[] = {"", "flock -n 3;"};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct bed *bed = bed_new();
		struct bed_unit *unit = plug_silently(bed, GATE);
		char script[128], expected[64];
		int status;
		pid_t holder;

		snprintf(script, sizeof(script), "exec 3<>%s; %s exec sleep 60", bed_port(unit),
			ways[i]);
		holder = bed_spawn(bed, BED_MATCH("sh", "-c", script));
		assert_true(bed_wait_opened(unit, BED_LONG));
		bed_run(bed, 200);
		snprintf(expected, sizeof(expected), "sleep (%d)", (int)holder);
		expect_refused(unit, EBUSY, expected);
		kill(holder, SIGTERM);
		assert_true(bed_wait_child(bed, BED_LONG, holder, &status));
		run_part(unit, "open", "0");
		bed_free(bed);
	}
	(void)state;
}

static void write_lock_file(pid_t pid)
{
	CLEANUP(fclosep) FILE *f = fopen("/run/lock/LCK..ttyUSB0", "we");

	assert_non_null(f);
	fprintf(f, "%10d\n", (int)pid);
}

static void fault_11_a_lock_file_of_a_live_process_keeps_the_port_shut(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);
	pid_t other = bed_spawn(*state, BED_MATCH("sleep", "60"));
	char expected[64];
	int status;

	bed_run(*state, 200);
	write_lock_file(other);
	snprintf(expected, sizeof(expected), "sleep (%d) through /run/lock/LCK..ttyUSB0",
		(int)other);
	expect_refused(unit, EBUSY, expected);
	kill(other, SIGTERM);
	assert_true(bed_wait_child(*state, BED_LONG, other, &status));
	/* Stale now. */
	run_part(unit, "locked", NULL);
}

static void fault_11_a_port_that_is_somebody_s_alone_is_busy(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);
	pid_t holder = bed_hold_exclusively(unit);
	int status;

	expect_refused(unit, EBUSY, "busy");
	kill(holder, SIGTERM);
	assert_true(bed_wait_child(*state, BED_LONG, holder, &status));
	run_part(unit, "open", "0");
}

static void a_port_that_may_not_be_opened_says_whose_it_is(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	bed_set_node_mode(unit, 0);
	run_part(unit, "refused", "13 group");
	bed_set_node_mode(unit, 0600);
	run_part(unit, "open", "0");
}

static void fault_15_a_port_that_went_before_the_open_is_not_there(void **state)
{
	struct bed_unit *unit = plug_silently(*state, GATE);

	bed_unplug(unit);
	run_part(unit, "refused", "19 was the board unplugged");
}

static int set_up(void **state)
{
	*state = bed_new();
	return 0;
}

static int tear_down(void **state)
{
	*state = bed_free(*state);
	return 0;
}

#define PORT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#define FORMAT_TEST(i)                                                     \
	{                                                                  \
		.name = format_rows[i].name,                               \
		.test_func = the_format_is_what_was_asked_for_and_no_more, \
		.initial_state = (void *)&format_rows[i]                   \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		PORT_TEST(bytes_that_another_program_took_are_no_unplugging),
		PORT_TEST(opening_raises_the_lines_and_one_request_sets_them_to_rest),
		PORT_TEST(the_rest_may_be_a_line_that_is_asserted),
		PORT_TEST(both_lines_change_in_one_request_and_stay_after_the_close),
		FORMAT_TEST(0),
		FORMAT_TEST(1),
		FORMAT_TEST(2),
		FORMAT_TEST(3),
		FORMAT_TEST(4),
		PORT_TEST(bytes_go_there_and_back_and_deadlines_are_kept),
		PORT_TEST(waiting_for_the_last_byte_has_a_deadline_too),
		PORT_TEST(fault_15_unplugged_while_reading_is_told_within_a_second),
		PORT_TEST(fault_8_a_node_of_another_device_is_not_used),
		PORT_TEST(the_lock_is_held_while_open_and_given_back),
		cmocka_unit_test(fault_11_a_port_that_somebody_has_open_is_not_even_opened),
		PORT_TEST(fault_11_a_lock_file_of_a_live_process_keeps_the_port_shut),
		PORT_TEST(fault_11_a_port_that_is_somebody_s_alone_is_busy),
		PORT_TEST(a_port_that_may_not_be_opened_says_whose_it_is),
		PORT_TEST(fault_15_a_port_that_went_before_the_open_is_not_there),
	};

	if (argc == 4)
		return play_part(argv[1], argv[2], argv[3]);
	enclosure_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
