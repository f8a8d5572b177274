/* SPDX-License-Identifier: MIT */
/* The store: what is saved is found, and what becomes of it on disks that are full, old or damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include "records/database.h"
#include "unit/store-bench.h"

#define LIST_MOST 32

struct list {
	struct store_attempt attempts[LIST_MOST];
	struct store_unit units[LIST_MOST];
	size_t n_items;
};

static int take_attempt(void *userdata, const struct store_attempt *attempt)
{
	struct list *list = userdata;

	assert_true(list->n_items < LIST_MOST);
	list->attempts[list->n_items++] = *attempt;
	return 0;
}

static int take_unit(void *userdata, const struct store_unit *unit)
{
	struct list *list = userdata;

	assert_true(list->n_items < LIST_MOST);
	list->units[list->n_items++] = *unit;
	return 0;
}

static const struct list *list_attempts(struct store *store, struct store_filter filter)
{
	static struct list list;
	struct reason reason;

	list.n_items = 0;
	assert_int_equal(store_list_attempts(store, &filter, take_attempt, &list, &reason), 0);
	return &list;
}

static const struct list *list_units(struct store *store, struct store_filter filter)
{
	static struct list list;
	struct reason reason;

	list.n_items = 0;
	assert_int_equal(store_list_units(store, &filter, take_unit, &list, &reason), 0);
	return &list;
}

static struct store_unit find_unit(struct store *store, const char *key)
{
	struct store_unit unit = {0};
	struct reason reason = {0};

	assert_int_equal(store_find_unit(store, key, &unit, &reason), 0);
	return unit;
}

/* ----------------------------------------------------------------------------- rows */

static void what_is_saved_is_found(void **state)
{
	const char *directory = fresh_directory();
	struct store_unit unit = make_unit(7, 1, UNIT_IN_PROGRESS), found;
	struct store_attempt attempt = make_attempt(7, 1, true);
	struct store *store = open_store(directory);
	struct reason reason;

	(void)state;
	assert_int_equal(store_find_unit(store, unit.key, &found, &reason), -ENOENT);
	save(store, &unit, &attempt);
	found = find_unit(store, unit.key);
	assert_unit_equal(&found, &unit);
	assert_int_equal(list_attempts(store, (struct store_filter){0})->n_items, 1);
	assert_attempt_equal(
		&list_attempts(store, (struct store_filter){0})->attempts[0], &attempt);

	/* The same, and after the service was there again. */
	unit = make_unit(7, 2, UNIT_WHOLE);
	unit.failures = 0;
	save(store, &unit, NULL);
	store_close(store);
	store = open_store(directory);
	found = find_unit(store, unit.key);
	assert_unit_equal(&found, &unit);
	assert_int_equal(list_units(store, (struct store_filter){0})->n_items, 1);
	store_close(store);
}

/* Straight into the file: so many rows by the service would take minutes. */
static void execute(const char *directory, const char *sql)
{
	struct database *database;
	struct reason reason = {0};
	char path[400];

	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, false, &database, &reason), 0);
	if (database_execute(database, sql, &reason) < 0)
		fail_msg("%s", reason.text);
	database_close(database);
}

static int count_unit(void *userdata, const struct store_unit *unit)
{
	(void)unit;
	(*(unsigned *)userdata)++;
	return 0;
}

/* A board that says another id at each plug-in leaves a row each time. */
static void units_that_were_seen_long_ago_are_forgotten_beyond_a_bound(void **state)
{
	static const char *const kept[] = {"torn", "failed", "protected", "numbered", "recent"};
	const char *directory = fresh_directory();
	struct store_unit unit = make_unit(7, 1, UNIT_WHOLE);
	struct reason reason = {0};
	struct store *store;
	unsigned n = 0;

	(void)state;
	store_close(open_store(directory));
	execute(directory,
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) "
		"INSERT INTO units (key, state, failures, not_before, seen) "
		"SELECT 'old ' || i, iif(i % 2, 'whole', NULL), 0, 0, i FROM n;"
		"INSERT INTO units (key, state, failures, not_before, seen, protected) VALUES "
		"('torn', 'in-progress', 0, 0, 1, 0), ('failed', 'failed', 1, 0, 1, 0), "
		"('protected', 'whole', 0, 0, 1, 1), ('numbered', 'whole', 0, 0, 1, 0), "
		"('recent', 'whole', 0, 0, 1000000, 0);"
		"INSERT INTO serials (id, source, value, key, given, written) VALUES "
		"('i', 's', '1', 'numbered', 1, 1);");
	store = open_store(directory);
	save(store, &unit, NULL);
	assert_int_equal(
		store_list_units(store, &(struct store_filter){0}, count_unit, &n, &reason), 0);
	assert_int_equal(n, 10000 + ARRAY_SIZE(kept));
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		(void)find_unit(store, kept[i]);
	assert_int_equal(store_find_unit(store, "old 1", &unit, &reason), -ENOENT);
	assert_int_equal(store_find_unit(store, "old 12000", &unit, &reason), 0);
	store_close(store);
}

