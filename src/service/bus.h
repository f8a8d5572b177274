/* SPDX-License-Identifier: MIT */
/*
 * bus.h - org.plugflash1 on the system bus: what is seen of the service from outside, and what it
 * is asked from there.
 *
 * Nobody who changes something tells this file what it changed: a pass takes the views of all that
 * is there, and tells what differs from those told before. Without a bus nothing is done.
 */
#pragma once

#include <systemd/sd-event.h>

#include "service/bus-methods.h"
#include "service/dispatcher.h"
#include "service/view.h"

struct bus;

/* All of it is the caller's, and outlives the bus; on_done is the bus's own. */
struct bus_parts {
	struct methods_parts methods;
	/* The service as it is now. */
	void (*on_view)(void *userdata, struct view_manager *ret);
	/* Once, also from within bus_new(): whoever calls next finds the service, or never will. */
	void (*on_settled)(void *userdata);
	void *userdata;
};

/* Begins to connect; a bus that is not there is taken when it comes. 0 or -errno. */
int bus_new(const struct bus_parts *parts, struct bus **ret);

/* NULL is fine, as it is in all that follows. */
struct bus *bus_free(struct bus *bus);

/* Whether there is a bus, and on_settled() is still to come. */
bool bus_is_coming(const struct bus *bus);

/* After a turn: something may be another. It is told behind all that is due before. */
void bus_wake(struct bus *bus);

/* The same at once: the service ends. Nothing is waited for, so what the bus does not take now it
 * does not get. */
void bus_last_pass(struct bus *bus);

/* The worker of this bridge got on: a new phase is told as other news, bytes four times a second.
 */
void bus_note_progress(struct bus *bus, const struct bridge *bridge);

/* An attempt has ended, and this is its report. */
void bus_note_end(struct bus *bus, const struct bridge *bridge, const struct report *report);
