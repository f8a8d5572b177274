/* SPDX-License-Identifier: MIT */
/*
 * events.h - an event for each attempt, in order, at least once. Pure: the caller asks the service
 * for attempts, and sends.
 *
 * The store of the service is the spool: what was not acknowledged is read from it again, so that a
 * week without network and a process that is killed lose nothing. All that is kept here is the
 * cursor, the last attempt that the broker acknowledged with all before it. Ids of a store go up by
 * one with each attempt, so that a step is a gap: attempts that the store has dropped, as it does
 * with the oldest. A backup of the store gives ids again: it is told by the job of the attempt at
 * the cursor, and a receiver knows an event by its job; one that comes twice has the same.
 *
 * An attempt that still runs holds back those behind it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/dict.h"

/* Events that are read ahead; what is on its way is among them. */
#define EVENTS_AHEAD	   32
#define EVENTS_FLIGHT_MOST 16

/* A gateway that never told anything begins with the last ones, not with years of a store. */
#define EVENTS_FIRST 200

/* Of the identity of a store, and of a job, with the NUL. */
#define EVENTS_STORE_SIZE 33
#define EVENTS_JOB_SIZE	  33

struct event_cursor {
	char store[EVENTS_STORE_SIZE]; /* "": it has no identity, or none is known yet */
	char job[EVENTS_JOB_SIZE];     /* of the attempt with that id; "": not known */
	uint64_t id;
	bool is_known;
};

struct event {
	struct event_cursor after; /* the cursor once it is acknowledged */
	char *payload;
	unsigned link_id;     /* of the message on its way; 0: none */
	bool is_acknowledged; /* behind one that is not */
};

struct events {
	const char *gateway;	       /* borrowed */
	char store[EVENTS_STORE_SIZE]; /* of the service that is there */
	struct event_cursor cursor;    /* to be kept */
	bool is_cursor_new; /* and another than it was kept last: whoever keeps it clears it */
	struct event_cursor read; /* up to there events were made */
	struct event items[EVENTS_AHEAD];
	size_t n_items;
	bool is_there;	 /* the service */
	bool is_checked; /* the store is that of `read` */
	bool is_behind;	 /* the service may have more */
	bool is_held;	 /* the next attempt still runs */
	bool is_asking;
	bool is_asking_first; /* the question under way is what the store is */
};

/* The gateway is borrowed, `cursor` NULL at the first start ever. */
void events_init(struct events *events, const char *gateway, const struct event_cursor *cursor);
void events_done(struct events *events);

/* The service is there, with this store ("": it does not tell); or it is gone. */
void events_service(struct events *events, bool is_there, const char *store);

/* An attempt may have ended. */
void events_wake(struct events *events);

/* A question for ListAttempts. */
struct events_question {
	uint64_t after_id;
	uint32_t max;
	bool newest;
};

/* Whether the service is to be asked now. It is, once events_asked() says so. */
bool events_question(const struct events *events, struct events_question *ret);
void events_asked(struct events *events);

/* Its rows. 0, or -ENOMEM: it is asked again with the next events_wake(). */
int events_take(struct events *events, const struct dict *rows, size_t n_rows);

/* There was no answer: likewise. */
void events_failed(struct events *events);

/* What is to be sent next; NULL: nothing, or not now. */
const struct event *events_next(const struct events *events);
void events_sent(struct events *events, const struct event *event, unsigned link_id);

/* That one can never be sent (it is too large), and is passed over. */
void events_pass_over(struct events *events, const struct event *event);

/* Whether the id is of one of ours, which has arrived then. */
bool events_acknowledged(struct events *events, unsigned link_id);

/* The broker is gone, with what was on its way. */
void events_disconnected(struct events *events);

/* The cursor as a file has it: "STORE ID JOB" or "STORE ID", "-" for a store without identity. */
#define EVENTS_CURSOR_MAX 96
void event_cursor_write(const struct event_cursor *cursor, char to[static EVENTS_CURSOR_MAX]);
/* Whether it is one. */
bool event_cursor_read(const char *text, struct event_cursor *ret);
