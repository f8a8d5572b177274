/* SPDX-License-Identifier: MIT */
/*
 * A store that fails for a moment, and one that is taken away or put back under the service: no end
 * is lost, and nothing is believed that is not so any more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sqlite3.h>
#include <sys/syscall.h>

#include "place.h"

#define WRITE 0x31

/* ------------------------------------------------------------------- a disk that fails */

static bool is_disk_failing;

/* In the place of the C library's, for SQLite as well. */
int fdatasync(int fd)
{
	if (is_disk_failing) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* One plug-in whose end falls on a disk that fails. */
static enum outcome plug_and_fail(struct place *place)
{
	enum outcome outcome;

	place->is_host_cut = true;
	outcome = plug(place);
	place->is_host_cut = false;
	is_disk_failing = true;
	place->again_usec =
		records_end(&place->records, &place->attempt, &place->facts, &place->bench->report);
	is_disk_failing = false;
	return outcome;
}

static void an_end_that_the_disk_did_not_take_is_saved_with_the_next(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	assert_int_equal(plug_and_fail(place), OUTCOME_UPDATED);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);
	assert_true(place->records.n_pending > 0);
	/* Known meanwhile: it is not written once more. */
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_string_equal(last_attempt(place).cause, "same");
	assert_int_equal(place->records.n_pending, 0);
	assert_int_equal(entries(MESSAGE_STORE_USABLE), 1);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);
	free_place(place);
}

static int add_ended(void *userdata, const struct store_attempt *attempt)
{
	unsigned *n = userdata;

	assert_true(attempt->ended_ms > 0);
	*n += attempt->report.outcome == OUTCOME_UPDATED;
	return 0;
}

static void the_history_says_how_it_ended_also_after_a_restart(void **state)
{
	struct place *place = new_place(NULL, F103);
	struct reason reason;
	unsigned n = 0;

	(void)state;
	assert_int_equal(plug_and_fail(place), OUTCOME_UPDATED);
	records_retry(&place->records);
	restart_service(place);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_int_equal(store_list_attempts(place->records.store, &(struct store_filter){0},
				 add_ended, &n, &reason),
		0);
	assert_int_equal(n, 1);
	free_place(place);
}

/* A disk that stays broken costs a bounded amount of memory, and what was lost is counted. */
static void ends_are_kept_within_a_bound(void **state)
{
	struct place *place = new_place(NULL, F103);
	unsigned n = 0;
	struct reason reason;

	(void)state;
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	for (unsigned i = 0; i < RECORDS_PENDING_MOST + 8; i++)
		assert_int_equal(plug_and_fail(place), OUTCOME_CURRENT);
	assert_in_range(place->records.n_pending, 1, RECORDS_PENDING_MOST);
	assert_in_range(place->records.n_lost, 1, 16);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	assert_int_equal(place->records.n_pending, 0);
	assert_int_equal(place->records.n_lost, 0);
	assert_int_equal(store_list_attempts(place->records.store, &(struct store_filter){0},
				 add_ended, &n, &reason),
		0);
	free_place(place);
}

static void an_attempt_that_began_has_a_row(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	attempt_begin(&place->attempt, "b1");
	records_begin(&place->records, &place->attempt, &place->facts);
	assert_string_equal(last_attempt(place).job, "b1");
	assert_int_equal(last_attempt(place).ended_ms, 0);
	/* Killed before anything was erased. */
	restart_service(place);
	assert_string_equal(last_attempt(place).job, "b1");
	assert_int_equal(last_attempt(place).report.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(last_attempt(place).report.reason.text, "ended during this job"));
	free_place(place);
}

static void where_a_store_is_required_a_mark_that_fails_erases_nothing(void **state)
{
	struct place *place = new_place(NULL, F103);

	(void)state;
	place->records.is_required = true;
	is_disk_failing = true;
	assert_int_equal(plug(place), OUTCOME_FAILED);
	is_disk_failing = false;
	assert_int_equal(bench_erases(place->bench), 0);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "unknown");
	free_place(place);
}

/* ------------------------------------------------------- taken away, and put back */

static const char *beside(const struct place *place, const char *ending)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s%s", place->directory, ending);
	return path;
}

