/* SPDX-License-Identifier: MIT */
/*
 * test-log.c - entries as the journal and standard error get them. connect() and access() are this
 * test's own: it is the journal, one that takes entries, stands still, or is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/log-journal.h"
#include "base/log.h"
#include "base/names.h"
#include "unit/virtual-clock.h"

static struct {
	int fd;
	struct sockaddr_un address;
	socklen_t n_address;  /* it counts: the name is all bytes up to there */
	char items[40][2048]; /* of the last entry that was read */
	int n_items;
	int n_entries;
	bool has_socket;
} journal;

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	assert_string_equal(((const struct sockaddr_un *)address)->sun_path, JOURNAL_SOCKET);
	assert_true(size >= sizeof(sa_family_t));
	if (!journal.has_socket) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_connect, fd, &journal.address, journal.n_address);
}

int access(const char *path, int mode)
{
	(void)mode;
	assert_string_equal(path, "/run/systemd/journal/socket");
	return journal.has_socket ? 0 : -1;
}

static void open_journal(void)
{
	journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(journal.fd >= 0);
	journal.address = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* An address of the kernel's own choice, without a name in the file system. */
	journal.n_address = sizeof(sa_family_t);
	assert_int_equal(
		bind(journal.fd, (struct sockaddr *)&journal.address, journal.n_address), 0);
	journal.n_address = sizeof(journal.address);
	assert_int_equal(
		getsockname(journal.fd, (struct sockaddr *)&journal.address, &journal.n_address),
		0);
}

static int start(void **state)
{
	(void)state;
	memset(&journal, 0, sizeof(journal));
	open_journal();
	journal.has_socket = true;
	unsetenv("JOURNAL_STREAM");
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_INFO);
	return 0;
}

static int end(void **state)
{
	(void)state;
	log_journal_close(0);
	(void)log_take_lost();
	close(journal.fd);
	return 0;
}

/* Takes one entry; false where there is none. */
static bool read_entry(void)
{
	char bytes[65536], *rest = NULL;
	ssize_t n = recv(journal.fd, bytes, sizeof(bytes) - 1, 0);

	if (n <= 0)
		return false;
	bytes[n] = '\0';
	assert_int_equal(strlen(bytes), n);
	assert_int_equal(bytes[n - 1], '\n');
	journal.n_entries++;
	journal.n_items = 0;
	for (char *item = strtok_r(bytes, "\n", &rest); item; item = strtok_r(NULL, "\n", &rest)) {
		assert_true(journal.n_items < (int)ARRAY_SIZE(journal.items));
		assert_non_null(strchr(item, '='));
		snprintf(journal.items[journal.n_items++], sizeof(journal.items[0]), "%s", item);
	}
	return true;
}

static void read_entries(void)
{
	while (read_entry())
		;
}

static bool was_sent(const char *item)
{
	read_entries();
	for (int i = 0; i < journal.n_items; i++)
		if (strcmp(journal.items[i], item) == 0)
			return true;
	return false;
}

/* What goes to standard error while `priority` and `text` are logged, with or without the prefix.
 */
static void catch_stderr(int priority, const char *text, bool with_stream, char *to, size_t size)
{
	CLEANUP(fclosep) FILE *f = tmpfile();
	CLEANUP(closep) int kept = dup(STDERR_FILENO);
	struct stat status;
	char stream[64];
	size_t n;

	assert_non_null(f);
	assert_true(kept >= 0);
	assert_int_equal(fstat(fileno(f), &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	if (with_stream)
		setenv("JOURNAL_STREAM", stream, 1);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	log_open("plugflashd", LOG_TARGET_STDERR, LOG_INFO);
	log_event(priority, NULL, NULL, "%s", text);
	dup2(kept, STDERR_FILENO);
	rewind(f);
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
}

static void an_entry_has_its_fields(void **state)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};

	(void)state;
	log_field(&fields, FIELD_BOARD, "%s", "gate");
	log_field(&fields, FIELD_ADDRESS, "0x%08X", 0x08000000u);
	log_event(LOG_WARNING, MESSAGE_NO_MATCH, &fields, "%s: no rule fits", "/dev/ttyUSB0");
	read_entries();
	assert_int_equal(journal.n_items, 6);
	assert_true(was_sent("MESSAGE=/dev/ttyUSB0: no rule fits"));
	assert_true(was_sent("PRIORITY=4"));
	assert_true(was_sent("SYSLOG_IDENTIFIER=plugflashd"));
	assert_true(was_sent("MESSAGE_ID=" MESSAGE_NO_MATCH));
	assert_true(was_sent("PLUGFLASH_BOARD=gate"));
	assert_true(was_sent("PLUGFLASH_ADDRESS=0x08000000"));
}

