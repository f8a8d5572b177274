/* SPDX-License-Identifier: MIT */
/*
 * store.h - what the service remembers when it ends: units and attempts, in one SQLite file of the
 * state directory.
 *
 * The service alone writes it, and each change is durable when the function returns: a process that
 * is killed and a host that loses power leave the change before or the change after, never half of
 * one. decide.h and settle.h say what the rows mean for a board.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/report.h"
#include "rules/provision.h"
#include "rules/slot.h"

enum unit_state {
	UNIT_WHOLE,	  /* holds the image of its record, verified */
	UNIT_IN_PROGRESS, /* between the erase and the end of the verification */
	UNIT_FAILED,	  /* a job ended after the erase, and not well */
	UNIT_STATE_MAX,
};

/*
 * The way of a unit back to the image before, from one that did not start, or that its application
 * did not confirm: none, wanted, begun, done or failed, and none again with another image, another
 * rule or a retry. The unit's row keeps how it ended; attempt.h has it on its way. Only settle.c
 * and attempt.c assign it.
 */
enum rollback_state {
	ROLLBACK_NONE,
	ROLLBACK_DONE,	 /* the unit holds the image before, verified and confirmed */
	ROLLBACK_FAILED, /* it was tried, once */
	ROLLBACK_WANTED, /* never in a row: whether there is an image to go back to is not known yet
			  */
	ROLLBACK_BEGUN,	 /* nor this: the next attempt, or the one that runs, goes back */
};

/* "", "done", "failed"; "" for those that are in no row, and for a number of a later version. */
const char *rollback_state_to_string(uint32_t state);

/* The verb for it: an attempt that ended so, and a unit that goes back, did not "start",
 * "confirm", or "pass the boot loader".
 */
const char *rollback_fault(enum outcome failed_as);

/* "whole", "in-progress", "failed". */
const char *unit_state_to_string(enum unit_state state);

/* The user_version of the file. A package that knows an older one is refused by its preinst. */
#define STORE_FORMAT  15

#define STORE_KEY_MAX 700

/* Text is kept as it came, bounded; times are of the wall clock, 0: none. */
struct store_unit {
	char key[STORE_KEY_MAX]; /* what tells it from all others; the store does not read it */
	int64_t id; /* given with the first row, and never to another unit; read only */
	char chip[96];
	char unit[25];	       /* unique id of the chip, "" not known */
	char serial[TEXT_MAX]; /* of the bridge it was last seen behind, and its place */
	char usb_path[TEXT_MAX];
	char slot[SLOT_NAME_SIZE]; /* name of that place then, "" none */
	char board[TEXT_MAX];
	enum unit_state state;
	bool has_state;	      /* one of the three is known: something was erased, or found whole */
	bool is_protected;    /* its flash cannot be read, since it was verified */
	char image[TEXT_MAX]; /* what it holds, or was to hold */
	char version[64];
	char sha256[DIGEST_HEX_SIZE];
	char previous_image[TEXT_MAX]; /* what it held whole before that; "" not known */
	char previous_version[64];
	char previous_sha256[DIGEST_HEX_SIZE];
	uint32_t failures; /* jobs that failed one after the other with the next two, as drops */
	char failed_sha256[DIGEST_HEX_SIZE];
	char failed_rule[DIGEST_HEX_SIZE];
	enum outcome failed_outcome; /* of the last of them */
	uint32_t drops;		     /* jobs in a row whose port went after the erase */
	uint32_t rollback;	     /* enum rollback_state, of the first three */
	/* What the chip had before it was erased last, report.h; "" nothing. */
	char kept[REPORT_KEPT_MAX];
	int64_t not_before_ms; /* the service itself tries no sooner, if it stays plugged in */
	int64_t seen_ms;
};

struct store_attempt {
	char job[33];
	int64_t id;		 /* goes up with each attempt that begins; read only */
	char key[STORE_KEY_MAX]; /* of the unit, "" not known */
	char board[TEXT_MAX];
	char port[TEXT_MAX];
	char serial[TEXT_MAX];
	char usb_path[TEXT_MAX];
	char slot[SLOT_NAME_SIZE]; /* name of that place then, "" none */
	char operation[16];	   /* attempt.h's word; "": of before there was one */
	char cause[24];		   /* why it was written, or not: decide.h's word */
	int64_t plug;		   /* tells one plug-in of a bridge from the next; 0: not known */
	int64_t started_ms;
	int64_t ended_ms;     /* 0: it has not; then the outcome means nothing */
	struct report report; /* without the fields on the byte that differed */
};