static void copy_file(const char *from, const char *to, const char *mode)
{
	char bytes[65536];
	FILE *in = fopen(from, "r"), *out;
	size_t n;

	if (!in)
		return;
	out = fopen(to, mode);
	assert_non_null(out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(fclose(in), 0);
}

/* All three files of the store, into a directory of their own. */
static void copy_store(const char *from, const char *to)
{
	static const char *const names[] = {
		"plugflash.db", "plugflash.db-wal", "plugflash.db-shm", "plugflash.lock"};
	char source[500], target[500];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(source, sizeof(source), "%s/%s", from, names[i]);
		snprintf(target, sizeof(target), "%s/%s", to, names[i]);
		(void)unlink(target);
		if (i != 2)
			copy_file(source, target, "w");
	}
}

static void delete_files(struct place *place)
{
	assert_int_equal(unlink(beside(place, "/plugflash.db")), 0);
	assert_int_equal(unlink(beside(place, "/plugflash.db-wal")), 0);
	assert_int_equal(unlink(beside(place, "/plugflash.db-shm")), 0);
}

static void swap_directory(struct place *place)
{
	char away[400];

	snprintf(away, sizeof(away), "%s.away", place->directory);
	assert_int_equal(rename(place->directory, away), 0);
	assert_int_equal(rename(beside(place, ".backup"), place->directory), 0);
}

static void put_back_copy(struct place *place)
{
	char backup[400];

	snprintf(backup, sizeof(backup), "%s.backup", place->directory);
	copy_store(backup, place->directory);
}

/* Into the file that is there, as cp does; its log is taken away. */
static void write_over(struct place *place)
{
	char from[500];

	snprintf(from, sizeof(from), "%s.backup/plugflash.db", place->directory);
	copy_file(from, beside(place, "/plugflash.db"), "r+");
	(void)unlink(beside(place, "/plugflash.db-wal"));
}

static void expect_no_wrong_belief(void (*take_away)(struct place *place))
{
	const struct sim_faults cut = {.vanish_code = WRITE, .vanish_nth = 3};
	struct place *place = new_place(NULL, F103 "\nupdate = newer");
	char backup[400];

	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	/* The backup says that it holds 1.1.0, whole; with a closed log, as who makes one does. */
	restart_service(place);
	records_close(&place->records);
	snprintf(backup, sizeof(backup), "%s.backup", place->directory);
	assert_int_equal(mkdir(backup, 0700), 0);
	copy_store(place->directory, backup);
	assert_int_equal(records_open(&place->records, place->directory), 0);

	/* Since then it was torn. */
	bench_take_bytes(place->bench, UINT32_C(0x08000000), 8192, 9);
	take_image(place, "next.bin", "1.2.0");
	sim_set_faults(place->bench->sim, &cut);
	assert_int_equal(plug(place), OUTCOME_PORT_GONE);
	clear_faults(place);
	assert_int_equal(unit_of(place).state, UNIT_IN_PROGRESS);
	take_away(place);

	/* By the backup 1.0.0 is not newer than what it holds. */
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_true(bench_holds_image(place->bench));
	assert_int_equal(entries(MESSAGE_STORE_REPLACED), 1);
	/* In the files that are there now. */
	restart_service(place);
	assert_int_equal(unit_of(place).state, UNIT_WHOLE);
	assert_string_equal(unit_of(place).version, "1.0.0");
	assert_int_equal(last_attempt(place).report.outcome, OUTCOME_UPDATED);
	free_place(place);
}

static void a_store_that_was_deleted_is_noticed(void **state)
{
	(void)state;
	expect_no_wrong_belief(delete_files);
}

static void a_directory_that_was_swapped_is_noticed(void **state)
{
	(void)state;
	expect_no_wrong_belief(swap_directory);
}

static void a_copy_that_was_put_back_is_noticed(void **state)
{
	(void)state;
	expect_no_wrong_belief(put_back_copy);
}

static void a_copy_that_was_written_over_it_is_noticed(void **state)
{
	(void)state;
	expect_no_wrong_belief(write_over);
}

