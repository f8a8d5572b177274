/* SPDX-License-Identifier: MIT */
/*
 * virtual-clock.h - a clock that stands still until the test moves it, and the event loop's timers
 * on it. Takes the place of base/clock's functions, and of those of sd-event that set a timer: its
 * own are made to elapse when the clock gets there. Include after cmocka.h.
 *
 * Real processes take real time, of which the clock knows nothing: a test that waits for one asks
 * real_usec(), and only how long it may hang.
 */
#pragma once

#include <dlfcn.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/util.h"

/* Microseconds that the test has added to the time at which it began. */
static uint64_t clock_added;

/* Microseconds that pass at each look at the clock: of a process that has to wait for its turn. */
static uint64_t clock_pace;

static uint64_t real_time(clockid_t id)
{
	struct timespec now;

	assert_int_equal(clock_gettime(id, &now), 0);
	return (uint64_t)usec_of(&now);
}

static inline uint64_t real_usec(void)
{
	return real_time(CLOCK_MONOTONIC);
}

uint64_t monotonic_usec(void)
{
	static uint64_t begin;

	begin = begin ? begin : real_time(CLOCK_MONOTONIC);
	clock_added += clock_pace;
	return begin + clock_added;
}

uint64_t uptime_usec(void)
{
	return monotonic_usec();
}

/* Files have the real one, and it runs on. */
int64_t realtime_usec(void)
{
	return (int64_t)(real_time(CLOCK_REALTIME) + clock_added);
}

/* ----------------------------------------------------------------------------------- timers */

static struct clock_timer {
	sd_event_source *source; /* NULL: unused */
	uint64_t due_usec;
} clock_timers[128];

#define REAL(function) ((__typeof__(function) *)dlsym(RTLD_NEXT, #function))

static struct clock_timer *clock_find(const sd_event_source *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(clock_timers); i++)
		if (clock_timers[i].source == source)
			return &clock_timers[i];
	return NULL;
}

static bool clock_is_on(struct clock_timer *timer)
{
	int enabled = SD_EVENT_OFF;

	if (timer->source)
		assert_true(sd_event_source_get_enabled(timer->source, &enabled) >= 0);
	return enabled != SD_EVENT_OFF;
}

/* Moves the clock. What is due then elapses in the next rounds of the loop. */
static void clock_move(uint64_t usec)
{
	clock_added += usec;
	for (size_t i = 0; i < ARRAY_SIZE(clock_timers); i++)
		if (clock_is_on(&clock_timers[i]) && clock_timers[i].due_usec <= monotonic_usec())
			assert_true(REAL(sd_event_source_set_time)(clock_timers[i].source, 0) >= 0);
}

void clock_sleep(uint64_t usec)
{
	clock_move(usec);
}

/* Moves it to when the next timer is due; not at all where none runs. */
static inline bool clock_move_to_next(void)
{
	uint64_t due = UINT64_MAX, now = monotonic_usec();

	for (size_t i = 0; i < ARRAY_SIZE(clock_timers); i++)
		if (clock_is_on(&clock_timers[i]) && clock_timers[i].due_usec < due)
			due = clock_timers[i].due_usec;
	if (due != UINT64_MAX)
		clock_move(due > now ? due - now : 0);
	return due != UINT64_MAX;
}

/* The real timer never elapses by itself. */
int sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t id, uint64_t usec,
	uint64_t accuracy, sd_event_time_handler_t callback, void *userdata)
{
	struct clock_timer *timer = clock_find(NULL);
	int r = REAL(sd_event_add_time)(event, ret, id, UINT64_MAX, accuracy, callback, userdata);

	assert_non_null(timer);
	assert_int_equal(id, CLOCK_MONOTONIC);
	if (r >= 0)
		*timer = (struct clock_timer){*ret, usec};
	return r;
}

int sd_event_add_time_relative(sd_event *event, sd_event_source **ret, clockid_t id, uint64_t usec,
	uint64_t accuracy, sd_event_time_handler_t callback, void *userdata)
{
	return sd_event_add_time(
		event, ret, id, monotonic_usec() + usec, accuracy, callback, userdata);
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
	clock_find(source)->due_usec = usec;
	return REAL(sd_event_source_set_time)(source, UINT64_MAX);
}

int sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec)
{
	return sd_event_source_set_time(source, monotonic_usec() + usec);
}

static void clock_forget(sd_event_source *source)
{
	struct clock_timer *timer = source ? clock_find(source) : NULL;

	if (timer)
		timer->source = NULL;
}

sd_event_source *sd_event_source_unref(sd_event_source *source)
{
	clock_forget(source);
	return REAL(sd_event_source_unref)(source);
}

sd_event_source *sd_event_source_disable_unref(sd_event_source *source)
{
	clock_forget(source);
	return REAL(sd_event_source_disable_unref)(source);
}
