/* SPDX-License-Identifier: MIT */
/*
 * The store and the end of its writer: killed at any instant, or with a log that reached the disk
 * in part only. What was finished is there, and nothing is half of one thing and half of another.
 *
 * Slow: it kills a process three hundred times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit/store-bench.h"

#define KILLS 300
#define UNIT  7
/* One attempt takes some milliseconds with a real disk below, less without. */
#define MOST_USEC 12000

/* Which attempts were finished by what the writer said. */
static bool told[1 << 20];

/* ------------------------------------------------------------------- a service that writes */

/* The number of an attempt that is on the disk, on a pipe that outlives the process. */
static void tell(int output, unsigned number)
{
	assert_int_equal(write(output, &number, sizeof(number)), sizeof(number));
}

/* Attempts one after the other, as the service makes them: in progress, then the end. */
static void write_attempts(const char *directory, unsigned first, int output)
{
	struct store *store = open_store(directory);

	for (unsigned number = first;; number++) {
		struct store_unit unit = make_unit(UNIT, number, UNIT_IN_PROGRESS);
		struct store_attempt attempt = make_attempt(UNIT, number, false);

		save(store, &unit, &attempt);
		unit.state = UNIT_WHOLE;
		attempt = make_attempt(UNIT, number, true);
		save(store, &unit, &attempt);
		tell(output, number);
	}
}

/* What the process tells next; `otherwise` where it is gone. */
static unsigned take_number(int input, unsigned otherwise)
{
	unsigned number;

	if (read(input, &number, sizeof(number)) != sizeof(number))
		return otherwise;
	assert_true(number < ARRAY_SIZE(told));
	told[number] = true;
	return number;
}

/*
 * Lets it finish `n_attempts`, kills it `usec` later, and returns the last number it told; `last`
 * where it told none.
 */
static unsigned kill_after(const char *directory, unsigned last, unsigned n_attempts, unsigned usec)
{
	int ends[2];
	pid_t pid;
	unsigned number = 0;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		write_attempts(directory, last + 1, ends[1]);
	}
	close(ends[1]);
	for (; n_attempts > 0; n_attempts--)
		last = take_number(ends[0], last);
	usleep(usec);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while ((number = take_number(ends[0], 0)) > 0)
		last = number;
	close(ends[0]);
	return last;
}

/* ------------------------------------------------------------------------------- the check */

struct check {
	unsigned newest;  /* 0: none seen yet */
	unsigned n_items; /* walked through */
	unsigned n_cut;	  /* begun and never ended */
};

static int check_attempt(void *userdata, const struct store_attempt *found)
{
	struct check *check = userdata;
	unsigned number = (unsigned)strtoul(found->job, NULL, 16);
	struct store_attempt expected = make_attempt(UNIT, number, true);

	if (check->newest == 0)
		check->newest = number;
	check->n_items++;
	if (found->report.outcome == OUTCOME_FAILED) {
		assert_false(told[number]);
		check->n_cut++;
		return 0;
	}
	assert_attempt_equal(found, &expected);
	return 0;
}

static struct check check_store(const char *directory, unsigned list_most)
{
	struct store *store = open_store(directory);
	const struct store_filter filter = {.limit = list_most};
	struct store_unit unit = {0}, expected;
	struct check check = {0};
	struct reason reason = {0};
	int r;

	assert_int_equal(store_list_attempts(store, &filter, check_attempt, &check, &reason), 0);
	r = store_find_unit(store, make_unit(UNIT, 1, UNIT_WHOLE).key, &unit, &reason);
	assert_int_equal(r, check.newest > 0 ? 0 : -ENOENT);
	if (r == 0) {
		/* The unit and its newest attempt are of one transaction. */
		expected = make_unit(UNIT, check.newest, unit.state);
		assert_unit_equal(&unit, &expected);
	}
	store_close(store);
	return check;
}

