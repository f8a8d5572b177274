/* SPDX-License-Identifier: MIT */
/* The configuration at start and at SIGHUP: taken whole, or refused whole with file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define GOOD "[board gate]\nserial = A*\nchip = 0x410\nimage = gate-*\n"

struct readies {
	struct bed *bed;
	unsigned n;
};

static bool is_reloaded(void *userdata)
{
	const struct readies *readies = userdata;

	return bed_readies(readies->bed) > readies->n;
}

/* SIGHUP, and until the service says that it is ready again. */
static void reload(struct bed *bed)
{
	struct readies readies = {bed, bed_readies(bed)};

	bed_mark(bed);
	bed_signal(bed, SIGHUP);
	assert_true(bed_wait(bed, BED_LONG, is_reloaded, &readies));
}

static void sighup_takes_a_good_configuration(void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, &(struct bed_board){.serial = "B1"});
	expect_outcome(unit, "no-match");
	bed_write_config(*state, NAME_BOARDS "/20.conf",
		"[board second]\nserial = B*\nchip = 0x410\nimage = gate-*\n");
	reload(*state);
	assert_non_null(
		bed_wait_journal(*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_LOADED)));
	/* It is still there, and has a rule now. */
	assert_non_null(bed_wait_journal(
		*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated", FIELD_BOARD "=second")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

static void sighup_leaves_running_and_finished_jobs_alone(void **state)
{
	struct bed_unit *done, *running;

	scene_start(*state);
	done = bed_plug(*state, GATE);
	expect_outcome(done, "updated");
	running = bed_plug(*state, &(struct bed_board){.serial = "A2", .is_paced = true});
	assert_true(bed_wait_command(running, BED_LONG, WRITE, 1));
	reload(*state);
	expect_outcome(running, "updated");
	expect_another_updated(*state);
	assert_int_equal(bed_opens(done), 1);
	assert_int_equal(bed_opens(running), 1);
}

/* The operator mends the rule of a board that failed, and sees at once whether that was it. */
static void a_mended_rule_ends_the_wait_of_a_board_that_failed(void **state)
{
	static const char failing[] = "retries = 0\nagain-after = 600s\n";
	const struct sim_faults none = {0};
	struct bed_unit *unit;
	unsigned n_opens;

	scene_configure(*state, "", failing);
	scene_start(*state);
	unit = bed_plug(*state,
		&(struct bed_board){.serial = "A1", .faults = {.stuck_address = 0x08000400}});
	expect_outcome(unit, "verify-differs");
	bed_set_faults(unit, &none);
	n_opens = bed_opens(unit);
	/* The same rule once more changes nothing. */
	reload(*state);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), n_opens);
	scene_configure(*state, "", "retries = 1\nagain-after = 600s\n");
	reload(*state);
	assert_non_null(bed_wait_journal(*state, BED_LONG, BED_MATCH(FIELD_OUTCOME "=updated")));
	assert_true(bed_flash_is(unit, FIRMWARE_OLD_BIN));
}

/* ------------------------------------------------------------------ what is in force */

#define REFUSED "configuration on disk refused, the one of "

static bool tells_refused(void *userdata)
{
	return strstr(bed_status(userdata), REFUSED) != NULL;
}

static bool tells_no_more(void *userdata)
{
	return !tells_refused(userdata);
}

/* Whether `list` says that it shows what the service has not read; it ends with that exit code. */
static bool list_warns(struct bed *bed, int code)
{
	char path[400], line[1024];
	bool warns = false;
	FILE *from;

	assert_int_equal(command_run(bed, "list 2>\"$STATE_DIRECTORY\"/../warnings"), code);
	snprintf(path, sizeof(path), "%s/warnings", bed_directory(bed));
	from = fopen(path, "r");
	assert_non_null(from);
	while (fgets(line, sizeof(line), from))
		warns |= strstr(line, "is newer than what the service has read") != NULL;
	fclose(from);
	return warns;
}

