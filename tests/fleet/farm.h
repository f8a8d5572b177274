/* SPDX-License-Identifier: MIT */
/*
 * farm.h - a fleet on one machine: a broker that nobody here wrote, agents that are the real
 * plugflash-fleet, and gateways that are not there (gateway.h), in one loop of the test.
 *
 * It lives in the bed's enclosure: a network of its own, so that ports are fixed and nobody else is
 * met, and a folder in memory that goes with the program. Everything happens inside the waiting
 * verbs. None of them sleeps: each waits for an event, with a limit against hanging after which it
 * is false. What must not fail ends the test. Only tests include it, after cmocka.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/util.h"

/*
 * Milliseconds, long enough for anything that ends at all on a machine that stands still now and
 * then: an agent that has lost its broker again and again tries after up to 128 s
 * (src/fleet/mqtt.c).
 */
#define FARM_LONG     240000

#define FARM_TLS_PORT 8883
/* Without TLS and open to all: for the test's own clients. */
#define FARM_PORT 1883

struct farm;

/* In the enclosure, see farm_enter(); a scratch folder and a loop. */
struct farm *farm_new(void);
struct farm *farm_free(struct farm *farm); /* ends what still runs */

/* Enters the enclosure, switches its loopback on, and lets as many files be open as may be. */
void farm_enter(void);
/* The same for who has entered it, and keeps its journal. */
void farm_open(void);

sd_event *farm_event(const struct farm *farm);

/* A path below the scratch folder; the caller's to free. */
char *farm_path(const struct farm *farm, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same, made as a folder. */
char *farm_folder(const struct farm *farm, const char *format, ...) PRINTF_LIKE(2, 3);
/* A whole file there, in place of what was there; `path` is one of farm_path(). */
void farm_write(const char *path, const void *data, size_t n_data);

/* Until `is_done` says so; it is asked after everything that happens. Time in which the machine
 * stands still does not count. */
bool farm_wait(
	struct farm *farm, unsigned milliseconds, bool (*is_done)(void *userdata), void *userdata);
/* Of the clock that is never set. */
uint64_t farm_now_msec(void);
/* All that has happened by now, and nothing more. */
void farm_settle(struct farm *farm);

/* ----------------------------------------------------------------------------- children */

struct child {
	pid_t pid; /* 0: it does not run */
	int pidfd;
	sd_event_source *end;
	int status; /* of waitpid(), once it has ended */
};

/* What of a child is not as the test's own: each may be NULL, or -1. */
struct child_setup {
	const char *const *environment; /* "NAME=value" besides, NULL-terminated */
	int input, output, error;	/* descriptors; the caller's; error -1: the test's */
};

/* Starts argv[0] from $PATH; it ends with the test. `to` must stay where it is. */
void child_start(struct farm *farm, struct child *to, const struct child_setup *setup,
	const char *const argv[]);
bool child_is_running(const struct child *child);
/* Sends the signal, and comes back once it has ended. */
void child_end(struct child *child, int signal);
/* False: not in time. */
bool child_wait(struct farm *farm, struct child *child, unsigned milliseconds);
/* Runs it to its end, which must be a good one. */
void farm_run(struct farm *farm, const char *const argv[]);

/* Processor time of the child so far, user and system; memory that it alone has and has written:
 * pages of a library become its own as others end. */
double child_cpu_msec(const struct child *child);
long child_private_kib(const struct child *child);
