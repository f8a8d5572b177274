/* SPDX-License-Identifier: MIT */
/*
 * test-log.c - entries as the journal and standard error get them. sd_journal_sendv() and access()
 * are this test's own, so that it sees what is sent, with and without a journal on the machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/log.h"
#include "base/names.h"

static struct {
	char items[40][2048];
	int n_items;
	int n_entries;
	int result;
	bool has_socket;
} journal;

int sd_journal_sendv(const struct iovec *items, int n_items);
int sd_journal_sendv(const struct iovec *items, int n_items)
{
	journal.n_entries++;
	journal.n_items = n_items;
	assert_true(n_items <= (int)ARRAY_SIZE(journal.items));
	for (int i = 0; i < n_items; i++) {
		assert_true(items[i].iov_len < sizeof(journal.items[i]));
		memcpy(journal.items[i], items[i].iov_base, items[i].iov_len);
		journal.items[i][items[i].iov_len] = '\0';
	}
	errno = EINTR;
	return journal.result;
}

int access(const char *path, int mode)
{
	(void)mode;
	assert_string_equal(path, "/run/systemd/journal/socket");
	return journal.has_socket ? 0 : -1;
}

static int start(void **state)
{
	(void)state;
	memset(&journal, 0, sizeof(journal));
	journal.has_socket = true;
	unsetenv("JOURNAL_STREAM");
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_INFO);
	return 0;
}

static bool was_sent(const char *item)
{
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
	assert_int_equal(journal.n_items, 3);
	assert_true(was_sent("MESSAGE=ready"));
	assert_true(was_sent("PRIORITY=6"));
}

static void entries_below_the_threshold_are_dropped(void **state)
{
	(void)state;
	log_debug("not seen");
	assert_int_equal(journal.n_entries, 0);
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_DEBUG);
	log_debug("seen");
	assert_int_equal(journal.n_entries, 1);
	log_open("plugflashd", LOG_TARGET_JOURNAL, LOG_ERR);
	log_warning("not seen");
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
	assert_int_equal(journal.n_entries, 0);
	catch_stderr(LOG_WARNING, "a\nb", false, text, sizeof(text));
	assert_string_equal(text, "plugflashd: a\\x0ab\n");
}

static void an_entry_the_journal_refuses_is_not_lost(void **state)
{
	CLEANUP(fclosep) FILE *f = tmpfile();
	CLEANUP(closep) int kept = dup(STDERR_FILENO);
	char text[64] = "";

	(void)state;
	assert_non_null(f);
	journal.result = -EAGAIN;
	dup2(fileno(f), STDERR_FILENO);
	log_info("kept");
	dup2(kept, STDERR_FILENO);
	rewind(f);
	assert_non_null(fgets(text, sizeof(text), f));
	assert_string_equal(text, "plugflashd: kept\n");
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
		cmocka_unit_test_setup(an_entry_has_its_fields, start),
		cmocka_unit_test_setup(an_entry_without_id_and_fields_is_sent_too, start),
		cmocka_unit_test_setup(entries_below_the_threshold_are_dropped, start),
		cmocka_unit_test_setup(fields_without_value_are_left_out, start),
		cmocka_unit_test_setup(fields_beyond_the_bound_are_dropped, start),
		cmocka_unit_test_setup(fault_52_values_forge_neither_field_nor_format, start),
		cmocka_unit_test_setup(fault_65_the_sentence_stays_one_line, start),
		cmocka_unit_test_setup(long_texts_are_cut, start),
		cmocka_unit_test_setup(errno_survives_an_entry, start),
		cmocka_unit_test_setup(the_journal_is_the_default_where_it_is, start),
		cmocka_unit_test_setup(without_a_journal_entries_go_to_standard_error, start),
		cmocka_unit_test_setup(an_entry_the_journal_refuses_is_not_lost, start),
		cmocka_unit_test_setup(priorities_are_marked_for_systemd_only, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