/* As long as it is so, for who looks later; and `list` shows what is on disk. */
static void the_status_tells_of_a_refused_configuration(void **state)
{
	scene_start(*state);
	assert_false(tells_refused(*state));
	assert_false(list_warns(*state, 0));
	bed_write_config(*state, NAME_BOARDS "/20.conf", "[board second]\ncolour = red\n");
	assert_true(list_warns(*state, 3));
	reload(*state);
	assert_true(bed_wait(*state, BED_LONG, tells_refused, *state));
	bed_write_config(*state, NAME_BOARDS "/20.conf",
		"[board second]\nserial = B*\nchip = 0x410\nimage = gate-*\n");
	reload(*state);
	assert_true(bed_wait(*state, BED_LONG, tells_no_more, *state));
	assert_false(list_warns(*state, 0));
	/* One that is taken away counts as well. */
	bed_write_config(*state, NAME_BOARDS "/20.conf", NULL);
	assert_true(list_warns(*state, 0));
}

/* ------------------------------------------------------------------ what is refused */

#define TEXT(s) s, sizeof(s) - 1

/* More than the library takes in a line. */
#define LONG_16 "0123456789abcdef"
#define LONG_256                                                                                \
	LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 \
		LONG_16 LONG_16 LONG_16 LONG_16 LONG_16

static const struct {
	const char *name;
	const char *text;
	size_t n_text;
	const char *place; /* what the entry must name */
} rows[] = {
	{"fault 48: unknown key", TEXT(GOOD "colour = red\n"), "10.conf:5"},
	{"fault 48: repeated key", TEXT(GOOD "chip = 0x410\n"), "10.conf:5"},
	{"fault 48: repeated section", TEXT(GOOD GOOD), "10.conf:5"},
	{"fault 48: unknown section", TEXT(GOOD "[bored gate]\n"), "10.conf:5"},
	{"fault 48: NUL", TEXT(GOOD "path = a\0b\n"), "10.conf:5"},
	{"fault 48: invalid UTF-8", TEXT(GOOD "path = \xFF\xFE\n"), "10.conf:5"},
	{"fault 48: byte order mark", TEXT("\xEF\xBB\xBF" GOOD), "10.conf:1"},
	{"fault 48: CR LF", TEXT("[board gate]\r\nserial = A*\r\n"), "10.conf:1"},
	{"fault 48: a line too long", TEXT(GOOD "path = " LONG_256 "\n"), "10.conf:5"},
	{"fault 48: neither key nor section", TEXT(GOOD "hello\n"), "10.conf:5"},
	{"fault 48: a key before any section", TEXT("baud = 9600\n" GOOD), "10.conf:1"},
	{"bad value", TEXT(GOOD "baud = fast\n"), "10.conf:5"},
	{"unknown chip", TEXT("[board gate]\nserial = A*\nchip = 0x999\nimage = gate-*\n"),
		"10.conf:3"},
	{"no image", TEXT("[board gate]\nserial = A*\nchip = 0x410\n"), "10.conf:1"},
};

static bool has_entry_with(struct bed *bed, const char *part)
{
	const struct journal_reader *journal = bed_journal(bed);

	for (size_t i = 0; i < journal_reader_count(journal); i++) {
		const struct journal_entry *entry = journal_reader_entry(journal, i);
		const char *message = journal_entry_get(entry, "MESSAGE");

		if (journal_entry_fits(entry, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_REJECTED)) &&
			message && strstr(message, part))
			return true;
	}
	return false;
}

struct part {
	struct bed *bed;
	const char *text;
};

static bool is_told(void *userdata)
{
	const struct part *part = userdata;

	return has_entry_with(part->bed, part->text);
}

static void expect_told(struct bed *bed, const char *text)
{
	struct part part = {bed, text};

	if (!bed_wait(bed, BED_LONG, is_told, &part))
		fail_msg("no entry names '%s'", text);
}

static void fault_48_a_bad_configuration_is_refused_with_its_line_and_the_old_one_stays(
	void **state)
{
	struct bed_unit *unit;

	scene_start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].name);
		bed_write_config_bytes(
			*state, NAME_BOARDS "/10.conf", rows[i].text, rows[i].n_text);
		reload(*state);
		assert_non_null(bed_wait_journal(
			*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_REJECTED)));
		expect_told(*state, rows[i].place);
		assert_int_equal(
			bed_count_journal(*state, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_LOADED)),
			0);
	}
	unit = bed_plug(*state, GATE);
	expect_field(expect_outcome(unit, "updated"), FIELD_BOARD, "gate");
}

