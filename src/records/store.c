/* SPDX-License-Identifier: MIT */
/*
 * store.c - the store as rows: its schema, its opening, and what one commit writes.
 *
 * Order of an opening: the lock of the directory, the access rights of the files, the version (a
 * newer file is left as it is), durability, the check of all pages, the migrations, and the end of
 * attempts that no service has ended. A damaged file is set aside, and all of this done once more
 * with a new one.
 */
#include "records/store.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "records/store-file.h"
#include "records/store-private.h"

/*
 * Statements that take version i of the schema to i + 1. A row here is never changed once it was
 * released: files in the field were made by it.
 */
static const char *const migrations[] = {
	"CREATE TABLE units ("
	" key TEXT PRIMARY KEY, chip TEXT, unit TEXT, serial TEXT, path TEXT, board TEXT,"
	" state TEXT CHECK (state IN ('whole', 'in-progress', 'failed')),"
	" image TEXT, version TEXT, sha256 TEXT,"
	" failures INTEGER NOT NULL, failed_sha256 TEXT, failed_rule TEXT, failed_outcome TEXT,"
	" not_before INTEGER NOT NULL, seen INTEGER NOT NULL);"
	"CREATE TABLE attempts ("
	" id INTEGER PRIMARY KEY, job TEXT NOT NULL UNIQUE, key TEXT, board TEXT, port TEXT,"
	" serial TEXT, path TEXT, cause TEXT, started INTEGER NOT NULL, ended INTEGER,"
	" outcome TEXT, phase TEXT, error INTEGER, chip TEXT, unit TEXT, image TEXT, version TEXT,"
	" sha256 TEXT, bytes INTEGER, pages_erased INTEGER, baud INTEGER, resets INTEGER,"
	" duration_ms INTEGER, phases_ms TEXT, reason TEXT);",
	"ALTER TABLE units ADD COLUMN previous_image TEXT;"
	"ALTER TABLE units ADD COLUMN previous_version TEXT;"
	"ALTER TABLE units ADD COLUMN previous_sha256 TEXT;"
	"ALTER TABLE units ADD COLUMN rollback INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE units ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;",
	"CREATE TABLE serials ("
	" id TEXT PRIMARY KEY, source TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL,"
	" board TEXT, given INTEGER NOT NULL, written INTEGER NOT NULL, UNIQUE (source, value));"
	"ALTER TABLE attempts ADD COLUMN unit_data TEXT;",
	"ALTER TABLE units ADD COLUMN drops INTEGER NOT NULL DEFAULT 0;",
	"CREATE INDEX units_by_place ON units (path, seen);",
	"ALTER TABLE serials ADD COLUMN path TEXT;"
	"CREATE INDEX serials_by_place ON serials (path, given);",
	"ALTER TABLE attempts RENAME COLUMN resets TO entries;"
	"ALTER TABLE attempts RENAME COLUMN phases_ms TO phase_ms;"
	"ALTER TABLE attempts ADD COLUMN signer TEXT;"
	"ALTER TABLE attempts ADD COLUMN proof TEXT;",
	/* Until then all chips were of one family; others may have the same ids. */
	"UPDATE units SET key = 'stm32:' || key WHERE key LIKE '0x%';"
	"UPDATE attempts SET key = 'stm32:' || key WHERE key LIKE '0x%';"
	"UPDATE serials SET id = source || char(10) || 'stm32:' || key, key = 'stm32:' || key"
	" WHERE key LIKE '0x%';",
	/* Ids of units that no other unit ever gets, and that VACUUM leaves alone. */
	"CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE new_units ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, chip TEXT, unit TEXT,"
	" serial TEXT, path TEXT, board TEXT,"
	" state TEXT CHECK (state IN ('whole', 'in-progress', 'failed')),"
	" image TEXT, version TEXT, sha256 TEXT, failures INTEGER NOT NULL, failed_sha256 TEXT,"
	" failed_rule TEXT, failed_outcome TEXT, not_before INTEGER NOT NULL,"
	" seen INTEGER NOT NULL, previous_image TEXT, previous_version TEXT,"
	" previous_sha256 TEXT, rollback INTEGER NOT NULL DEFAULT 0,"
	" protected INTEGER NOT NULL DEFAULT 0, drops INTEGER NOT NULL DEFAULT 0);"
	"INSERT INTO new_units SELECT rowid, * FROM units;"
	"DROP TABLE units; ALTER TABLE new_units RENAME TO units;"
	"CREATE INDEX units_by_place ON units (path, seen);"
	"ALTER TABLE attempts ADD COLUMN operation TEXT;"
	"ALTER TABLE attempts ADD COLUMN plug INTEGER;"
	/* For the counts of a day, and of the units in them: written at the end of an attempt. */
	"CREATE INDEX attempts_by_end ON attempts (ended) WHERE ended IS NOT NULL;"
	"CREATE INDEX attempts_by_unit ON attempts (key) WHERE ended IS NOT NULL;"
	"CREATE INDEX attempts_by_plug ON attempts (plug) WHERE ended IS NOT NULL;",
	"ALTER TABLE units ADD COLUMN slot TEXT;"
	"ALTER TABLE attempts ADD COLUMN slot TEXT;",
	"ALTER TABLE attempts ADD COLUMN revision TEXT;"
	"ALTER TABLE attempts ADD COLUMN security TEXT;",
	"ALTER TABLE units ADD COLUMN kept TEXT;"
	"ALTER TABLE attempts ADD COLUMN kept TEXT;",
	"CREATE TABLE trust (kind TEXT PRIMARY KEY, name TEXT, proved INTEGER NOT NULL,"
	" turned_off INTEGER NOT NULL, reason TEXT, seen INTEGER NOT NULL);",
	"CREATE TABLE floors (board TEXT PRIMARY KEY, version TEXT NOT NULL, image TEXT,"
	" raised INTEGER NOT NULL);",
};
static_assert(ARRAY_SIZE(migrations) == STORE_FORMAT, "a migration leads to each format");

