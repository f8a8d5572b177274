/* SPDX-License-Identifier: MIT */
/*
 * owners.h - the units of systemd that own ports (`port-owner`): stopped before a board is worked
 * on, and started again after the last job that needed them down.
 *
 * A unit that is down for a board is kept in the store before its stop is ordered and until it was
 * started again: a service that was killed in between starts it when it begins. handover.h decides.
 * Without units there is no connection, no timer and no row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <systemd/sd-event.h>

#include "api/report.h"
#include "service/records.h"

struct owners;

/* How a job ended, for the owner of its port. */
enum owners_end {
	OWNERS_WELL,   /* the board is as it was, or holds its image */
	OWNERS_TORN,   /* it was erased, and holds nothing whole */
	OWNERS_PULLED, /* it went in the middle of the job */
};

/* A unit that is to be started again waits where a board needs it down. */
struct owners_need {
	bool is_used; /* by a job that has not ended */
	bool is_soon; /* by one that is to begin in a moment: handover.h */
};

/* The ports of one job are free, or its units could not be stopped. */
struct owners_answer {
	bool is_free;
	bool is_final;	      /* not free, and another try in a moment changes nothing */
	struct reason reason; /* not free: why, and what to do */
	char stopped[400];    /* units that were stopped for it, blanks between; "" none were */
	uint64_t took_usec;
};

/* The caller's, and alive as long as the owners are. */
struct owners_parts {
	sd_event *event;
	struct records *records; /* NULL: nothing is kept */
	/* Whether a board needs the unit down. A unit has its own name, and the one of the rule. */
	struct owners_need (*need)(void *userdata, const char *id, const char *name);
	void (*on_change)(void *userdata); /* owners_turn() is due */
	void *userdata;
};

/* 0 or -ENOMEM. */
int owners_new(const struct owners_parts *parts, struct owners **ret);

/* Starts nothing any more: what is still down stays in the store. NULL is fine. */
struct owners *owners_free(struct owners *owners);

/* Units that an earlier service left down are down, and are started when no board needs that. */
void owners_recall(struct owners *owners);

typedef void (*owners_callback)(void *userdata, const struct owners_answer *answer);

/*
 * Has those of the units stopped that run. Answered once, and not from within this, unless
 * owners_forget() comes before. 0 or -ENOMEM: then nothing is answered.
 */
int owners_take(struct owners *owners, char *const *names, size_t n_names, owners_callback callback,
	void *userdata);

/* Nobody waits for the answer to this userdata any more. */
void owners_forget(struct owners *owners, const void *userdata);

/* The job has ended so, at the board in this place of the USB tree, NULL: not known, and of this
 * unique id, "" not known. */
void owners_note_end(struct owners *owners, char *const *names, size_t n_names, enum owners_end end,
	const char *usb_path, const char *unit);

/* The rules are others. `is_named` tells whether one of them names the unit. */
void owners_review(
	struct owners *owners, bool (*is_named)(void *userdata, const char *name), void *userdata);

/* Starts those that no board needs down any more; `is_stopping`: the service ends. */
void owners_turn(struct owners *owners, bool is_stopping);

/* Whether the service may end: none is still to be started, or cannot be now. */
bool owners_are_settled(const struct owners *owners);

/* The units that are down, blanks between. */
void owners_list_down(const struct owners *owners, char *to, size_t size);
