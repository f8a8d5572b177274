/* SPDX-License-Identifier: MIT */
/*
 * systemd1.h - systemd's manager on the system bus (org.freedesktop.systemd1(5)): the state of
 * units, and jobs that stop and start them.
 *
 * One connection, made by the first order and closed by systemd1_rest(). Nothing here waits: each
 * order is answered by a callback, exactly once, unless systemd1_forget() or systemd1_free() came
 * before. What fails at once is answered from the event loop all the same.
 */
#pragma once

#include <stddef.h>

#include <systemd/sd-event.h>

#include "api/report.h"
#include "service/handover.h"

struct systemd1;

/* Why an order was not carried out. */
enum systemd1_fault {
	SYSTEMD1_AWAY = 1,   /* no bus, no systemd on it, no answer, or the connection was lost */
	SYSTEMD1_REFUSED,    /* polkit does not allow it */
	SYSTEMD1_CONFLICT,   /* another job stands against it, as those of a shutdown do */
	SYSTEMD1_SLOW,	     /* the job was taken, and has not ended in its time */
	SYSTEMD1_MASKED,     /* somebody does not want the unit to run */
	SYSTEMD1_IMPOSSIBLE, /* the unit is not there, or systemd says another reason */
};

/* `fault` 0: done. Else the reason says it in words of systemd. */
struct systemd1_answer {
	int fault;
	struct reason reason;
	const struct systemd_unit *units; /* of systemd1_list() */
	size_t n_units;
	const char *result; /* of systemd1_stop() and systemd1_start(): how the job ended */
};

typedef void (*systemd1_callback)(void *userdata, const struct systemd1_answer *answer);

/* 0 or -ENOMEM. */
int systemd1_new(sd_event *event, struct systemd1 **ret);
struct systemd1 *systemd1_free(struct systemd1 *systemd1);

/* The state of units, which are loaded for it; unknown names are "not-found". At most
 * SYSTEMD1_UNITS_MOST of them are told. */
#define SYSTEMD1_UNITS_MOST 16
int systemd1_list(struct systemd1 *systemd1, char *const *names, size_t n_names,
	systemd1_callback callback, void *userdata);

/*
 * Stops or starts a unit, and answers when the job has ended, or its order was refused. A stop
 * takes the place of a job that is queued, and is given twice the time that the unit has for it by
 * TimeoutStopSec=, for SIGTERM and then SIGKILL; three minutes at most. A start takes no job's
 * place: nothing that somebody else has ordered is undone; `is_forced`: but the stop that was
 * ordered here and has not ended is. Once the order was taken `on_queued` is called, which may be
 * NULL.
 */
int systemd1_stop(struct systemd1 *systemd1, const struct systemd_unit *unit,
	systemd1_callback callback, void *userdata);
int systemd1_start(struct systemd1 *systemd1, const char *id, bool is_forced,
	void (*on_queued)(void *userdata), systemd1_callback callback, void *userdata);

/* Answers nothing of this userdata any more; what was ordered is not undone. */
void systemd1_forget(struct systemd1 *systemd1, const void *userdata);

/* Nothing is to be asked in the near future: the connection is closed where no order is open. */
void systemd1_rest(struct systemd1 *systemd1);
