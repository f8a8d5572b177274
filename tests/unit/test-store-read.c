/* SPDX-License-Identifier: MIT */
/* The store as the command reads it, while a service has it and where none does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/util.h"
#include "records/count.h"
#include "records/database.h"
#include "unit/store-bench.h"

/* Two attempts on one slot: the first was updated, the second has no end. */
static struct store *make_store(const char *directory)
{
	struct store_attempt before = make_attempt(1, 1, true), last = make_attempt(1, 2, false);
	struct store *store = open_store(directory);

	snprintf(last.usb_path, sizeof(last.usb_path), "%s", before.usb_path);
	save(store, NULL, &before);
	save(store, NULL, &last);
	return store;
}

struct reading {
	struct store_attempt newest;
	size_t n_attempts;
	struct day_counts counts;
};

static int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct reading *reading = userdata;

	if (reading->n_attempts++ == 0)
		reading->newest = *attempt;
	return 0;
}

static struct reading read_attempts(struct store *store, const char *outcome)
{
	struct store_filter filter = {.outcome = outcome};
	CLEANUP(count_cells_done) struct count_cells cells = {0};
	struct reading reading = {.n_attempts = 0};
	struct reason reason = {0};

	assert_int_equal(store_list_attempts(store, &filter, take_attempt, &reading, &reason), 0);
	assert_int_equal(store_count(store, &filter, 0, &cells, &reason), 0);
	for (size_t i = 0; i < cells.n_items; i++)
		day_counts_join(&reading.counts, &cells.items[i].counts);
	return reading;
}

static struct store *open_to_read(const char *directory)
{
	struct store *store = NULL;
	struct reason reason = {0};

	assert_int_equal(store_open_to_read(directory, &store, &reason), STORE_OK);
	return store;
}

static int expect_no_end(const char *directory)
{
	struct store *store = open_to_read(directory);
	struct reading reading = read_attempts(store, NULL);

	assert_int_equal(reading.n_attempts, 2);
	assert_int_equal(reading.newest.ended_ms, 0);
	assert_string_equal(reading.newest.report.reason.text, "reason 2");
	assert_int_equal(reading.counts.first_pass, 1);
	assert_int_equal(reading.counts.bad, 0);
	assert_int_equal(read_attempts(store, "failed").n_attempts, 0);
	store_close(store);
	return 0;
}

static int expect_closed(const char *directory)
{
	struct store *store = open_to_read(directory);
	struct reading reading = read_attempts(store, NULL);

	assert_int_equal(reading.n_attempts, 2);
	assert_int_equal(reading.newest.ended_ms, reading.newest.started_ms);
	assert_int_equal(reading.newest.report.outcome, OUTCOME_FAILED);
	assert_non_null(strstr(reading.newest.report.reason.text, "ended during this job"));
	assert_int_equal(reading.counts.first_pass, 1);
	assert_int_equal(reading.counts.bad, 1);
	assert_int_equal(read_attempts(store, "failed").n_attempts, 1);
	reading = read_attempts(store, "updated");
	assert_int_equal(reading.n_attempts, 1);
	assert_string_equal(reading.newest.report.reason.text, "reason 1");
	store_close(store);
	return 0;
}

static int expect_held(const char *directory)
{
	struct store *store;
	struct reason reason = {0};

	return store_open(directory, &store, &reason) == STORE_HELD ? 0 : 1;
}

static void an_attempt_has_no_end_while_its_service_is_there(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = make_store(directory);

	(void)state;
	assert_int_equal(in_child(expect_no_end, directory), 0);
	/* Asking has not taken it from the service. */
	assert_int_equal(in_child(expect_held, directory), 0);
	store_close(store);
}

static void without_a_service_it_reads_as_the_next_one_will_close_it(void **state)
{
	const char *directory = fresh_directory();
	char lock[300];

	(void)state;
	store_close(make_store(directory));
	assert_int_equal(in_child(expect_closed, directory), 0);
	/* A copy of the file alone. */
	snprintf(lock, sizeof(lock), "%s/" STORE_LOCK_NAME, directory);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(in_child(expect_closed, directory), 0);
	store_close(open_store(directory));
	assert_int_equal(in_child(expect_closed, directory), 0);
}

/* "plugflash history" of all there is, into a pipe that has no room for it. */
static pid_t start_history(const char *directory, int *ret_fd)
{
	const char *build = getenv("BUILD");
	char program[400];
	int ends[2];
	pid_t pid;

	snprintf(program, sizeof(program), "%s/plugflash", build ? build : "build");
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("STATE_DIRECTORY", directory, 1);
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			_exit(98);
		close(ends[0]);
		close(ends[1]);
		execl(program, program, "history", "--csv", "--limit", "0", (char *)NULL);
		_exit(99);
	}
	close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

/* A pager that was left open keeps nobody from emptying the log. */
static void a_reader_that_is_not_read_from_holds_nothing(void **state)
{
	const char *directory = fresh_directory();
	struct store *store = open_store(directory);
	struct database *database;
	struct reason reason = {0};
	struct store_attempt last;
	char path[400], byte;
	int64_t n;
	pid_t pid;
	int fd;

	(void)state;
	for (unsigned i = 1; i <= 400; i++) {
		struct store_attempt attempt = make_attempt(1, i, true);

		save(store, NULL, &attempt);
	}
	pid = start_history(directory, &fd);
	assert_int_equal(read(fd, &byte, 1), 1);
	last = make_attempt(1, 401, true);
	save(store, NULL, &last);
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	/* Only one that has read knows of a log. */
	assert_int_equal(
		database_number(database, "SELECT count(*) FROM attempts", &n, &reason), 0);
	assert_int_equal(n, 401);
	if (database_empty_log(database, &reason) != 0)
		fail_msg("%s", reason.text);
	database_close(database);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fd);
	store_close(store);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_reader_that_is_not_read_from_holds_nothing),
	cmocka_unit_test(an_attempt_has_no_end_while_its_service_is_there),
	cmocka_unit_test(without_a_service_it_reads_as_the_next_one_will_close_it),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
