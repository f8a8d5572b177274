/* SPDX-License-Identifier: MIT */
/* store-floor.c - the lowest version that each board may be given. */
#include <errno.h>

#include "base/util.h"
#include "image/version.h"
#include "records/store-private.h"

static const struct column floor_columns[] = {
	TEXT(struct store_floor, "board", board),
	TEXT(struct store_floor, "version", version),
	TEXT(struct store_floor, "image", image),
	NUMBER(struct store_floor, "raised", raised_ms),
};

static const struct database_table floors = {"floors", floor_columns, ARRAY_SIZE(floor_columns)};

int store_find_floor(
	struct store *store, const char *board, struct store_floor *ret, struct reason *reason)
{
	const struct database_value value = {.text = board};

	return database_find(store->database, &floors, "WHERE board = ?", &value, 1, ret, reason);
}

/* One that is as high, or higher, stays. */
int store_raise_floor(struct store *store, const struct store_floor *floor, struct reason *reason)
{
	struct store_floor known;
	int r = store_find_floor(store, floor->board, &known, reason);

	if (r == 0 && version_compare(floor->version, known.version) <= 0)
		return 0;
	return r < 0 && r != -ENOENT ? r : database_put(store->database, &floors, floor, reason);
}

int store_set_floor(struct store *store, const struct store_floor *floor, struct reason *reason)
{
	const struct database_value board = {.text = floor->board};
	uint32_t n_rows;
	int r = *floor->version
			? database_put(store->database, &floors, floor, reason)
			: database_change(store->database, "DELETE FROM floors WHERE board = ?",
				  &board, 1, &n_rows, reason);

	store_note_files(store);
	return r;
}