/* A station that flashes a board a minute fills it in ten weeks, with some 50 MiB. */
#define DELETE_OLD "DELETE FROM attempts WHERE id <= (SELECT max(id) FROM attempts) - 100000"

/*
 * Units that are known at most: a board may say another id at each of its comings. The ones that
 * were seen longest ago go first; never one that is torn, that nobody but this store knows to be
 * protected, or that has a value of its own. To count is slow, so that it is not done each time.
 */
#define UNITS_MOST	 10000
#define SAVES_TO_PRUNING 256
#define IS_PRUNED                                                                \
	" FROM units WHERE (state IS NULL OR state = 'whole') AND protected = 0" \
	" AND key NOT IN (SELECT key FROM serials)"
#define PRUNE_UNITS                                                \
	"DELETE FROM units WHERE rowid IN (SELECT rowid" IS_PRUNED \
	" ORDER BY seen LIMIT max(0, (SELECT count(*)" IS_PRUNED ") - %d))"

/* ------------------------------------------------------------------------ opening and end */

static int store_new(const char *directory, struct store **ret, struct reason *reason)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store) {
		reason_set(reason, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	store->lock = -1;
	if (snprintf(store->path, sizeof(store->path), "%s/" STORE_NAME, directory) >=
		(int)sizeof(store->path)) {
		reason_set(reason, "%s: %s", directory, strerror(ENAMETOOLONG));
		free(store);
		return -ENAMETOOLONG;
	}
	*ret = store;
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	database_close(store->database);
	closep(&store->lock);
	free(store);
	return NULL;
}

struct store *store_abandon(struct store *store)
{
	if (store)
		store->database = database_abandon(store->database);
	return store_close(store);
}

static void store_closep(struct store **store)
{
	store_close(*store);
}

void store_note_files(struct store *store)
{
	const struct store_traces now = store_file_look(store->path), *seen = &store->seen;
	bool is_other = seen->inode > 0 && (now.inode != seen->inode || now.device != seen->device);
	bool has_other_log = seen->log_inode > 0 && now.log_inode != seen->log_inode;

	/* The change went into a file that is no more there: that is to be found out. */
	if (!is_other && !has_other_log)
		store->seen = now;
}

bool store_is_changed(const struct store *store)
{
	const struct store_traces now = store_file_look(store->path);

	return memcmp(&now, &store->seen, sizeof(now)) != 0;
}

static int check_version(struct store *store, int64_t *ret, struct reason *reason)
{
	int r = database_number(store->database, "PRAGMA user_version", ret, reason);

	if (r < 0 || *ret <= STORE_FORMAT)
		return r;
	reason_set(reason,
		"%s was made by a later version of plugflash: it has format %" PRId64
		", this one knows %d",
		store->path, *ret, STORE_FORMAT);
	return STORE_NEWER;
}

/*
 * The new format is put from the log into the file at once: preinst of the Debian package reads it
 * there, without SQLite. A reader may forbid that; one of the next commits does it then.
 */
static int migrate(struct store *store, int64_t version, struct reason *reason)
{
	bool is_old = version < STORE_FORMAT;
	struct reason ignored;
	char sql[64];
	int r = 0;

	for (; version < STORE_FORMAT && r == 0; version++) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)version + 1);
		r = database_execute(store->database, "BEGIN IMMEDIATE", reason);
		if (r == 0)
			r = database_execute(store->database, migrations[version], reason);
		if (r == 0)
			r = database_execute(store->database, sql, reason);
		if (r == 0)
			r = database_execute(store->database, "COMMIT", reason);
		if (r < 0)
			(void)database_execute(store->database, "ROLLBACK", &ignored);
	}
	if (r == 0 && is_old)
		(void)database_empty_log(store->database, &ignored);
	return r;
}

