/* SPDX-License-Identifier: MIT */
/*
 * records.h - what the service does with what is kept of units: it owns the store, gives workers
 * the answers that follow from it, and keeps how attempts end. decide.h and settle.h decide on a
 * unit.
 *
 * An attempt costs three writes. That it begins is written without waiting for the disk. The rows
 * of its erase are one commit, on the disk before the worker is told that it may erase. Its end is
 * one commit. While the disk takes nothing, rows wait in memory until it does. Without a store each
 * chip is asked as if it were new, and one entry says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dict.h"
#include "records/attempt.h"
#include "records/count.h"
#include "rules/facts.h"

/* Writes that the store did not take yet. A failed disk must not fill the memory: the oldest go. */
#define RECORDS_PENDING_MOST 32

struct records {
	char *directory;
	struct store *store; /* NULL while there is none */
	bool is_required;    /* nothing is erased that cannot be kept */
	bool is_newer;	     /* of a later version: left as it is */
	bool is_trouble_told;
	struct store_rows *pending; /* the oldest first; NULL: none */
	size_t n_pending;
	/* Of the attempt that was saved last: a store without it is another one. */
	char last_job[33];
	/* Rows of before that say a unit is whole are not believed; 0: they are. */
	int64_t trusted_since_ms;
	struct dict settings; /* of records_keep_setting() */
	unsigned n_lost;      /* attempts whose end had no room there, since that was last said */
	struct day_counts today; /* of records_today() */
	bool is_today_counted;	 /* from the store */
	struct batch batch;	 /* without a board: none runs */
	uint64_t retried_usec;	 /* when the last attempt to save them failed, 0: none did */
	char *turned_off;	 /* of records_turned_off(); NULL: nothing is */
	bool is_off_read;	 /* from the store, as it is now */
	char identity[STORE_IDENTITY_SIZE]; /* of records_identity() */
	bool is_identity_read;
	uint64_t floor_ms; /* of records_note_floor() */
};

/*
 * Opens the store of the directory. 0, also where there can be none; STORE_HELD when another
 * service has it: an entry says who, and this one is to end. -ENOMEM.
 */
int records_open(struct records *records, const char *directory);

/* Saves what waits, as far as the store takes it. */
void records_close(struct records *records);

/* Saves what waits, in case the store takes it now; seldom enough that a full disk costs nothing.
 */
void records_retry(struct records *records);

/* The mark of a rule of this text, as the policy of an attempt has it. */
void records_mark_rule(const char *rule, char to[17]);

/*
 * What the service is to know again when it is started (pause, batch): a short name, and text of
 * less than STORE_SETTING_MAX bytes. On the disk when it returns; NULL takes it away. 0; -ENODEV
 * without a store (`records` may be NULL), another -errno with an entry: then it is forgotten with
 * the service.
 */
int records_set_setting(struct records *records, const char *name, const char *value);

/* The same for what is in force whatever the store says: one that comes later, or another one in
 * its place, gets it too. */
int records_keep_setting(struct records *records, const char *name, const char *value);

/* 0, -ENOENT where there is none, -ENODEV or another -errno as above. */
int records_get_setting(
	struct records *records, const char *name, char ret[static STORE_SETTING_MAX]);

/*
 * In the following three `records` may be NULL: then nothing is kept, each unit is new, and none is
 * tried again by the service.
 */

/*
 * An attempt is about to be told of: it has a row from here on, also if the service is killed. The
 * row may be lost with the power of the host, as the journal's last entries may.
 */
void records_begin(
	struct records *records, const struct attempt *attempt, const struct facts *facts);

/* The answer to a question of the worker, noted in the attempt; the marks that it asks for are
 * durable by then. */
void records_answer(struct records *records, struct attempt *attempt, const struct facts *facts,
	enum question question, const struct report *so_far, struct answer *ret);

/*
 * Keeps the end of the attempt. The report is the one that was believed, and then the one to be
 * told; the attempt's rollback and note say what else is. Returns how long to wait before the
 * service tries the unit again by itself, 0: it does not.
 */
uint64_t records_end(struct records *records, struct attempt *attempt, const struct facts *facts,
	struct report *report);

/*
 * The unit cannot go back after all: it counts as tried. Returns its failures where they leave it
 * in quarantine from now on, else 0.
 */
unsigned records_end_rollback(struct records *records, struct attempt *attempt);

/*
 * The counts of the day that it is now; made of the store when the day is another one, else cheap
 * to ask. The records' own, until they are asked again.
 */
const struct day_counts *records_today(struct records *records);

/*
 * A batch that is given without what is kept of it: kept, and counted from now on. 0 once it is on
 * the disk, else -errno, with an entry, and none runs.
 */
int records_begin_batch(struct records *records, const struct batch *batch);

