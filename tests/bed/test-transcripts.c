/* SPDX-License-Identifier: MIT */
/* Transcripts of real jobs: those that the service keeps, the one that the command is told to
 * write, and a report with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "bed/command.h"
#include "bed/enclosure.h"
#include "bed/scene.h"

#define TEXT_MOST (1024 * 1024)

/* Of what the firmware's first block holds, as a line of a transcript would have it. */
static void first_bytes(char to[static 32])
{
	CLEANUP(fclosep) FILE *file = fopen(FIRMWARE_OLD_BIN, "re");
	uint8_t bytes[8];

	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), sizeof(bytes));
	snprintf(to, 32, "%02x %02x %02x %02x %02x %02x %02x %02x", bytes[0], bytes[1], bytes[2],
		bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}

static char *read_all(const char *path)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	char *text = calloc(1, TEXT_MOST);

	if (!file || !text)
		fail_msg("%s cannot be read", path);
	(void)!fread(text, 1, TEXT_MOST - 1, file);
	return text;
}

static void expect_whole(const char *text, const char *outcome)
{
	char ending[64], bytes[32];

	snprintf(ending, sizeof(ending), "\noutcome %s\n", outcome);
	first_bytes(bytes);
	assert_memory_equal(text, "plugflash-transcript 1\n", 23);
	assert_non_null(strstr(text, "\nrule [board gate]\n"));
	assert_non_null(strstr(text, " > 7f\n"));
	assert_non_null(strstr(text, " < 79"));
	assert_non_null(strstr(text, " cut "));
	assert_null(strstr(text, bytes));
	assert_non_null(strstr(text, ending));
	assert_non_null(strstr(text, "\n[end]\n"));
}

/* ------------------------------------------------------------------ of the service */

/* The transcripts that are kept, the oldest first; how many. */
static int kept(struct bed *bed, char names[][300], int n_names)
{
	CLEANUP(freep) char *folder = NULL;
	struct dirent **found = NULL;
	int n;

	assert_true(asprintf(&folder, "%s/state/" NAME_TRANSCRIPTS, bed_directory(bed)) > 0);
	n = scandir(folder, &found, NULL, alphasort);
	if (n < 0)
		return -1;
	for (int i = 2; i < n; i++)
		if (i - 2 < n_names)
			snprintf(names[i - 2], 300, "%s/%s", folder, found[i]->d_name);
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return n - 2;
}

static void the_service_keeps_none_by_default(void **state)
{
	char names[1][300];

	scene_start(*state);
	expect_outcome(bed_plug(*state, GATE), "updated");
	assert_int_equal(kept(*state, names, 1), -1);
}