/* The value that one unit has for itself (`serialize`). A value of a source is given once. */
#define STORE_SOURCE_MAX 300
struct store_serial {
	char id[STORE_SOURCE_MAX + STORE_KEY_MAX]; /* the store's own */
	char source[STORE_SOURCE_MAX];		   /* of the values: a rule's numbers, or a file */
	char value[PROVISION_VALUE_MAX];
	char key[STORE_KEY_MAX]; /* of the unit */
	char board[TEXT_MAX];
	char usb_path[TEXT_MAX]; /* the slot in which it was given */
	int64_t given_ms;
	int64_t written_ms; /* when it was first in the flash and verified; 0: not yet */
};

/*
 * What was learnt of a faster way of writing on one kind of chip (trust.h). So many kinds are
 * known at most.
 */
#define STORE_TRUST_MOST 200
struct store_trust {
	char kind[64];	 /* what tells it from all others; the store does not read it */
	char name[200];	 /* the same for people */
	uint32_t proved; /* updates that were proved twice */
	int64_t off_ms;	 /* since when it is not used; 0: it is */
	char reason[TEXT_MAX];
	int64_t seen_ms;
};

/*
 * The lowest version that a board may be given: the highest that a signed image was proved with on
 * one of its units, or what somebody has set.
 */
struct store_floor {
	char board[TEXT_MAX];
	char version[64];
	char image[TEXT_MAX]; /* with which it was proved; "": it was set */
	int64_t raised_ms;
};

/* The rows of one commit: of units that of a chip and that of the bridge it is behind, at most. */
struct store_rows {
	struct store_unit units[2];
	struct store_attempt attempt;
	struct store_serial serial;
	struct store_trust trusts[2];
	struct store_floor floor; /* raises that of its board, where it is higher */
	unsigned n_units;
	unsigned n_trusts;
	bool has_attempt;
	bool has_serial;
	bool has_floor;
};

struct store;

/* Results of store_open() and store_open_to_read() beside -errno. */
enum store_result {
	STORE_OK,
	STORE_HELD,    /* another service has it; the reason says who */
	STORE_NEWER,   /* made by a later version, left as it is */
	STORE_RENEWED, /* damaged: set aside under another name, and begun anew */
};

/*
 * Opens the store of the state directory for the service, makes it where there is none and brings
 * an older one up to date. Attempts that have no end are closed as failed: their service ended
 * before them. STORE_OK and STORE_RENEWED set `ret`; a negative result is that of a directory or
 * disk that cannot be written, with the reason.
 */
int store_open(const char *directory, struct store **ret, struct reason *reason);

/*
 * For reading, beside the service of another process or without one; without one, attempts that
 * have no end read as store_open() will close them. STORE_OK, STORE_NEWER, -ENOENT, another -errno.
 */
int store_open_to_read(const char *directory, struct store **ret, struct reason *reason);

/*
 * Whether the files are no more as this service left them: taken away, put back, or written by
 * somebody else. Rows that are read from them, or go into them, cannot be relied on then.
 */
bool store_is_changed(const struct store *store);

/* Whether it has the attempt of this job; false also where that cannot be told. */
bool store_has_attempt(struct store *store, const char *job, struct reason *reason);

/* The id of that attempt, 0 where there is none, and of the newest, 0 in an empty store. 0 or
 * -errno with the reason. */
int store_find_attempt_id(
	struct store *store, const char *job, int64_t *ret, struct reason *reason);
int store_find_last_id(struct store *store, int64_t *ret, struct reason *reason);

/* NULL is fine. */
struct store *store_close(struct store *store);

/* The same for one that is changed: into what is there now nothing is written. */
struct store *store_abandon(struct store *store);

/* The unit of that key; -ENOENT when there is none, another -errno with the reason. */
int store_find_unit(
	struct store *store, const char *key, struct store_unit *ret, struct reason *reason);

/* While somebody reads the store, its log grows with each change, up to this. */
#define STORE_LOG_MOST (16 * 1024 * 1024)

/*
 * Writes all of them in one transaction; rows of the same unit, job or value are replaced. 0 once
 * they are on the disk. -errno with the reason, and nothing changed: -ENOSPC, -EROFS, -EIO,
 * -EBADMSG for a damaged file; -EIO or another -errno too where another unit has the value.
 */
int store_save(struct store *store, const struct store_rows *rows, struct reason *reason);

/* Of a store, in hexadecimal digits, with the NUL. */
#define STORE_IDENTITY_SIZE 33

/* What the service is to know again when it is started: a name, and text that the store does not
 * read. */
#define STORE_SETTING_MAX 2048

/*
 * On the disk when it returns; NULL takes it away. 0, -EMSGSIZE for text that is too long, another
 * -errno with the reason.
 */