/* A reader that sleeps in its transaction: the log ends at a bound, and that is said. */
static void a_reader_that_does_not_end_is_told_of(void **state)
{
	const char *directory = fresh_directory();
	struct store_attempt attempt;
	struct store *store = open_store(directory);
	struct reason reason = {0};
	struct database *reader;
	int64_t ignored;
	char path[400];
	unsigned n = 0;
	int r = 0;

	(void)state;
	attempt = make_attempt(1, 1, true);
	save(store, NULL, &attempt);
	snprintf(path, sizeof(path), "%s/" STORE_NAME, directory);
	assert_int_equal(database_open(path, true, &reader, &reason), 0);
	assert_int_equal(database_execute(reader, "BEGIN", &reason), 0);
	assert_int_equal(
		database_number(reader, "SELECT count(*) FROM attempts", &ignored, &reason), 0);
	/* Large rows, so that it is there soon. */
	while (r == 0 && n < 20000) {
		attempt = make_attempt(1, ++n, true);
		memset(attempt.report.reason.text, 'x', sizeof(attempt.report.reason.text) - 1);
		r = save_rows(store, NULL, &attempt, &reason);
	}
	assert_int_equal(r, -EBUSY);
	assert_non_null(strstr(reason.text, "does not end"));
	assert_true(store_file_log_size(path) < 2 * (int64_t)STORE_LOG_MOST);
	database_close(reader);
	save(store, NULL, &attempt);
	assert_true(store_file_log_size(path) < 1024 * 1024);
	store_close(store);
}

static void a_unit_of_which_nothing_is_known_has_no_state(void **state)
{
	struct store_unit unit = make_unit(1, 1, UNIT_WHOLE), found;
	struct store *store = open_store(fresh_directory());

	(void)state;
	unit.has_state = false;
	save(store, &unit, NULL);
	found = find_unit(store, unit.key);
	assert_false(found.has_state);
	store_close(store);
}

static void text_that_looks_like_sql_stays_text(void **state)
{
	static const char text[] = "'); DROP TABLE units; -- \"%n\x01";
	struct store_unit unit = make_unit(1, 1, UNIT_WHOLE), found;
	struct store *store = open_store(fresh_directory());

	(void)state;
	snprintf(unit.key, sizeof(unit.key), "%s", text);
	snprintf(unit.serial, sizeof(unit.serial), "%s", text);
	save(store, &unit, NULL);
	found = find_unit(store, text);
	assert_unit_equal(&found, &unit);
	assert_int_equal(list_units(store, (struct store_filter){.board = text})->n_items, 0);
	store_close(store);
}

static const struct filter_row {
	const char *name;
	struct store_filter filter;
	size_t n_attempts;
	unsigned first; /* number of the newest */
} filter_rows[] = {
	{"all", {0}, 6, 6},
	{"the newest two", {.limit = 2}, 2, 6},
	{"one unit", {.unit = "000000000000000000000001"}, 3, 5},
	{"the beginning of an id", {.unit = "00000000000000000000000"}, 6, 6},
	{"no such unit", {.unit = "1"}, 0, 0},
	{"board", {.board = "door"}, 2, 6},
	{"place", {.usb_path = "pci-4"}, 1, 4},
	{"a name is no place", {.usb_path = "A4"}, 0, 0},
	{"slot, by its place", {.slot = "pci-4"}, 1, 4},
	{"slot, by its name", {.slot = "A5"}, 1, 5},
	{"no such slot", {.slot = "A7"}, 0, 0},
	{"slot beside others", {.unit = "0", .board = "gate", .slot = "A5", .outcome = "updated"},
		1, 5},
	{"outcome", {.outcome = "write-failed"}, 3, 6},
	{"since", {.since_ms = 41}, 3, 6},
	{"until", {.until_ms = 41}, 3, 3},
	{"port", {.port = "/dev/ttyUSB1"}, 0, 0},
	{"all of them",
		{.unit = "0",
			.board = "gate",
			.outcome = "updated",
			.since_ms = 1,
			.until_ms = 99,
			.port = "/dev/ttyUSB0"},
		2, 5},
};

