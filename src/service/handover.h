/* SPDX-License-Identifier: MIT */
/*
 * handover.h - what is done with the units that own a port: whether one is stopped for a board, and
 * when it is started again. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A unit as ListUnitsByNames of org.freedesktop.systemd1(5) tells it. */
struct systemd_unit {
	const char *name;   /* as it was asked for, which may be an alias */
	const char *id;	    /* its own */
	const char *load;   /* "loaded", "not-found", "masked" ... */
	const char *active; /* "active", "activating", "inactive" ... */
	const char *job;    /* the type of the job that is queued for it, "" none */
	const char *path;   /* its object on the bus */
};

enum handover_way {
	HANDOVER_LEAVE,	 /* it does not run, and is none of ours */
	HANDOVER_STOP,	 /* it is stopped, and started afterwards */
	HANDOVER_AWAIT,	 /* somebody else has ordered its stop: the end of that is waited for */
	HANDOVER_TAKE,	 /* it does not run, and is started afterwards all the same */
	HANDOVER_REFUSE, /* it runs, and could not be started again */
	HANDOVER_WAY_MAX,
};

/*
 * What a board does to a unit that owns its port. `is_owed`: the service has started it on a stick
 * that was torn or gone, and it may have failed for that.
 */
enum handover_way handover_way_of(const struct systemd_unit *unit, bool is_owed);

/* Whether a job of systemd that ended with this word has done what it was for. */
bool handover_is_done(const char *result);

/* A board that is tried again within this time is not given back to its owner before. So long, too,
 * does the owner of one wait that was pulled out in the middle of a job. */
#define HANDOVER_MOMENT_USEC (120 * UINT64_C(1000000))

/* The time is not known: something else has to happen first. */
#define HANDOVER_NEVER UINT64_MAX

struct bridge;

/* Whether a board is going to be tried in a moment, or is being tried. Its rule is the caller's. */
bool handover_is_soon(const struct bridge *bridge, uint64_t now_usec);

/* Facts of a unit that is down for a board. */
struct handover_case {
	bool is_used;	       /* a job that took it has not ended */
	bool is_soon;	       /* a board whose rule names it is tried in a moment */
	bool is_stopping;      /* the service ends: nobody repairs anything any more */
	uint64_t lingers_usec; /* until then it waits for a board that is gone; 0: for none */
	uint64_t retry_usec;   /* an order to start it failed, and is not repeated before; 0 */
};

/* How long it still stays down: 0 it is started now, HANDOVER_NEVER. */
uint64_t handover_wait(const struct handover_case *facts, uint64_t now_usec);
