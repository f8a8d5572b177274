/* SPDX-License-Identifier: MIT */
/*
 * desired.h - the payloads of the desired topics, as they came last, kept in the state directory: a
 * gateway that is started without its broker goes on with what it knows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "fleet/wish.h"

/* Topics that are kept, of gateway and groups together. */
#define DESIRED_MOST	  64

#define DESIRED_GROUP_MAX 128

/* What one topic says. */
struct desired_item {
	char group[DESIRED_GROUP_MAX];	  /* "": the gateway's own */
	char topic_board[WISH_BOARD_MAX]; /* as the topic says it; "": it does not */
	char digest[DIGEST_HEX_SIZE];	  /* of the payload; "": it is not taken as a whole */
	bool is_heard;			  /* since desired_begin() */
	bool is_good;
	struct wish wish;    /* when it is good */
	struct reason note;  /* keys that were passed over; "" none */
	struct reason fault; /* when it is not */
};

struct desired {
	int state;	     /* the open directory, borrowed */
	size_t payload_most; /* bytes; what has more is as one that cannot be understood */
	struct desired_item *items;
	size_t n_items;
};

/*
 * Reads what was kept. Topics of groups that are not among these are forgotten. A zeroed desired
 * but for `state` and `payload_most`. 0, or -errno with the reason.
 */
int desired_read(
	struct desired *desired, char *const *groups, size_t n_groups, struct reason *reason);
void desired_done(struct desired *desired);

enum desired_result {
	DESIRED_CHANGED,
	DESIRED_SAME,	 /* it says what it said */
	DESIRED_REFUSED, /* it is not kept: the reason says why */
};

/*
 * What desired_take() would make of a message, but for the disk: nothing is changed, except that
 * the topic counts as heard. `n_promised` further topics have a place already.
 */
enum desired_result desired_judge(struct desired *desired, const char *group, const char *board,
	const void *payload, size_t n_payload, size_t n_promised, struct reason *reason);

/*
 * A message of a topic: `group` "" is the gateway's own, `board` "" where the topic does not say
 * it. No bytes forget it. On the disk when it returns. An enum desired_result, or -errno with
 * the reason: it is taken then all the same, as far as it could be read, but all that a restart
 * knows is that the topic said something, where it had done so before; the same message is news
 * again.
 */
int desired_take(struct desired *desired, const char *group, const char *board, const void *payload,
	size_t n_payload, struct reason *reason);

/*
 * All retained messages come once more from now on; and all came: topics that were not among them
 * are forgotten, for they were taken back meanwhile, but for those of groups that were spared. The
 * latter: 0 or -errno.
 */
void desired_begin(struct desired *desired);
void desired_spare(struct desired *desired, const char *group); /* NULL: the gateway's own */
int desired_end(struct desired *desired);

/* Whether a message of the topic is kept. */
bool desired_has(const struct desired *desired, const char *group, const char *board);

/* The board that the item is for, "" where that cannot be known. */
const char *desired_board(const struct desired_item *item);

/* What that topic says for the board: `group` "" is the gateway's own. NULL: nothing. */
const struct desired_item *desired_find_in(
	const struct desired *desired, const char *group, const char *board);

/* The one in force for a board: the gateway's own, else that of the first group that has one. NULL:
 * nothing is desired. */
const struct desired_item *desired_find(
	const struct desired *desired, char *const *groups, size_t n_groups, const char *board);

/* Whether any topic, in force or not, names an image of that name. */
bool desired_names(const struct desired *desired, const char *image);