static void fault_52_a_value_with_format_characters_forges_nothing(void **state)
{
	struct bed_unit *unit;

	bed_configure(
		*state, "", "[board gate]\nserial = A*\nchip = 0x410\nimage = gate-%s%n%s-*\n");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_text(expect_outcome(unit, "no-image"), "MESSAGE", "gate-%s%n%s-*");
	expect_good_stop(*state);
}

static void fault_51_a_directory_replaced_at_once_is_taken_whole(void **state)
{
	char old[128], new[128], gone[128];
	struct bed_unit *unit;

	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	snprintf(old, sizeof(old), "%s/config", bed_directory(*state));
	snprintf(new, sizeof(new), "%s/config.new", bed_directory(*state));
	snprintf(gone, sizeof(gone), "%s/config.old", bed_directory(*state));
	for (unsigned i = 0; i < 20; i++) {
		/* Away, and back: in between a reload finds nothing, and must keep what it has. */
		assert_int_equal(rename(old, gone), 0);
		reload(*state);
		assert_non_null(bed_wait_journal(
			*state, BED_LONG, BED_MATCH("MESSAGE_ID=" MESSAGE_CONFIG_REJECTED)));
		assert_int_equal(rename(gone, old), 0);
		bed_signal(*state, SIGHUP);
		assert_int_equal(rename(old, new), 0);
		assert_int_equal(rename(new, old), 0);
	}
	reload(*state);
	expect_another_updated(*state);
	assert_int_equal(bed_opens(unit), 1);
}

/* ------------------------------------------------------------------ at start */

static bool has_ended(void *userdata)
{
	return !bed_is_running(userdata);
}

/* The service must end by itself with this status, and say why. */
static void expect_refusal(struct bed *bed, int expected, const char *part)
{
	int status;

	bed_start_service(bed, 0);
	assert_true(bed_wait(bed, BED_LONG, has_ended, bed));
	assert_int_equal(bed_readies(bed), 0);
	status = bed_stop_service(bed, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	expect_told(bed, part);
}

static void no_configuration_at_start_is_refused(void **state)
{
	bed_write_config(*state, NAME_SERVICE_CONFIGURATION, NULL);
	expect_refusal(*state, EX_CONFIG, NAME_SERVICE_CONFIGURATION);
}

static void a_configuration_that_cannot_be_read_is_refused(void **state)
{
	char path[128];

	snprintf(
		path, sizeof(path), "%s/config/" NAME_SERVICE_CONFIGURATION, bed_directory(*state));
	assert_int_equal(chmod(path, 0), 0);
	expect_refusal(*state, EXIT_FAILURE, NAME_SERVICE_CONFIGURATION);
}

static void an_unknown_key_at_start_is_refused(void **state)
{
	bed_configure(*state, "colour = red\n", GOOD);
	expect_refusal(*state, EX_CONFIG, "colour");
}

static void the_same_board_in_two_files_is_refused(void **state)
{
	bed_write_config(*state, NAME_BOARDS "/20.conf", GOOD);
	expect_refusal(*state, EX_CONFIG, "20.conf:1");
}

static void no_rules_at_all_are_no_mistake(void **state)
{
	struct bed_unit *unit;

	bed_write_config(*state, NAME_BOARDS "/10.conf", NULL);
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "no-match");
	expect_good_stop(*state);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(sighup_takes_a_good_configuration),
	SCENE_TEST(sighup_leaves_running_and_finished_jobs_alone),
	SCENE_TEST(a_mended_rule_ends_the_wait_of_a_board_that_failed),
	SCENE_TEST(the_status_tells_of_a_refused_configuration),
	SCENE_TEST(fault_48_a_bad_configuration_is_refused_with_its_line_and_the_old_one_stays),
	SCENE_TEST(fault_51_a_directory_replaced_at_once_is_taken_whole),
	SCENE_TEST(fault_52_a_value_with_format_characters_forges_nothing),
	SCENE_TEST(no_configuration_at_start_is_refused),
	SCENE_TEST(a_configuration_that_cannot_be_read_is_refused),
	SCENE_TEST(an_unknown_key_at_start_is_refused),
	SCENE_TEST(the_same_board_in_two_files_is_refused),
	SCENE_TEST(no_rules_at_all_are_no_mistake),
};

SCENE_MAIN(tests)
