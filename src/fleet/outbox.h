/* SPDX-License-Identifier: MIT */
/*
 * outbox.h - what stands at the broker under each retained topic of this gateway, and what is to
 * stand there. Pure: the caller sends.
 *
 * A topic is sent where its payload is another than before, all are sent once more over a new
 * connection (the broker may have lost them, or be another), and a topic of what is gone is taken
 * back by an empty payload. The list of topics outlives the process, so that this holds over a
 * restart as well: a topic is not sent before it was kept.
 *
 * Of a payload that changes faster than it can be sent, the newest is sent: one of a topic is on
 * its way at a time, and there is no queue.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Who speaks under a topic; what he does not say any more is taken back. */
enum outbox_owner {
	OUTBOX_STATUS, /* sent before all others */
	OUTBOX_SLOTS,
	OUTBOX_UNITS, /* and where Home Assistant looks for them */
	OUTBOX_WISHES,
	OUTBOX_OWNER_MAX,
};

/* Topics above this are not told. */
#define OUTBOX_TOPICS_MOST 4096
/* Messages on their way at a time. */
#define OUTBOX_FLIGHT_MOST 16

struct outbox_item {
	char *topic;
	char *payload; /* to stand there; NULL: nothing */
	enum outbox_owner owner;
	unsigned link_id;    /* of the message on its way; 0: none */
	bool is_from_before; /* a process before sent something, and nothing was said since */
	bool is_said;	     /* since the last sweep of its owner */
	bool is_due;	     /* to be sent, also empty */
	bool is_kept;	     /* in the list on the disk */
};

/* A zeroed one is empty and ready. */
struct outbox {
	struct outbox_item **items; /* by their topics, as strcmp() sorts them */
	size_t n_items;
	size_t turn; /* the item after the one that was sent last */
};

void outbox_done(struct outbox *outbox);

/*
 * The topic is to have this payload, which is copied; NULL takes it back. 0, -ENOMEM, or -E2BIG:
 * there are too many, and it is not told.
 */
int outbox_say(
	struct outbox *outbox, enum outbox_owner owner, const char *topic, const char *payload);

/* All that is to be told by this owner was said since the last call: the rest is taken back. */
void outbox_sweep(struct outbox *outbox, enum outbox_owner owner);

/* The same for an owner who says what changes alone: what is from before is taken back. */
void outbox_end_before(struct outbox *outbox, enum outbox_owner owner);

/* The broker is there, or there again: all that is to stand there is to be sent. */
void outbox_connected(struct outbox *outbox);

/* It is gone, with what was on its way. */
void outbox_disconnected(struct outbox *outbox);

/* What is to be sent next, an empty text for one that is taken back; NULL: nothing, or not now. */
const struct outbox_item *outbox_next(const struct outbox *outbox);

/* That one is on its way under this id of the link, which is not 0. */
void outbox_sent(struct outbox *outbox, const struct outbox_item *item, unsigned link_id);

/* That one can never be sent (it is too large), and is let go until it changes. */
void outbox_pass_over(struct outbox *outbox, const struct outbox_item *item);

/* Whether the id is of one of ours, which has arrived then. */
bool outbox_acknowledged(struct outbox *outbox, unsigned link_id);

/*
 * The list on the disk, a line each. Whether a topic waits for being on it: then nothing new is
 * sent before outbox_write() went to the disk and outbox_kept() was called.
 */
bool outbox_waits_for_list(const struct outbox *outbox);
int outbox_write(const struct outbox *outbox, char **ret, size_t *ret_n);
void outbox_kept(struct outbox *outbox);

/* Takes in the list of a process before. Lines that are none are left out. 0 or -ENOMEM. */
#define OUTBOX_LIST_MOST ((size_t)OUTBOX_TOPICS_MOST * 260)
int outbox_read(struct outbox *outbox, const char *text);
