/* SPDX-License-Identifier: MIT */
/* save.h - single rows into a store, as store_save() takes many. */
#pragma once

#include "records/store.h"

/* Either may be NULL. */
static inline int save_rows(struct store *store, const struct store_unit *unit,
	const struct store_attempt *attempt, struct reason *reason)
{
	struct store_rows rows = {.n_units = unit != NULL, .has_attempt = attempt != NULL};

	if (unit)
		rows.units[0] = *unit;
	if (attempt)
		rows.attempt = *attempt;
	return store_save(store, &rows, reason);
}

static inline int save_serial(
	struct store *store, const struct store_serial *serial, struct reason *reason)
{
	const struct store_rows rows = {.serial = *serial, .has_serial = true};

	return store_save(store, &rows, reason);
}
