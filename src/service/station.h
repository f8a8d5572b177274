/* SPDX-License-Identifier: MIT */
/*
 * station.h - the jobs of all bridges: which rule each gets, whose turn it is, and what a reload,
 * an unplugging or the end of the service means for them.
 *
 * Owns jobs and configuration. Jobs start and are freed in station_turn() only, which the manager
 * calls soon after a change and never from within one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <systemd/sd-event.h>

#include "rules/config.h"
#include "service/flap.h"
#include "service/hook.h"
#include "service/image-cache.h"
#include "service/inhibitor.h"
#include "service/job.h"
#include "service/memory.h"
#include "service/requests.h"

struct station_callbacks {
	void (*on_change)(void *userdata); /* a turn is due */
	void (*on_progress)(void *userdata);
	void *userdata;
};

struct station {
	sd_event *event; /* borrowed, as the names below */
	struct station_callbacks callbacks;
	const char *chips;
	const char *chips_dir;
	const char *worker;
	struct memory *memory;	     /* NULL: nothing is remembered */
	struct inhibitor *inhibitor; /* NULL: the host is not asked to wait */
	struct watch *watch;	     /* NULL: changes are noticed at the next plug-in only */

	struct config config;
	unsigned n_config;  /* goes up with each configuration */
	unsigned n_library; /* and this with each change in the image directory */
	struct shelves shelves;

	TAILQ_HEAD(job_list, job) jobs; /* in order of appearance */
	uint64_t n_turns;		/* places in the queue given out */
	unsigned n_sweeps;
	bool is_first_look; /* at what was plugged in before the service began */
	struct flap_table flaps;
	struct hooks hooks;
	bool has_missed;  /* a bridge, for want of memory; the manager looks again */
	bool has_put_off; /* jobs, until the host is up again */
	bool is_stopping; /* nothing starts any more; jobs end in the next turn */
};

struct station_counts {
	size_t bridges;
	size_t running;
	size_t waiting;
	size_t rules;
};

void station_init(
	struct station *station, sd_event *event, const struct station_callbacks *callbacks);

/* Kills workers that still run. */
void station_done(struct station *station);

/* Takes the configuration over. Boards whose rule is another now are looked at again in the next
 * turn. */
void station_set_config(struct station *station, struct config *config);

/* A bridge is there: a new one gets a job, a known one nothing, one in place of another both. */
void station_add_bridge(struct station *station, const struct facts *facts);

/* No bridge is at this path any more. */
void station_remove_bridge(struct station *station, const char *sysfs);

/* Something changed in the image directory. Boards whose image is another now are looked at again
 * in the next turn. */
void station_library_changed(struct station *station);

/* Around an enumeration: bridges not added between the two are gone. */
void station_begin_sweep(struct station *station);
void station_end_sweep(struct station *station);

/* Starts what may start, ends what must end, frees what is over. */
void station_turn(struct station *station);

/* Starts the job on the image that its rule finds, or ends it for want of one. */
void station_assign(struct station *station, struct job *job, const struct board *board);

/* How long the unit of a bridge that is found at the start is still to wait, because it failed when
 * the service ran last; 0: not. */
uint64_t station_rest(struct station *station, struct job *job, const struct board *board);

/* The unit that answers, as far as the report knows it. */
void station_note_unit(struct job *job, const struct report *report);

/* Somebody asks for units again that failed: all that fit every field given, and by port the one
 * that is plugged in there. Returns how many the store had something against, or -errno; those that
 * are plugged in are tried in the next turn. */
int station_retry(struct station *station, const struct request *request);

/*
 * A unit is to go back to the image it held before: its next attempt, which is due at once, takes
 * that, where the image directory has another image than the one that failed. Else an entry says
 * so.
 */
void station_begin_rollback(struct station *station, struct job *job);

/* Whether the attempt that begins is one to go back. It is not, once the rule finds another image
 * than the one that failed. */
bool station_goes_back(struct job *job, const struct shelf *shelf);

/* Has the host wait while boards are flashed, or are about to be; and no longer. */
void station_hold_host(struct station *station);

/* Whether the host waits, or nobody can ask it to; it is not about to go down. */
bool station_may_begin(const struct station *station);

/* Whether the erase that a job asks for is put off, because the host goes down; then the answer
 * says so. */
bool station_puts_off(
	struct station *station, struct job *job, enum question question, struct answer *ret);

/* What was put off is due, once the host is up. */
void station_resume(struct station *station);

struct station_counts station_count(const struct station *station);
