/* SPDX-License-Identifier: MIT */
/* store-trust.c - what was learnt of faster ways of writing: trust.h says what the rows mean. */
#include <errno.h>

#include "base/util.h"
#include "records/store-private.h"

static const struct column trust_columns[] = {
	TEXT(struct store_trust, "kind", kind),
	TEXT(struct store_trust, "name", name),
	NUMBER(struct store_trust, "proved", proved),
	NUMBER(struct store_trust, "turned_off", off_ms),
	TEXT(struct store_trust, "reason", reason),
	NUMBER(struct store_trust, "seen", seen_ms),
};

static const struct database_table trusts = {"trust", trust_columns, ARRAY_SIZE(trust_columns)};

int store_find_trust(
	struct store *store, const char *kind, struct store_trust *ret, struct reason *reason)
{
	const struct database_value value = {.text = kind};

	return database_find(store->database, &trusts, "WHERE kind = ?", &value, 1, ret, reason);
}

/*
 * A board may name another kind at each of its comings: those that were seen longest ago go, and
 * what is off goes last, since it would be on trial again.
 */
int store_put_trust(struct store *store, const struct store_trust *row, struct reason *reason)
{
	const struct database_value most = {.number = STORE_TRUST_MOST};
	struct store_trust known, put = *row;
	uint32_t n_rows;
	int r = store_find_trust(store, row->kind, &known, reason);

	/* Learnt while the store could not be read: what is off stays so until somebody allows it.
	 */
	if (r == 0 && row->off_ms == 0 && known.off_ms > 0)
		return 0;
	if (r == 0 && row->off_ms == 0 && known.proved > row->proved)
		put.proved = known.proved;
	if (r == 0 || r == -ENOENT)
		r = database_put(store->database, &trusts, &put, reason);
	if (r < 0)
		return r;
	return database_change(store->database,
		"DELETE FROM trust WHERE kind IN (SELECT kind FROM trust"
		" ORDER BY turned_off > 0, seen"
		" LIMIT max(0, (SELECT count(*) FROM trust) - ?))",
		&most, 1, &n_rows, reason);
}

struct trust_list {
	int (*callback)(void *userdata, const struct store_trust *row);
	void *userdata;
};

static int on_row(void *userdata, const void *object)
{
	const struct trust_list *list = userdata;

	return list->callback(list->userdata, object);
}

int store_list_trusts(struct store *store,
	int (*callback)(void *userdata, const struct store_trust *row), void *userdata,
	struct reason *reason)
{
	struct trust_list list = {callback, userdata};
	struct store_trust row = {0};

	return database_list(store->database, &trusts, "ORDER BY turned_off DESC, kind", NULL, 0,
		&row, on_row, &list, reason);
}

int store_allow_again(struct store *store, uint32_t *ret_kinds, struct reason *reason)
{
	int r = database_change(store->database, "DELETE FROM trust WHERE turned_off > 0", NULL, 0,
		ret_kinds, reason);

	store_note_files(store);
	return r;
}