/* How an attempt ended that no service has ended. */
#define CUT_OUTCOME "'failed'"
#define CUT_REASON  "'the service or its host ended during this job'"

static const char *closed_value(const char *column)
{
	if (strcmp(column, "ended") == 0)
		return "ifnull(ended, started)";
	if (strcmp(column, "outcome") == 0)
		return "ifnull(outcome, " CUT_OUTCOME ")";
	if (strcmp(column, "reason") == 0)
		return "iif(ended IS NULL, " CUT_REASON ", reason)";
	return column;
}

/*
 * The same for a reader: a view of this name goes before the table. A table that is long is not
 * searched for it, and lists, filters and counts know nothing of it.
 */
static int show_attempts_closed(struct store *store, struct reason *reason)
{
	CLEANUP(freep) char *sql = NULL;
	size_t n_sql;
	FILE *to = open_memstream(&sql, &n_sql);

	if (to)
		fputs("CREATE TEMP VIEW attempts AS SELECT ", to);
	for (size_t i = 0; to && i < store_attempts.n_columns; i++)
		fprintf(to, "%s%s AS %s", i > 0 ? ", " : "",
			closed_value(store_attempts.columns[i].name),
			store_attempts.columns[i].name);
	if (to)
		fputs(" FROM main.attempts", to);
	if (!to || fclose(to) != 0) {
		reason_set(reason, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	return database_execute(store->database, sql, reason);
}

/* 0, STORE_NEWER or -errno. Nothing is written into a file that is newer. */
static int prepare(struct store *store, struct reason *reason)
{
	int64_t version;
	int r;

	store_file_make_private(store->path);
	r = database_open(store->path, false, &store->database, reason);
	if (r == 0)
		r = check_version(store, &version, reason);
	if (r == 0)
		r = database_make_durable(store->database, reason);
	if (r == 0)
		r = database_check(store->database, reason);
	if (r == 0)
		r = migrate(store, version, reason);
	/* An attempt that no service has ended will have no end: one service runs at a time, this
	 * one. */
	if (r == 0)
		r = database_execute(store->database,
			"UPDATE attempts SET outcome = " CUT_OUTCOME
			", ended = started, reason = " CUT_REASON " WHERE ended IS NULL",
			reason);
	return r;
}

static int renew(struct store *store, struct reason *reason)
{
	struct reason aside;
	int r;

	store->database = database_close(store->database);
	r = store_file_set_aside(store->path, &aside);
	if (r < 0) {
		reason_set(reason, "%s is damaged; %s", store->path, aside.text);
		return r;
	}
	r = prepare(store, reason);
	if (r != 0)
		return r;
	reason_set(reason, "%s was damaged: %s", store->path, aside.text);
	return STORE_RENEWED;
}

int store_open(const char *directory, struct store **ret, struct reason *reason)
{
	CLEANUP(store_closep) struct store *store = NULL;
	int r = store_new(directory, &store, reason);

	if (r < 0)
		return r;
	r = store_file_lock(directory, &store->lock, reason);
	if (r < 0)
		return r == -EBUSY ? STORE_HELD : r;
	r = prepare(store, reason);
	if (r == -EBADMSG)
		r = renew(store, reason);
	if (r != STORE_OK && r != STORE_RENEWED)
		return r;
	store_note_files(store);
	*ret = TAKE_PTR(store);
	return r;
}

int store_open_to_read(const char *directory, struct store **ret, struct reason *reason)
{
	CLEANUP(store_closep) struct store *store = NULL;
	int64_t version;
	int r = store_new(directory, &store, reason);

	if (r == 0)
		r = database_open(store->path, true, &store->database, reason);
	if (r == 0)
		r = check_version(store, &version, reason);
	if (r == 0 && version < STORE_FORMAT) {
		reason_set(reason,
			"%s was made by an earlier version of plugflash: it can be read once the service was started",
			store->path);
		return -ENOTSUP;
	}
	if (r == 0 && !store_file_is_locked(directory))
		r = show_attempts_closed(store, reason);
	if (r == 0)
		*ret = TAKE_PTR(store);
	return r;
}

/* ---------------------------------------------------------------------------------- rows */

int store_find_unit(
	struct store *store, const char *key, struct store_unit *ret, struct reason *reason)
{
	const struct database_value value = {.text = key};

	return database_find(
		store->database, &store_units, "WHERE key = ?", &value, 1, ret, reason);
}

/* Usually each reader is gone in a moment, and SQLite keeps the log small by itself. */
static int bound_log(struct store *store, struct reason *reason)
{
	struct reason busy;
	int r;

	if (store_file_log_size(store->path) <= STORE_LOG_MOST)
		return 0;
	r = database_empty_log(store->database, &busy);
	if (r < 0)
		reason_set(reason,
			"%s-wal has grown to %d MiB, since another program reads the store and does not end: find it by fuser -v %s and end it",
			store->path, STORE_LOG_MOST / (1024 * 1024), store->path);
	return r;
}

/* The search for rows that have a value takes a while: it is made only where there are too many
 * units. */
static int prune_units(struct store *store, struct reason *reason)
{
	char sql[sizeof(PRUNE_UNITS) + 16];
	int64_t n_units;
	int r = database_number(store->database, "SELECT count(*) FROM units", &n_units, reason);

	if (r < 0 || n_units <= UNITS_MOST)
		return r;
	snprintf(sql, sizeof(sql), PRUNE_UNITS, UNITS_MOST);
	return database_execute(store->database, sql, reason);
}

/* All or nothing; an error of the end is one of the whole. */
int store_save(struct store *store, const struct store_rows *rows, struct reason *reason)
{
	struct reason ignored;
	int r = bound_log(store, reason);

	if (r == 0)
		r = database_execute(store->database, "BEGIN IMMEDIATE", reason);
	if (r < 0)
		return r;
	if (rows->has_serial)
		r = store_put_serial(store, &rows->serial, reason);
	for (unsigned i = 0; i < rows->n_units && r == 0; i++) {
		r = database_put(store->database, &store_units, &rows->units[i], reason);
		if (r == 0 && store->n_saves++ % SAVES_TO_PRUNING == 0)
			r = prune_units(store, reason);
	}
	for (unsigned i = 0; i < rows->n_trusts && r == 0; i++)
		r = store_put_trust(store, &rows->trusts[i], reason);
	if (r == 0 && rows->has_floor)
		r = store_raise_floor(store, &rows->floor, reason);
	if (r == 0 && rows->has_attempt)
		r = database_put(store->database, &store_attempts, &rows->attempt, reason);
	if (r == 0 && rows->has_attempt)
		r = database_execute(store->database, DELETE_OLD, reason);
	if (r == 0)
		r = database_execute(store->database, "COMMIT", reason);
	if (r < 0)
		(void)database_execute(store->database, "ROLLBACK", &ignored);
	store_note_files(store);
	return r;
}

int store_save_begin(
	struct store *store, const struct store_attempt *attempt, struct reason *reason)
{
	const struct store_rows rows = {.attempt = *attempt, .has_attempt = true};
	struct reason ignored;
	int r = database_execute(store->database, "PRAGMA synchronous = NORMAL", reason), back;

	if (r == 0)
		r = store_save(store, &rows, reason);
	back = database_execute(
		store->database, "PRAGMA synchronous = FULL", r == 0 ? reason : &ignored);
	return r == 0 ? back : r;
}