static void an_entry_without_id_and_fields_is_sent_too(void **state)
{
	(void)state;
	log_info("ready");
	read_entries();
	assert_int_equal(journal.n_items, 3);
	assert_true(was_sent("MESSAGE=ready"));
	assert_true(was_sent("PRIORITY=6"));
}

static void entries_below_the_threshold_are_dropped(void **state)
{
	(void)state;
	log_debug("not seen");
	read_entries();
	assert_int_equal(journal.n_entries, 0);
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_DEBUG);
	log_debug("seen");
	read_entries();
	assert_int_equal(journal.n_entries, 1);
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_ERR);
	log_warning("not seen");
	read_entries();
	assert_int_equal(journal.n_entries, 1);
}

static void fields_without_value_are_left_out(void **state)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	const char *none = getenv("PLUGFLASH_NO_SUCH_VARIABLE");

	(void)state;
	log_field(&fields, FIELD_USB_SERIAL, "%s", none);
	log_field(&fields, FIELD_UNIT, "%s", "");
	assert_int_equal(fields.n_items, 0);
	log_field(&fields, FIELD_BYTES, "%u", 0u);
	assert_int_equal(fields.n_items, 1);
	assert_string_equal(fields.items[0], "PLUGFLASH_BYTES=0");
}

static void fields_beyond_the_bound_are_dropped(void **state)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		log_field(&fields, "PLUGFLASH_N", "%d", i);
	assert_int_equal(fields.n_items, ARRAY_SIZE(fields.items));
	log_event(LOG_INFO, MESSAGE_READY, &fields, "many");
	read_entries();
	assert_int_equal(journal.n_items, 4 + ARRAY_SIZE(fields.items));
}

/* A value with a line end would otherwise read as a field of its own. */
static void fault_52_values_forge_neither_field_nor_format(void **state)
{
	static const struct {
		const char *name;
		const char *value;
		const char *sent; /* NAME=value as it must arrive */
	} rows[] = {
		{"fault 52: line end", "a\nPRIORITY=0", "PLUGFLASH_BOARD=a\\x0aPRIORITY=0"},
		{"fault 52: format", "%n%s%s%s%n", "PLUGFLASH_BOARD=%n%s%s%s%n"},
		{"fault 52: quotes", "a'b\"c", "PLUGFLASH_BOARD=a\\x27b\\x22c"},
		{"fault 65: control characters", "\001\033[31m", "PLUGFLASH_BOARD=\\x01\\x1b[31m"},
		{"fault 65: not UTF-8", "a\377", "PLUGFLASH_BOARD=a\\xff"},
		{"fault 65: UTF-8 stays", "Gr\303\274n", "PLUGFLASH_BOARD=Gr\303\274n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(log_fields_done) struct log_fields fields = {0};

		print_message("# %s\n", rows[i].name);
		log_field(&fields, FIELD_BOARD, "%s", rows[i].value);
		log_event(LOG_INFO, NULL, &fields, "entry");
		if (!was_sent(rows[i].sent))
			fail_msg("expected '%s', got '%s'", rows[i].sent, journal.items[3]);
	}
}

static void fault_65_the_sentence_stays_one_line(void **state)
{
	(void)state;
	log_info("bridge '%s' said \\x41", "a\nMESSAGE=forged\033\377\342\200\256");
	assert_true(was_sent("MESSAGE=bridge 'a\\x0aMESSAGE=forged\\x1b\\xff\\xe2\\x80\\xae' "
			     "said \\x41"));
}

static void long_texts_are_cut(void **state)
{
	CLEANUP(log_fields_done) struct log_fields fields = {0};
	char text[8192];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_field(&fields, FIELD_IMAGE, "%s", text);
	memset(text, '\n', sizeof(text) - 1);
	log_event(LOG_INFO, NULL, &fields, "%s", text);
	assert_in_range(strlen(fields.items[0]), 900, 1100);
	read_entries();
	assert_in_range(strlen(journal.items[0]), 900, 1100);
	assert_non_null(strstr(fields.items[0], "..."));
}

static void errno_survives_an_entry(void **state)
{
	(void)state;
	errno = ENODEV;
	log_info("entry");
	assert_int_equal(errno, ENODEV);
	errno = ENODEV;
	log_debug("no entry");
	assert_int_equal(errno, ENODEV);
}

static void the_journal_is_the_default_where_it_is(void **state)
{
	(void)state;
	assert_int_equal(log_target_default(), LOG_TARGET_JOURNAL);
	journal.has_socket = false;
	assert_int_equal(log_target_default(), LOG_TARGET_STDERR);
}

static void without_a_journal_entries_go_to_standard_error(void **state)
{
	char text[256];

	(void)state;
	journal.has_socket = false;
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_INFO);
	log_info("to standard error");
	read_entries();
	assert_int_equal(journal.n_entries, 0);
	catch_stderr(LOG_WARNING, "a\nb", false, text, sizeof(text));
	assert_string_equal(text, "plugflashd: a\\x0ab\n");
}