int store_set_setting(
	struct store *store, const char *name, const char *value, struct reason *reason);

/* -ENOENT when there is none, another -errno with the reason. */
int store_find_setting(struct store *store, const char *name, char ret[static STORE_SETTING_MAX],
	struct reason *reason);

/*
 * An attempt that begins, as store_save() but for one thing: it outlives this process, and is on
 * the disk with the next store_save(). A synchronised write for each coming of a bridge would wear
 * the card of a gateway.
 */
int store_save_begin(
	struct store *store, const struct store_attempt *attempt, struct reason *reason);

/* -ENOENT when there is none, another -errno with the reason. */
int store_find_serial(struct store *store, const char *source, const char *key,
	struct store_serial *ret, struct reason *reason);
/* Of a source of numbers. */
int store_find_serial_highest(
	struct store *store, const char *source, struct store_serial *ret, struct reason *reason);

/* All that were given of the source, as strcmp() sorts them; ends as the lists below. */
int store_list_serial_values(struct store *store, const char *source,
	int (*callback)(void *userdata, const char *value), void *userdata, struct reason *reason);

/*
 * Whether values of this source may have been given that nobody knows of any more: none is known,
 * and a damaged store lies beside this one, whose path this is.
 */
bool store_has_lost_serials(struct store *store, const char *source, char *aside, size_t size);

/* Values that were given in one slot since then: all, and those in a row that were never verified.
 */
struct store_serial_rate {
	uint32_t n_given;
	uint32_t n_unverified;
};

int store_find_serial_rate(struct store *store, const char *path, int64_t since_ms,
	struct store_serial_rate *ret, struct reason *reason);

/* -ENOENT when there is none, another -errno with the reason. */
int store_find_trust(
	struct store *store, const char *kind, struct store_trust *ret, struct reason *reason);

/* All kinds, those that were turned off last first; ends as the lists below. */
int store_list_trusts(struct store *store,
	int (*callback)(void *userdata, const struct store_trust *row), void *userdata,
	struct reason *reason);

/* What is off is on trial again, as if nobody knew its kind. */
int store_allow_again(struct store *store, uint32_t *ret_kinds, struct reason *reason);

/* -ENOENT when the board has none, another -errno with the reason. */
int store_find_floor(
	struct store *store, const char *board, struct store_floor *ret, struct reason *reason);

/* Sets it, higher or lower; a version "" takes it away. On the disk when it returns. */
int store_set_floor(struct store *store, const struct store_floor *floor, struct reason *reason);

/* Of which units or attempts; NULL and 0 are all. Texts must be equal, ids may be their beginning.
 */
struct store_filter {
	const char *unit;
	const char *key; /* for store_forgive() alone */
	const char *board;
	const char *usb_path;
	const char *slot; /* the place, or the name that it had then */
	const char *port;
	const char *outcome;
	int64_t since_ms;
	int64_t until_ms;
	uint32_t limit; /* the first so many of the list; 0: all */
	/* By ascending ids, those above after_id, in place of the newest first. */
	bool by_id;
	int64_t after_id;
};

/* Forgets the failures of these units, so that they are tried again. */
int store_forgive(struct store *store, const struct store_filter *filter, uint32_t *ret_units,
	struct reason *reason);

/* The newest first, or by id; a callback that returns something else than 0 ends the list with
 * that. */
int store_list_attempts(struct store *store, const struct store_filter *filter,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason);

/*
 * The attempts that count.h makes counts of, by ascending ids: all that ended, or those that ended
 * from `since_ms` to before `until_ms` (0: no bound) with all others of their units.
 */
int store_list_counted(struct store *store, int64_t since_ms, int64_t until_ms,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason);

/* The same for the unit of one attempt, whose key and plug-in these are; the newest thousand. */
int store_list_counted_unit(struct store *store, const char *key, int64_t plug,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason);

/* The same for all units that this rule tried in attempts above the id. */
int store_list_counted_batch(struct store *store, int64_t after_id, const char *board,
	int (*callback)(void *userdata, const struct store_attempt *attempt), void *userdata,
	struct reason *reason);

struct count_cells;

/*
 * Units by day, rule and slot, as count.h has them; the times of the filter are those of the end.
 * 0; -E2BIG where that needs more than `most` attempts (0: no bound); another -errno; all with the
 * reason.
 */
int store_count(struct store *store, const struct store_filter *filter, uint32_t most,
	struct count_cells *ret, struct reason *reason);

int store_list_units(struct store *store, const struct store_filter *filter,
	int (*callback)(void *userdata, const struct store_unit *unit), void *userdata,
	struct reason *reason);