/* Nothing is erased while it is away, where that is required; back again it is the same. */
static void a_store_that_comes_back_is_used_again(void **state)
{
	struct place *place = new_place(NULL, F103);
	char away[400];

	(void)state;
	take_firmware(place, FIRMWARE_OLD);
	assert_int_equal(plug(place), OUTCOME_CURRENT);
	place->records.is_required = true;
	snprintf(away, sizeof(away), "%s.away", place->directory);
	assert_int_equal(rename(place->directory, away), 0);
	take_firmware(place, FIRMWARE_NEW);
	assert_int_equal(plug(place), OUTCOME_FAILED);
	assert_int_equal(bench_erases(place->bench), 0);
	assert_int_equal(entries(MESSAGE_STORE_UNUSABLE), 1);
	assert_int_equal(rename(away, place->directory), 0);
	assert_int_equal(plug(place), OUTCOME_UPDATED);
	assert_string_equal(last_attempt(place).cause, "different");
	assert_int_equal(entries(MESSAGE_STORE_REPLACED), 0);
	free_place(place);
}

/* ---------------------------------------------------------------------- what a commit costs */

static unsigned n_commits;

static int on_commit(void *userdata)
{
	(void)userdata;
	n_commits++;
	return 0;
}

static int on_database(
	sqlite3 *database, const char **message, const struct sqlite3_api_routines *routines)
{
	(void)message;
	(void)routines;
	(void)sqlite3_commit_hook(database, on_commit, NULL);
	return SQLITE_OK;
}

/* One plug-in, and how many commits its questions and its end take: each waits for the disk. */
static void check_commits(struct place *place, const char *name, enum outcome outcome,
	unsigned for_questions, unsigned for_end)
{
	unsigned n_asked;

	n_commits = 0;
	place->is_host_cut = true;
	assert_int_equal(plug(place), outcome);
	place->is_host_cut = false;
	n_asked = n_commits;
	place->again_usec =
		records_end(&place->records, &place->attempt, &place->facts, &place->bench->report);
	print_message("# figure: %s: %u + %u commits\n", name, n_asked, n_commits - n_asked);
	assert_int_equal(n_asked, for_questions);
	assert_int_equal(n_commits - n_asked, for_end);
}

static void an_update_takes_one_commit_for_its_question_and_one_for_its_end(void **state)
{
	struct place *place;

	(void)state;
	assert_int_equal(sqlite3_auto_extension((void (*)(void))on_database), SQLITE_OK);
	place = new_place(NULL, F103 "\nserialize = 0x08020000+8 decimal 1");
	check_commits(place, "first update, new number", OUTCOME_UPDATED, 1, 1);
	check_commits(place, "current", OUTCOME_CURRENT, 0, 1);
	take_firmware(place, FIRMWARE_OLD);
	check_commits(place, "update, the same number", OUTCOME_UPDATED, 1, 1);
	sim_swap_chip(place->bench->sim);
	check_commits(place, "update, new number", OUTCOME_UPDATED, 1, 1);
	free_place(place);

	place = new_place(NULL, F103 "\nreadout-protection = set");
	check_commits(place, "first update, then protected", OUTCOME_UPDATED, 1, 1);
	/* Its bridge is marked before it is wiped, and the chip once it says its id. */
	take_firmware(place, FIRMWARE_OLD);
	check_commits(place, "protected, wiped, protected", OUTCOME_UPDATED, 2, 1);
	free_place(place);
	sqlite3_reset_auto_extension();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_update_takes_one_commit_for_its_question_and_one_for_its_end),
	cmocka_unit_test(an_end_that_the_disk_did_not_take_is_saved_with_the_next),
	cmocka_unit_test(the_history_says_how_it_ended_also_after_a_restart),
	cmocka_unit_test(ends_are_kept_within_a_bound),
	cmocka_unit_test(an_attempt_that_began_has_a_row),
	cmocka_unit_test(where_a_store_is_required_a_mark_that_fails_erases_nothing),
	cmocka_unit_test(a_store_that_was_deleted_is_noticed),
	cmocka_unit_test(a_directory_that_was_swapped_is_noticed),
	cmocka_unit_test(a_copy_that_was_put_back_is_noticed),
	cmocka_unit_test(a_copy_that_was_written_over_it_is_noticed),
	cmocka_unit_test(a_store_that_comes_back_is_used_again),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