/* It went away since the process began. */
static void an_entry_that_no_journal_takes_is_not_lost(void **state)
{
	CLEANUP(fclosep) FILE *f = tmpfile();
	CLEANUP(closep) int kept = dup(STDERR_FILENO);
	char text[64] = "";

	(void)state;
	assert_non_null(f);
	journal.has_socket = false;
	dup2(fileno(f), STDERR_FILENO);
	log_info("kept");
	dup2(kept, STDERR_FILENO);
	rewind(f);
	assert_non_null(fgets(text, sizeof(text), f));
	assert_string_equal(text, "plugflashd: kept\n");
}

/* ------------------------------------------------------------- a journal that stands still */

/* What log_info() made wait, in numbers from 0. */
static unsigned log_until_waiting(void)
{
	unsigned n = 0;

	while (log_waiting_fd() < 0) {
		assert_true(n < 100000);
		log_info("%u", n++);
	}
	return n;
}

static bool is_writable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	return poll(&ready, 1, 0) > 0;
}

/* Each of `n`, in order, and nothing else. */
static void expect_all(unsigned n)
{
	char item[32];

	for (unsigned i = 0; i < n; i++) {
		while (!read_entry()) {
			assert_true(is_writable(log_waiting_fd()));
			log_flush();
		}
		snprintf(item, sizeof(item), "MESSAGE=%u", i);
		assert_string_equal(journal.items[0], item);
	}
	assert_int_equal(log_waiting_fd(), -1);
	assert_false(read_entry());
}

static void entries_wait_in_order_while_the_journal_stands_still(void **state)
{
	unsigned n = log_until_waiting();

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		log_info("%u", n++);
	assert_false(is_writable(log_waiting_fd()));
	expect_all(n);
	assert_int_equal(log_take_lost(), 0);
}

static void entries_beyond_the_bound_are_counted(void **state)
{
	char filler[801];
	unsigned n_waiting = 0, n_kept;

	(void)state;
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	(void)log_until_waiting();
	for (; n_waiting < 1000; n_waiting++)
		log_info("%s", filler);
	while (read_entry() || log_waiting_fd() >= 0)
		log_flush();
	n_kept = 1000 - (unsigned)log_take_lost();
	assert_in_range(n_kept * sizeof(filler), LOG_QUEUE_BYTES / 2, LOG_QUEUE_BYTES);
	assert_int_equal(log_take_lost(), 0);
}

