/* SPDX-License-Identifier: MIT */
#include "records/database.h"

#include <errno.h>
#include <string.h>

#include <sqlite3.h>

#include "base/util.h"

/* Somebody may look at the file with a tool of his own. */
#define BUSY_MSEC 1000

/*
 * With the log (WAL) and full synchronisation a commit is on the disk when it returns, and readers
 * do not hold it up. A few pages in memory are enough for small tables: the service must stay
 * small.
 */
#define SETTINGS                          \
	"PRAGMA journal_mode = WAL;"      \
	"PRAGMA synchronous = FULL;"      \
	"PRAGMA cache_size = -64;"        \
	"PRAGMA wal_autocheckpoint = 32;" \
	"PRAGMA journal_size_limit = 262144;"

#define PATH_ROOM 4096

struct database {
	sqlite3 *handle;
	char path[PATH_ROOM];
};

static void finalizep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

/* -------------------------------------------------------------------------------- errors */

static int errno_of(sqlite3 *handle, int code)
{
	int error = handle ? sqlite3_system_errno(handle) : 0;

	switch (code & 0xFF) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CANTOPEN:
		return error > 0 ? -error : -ENOENT;
	}
	return error == ENOSPC || error == EDQUOT ? -ENOSPC : -EIO;
}

static int fail(const struct database *database, int code, struct reason *reason)
{
	int r = errno_of(database->handle, code);
	const char *why = r == -ENOSPC	     ? "the disk is full"
			  : r == -EROFS	     ? "it cannot be written, or its file system cannot"
			  : r == -EBADMSG    ? "it is damaged"
			  : r == -EBUSY	     ? "another program keeps it locked"
			  : database->handle ? sqlite3_errmsg(database->handle)
					     : sqlite3_errstr(code);

	reason_set(reason, "%s: %s", database->path, why);
	return r;
}

/* --------------------------------------------------------------------------------- fields */

static int64_t get_number(const void *from, size_t size)
{
	int64_t value = 0;

	switch (size) {
	case sizeof(bool):
		return *(const bool *)from;
	case sizeof(uint32_t):
		return *(const uint32_t *)from;
	case sizeof(int64_t):
		memcpy(&value, from, sizeof(value));
	}
	return value;
}

static void set_number(int64_t value, void *to, size_t size)
{
	switch (size) {
	case sizeof(bool):
		*(bool *)to = value != 0;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)to = value < 0 || value > UINT32_MAX ? 0 : (uint32_t)value;
		break;
	case sizeof(int64_t):
		memcpy(to, &value, sizeof(value));
		break;
	}
}

static int bind_column(
	sqlite3_stmt *statement, int index, const struct column *column, const void *object)
{
	const char *field = (const char *)object + column->offset;
	char text[COLUMN_TEXT_MAX] = "";

	if (column->presence != COLUMN_ALWAYS &&
		get_number((const char *)object + column->presence, column->presence_size) == 0)
		return sqlite3_bind_null(statement, index);
	switch (column->kind) {
	case COLUMN_TEXT:
		return sqlite3_bind_text(statement, index, field,
			(int)strnlen(field, column->size - 1), SQLITE_TRANSIENT);
	case COLUMN_ID:
	case COLUMN_NUMBER:
		return sqlite3_bind_int64(statement, index, get_number(field, column->size));
	case COLUMN_CONVERTED:
		column->write(field, text);
		return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
	}
	return SQLITE_MISUSE;
}

static void read_column(
	sqlite3_stmt *statement, int index, const struct column *column, void *object)
{
	const char *text = (const char *)sqlite3_column_text(statement, index);
	char *field = (char *)object + column->offset;

	/* The number of the presence is a column of its own, or a flag that only stands for it. */
	if (column->presence != COLUMN_ALWAYS && column->presence_size == sizeof(bool))
		*((bool *)object + column->presence) = text != NULL;
	switch (column->kind) {
	case COLUMN_TEXT:
		snprintf(field, column->size, "%s", text ? text : "");
		break;
	case COLUMN_ID:
	case COLUMN_NUMBER:
		set_number(sqlite3_column_int64(statement, index), field, column->size);
		break;
	case COLUMN_CONVERTED:
		column->read(text ? text : "", field);
		break;
	}
}