static void attempts_are_filtered(void **state)
{
	struct store *store = open_store(fresh_directory());

	(void)state;
	for (unsigned i = 1; i <= 6; i++) {
		struct store_attempt attempt = make_attempt(i % 2, i, true);

		snprintf(attempt.board, sizeof(attempt.board), "%s", i % 3 ? "gate" : "door");
		attempt.report.outcome = i % 2 ? OUTCOME_UPDATED : OUTCOME_WRITE_FAILED;
		save(store, NULL, &attempt);
	}
	for (size_t i = 0; i < ARRAY_SIZE(filter_rows); i++) {
		const struct filter_row *row = &filter_rows[i];
		const struct list *list = list_attempts(store, row->filter);

		if (list->n_items != row->n_attempts)
			fail_msg("%s: %zu attempts", row->name, list->n_items);
		if (row->first > 0 && list->attempts[0].started_ms != 10 * row->first + 1)
			fail_msg("%s: began at %d", row->name, (int)list->attempts[0].started_ms);
	}
	store_close(store);
}

static void failures_are_forgiven_for_one_unit_or_all(void **state)
{
	struct store *store = open_store(fresh_directory());
	struct store_unit units[3];
	struct reason reason;
	uint32_t n = 99;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		units[i] = make_unit(i, i + 1, UNIT_FAILED);
		save(store, &units[i], NULL);
	}
	assert_int_equal(
		store_forgive(store, &(struct store_filter){.unit = units[1].unit}, &n, &reason),
		0);
	assert_int_equal(n, 1);
	assert_int_equal(find_unit(store, units[0].key).failures, 1);
	assert_int_equal(find_unit(store, units[1].key).failures, 0);
	assert_int_equal(find_unit(store, units[1].key).not_before_ms, 0);
	assert_int_equal(find_unit(store, units[1].key).state, UNIT_FAILED);
	assert_int_equal(store_forgive(store, &(struct store_filter){0}, &n, &reason), 0);
	assert_int_equal(n, 2);
	assert_int_equal(find_unit(store, units[2].key).failures, 0);
	store_close(store);
}

static void an_attempt_without_an_end_has_failed_once_the_service_is_back(void **state)
{
	const char *directory = fresh_directory();
	struct store_attempt attempt = make_attempt(1, 1, false);
	struct store_unit unit = make_unit(1, 1, UNIT_IN_PROGRESS);
	struct store *store = open_store(directory);
	const struct list *list;

	(void)state;
	save(store, &unit, &attempt);
	list = list_attempts(store, (struct store_filter){0});
	assert_int_equal(list->attempts[0].ended_ms, 0);
	store_close(store);

	store = open_store(directory);
	list = list_attempts(store, (struct store_filter){0});
	assert_int_equal(list->n_items, 1);
	assert_int_equal(list->attempts[0].report.outcome, OUTCOME_FAILED);
	assert_true(list->attempts[0].ended_ms > 0);
	assert_non_null(strstr(list->attempts[0].report.reason.text, "ended during this job"));
	/* The unit stays what it is: that is what is repaired. */
	assert_int_equal(find_unit(store, unit.key).state, UNIT_IN_PROGRESS);
	store_close(store);
}

/* ----------------------------------------------------------------------- two at once */

static int expect_held(const char *directory)
{
	struct store *store;
	struct reason reason = {0};
	char pid[32];

	snprintf(pid, sizeof(pid), "(process %d)", (int)getppid());
	if (store_open(directory, &store, &reason) != STORE_HELD)
		return 1;
	return strstr(reason.text, "test-store") && strstr(reason.text, pid) ? 0 : 2;
}

static int expect_free(const char *directory)
{
	struct store *store;
	struct reason reason = {0};

	return store_open(directory, &store, &reason) == STORE_OK ? 0 : 1;
}

static int expect_readable(const char *directory)
{
	struct store *store = NULL;
	struct reason reason = {0};
	struct list list = {0};

	if (store_open_to_read(directory, &store, &reason) != STORE_OK) {
		fprintf(stderr, "# %s\n", reason.text);
		return 1;
	}
	if (store_list_attempts(store, &(struct store_filter){0}, take_attempt, &list, &reason) !=
		0)
		return 2;
	return list.n_items == 1 ? 0 : 3;
}