static void fault_18_a_killed_service_loses_no_finished_attempt(void **state)
{
	const char *directory = fresh_directory();
	unsigned last = 0;
	struct check check;

	(void)state;
	srand(1);
	for (unsigned i = 0; i < KILLS; i++) {
		last = kill_after(
			directory, last, (unsigned)rand() % 4, (unsigned)rand() % MOST_USEC);
		check = check_store(directory, 50);
		assert_true(check.newest >= last);
		last = check.newest;
	}
	check = check_store(directory, 0);
	assert_int_equal(check.n_items, last);
	print_message("# figure: store: killed %u times, %u attempts, %u cut short, 0 lost, 0 "
		      "torn\n",
		KILLS, last, check.n_cut);
	assert_true(last > KILLS / 2);
}

/* ----------------------------------------------------------------------- the power fails */

static size_t read_file(const char *path, char **ret)
{
	FILE *from = fopen(path, "r");
	long size;

	assert_non_null(from);
	assert_int_equal(fseek(from, 0, SEEK_END), 0);
	size = ftell(from);
	assert_true(size >= 0);
	rewind(from);
	*ret = malloc((size_t)size + 1);
	assert_non_null(*ret);
	assert_int_equal(fread(*ret, 1, (size_t)size, from), size);
	fclose(from);
	return (size_t)size;
}

static void write_file(const char *directory, const char *name, const char *bytes, size_t n_bytes)
{
	char path[400];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	to = fopen(path, "w");
	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, n_bytes, to), n_bytes);
	assert_int_equal(fclose(to), 0);
}

/* The files as they are while a service has them open: before, and after one more attempt. */
struct moment {
	char *database;
	size_t n_database;
	char *log;
	size_t n_log;
};

static void look(const char *directory, struct moment *moment)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	moment->n_database = read_file(path, &moment->database);
	snprintf(path, sizeof(path), "%s/" STORE_NAME "-wal", directory);
	moment->n_log = read_file(path, &moment->log);
}

static void forget(struct moment *moment)
{
	free(moment->database);
	free(moment->log);
}

/* Which attempt a store with this log ends with; it opens and is whole, whatever the log. */
static unsigned newest_of(
	const char *directory, const struct moment *moment, const char *log, size_t n_log)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/" STORE_NAME "-shm", directory);
	(void)remove(path);
	write_file(directory, STORE_NAME, moment->database, moment->n_database);
	write_file(directory, STORE_NAME "-wal", log, n_log);
	return check_store(directory, 5).newest;
}

/*
 * The log grows at its end, and what of that reached the disk is any part: nothing, some bytes, or
 * the length without the bytes. The attempt before was synchronised, and must be there in each
 * case.
 */
static void fault_19_a_log_cut_anywhere_gives_the_old_record_or_the_new(void **state)
{
	const char *live = fresh_directory(), *copy = fresh_directory();
	struct store *store;
	struct moment before, after;
	unsigned n_old = 0, n_new = 0;

	(void)state;
	/* What made the tables is out of the log again, so that it does not end between the two. */
	store_close(open_store(live));
	store = open_store(live);
	for (unsigned number = 1; number <= 2; number++) {
		struct store_unit unit = make_unit(UNIT, number, UNIT_WHOLE);
		struct store_attempt attempt = make_attempt(UNIT, number, true);

		save(store, &unit, &attempt);
		look(live, number == 1 ? &before : &after);
	}
	store_close(store);
	assert_true(after.n_log > before.n_log);
	assert_int_equal(before.n_database, after.n_database);
	for (size_t n = before.n_log; n <= after.n_log; n += n < after.n_log - 97 ? 97 : 1) {
		CLEANUP(freep) char *log = malloc(after.n_log);
		unsigned newest = newest_of(copy, &after, after.log, n);

		assert_in_range(newest, 1, 2);
		assert_true(newest == 1 || n == after.n_log);
		n_old += newest == 1;
		n_new += newest == 2;

		memset(log, 0, after.n_log);
		memcpy(log, after.log, n);
		assert_in_range(newest_of(copy, &after, log, after.n_log), 1, 2);
	}
	print_message(
		"# figure: store: log cut at %u places, %u times the old record, %u the new\n",
		n_old + n_new, n_old, n_new);
	assert_true(n_new > 0);
	forget(&before);
	forget(&after);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fault_18_a_killed_service_loses_no_finished_attempt),
	cmocka_unit_test(fault_19_a_log_cut_anywhere_gives_the_old_record_or_the_new),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
