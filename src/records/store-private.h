/* SPDX-License-Identifier: MIT */
/* store-private.h - what store.c and the files beside it share: the open file, and rows as columns.
 */
#pragma once

#include "records/database.h"
#include "records/store-file.h"
#include "records/store.h"

struct store {
	struct database *database;
	int lock;
	char path[4096];
	unsigned n_saves;	  /* of units, up to the next pruning */
	struct store_traces seen; /* after the last change that was made here */
};

/* Of the files after a change of our own, and now: what this service wrote before is still there.
 */
void store_note_files(struct store *store);

/* Within the transaction of store_save(). */
int store_put_serial(struct store *store, const struct store_serial *serial, struct reason *reason);

int store_put_trust(struct store *store, const struct store_trust *row, struct reason *reason);

int store_raise_floor(struct store *store, const struct store_floor *floor, struct reason *reason);

/* Of store-columns.c. */
extern const struct database_table store_units, store_attempts;
/* Of attempts, what count.c reads. */
extern const struct database_table store_counted;

#define SIZE_OF(type, member) sizeof(((type *)NULL)->member)
#define PLACE(type, member)   offsetof(type, member), SIZE_OF(type, member)
#define TEXT(type, name, member)                                                     \
	{                                                                            \
		name, COLUMN_TEXT, PLACE(type, member), COLUMN_ALWAYS, 0, NULL, NULL \
	}
#define NUMBER(type, name, member)                                                     \
	{                                                                              \
		name, COLUMN_NUMBER, PLACE(type, member), COLUMN_ALWAYS, 0, NULL, NULL \
	}
/* The number that the store gives a new row. */
#define ID(type, name, member)                                                     \
	{                                                                          \
		name, COLUMN_ID, PLACE(type, member), COLUMN_ALWAYS, 0, NULL, NULL \
	}
#define AS(type, name, member, what)                                                         \
	{                                                                                    \
		name, COLUMN_CONVERTED, PLACE(type, member), COLUMN_ALWAYS, 0, write_##what, \
			read_##what                                                          \
	}
/* NULL where `presence` is 0. */
#define AS_IF(type, name, member, what, presence)                                                 \
	{                                                                                         \
		name, COLUMN_CONVERTED, PLACE(type, member), PLACE(type, presence), write_##what, \
			read_##what                                                               \
	}