static void a_second_service_is_told_who_holds_the_store(void **state)
{
	const char *directory = fresh_directory();
	struct store_attempt attempt = make_attempt(1, 1, true);
	struct store *store = open_store(directory);

	(void)state;
	assert_int_equal(in_child(expect_held, directory), 0);
	save(store, NULL, &attempt);
	assert_int_equal(in_child(expect_readable, directory), 0);
	store_close(store);
	assert_int_equal(in_child(expect_readable, directory), 0);
	assert_int_equal(in_child(expect_free, directory), 0);
}

static void reading_makes_nothing(void **state)
{
	const char *directory = fresh_directory();
	struct store *store;
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_open_to_read(directory, &store, &reason), -ENOENT);
	assert_int_equal(rmdir(directory), 0);
}

/* ------------------------------------------------------------------ bad files and disks */

static const char *path_of(const char *directory, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static size_t count_files(const char *directory, const char *pattern)
{
	glob_t found;
	size_t n;

	if (glob(path_of(directory, pattern), 0, NULL, &found) != 0)
		return 0;
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

static void overwrite(const char *path, off_t offset, const void *bytes, size_t n_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n_bytes, offset), n_bytes);
	assert_int_equal(close(fd), 0);
}

static void fill_store(const char *directory)
{
	struct store *store = open_store(directory);

	for (unsigned i = 0; i < 40; i++) {
		struct store_unit unit = make_unit(i, i, UNIT_WHOLE);
		struct store_attempt attempt = make_attempt(i, i, true);

		save(store, &unit, &attempt);
	}
	store_close(store);
}

static const struct damage_row {
	const char *name;
	off_t offset;
	size_t n_bytes;
} damage_rows[] = {
	{"fault 24: the first bytes", 0, 16},
	{"fault 24: the root of the schema", 100, 60},
	{"fault 24: pages in the middle", 4096, 3 * 4096},
};

static void fault_24_a_damaged_store_is_kept_aside_and_begun_anew(void **state)
{
	static char garbage[3 * 4096];

	(void)state;
	memset(garbage, 0xA5, sizeof(garbage));
	for (size_t i = 0; i < ARRAY_SIZE(damage_rows); i++) {
		const struct damage_row *row = &damage_rows[i];
		const char *directory = fresh_directory();
		struct store_unit unit = make_unit(99, 1, UNIT_WHOLE);
		struct store *store = NULL;
		struct reason reason = {0};

		fill_store(directory);
		overwrite(path_of(directory, STORE_NAME), row->offset, garbage, row->n_bytes);
		if (store_open(directory, &store, &reason) != STORE_RENEWED)
			fail_msg("%s: %s", row->name, reason.text);
		assert_non_null(strstr(reason.text, "it is kept as"));
		assert_int_equal(count_files(directory, STORE_NAME ".damaged-*Z"), 1);
		assert_int_equal(list_units(store, (struct store_filter){0})->n_items, 0);
		save(store, &unit, NULL);
		store_close(store);
		store_close(open_store(directory));
	}
}

static void two_damaged_stores_of_one_second_are_both_kept(void **state)
{
	const char *directory = fresh_directory();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct store *store = NULL;
		struct reason reason = {0};

		overwrite(path_of(directory, STORE_NAME), 0, "no database at all", 18);
		assert_int_equal(store_open(directory, &store, &reason), STORE_RENEWED);
		store_close(store);
	}
	assert_int_equal(count_files(directory, STORE_NAME ".damaged-*"), 3);
}

static void a_later_format_is_left_as_it_is(void **state)
{
	/* user_version, big-endian, in the header of the file. */
	static const unsigned char later[] = {0, 0, 0, 99};
	const char *directory = fresh_directory();
	unsigned char before[100], after[100];
	struct store *store;
	struct reason reason = {0};
	int fd;

	(void)state;
	fill_store(directory);
	overwrite(path_of(directory, STORE_NAME), 60, later, sizeof(later));
	fd = open(path_of(directory, STORE_NAME), O_RDONLY);
	assert_int_equal(read(fd, before, sizeof(before)), sizeof(before));
	assert_int_equal(store_open(directory, &store, &reason), STORE_NEWER);
	assert_non_null(strstr(reason.text, "later version"));
	assert_int_equal(store_open_to_read(directory, &store, &reason), STORE_NEWER);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	close(fd);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(count_files(directory, STORE_NAME ".damaged-*"), 0);
}

