/* SPDX-License-Identifier: MIT */
/* store-provision.c - which unit has which value of its own. */
#include <errno.h>

#include "base/util.h"
#include "records/store-file.h"
#include "records/store-private.h"

static const struct column serial_columns[] = {
	TEXT(struct store_serial, "id", id),
	TEXT(struct store_serial, "source", source),
	TEXT(struct store_serial, "value", value),
	TEXT(struct store_serial, "key", key),
	TEXT(struct store_serial, "board", board),
	TEXT(struct store_serial, "path", path),
	NUMBER(struct store_serial, "given", given_ms),
	NUMBER(struct store_serial, "written", written_ms),
};

static const struct database_table serials = {
	"serials", serial_columns, ARRAY_SIZE(serial_columns)};

static int stop_at_first(void *userdata, const void *object)
{
	(void)userdata;
	(void)object;
	return 1;
}

static int find(struct store *store, const char *condition, const struct database_value *values,
	size_t n_values, struct store_serial *ret, struct reason *reason)
{
	struct store_serial serial = {0};
	int r = database_list(store->database, &serials, condition, values, n_values, &serial,
		stop_at_first, NULL, reason);

	if (r == 0)
		return -ENOENT;
	if (r > 0)
		*ret = serial;
	return r > 0 ? 0 : r;
}

/* A unit has one value of a source: this tells one row from another. */
static void make_id(const char *source, const char *key, char to[SIZE_OF(struct store_serial, id)])
{
	snprintf(to, SIZE_OF(struct store_serial, id), "%s\n%s", source, key);
}

/* By its id, which has an index; of 100,000 rows of a source the search took 30 ms. */
int store_find_serial(struct store *store, const char *source, const char *key,
	struct store_serial *ret, struct reason *reason)
{
	char id[SIZE_OF(struct store_serial, id)];
	const struct database_value value = {.text = id};

	make_id(source, key, id);
	return find(store, "WHERE id = ?", &value, 1, ret, reason);
}

int store_find_serial_highest(
	struct store *store, const char *source, struct store_serial *ret, struct reason *reason)
{
	const struct database_value values[] = {{.text = source}};

	return find(store, "WHERE source = ? ORDER BY CAST(value AS INTEGER) DESC LIMIT 1", values,
		ARRAY_SIZE(values), ret, reason);
}

struct value_list {
	int (*callback)(void *userdata, const char *value);
	void *userdata;
};

static int on_value(void *userdata, const void *object)
{
	const struct value_list *list = userdata;
	const struct store_serial *serial = object;

	return list->callback(list->userdata, serial->value);
}

/* The index alone answers it, where no other column is asked for. */
int store_list_serial_values(struct store *store, const char *source,
	int (*callback)(void *userdata, const char *value), void *userdata, struct reason *reason)
{
	static const struct column column = TEXT(struct store_serial, "value", value);
	static const struct database_table values = {"serials", &column, 1};
	const struct database_value value = {.text = source};
	struct value_list list = {callback, userdata};
	struct store_serial serial = {0};

	return database_list(store->database, &values, "WHERE source = ? ORDER BY value", &value, 1,
		&serial, on_value, &list, reason);
}

bool store_has_lost_serials(struct store *store, const char *source, char *aside, size_t size)
{
	const struct database_value values[] = {{.text = source}};
	struct store_serial any;
	struct reason reason;

	return find(store, "WHERE source = ? LIMIT 1", values, ARRAY_SIZE(values), &any, &reason) ==
		       -ENOENT &&
	       store_file_find_aside(store->path, aside, size);
}

static int count(struct store *store, const char *condition, const struct database_value *values,
	size_t n_values, uint32_t *ret, struct reason *reason)
{
	static const struct column column = {
		"count(*)", COLUMN_NUMBER, 0, sizeof(uint32_t), COLUMN_ALWAYS, 0, NULL, NULL};
	static const struct database_table counts = {"serials", &column, 1};
	uint32_t n = 0;
	int r = database_list(store->database, &counts, condition, values, n_values, &n,
		stop_at_first, NULL, reason);

	if (r > 0)
		*ret = n;
	return r < 0 ? r : 0;
}

int store_find_serial_rate(struct store *store, const char *path, int64_t since_ms,
	struct store_serial_rate *ret, struct reason *reason)
{
	const struct database_value values[] = {{.text = path}, {.number = since_ms}};
	struct store_serial_rate rate;
	int r = count(store, "WHERE path = ?1 AND given >= ?2", values, ARRAY_SIZE(values),
		&rate.n_given, reason);

	if (r == 0)
		r = count(store,
			"WHERE path = ?1 AND given >= ?2 AND written = 0 AND given > ifnull((SELECT max(written) FROM serials WHERE path = ?1 AND given >= ?2), 0)",
			values, ARRAY_SIZE(values), &rate.n_unverified, reason);
	if (r == 0)
		*ret = rate;
	return r;
}

int store_put_serial(struct store *store, const struct store_serial *serial, struct reason *reason)
{
	struct store_serial row = *serial;

	make_id(row.source, row.key, row.id);
	return database_put(store->database, &serials, &row, reason);
}