/* The unit of its socket was started again: another socket, at the same place. */
static void a_journal_that_was_started_again_gets_what_waits(void **state)
{
	unsigned n = log_until_waiting(), n_waiting = 0;

	(void)state;
	close(journal.fd);
	open_journal();
	log_flush();
	assert_int_equal(log_waiting_fd(), -1);
	while (read_entry())
		n_waiting++;
	assert_int_equal(n_waiting, 1);
	log_info("%u", n);
	assert_true(was_sent("MESSAGE=0") || was_sent("PRIORITY=6"));
	assert_int_equal(log_take_lost(), 0);
}

/* A journal that stands still for as long as somebody waits for it. */
static bool time_passes_in_poll;

int poll(struct pollfd *fds, nfds_t n_fds, int msec)
{
	if (!time_passes_in_poll)
		return REAL(poll)(fds, n_fds, msec);
	assert_true(msec >= 0);
	clock_move((uint64_t)msec * USEC_PER_MSEC);
	return 0;
}

static void the_end_waits_for_no_journal_for_ever(void **state)
{
	uint64_t begin = monotonic_usec();

	(void)state;
	(void)log_until_waiting();
	time_passes_in_poll = true;
	log_close();
	time_passes_in_poll = false;
	assert_in_range(monotonic_usec() - begin, 1, 5 * USEC_PER_SEC);
	assert_int_equal(log_waiting_fd(), -1);
}

/* systemd connected it to the same journal: a full one is not written to. */
static void a_full_standard_error_of_systemd_holds_nobody_up(void **state)
{
	CLEANUP(closep) int kept = dup(STDERR_FILENO);
	char stream[64], filler[4096] = {0};
	struct stat status;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	while (send(ends[0], filler, sizeof(filler), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(fstat(ends[0], &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	journal.has_socket = false;
	dup2(ends[0], STDERR_FILENO);
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_INFO);
	log_info("nobody reads this");
	dup2(kept, STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
}

/* Where systemd reads standard error it takes the priority off the line. */
static void priorities_are_marked_for_systemd_only(void **state)
{
	char text[256];

	(void)state;
	catch_stderr(LOG_ERR, "failed", true, text, sizeof(text));
	assert_string_equal(text, "<3>failed\n");
	setenv("JOURNAL_STREAM", "1:1", 1);
	catch_stderr(LOG_ERR, "failed", false, text, sizeof(text));
	assert_string_equal(text, "plugflashd: failed\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_entry_has_its_fields, start, end),
		cmocka_unit_test_setup_teardown(
			an_entry_without_id_and_fields_is_sent_too, start, end),
		cmocka_unit_test_setup_teardown(
			entries_below_the_threshold_are_dropped, start, end),
		cmocka_unit_test_setup_teardown(fields_without_value_are_left_out, start, end),
		cmocka_unit_test_setup_teardown(fields_beyond_the_bound_are_dropped, start, end),
		cmocka_unit_test_setup_teardown(
			fault_52_values_forge_neither_field_nor_format, start, end),
		cmocka_unit_test_setup_teardown(fault_65_the_sentence_stays_one_line, start, end),
		cmocka_unit_test_setup_teardown(long_texts_are_cut, start, end),
		cmocka_unit_test_setup_teardown(errno_survives_an_entry, start, end),
		cmocka_unit_test_setup_teardown(the_journal_is_the_default_where_it_is, start, end),
		cmocka_unit_test_setup_teardown(
			without_a_journal_entries_go_to_standard_error, start, end),
		cmocka_unit_test_setup_teardown(
			an_entry_that_no_journal_takes_is_not_lost, start, end),
		cmocka_unit_test_setup_teardown(
			entries_wait_in_order_while_the_journal_stands_still, start, end),
		cmocka_unit_test_setup_teardown(entries_beyond_the_bound_are_counted, start, end),
		cmocka_unit_test_setup_teardown(
			a_journal_that_was_started_again_gets_what_waits, start, end),
		cmocka_unit_test_setup_teardown(the_end_waits_for_no_journal_for_ever, start, end),
		cmocka_unit_test_setup_teardown(
			a_full_standard_error_of_systemd_holds_nobody_up, start, end),
		cmocka_unit_test_setup_teardown(priorities_are_marked_for_systemd_only, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
