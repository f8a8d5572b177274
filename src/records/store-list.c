/* SPDX-License-Identifier: MIT */
/* store-list.c - filters, and the lists of units, attempts and counts that fit them. */
#include <errno.h>

#include "base/util.h"
#include "records/store-private.h"

#define VALUES_MOST 12

/* The conditions of a filter, in SQL, and what its question marks stand for. */
struct condition {
	char sql[400];
	size_t n_sql;
	struct database_value values[VALUES_MOST];
	size_t n_values;
};

static void add(struct condition *condition, const char *sql, const char *text, int64_t number)
{
	if (!text && number == 0)
		return;
	condition->n_sql += (size_t)snprintf(condition->sql + condition->n_sql,
		sizeof(condition->sql) - condition->n_sql, "%s %s",
		condition->n_sql == 0 ? "WHERE" : " AND", sql);
	condition->values[condition->n_values++] = (struct database_value){text, number};
}

static void finish(
	struct condition *condition, const struct store_filter *filter, const char *order)
{
	if (filter->by_id) {
		add(condition, "id > ?", NULL, filter->after_id);
		order = "ORDER BY id";
	}
	snprintf(condition->sql + condition->n_sql, sizeof(condition->sql) - condition->n_sql,
		" %s LIMIT ?", order);
	/* SQLite takes -1 for no limit. */
	condition->values[condition->n_values++].number =
		filter->limit > 0 ? (int64_t)filter->limit : -1;
}

/* A place by its path or by its name: one value stands for both question marks. */
static void add_slot(struct condition *condition, const char *slot)
{
	char sql[64];
	size_t n = condition->n_values + 1;

	snprintf(sql, sizeof(sql), "(path = ?%zu OR slot = ?%zu)", n, n);
	add(condition, sql, slot, 0);
}

static void add_unit_filter(struct condition *condition, const struct store_filter *filter)
{
	add(condition, "substr(unit, 1, length(?1)) = ?1", filter->unit, 0);
	add(condition, "board = ?", filter->board, 0);
	add(condition, "path = ?", filter->usb_path, 0);
	add_slot(condition, filter->slot);
}

static void add_attempt_filter(struct condition *condition, const struct store_filter *filter)
{
	add_unit_filter(condition, filter);
	add(condition, "port = ?", filter->port, 0);
	add(condition, "outcome = ?", filter->outcome, 0);
	add(condition, "started >= ?", NULL, filter->since_ms);
	add(condition, "started < ?", NULL, filter->until_ms);
}

int store_forgive(struct store *store, const struct store_filter *filter, uint32_t *ret_units,
	struct reason *reason)
{
	struct condition condition = {0};
	char sql[sizeof(condition.sql) + 90];
	int r;

	add_unit_filter(&condition, filter);
	add(&condition, "key = ?", filter->key, 0);
	add(&condition, "failures + drops >= ?", NULL, 1);
	snprintf(sql, sizeof(sql),
		"UPDATE units SET failures = 0, drops = 0, rollback = 0, not_before = 0 %s",
		condition.sql);
	r = database_change(
		store->database, sql, condition.values, condition.n_values, ret_units, reason);
	store_note_files(store);
	return r;
}

struct attempt_list {
	int (*callback)(void *userdata, const struct store_attempt *attempt);
	void *userdata;
};

static int on_attempt(void *userdata, const void *object)
{
	struct attempt_list *list = userdata;

	return list->callback(list->userdata, object);
}

bool store_has_attempt(struct store *store, const char *job, struct reason *reason)
{
	const struct database_value value = {.text = job};
	struct store_attempt attempt = {0};

	return database_find(store->database, &store_attempts, "WHERE job = ?", &value, 1, &attempt,
		       reason) == 0;
}

int store_find_attempt_id(struct store *store, const char *job, int64_t *ret, struct reason *reason)
{
	const struct database_value value = {.text = job};
	struct store_attempt attempt = {.id = 0};
	int r = database_find(
		store->database, &store_counted, "WHERE job = ?", &value, 1, &attempt, reason);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret = attempt.id;
	return 0;
}

int store_find_last_id(struct store *store, int64_t *ret, struct reason *reason)
{
	return database_number(
		store->database, "SELECT ifnull(max(id), 0) FROM attempts", ret, reason);
}

int store_list_attempts(struct store *store, const struct store_filter *filter,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason)
{
	struct attempt_list list = {callback, userdata};
	struct condition condition = {0};
	struct store_attempt attempt = {0};

	add_attempt_filter(&condition, filter);
	finish(&condition, filter, "ORDER BY id DESC");
	return database_list(store->database, &store_attempts, condition.sql, condition.values,
		condition.n_values, &attempt, on_attempt, &list, reason);
}

struct unit_list {
	int (*callback)(void *userdata, const struct store_unit *unit);
	void *userdata;
};

static int on_unit(void *userdata, const void *object)
{
	struct unit_list *list = userdata;

	return list->callback(list->userdata, object);
}

int store_list_units(struct store *store, const struct store_filter *filter,
	int (*callback)(void *userdata, const struct store_unit *unit), void *userdata,
	struct reason *reason)
{
	struct unit_list list = {callback, userdata};
	struct condition condition = {0};
	struct store_unit unit = {0};

	add_unit_filter(&condition, filter);
	finish(&condition, filter, "ORDER BY seen DESC");
	return database_list(store->database, &store_units, condition.sql, condition.values,
		condition.n_values, &unit, on_unit, &list, reason);
}