static void the_service_keeps_those_of_the_last_jobs(void **state)
{
	CLEANUP(freep) char *first = NULL, *last = NULL;
	const struct journal_entry *entry;
	struct bed_unit *unit;
	char names[3][300];
	struct stat st;

	scene_configure(*state, "transcripts = 2\n", "");
	scene_start(*state);
	unit = bed_plug(*state, GATE);
	entry = expect_outcome(unit, "updated");
	assert_int_equal(kept(*state, names, 3), 1);
	assert_non_null(strstr(names[0], journal_entry_get(entry, FIELD_JOB)));
	assert_int_equal(stat(names[0], &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	first = read_all(names[0]);
	expect_whole(first, "updated");
	assert_non_null(strstr(first, "\nask erase\ntold answer go\n"));
	for (int i = 0; i < 2; i++) {
		bed_unplug(unit);
		bed_replug(unit, NULL);
		entry = expect_outcome(unit, "current");
	}
	assert_int_equal(kept(*state, names, 3), 2);
	assert_non_null(strstr(names[1], journal_entry_get(entry, FIELD_JOB)));
	last = read_all(names[1]);
	expect_whole(last, "current");
}

/* A folder that cannot be written costs the transcript and not the board. */
static void a_transcript_that_cannot_be_kept_costs_no_job(void **state)
{
	CLEANUP(freep) char *path = NULL;
	FILE *file;

	assert_true(asprintf(&path, "%s/state", bed_directory(*state)) > 0);
	(void)mkdir(path, 0755);
	free(path);
	assert_true(asprintf(&path, "%s/state/" NAME_TRANSCRIPTS, bed_directory(*state)) > 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	scene_configure(*state, "transcripts = 2\n", "");
	scene_start(*state);
	expect_outcome(bed_plug(*state, GATE), "updated");
	assert_non_null(bed_wait_journal(*state, 0, BED_MATCH("PRIORITY=4")));
}

/* ------------------------------------------------------------------ of the command */

static char *transcript_of_command(struct bed *bed, const char *name)
{
	CLEANUP(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", bed_directory(bed), name) > 0);
	return read_all(path);
}

static void the_command_writes_one_beside_the_service(void **state)
{
	CLEANUP(freep) char *text = NULL, *again = NULL, *arguments = NULL;
	struct bed_unit *unit;

	command_start_service(*state);
	unit = bed_plug(*state, GATE);
	expect_outcome(unit, "updated");
	assert_true(bed_wait_closed(unit, BED_LONG));
	assert_true(
		asprintf(&arguments, "verify --transcript %s/told.txt", bed_directory(*state)) > 0);
	assert_int_equal(command_run_all(*state, arguments), 0);
	assert_int_equal(command_lines(*state,
				 "the service leaves this bridge alone until the command ends"),
		1);
	text = transcript_of_command(*state, "told.txt");
	expect_whole(text, "current");
	/* It is not replaced, and nothing is done. */
	assert_int_equal(command_run_all(*state, arguments), EXIT_USAGE);
	assert_int_equal(command_lines(*state, "cannot be made: File exists; give"), 1);
	again = transcript_of_command(*state, "told.txt");
	assert_string_equal(text, again);
}

static void the_image_is_in_it_where_it_is_asked_for(void **state)
{
	CLEANUP(freep) char *text = NULL, *arguments = NULL;
	char bytes[32];

	bed_plug(*state, GATE);
	first_bytes(bytes);
	assert_true(asprintf(&arguments, "flash --transcript-image --transcript %s/told.txt",
			    bed_directory(*state)) > 0);
	assert_int_equal(command_run(*state, arguments), 0);
	text = transcript_of_command(*state, "told.txt");
	assert_non_null(strstr(text, bytes));
	assert_null(strstr(text, " cut "));
}

/* Of the circuits that are tried, one behind the other. */
static void setup_records_what_it_tries(void **state)
{
	CLEANUP(freep) char *text = NULL, *arguments = NULL;
	const char *second;

	bed_plug(*state, &(struct bed_board){.serial = "B1", .circuit = SIM_CIRCUIT_ONE_KEY});
	assert_true(asprintf(&arguments,
			    "setup -p ttyUSB0 --try stm32 --dry-run --yes --image " FIRMWARE_OLD
			    ".hex --image-version 1.0.0 --name gate2 --transcript %s/told.txt",
			    bed_directory(*state)) > 0);
	assert_int_equal(command_run(*state, arguments), 0);
	text = transcript_of_command(*state, "told.txt");
	assert_memory_equal(text, "plugflash-transcript 1\n", 23);
	assert_non_null(strstr(text, "\naction probe\nguess\n"));
	second = strstr(text, "\n[end]\nplugflash-transcript 1\n");
	assert_non_null(second);
	assert_non_null(strstr(second, " < 79"));
}

/* ------------------------------------------------------------------ a report with one */

static void a_report_has_all_of_it_and_no_ids(void **state)
{
	static const char *const parts[] = {
		"versions", "job", "rule", "journal", "bridges", "plugflash doctor", "transcript"};
	CLEANUP(freep) char *text = NULL, *arguments = NULL, *path = NULL;
	const struct journal_entry *entry;
	struct stat st;
	char heading[64];

	scene_configure(*state, "transcripts = 2\n", "");
	command_start_service(*state);
	entry = expect_outcome(bed_plug(*state, GATE), "updated");
	assert_true(asprintf(&path, "%s/report.txt", bed_directory(*state)) > 0);
	assert_true(asprintf(&arguments, "report %s", path) > 0);
	assert_int_equal(command_run_all(*state, arguments), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	text = read_all(path);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(heading, sizeof(heading), "\n==== %s ====\n", parts[i]);
		assert_non_null(strstr(text, heading));
	}
	assert_non_null(strstr(text, journal_entry_get(entry, FIELD_JOB)));
	assert_non_null(strstr(text, "    PLUGFLASH_OUTCOME=updated\n"));
	assert_non_null(strstr(text, "\nchip=0x410\n"));
	assert_non_null(strstr(text, "serial-1"));
	assert_null(strstr(text, journal_entry_get(entry, FIELD_UNIT)));
	assert_null(strstr(text, "\"A1\""));
	/* Nor the pattern of the rule, which is the half of it. */
	assert_null(strstr(text, "serial=A*"));
	assert_non_null(strstr(text, "\noutcome updated\n[end]\n"));
	/* It is not replaced. */
	assert_int_equal(command_run_all(*state, arguments), EXIT_USAGE);
	assert_int_equal(command_lines(*state, "is there already, and stays"), 1);
}

/* What doctor says to whoever may not read the images has his name. */
static void a_report_has_no_name_of_its_user(void **state)
{
	CLEANUP(freep) char *text = NULL, *arguments = NULL;
	char path[] = "/tmp/plugflash-report-XXXXXX";
	int r;

	scene_configure(*state, "", "");
	assert_true(asprintf(&arguments, "%s/images", bed_directory(*state)) > 0);
	assert_int_equal(chmod(arguments, 0700), 0);
	free(arguments);
	assert_non_null(mkdtemp(path));
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(asprintf(&arguments, "report %s/told", path) > 0);
	r = command_run_as_nobody(*state, arguments);
	free(arguments);
	assert_true(asprintf(&arguments, "%s/told", path) > 0);
	if (r == 0)
		text = read_all(arguments);
	(void)unlink(arguments);
	assert_int_equal(rmdir(path), 0);
	if (r == BED_NO_USERS)
		skip();
	assert_int_equal(r, 0);
	assert_non_null(strstr(text, "adduser USER plugflash"));
	assert_null(strstr(text, "adduser nobody"));
	assert_null(strstr(text, "'nobody'"));
}

static void with_ids_they_stay(void **state)
{
	CLEANUP(freep) char *text = NULL, *arguments = NULL, *path = NULL;
	const struct journal_entry *entry;

	scene_configure(*state, "transcripts = 2\n", "");
	command_start_service(*state);
	entry = expect_outcome(bed_plug(*state, GATE), "updated");
	assert_true(asprintf(&path, "%s/report.txt", bed_directory(*state)) > 0);
	assert_true(asprintf(&arguments, "report %s %s --with-ids", path,
			    journal_entry_get(entry, FIELD_JOB)) > 0);
	assert_int_equal(command_run_all(*state, arguments), 0);
	text = read_all(path);
	assert_non_null(strstr(text, journal_entry_get(entry, FIELD_UNIT)));
	assert_null(strstr(text, "serial-1"));
	unlink(path);
	free(arguments);
	assert_true(asprintf(&arguments, "report %s 0123", path) > 0);
	assert_int_equal(command_run_all(*state, arguments), EXIT_USAGE);
	assert_int_equal(command_lines(*state, "the store has no job of this id"), 1);
	assert_int_not_equal(access(path, F_OK), 0);
}

static const struct CMUnitTest tests[] = {
	SCENE_TEST(the_service_keeps_none_by_default),
	SCENE_TEST(the_service_keeps_those_of_the_last_jobs),
	SCENE_TEST(a_transcript_that_cannot_be_kept_costs_no_job),
	COMMAND_TEST(the_command_writes_one_beside_the_service),
	COMMAND_TEST(the_image_is_in_it_where_it_is_asked_for),
	COMMAND_TEST(setup_records_what_it_tries),
	COMMAND_TEST(a_report_has_all_of_it_and_no_ids),
	COMMAND_TEST(a_report_has_no_name_of_its_user),
	COMMAND_TEST(with_ids_they_stay),
};

SCENE_MAIN(tests)