static void an_earlier_format_is_brought_up_to_date(void **state)
{
	static const char *const first_format[] = {
		"CREATE TABLE old (key TEXT PRIMARY KEY, chip TEXT, unit TEXT, serial TEXT,"
		" path TEXT, board TEXT, state TEXT, image TEXT, version TEXT, sha256 TEXT,"
		" failures INTEGER NOT NULL, failed_sha256 TEXT, failed_rule TEXT,"
		" failed_outcome TEXT, not_before INTEGER NOT NULL, seen INTEGER NOT NULL)",
		"INSERT INTO old SELECT key, chip, unit, serial, path, board, state, image,"
		" version, sha256, failures, failed_sha256, failed_rule, failed_outcome,"
		" not_before, seen FROM units",
		"DROP TABLE units",
		"ALTER TABLE old RENAME TO units",
		"DROP TABLE settings",
		"DROP TABLE trust",
		"DROP TABLE floors",
		"DROP INDEX attempts_by_end",
		"DROP INDEX attempts_by_unit",
		"DROP INDEX attempts_by_plug",
		"ALTER TABLE attempts DROP COLUMN operation",
		"ALTER TABLE attempts DROP COLUMN plug",
		"DROP TABLE serials",
		"ALTER TABLE attempts DROP COLUMN unit_data",
		"ALTER TABLE attempts DROP COLUMN signer",
		"ALTER TABLE attempts DROP COLUMN proof",
		"ALTER TABLE attempts DROP COLUMN slot",
		"ALTER TABLE attempts DROP COLUMN revision",
		"ALTER TABLE attempts DROP COLUMN security",
		"ALTER TABLE attempts DROP COLUMN kept",
		"ALTER TABLE attempts RENAME COLUMN entries TO resets",
		"ALTER TABLE attempts RENAME COLUMN phase_ms TO phases_ms",
		"PRAGMA user_version = 1",
	};
	const char *directory = fresh_directory();
	struct store_unit unit = make_unit(1, 2, UNIT_WHOLE), found;
	struct store_attempt attempt = make_attempt(1, 3, true);
	struct database *database;
	struct reason reason = {0};
	struct store *store = open_store(directory);

	(void)state;
	save(store, &unit, &attempt);
	store_close(store);
	assert_int_equal(
		database_open(path_of(directory, STORE_NAME), false, &database, &reason), 0);
	for (size_t i = 0; i < ARRAY_SIZE(first_format); i++)
		assert_int_equal(database_execute(database, first_format[i], &reason), 0);
	database_close(database);
	assert_int_equal(store_open_to_read(directory, &store, &reason), -ENOTSUP);
	assert_non_null(strstr(reason.text, "earlier version"));
	store = open_store(directory);
	assert_int_equal(store_find_unit(store, unit.key, &found, &reason), 0);
	unit.previous_image[0] = unit.previous_version[0] = unit.previous_sha256[0] = '\0';
	unit.rollback = ROLLBACK_NONE;
	unit.drops = 0;
	unit.is_protected = false;
	unit.slot[0] = '\0';
	assert_unit_equal(&found, &unit);
	attempt.report.unit_data[0] = attempt.report.signer[0] = '\0';
	attempt.report.revision[0] = attempt.report.security[0] = '\0';
	attempt.report.kept[0] = unit.kept[0] = '\0';
	attempt.operation[0] = '\0';
	attempt.plug = 0;
	attempt.report.proof = PROOF_NONE;
	attempt.slot[0] = '\0';
	assert_true(attempt.report.entries > 0 && attempt.report.phase_ms[PHASE_WRITE] > 0);
	assert_attempt_equal(
		&list_attempts(store, (struct store_filter){0})->attempts[0], &attempt);
	store_close(store);
}

static void an_empty_file_is_a_new_store(void **state)
{
	const char *directory = fresh_directory();

	(void)state;
	overwrite(path_of(directory, STORE_NAME), 0, "", 0);
	store_close(open_store(directory));
}

static bool write_map(const char *path, unsigned id)
{
	char line[32];
	int n = snprintf(line, sizeof(line), "0 %u 1", id), fd = open(path, O_WRONLY);
	bool is_written = fd >= 0 && write(fd, line, (size_t)n) == n;

	if (fd >= 0)
		close(fd);
	return is_written;
}