/* No batch runs any more, now and after a restart. */
void records_end_batch(struct records *records);

/* The one of before a restart, as far as it is done by what is kept. 0, -ENOENT or another -errno:
 * then none runs. */
int records_recall_batch(struct records *records);

/*
 * Somebody else is about to change the flash behind this bridge: what is on record of it is not
 * believed from now on. That is the unit of `key` ("": none was seen since it was plugged in), the
 * one that was seen last at this place behind the same bridge, and whatever is known by the bridge
 * alone.
 */
void records_distrust(struct records *records, const struct facts *facts, const char *key);

/*
 * What is off of faster ways of writing, each kind with the reason, in one text; "" nothing is. The
 * records' own, until they are asked again; cheap to ask.
 */
#define RECORDS_OFF_MAX 600
const char *records_turned_off(struct records *records);

/*
 * What tells this store from all others, also from one that takes its place: 32 hexadecimal digits;
 * "" without a store. It is made with the first question.
 */
const char *records_identity(struct records *records);

/* An older copy of the store took its place: it gives ids again that others know already, and is
 * another one from now on. */
void records_renew_identity(struct records *records);

/* What is off is on trial again. The number of kinds, or -errno. */
int records_allow_again(struct records *records);

/* Tries units again that failed too often: those of the filter. The number of them, or -errno. */
int records_forgive(struct records *records, const struct store_filter *filter);

/*
 * The unit of `key`, or where that is "" the one that was seen last at this place behind the same
 * bridge; `board` NULL: by whichever rule. Empty where none is known; `records` may be NULL.
 */
void records_find_behind(struct records *records, const struct facts *facts, const char *key,
	const char *board, struct store_unit *ret);

/*
 * The rest of the time that the unit was to wait which was seen last at this bridge, by the
 * rule as it is now, `mark` its mark; 0: nothing, or it failed under another rule, was to get
 * another image, or was seen before the host was started last.
 */
uint64_t records_rest(struct records *records, const struct facts *facts, const struct board *board,
	const char *mark, const char *image);

/* ------------------------------------------------------------- for answer.c and provision.c */

/* Opens the store where there is none and can be one now. Whether there is one. */
bool records_open_store(struct records *records);

/*
 * After a change of the store, with its result: where a file that is no more there took it, or it
 * is damaged, the one that is there now is opened. Whether the change is to be made once more in
 * it; where there is none, the result is -ENODEV.
 */
bool records_follow(struct records *records, int *r);

/* Whether the unit is known; else it is empty but for its key. */
bool records_find(struct records *records, const char *key, struct store_unit *ret);

/* The value of `serialize` that the unit has by this rule. 0, -ENOENT where it has none yet,
 * -ENODEV without a store, another -errno with the reason. */
int records_find_serial(struct records *records, const struct attempt *attempt, const char *key,
	struct store_serial *ret, struct reason *reason);

/* The row of the kind that the report is about, also of one that nobody knows. False where the
 * report is of no kind. */
bool records_find_trust(struct records *records, enum trust_way way, const struct report *report,
	struct store_trust *ret);

/* The floor of the board; empty where it has none, or none can be read. `records` may be NULL. */
void records_find_floor(struct records *records, const char *board, struct store_floor *ret);

/*
 * A floor is another one, or any may be: with the store that is opened. `floor_ms` is when that was
 * last, and another number each time: whoever knows floors asks for them again.
 */
void records_note_floor(struct records *records);

/* The end of an attempt is about to raise the floor of its board, where that is lower. */
void records_note_raise(struct records *records, const struct store_floor *floor);

/* Somebody sets it; a version "" takes it away. 0, -ENODEV without a store, -EBUSY while it
 * takes nothing, another -errno. */
int records_set_floor(struct records *records, const char *board, const char *version);

/* The answer to QUESTION_TRUST; `records` may be NULL. */
void records_answer_trust(struct records *records, const struct attempt *attempt,
	const struct report *so_far, struct answer *ret);

/*
 * As store_save(); whether the rows are on the disk. Rows that are not wait for the next save, and
 * records_find() knows of them meanwhile. A value of `serialize` goes into no other store than the
 * one that it was taken from.
 */
bool records_save(struct records *records, const struct store_rows *rows);

/* The same, but rows that cannot be saved now are dropped. */
bool records_save_now(struct records *records, const struct store_rows *rows);

/* Counts the end of an attempt, whose row is not saved yet. */
void records_count_end(struct records *records, const struct store_attempt *row);

/* The store is another one: the batch goes on in it, with what it has done so far. */
void records_move_batch(struct records *records);

/* The entry that the store is unusable; made once until it works again. */
void records_tell_trouble(struct records *records, const struct reason *reason);