/* ----------------------------------------------------------------------------- statements */

static void write_names(const struct database_table *table, FILE *to)
{
	for (size_t i = 0; i < table->n_columns; i++)
		fprintf(to, "%s%s", i ? ", " : "", table->columns[i].name);
}

/* An INSERT that takes the place of the row with the same first column, which keeps its id. The
 * n-th column is parameter n; an id is none. */
static void write_put(const struct database_table *table, FILE *to)
{
	const struct column *columns = table->columns;

	fprintf(to, "INSERT INTO %s (%s", table->name, columns[0].name);
	for (size_t i = 1; i < table->n_columns; i++)
		if (columns[i].kind != COLUMN_ID)
			fprintf(to, ", %s", columns[i].name);
	fputs(") VALUES (?1", to);
	for (size_t i = 1; i < table->n_columns; i++)
		if (columns[i].kind != COLUMN_ID)
			fprintf(to, ", ?%zu", i + 1);
	fprintf(to, ") ON CONFLICT (%s) DO UPDATE SET %s = excluded.%s", columns[0].name,
		columns[0].name, columns[0].name);
	for (size_t i = 1; i < table->n_columns; i++)
		if (columns[i].kind != COLUMN_ID)
			fprintf(to, ", %s = excluded.%s", columns[i].name, columns[i].name);
}

/* The statement that puts a row into the table, or with a condition selects those that fit. */
static int prepare_on(struct database *database, const struct database_table *table,
	const char *condition, sqlite3_stmt **ret)
{
	CLEANUP(freep) char *sql = NULL;
	size_t n_sql;
	FILE *to = open_memstream(&sql, &n_sql);

	if (!to)
		return SQLITE_NOMEM;
	if (condition) {
		fputs("SELECT ", to);
		write_names(table, to);
		fprintf(to, " FROM %s %s", table->name, condition);
	} else
		write_put(table, to);
	if (fclose(to) != 0)
		return SQLITE_NOMEM;
	return sqlite3_prepare_v2(database->handle, sql, -1, ret, NULL);
}

static int bind_values(
	sqlite3_stmt *statement, const struct database_value *values, size_t n_values)
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < n_values && code == SQLITE_OK; i++)
		code = values[i].text ? sqlite3_bind_text(statement, (int)i + 1, values[i].text, -1,
						SQLITE_TRANSIENT)
				      : sqlite3_bind_int64(statement, (int)i + 1, values[i].number);
	return code;
}

int database_execute(struct database *database, const char *sql, struct reason *reason)
{
	int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(database, code, reason);
}

int database_number(struct database *database, const char *sql, int64_t *ret, struct reason *reason)
{
	CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return fail(database, code == SQLITE_DONE ? SQLITE_CORRUPT : code, reason);
	*ret = sqlite3_column_int64(statement, 0);
	return 0;
}

int database_check(struct database *database, struct reason *reason)
{
	CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
	int code =
		sqlite3_prepare_v2(database->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return fail(database, code, reason);
	if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
		return fail(database, SQLITE_CORRUPT, reason);
	return 0;
}

int database_change(struct database *database, const char *sql, const struct database_value *values,
	size_t n_values, uint32_t *ret_rows, struct reason *reason)
{
	CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = bind_values(statement, values, n_values);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code != SQLITE_DONE)
		return fail(database, code, reason);
	*ret_rows = (uint32_t)sqlite3_changes(database->handle);
	return 0;
}

int database_put(struct database *database, const struct database_table *table, const void *object,
	struct reason *reason)
{
	CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
	int code = prepare_on(database, table, NULL, &statement);

	for (size_t i = 0; i < table->n_columns && code == SQLITE_OK; i++)
		if (table->columns[i].kind != COLUMN_ID)
			code = bind_column(statement, (int)i + 1, &table->columns[i], object);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	return code == SQLITE_DONE ? 0 : fail(database, code, reason);
}

int database_list(struct database *database, const struct database_table *table,
	const char *condition, const struct database_value *values, size_t n_values, void *object,
	int (*callback)(void *userdata, const void *object), void *userdata, struct reason *reason)
{
	CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
	int code = prepare_on(database, table, condition, &statement), r = 0;

	if (code == SQLITE_OK)
		code = bind_values(statement, values, n_values);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	while (code == SQLITE_ROW && r == 0) {
		for (size_t i = 0; i < table->n_columns; i++)
			read_column(statement, (int)i, &table->columns[i], object);
		r = callback(userdata, object);
		if (r == 0)
			code = sqlite3_step(statement);
	}
	if (r != 0)
		return r;
	return code == SQLITE_DONE ? 0 : fail(database, code, reason);
}