/* Where this process may mount, and nobody else sees it. */
static bool enter_namespace(void)
{
	unsigned uid = getuid(), gid = getgid();
	int fd;

	if (unshare(CLONE_NEWNS) == 0)
		return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	fd = open("/proc/self/setgroups", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "deny", 4) != 4)
			return false;
		close(fd);
	}
	return write_map("/proc/self/uid_map", uid) && write_map("/proc/self/gid_map", gid);
}

static int run_on_full_disk(const char *directory)
{
	struct store *store = NULL;
	struct reason reason = {0};
	struct store_unit unit = make_unit(1, 1, UNIT_WHOLE), found;
	int r = 0;

	if (!enter_namespace() || mount("none", directory, "tmpfs", 0, "size=256k,mode=0700") < 0)
		return 77;
	if (store_open(directory, &store, &reason) != STORE_OK)
		return 1;
	if (save_rows(store, &unit, NULL, &reason) != 0)
		return 2;
	for (unsigned i = 0; r == 0 && i < 4000; i++) {
		struct store_attempt attempt = make_attempt(1, i, true);

		r = save_rows(store, &unit, &attempt, &reason);
	}
	if (r != -ENOSPC || !strstr(reason.text, "full"))
		return 3;
	/* What was there is there, and can be read. */
	if (store_find_unit(store, unit.key, &found, &reason) != 0)
		return 4;
	store_close(store);
	return store_open(directory, &store, &reason) < 0 || store ? 0 : 5;
}

static int run_on_read_only_disk(const char *directory)
{
	struct store *store = NULL;
	struct reason reason = {0};

	if (!enter_namespace() || mount(directory, directory, NULL, MS_BIND, NULL) < 0 ||
		mount(NULL, directory, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return 77;
	if (store_open(directory, &store, &reason) != -EROFS)
		return 1;
	if (!strstr(reason.text, directory))
		return 2;
	return expect_readable(directory);
}

static void expect_on_disk(int (*run)(const char *directory), const char *directory)
{
	int status = in_child(run, directory);

	if (status == 77)
		skip();
	assert_int_equal(status, 0);
}

static void fault_24_a_full_disk_is_told_and_loses_nothing(void **state)
{
	(void)state;
	expect_on_disk(run_on_full_disk, fresh_directory());
}

static void fault_24_a_read_only_disk_is_told(void **state)
{
	const char *directory = fresh_directory();
	struct store_attempt attempt = make_attempt(1, 1, true);
	struct store *store = open_store(directory);

	(void)state;
	save(store, NULL, &attempt);
	store_close(store);
	expect_on_disk(run_on_read_only_disk, directory);
}

static void a_missing_directory_is_told(void **state)
{
	struct store *store;
	struct reason reason = {0};

	(void)state;
	assert_int_equal(store_open(in_folder("nowhere"), &store, &reason), -ENOENT);
	assert_non_null(strstr(reason.text, "nowhere"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_saved_is_found),
	cmocka_unit_test(units_that_were_seen_long_ago_are_forgotten_beyond_a_bound),
	cmocka_unit_test(a_reader_that_does_not_end_is_told_of),
	cmocka_unit_test(a_unit_of_which_nothing_is_known_has_no_state),
	cmocka_unit_test(text_that_looks_like_sql_stays_text),
	cmocka_unit_test(attempts_are_filtered),
	cmocka_unit_test(failures_are_forgiven_for_one_unit_or_all),
	cmocka_unit_test(an_attempt_without_an_end_has_failed_once_the_service_is_back),
	cmocka_unit_test(a_second_service_is_told_who_holds_the_store),
	cmocka_unit_test(reading_makes_nothing),
	cmocka_unit_test(fault_24_a_damaged_store_is_kept_aside_and_begun_anew),
	cmocka_unit_test(two_damaged_stores_of_one_second_are_both_kept),
	cmocka_unit_test(a_later_format_is_left_as_it_is),
	cmocka_unit_test(an_earlier_format_is_brought_up_to_date),
	cmocka_unit_test(an_empty_file_is_a_new_store),
	cmocka_unit_test(fault_24_a_full_disk_is_told_and_loses_nothing),
	cmocka_unit_test(fault_24_a_read_only_disk_is_told),
	cmocka_unit_test(a_missing_directory_is_told),
};

int main(void)
{
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