static int stop_at_first(void *userdata, const void *object)
{
	(void)userdata;
	(void)object;
	return 1;
}

int database_find(struct database *database, const struct database_table *table,
	const char *condition, const struct database_value *values, size_t n_values, void *object,
	struct reason *reason)
{
	int r = database_list(
		database, table, condition, values, n_values, object, stop_at_first, NULL, reason);

	return r > 0 ? 0 : r == 0 ? -ENOENT : r;
}

/* ------------------------------------------------------------------------ opening and end */

static int connect_to(struct database *database, const char *name, int flags, struct reason *reason)
{
	int code = sqlite3_open_v2(name, &database->handle, flags, NULL);

	if (code != SQLITE_OK)
		return fail(database, code, reason);
	(void)sqlite3_extended_result_codes(database->handle, 1);
	(void)sqlite3_busy_timeout(database->handle, BUSY_MSEC);
	return 0;
}

static int open_to_write(struct database *database, struct reason *reason)
{
	int r = connect_to(
		database, database->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, reason);

	if (r < 0)
		return r;
	/* A file that cannot be written is opened all the same. */
	if (sqlite3_db_readonly(database->handle, "main") != 0)
		return fail(database, SQLITE_READONLY, reason);
	return 0;
}

/* The path as a URI that says that nobody writes: then no lock and no log are looked for. */
static void write_uri(const char *path, char *to, size_t size)
{
	size_t n = (size_t)snprintf(to, size, "file:");

	for (; *path && n + 4 < size; path++)
		n += (size_t)snprintf(to + n, size - n, strchr("%?#", *path) ? "%%%02x" : "%c",
			(unsigned char)*path);
	snprintf(to + n, size - n, "?immutable=1");
}

/*
 * A file in WAL mode is read through its log, which the last writer takes away when it ends;
 * without the right to make it again, nothing is read that way.
 */
static int open_to_read(struct database *database, struct reason *reason)
{
	char uri[3 * PATH_ROOM + 32];
	int64_t ignored;
	int r = connect_to(database, database->path, SQLITE_OPEN_READONLY, reason);

	if (r == 0)
		r = database_number(database, "PRAGMA schema_version", &ignored, reason);
	if (r == 0 || r == -EBADMSG || access(database->path, R_OK) < 0)
		return r;
	(void)sqlite3_close(database->handle);
	database->handle = NULL;
	write_uri(database->path, uri, sizeof(uri));
	r = connect_to(database, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, reason);
	return r == 0 ? database_number(database, "PRAGMA schema_version", &ignored, reason) : r;
}

int database_open(const char *path, bool to_read, struct database **ret, struct reason *reason)
{
	struct database *database = calloc(1, sizeof(*database));
	int r;

	if (!database)
		return -ENOMEM;
	/* There are no threads here, and memory that SQLite keeps in hand is memory. */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	snprintf(database->path, sizeof(database->path), "%s", path);
	r = to_read ? open_to_read(database, reason) : open_to_write(database, reason);
	if (r < 0) {
		database_close(database);
		return r;
	}
	*ret = database;
	return 0;
}

int database_make_durable(struct database *database, struct reason *reason)
{
	return database_execute(database, SETTINGS, reason);
}

int database_empty_log(struct database *database, struct reason *reason)
{
	int code;

	(void)sqlite3_busy_timeout(database->handle, 0);
	code = sqlite3_wal_checkpoint_v2(
		database->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	(void)sqlite3_busy_timeout(database->handle, BUSY_MSEC);
	return code == SQLITE_OK ? 0 : fail(database, code, reason);
}

struct database *database_close(struct database *database)
{
	if (!database)
		return NULL;
	(void)sqlite3_close(database->handle);
	free(database);
	return NULL;
}

struct database *database_abandon(struct database *database)
{
	/* The log belongs to the file that was there before. */
	if (database)
		(void)sqlite3_db_config(
			database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	return database_close(database);
}
