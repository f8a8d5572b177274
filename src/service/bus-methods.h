/* SPDX-License-Identifier: MIT */
/*
 * bus-methods.h - what org.plugflash1 is asked to do, and the words for what becomes of that. The
 * work itself is steering.h's and that of the callbacks.
 */
#pragma once

#include <sys/queue.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "service/bus-authority.h"
#include "service/bus-inhibit.h"
#include "service/dispatcher.h"
#include "service/image-list.h"
#include "service/retry.h"

/* All of it is the caller's. */
struct methods_parts {
	sd_event *event;
	struct dispatcher *dispatcher;
	struct records *records;
	struct image_list_parts images;
	/* Units are tried again: their number, or -errno. */
	int (*on_retry)(void *userdata, const struct retry_filter *filter);
	/* The configuration is read again: 0, or else why it was refused, "" for no reason. */
	int (*on_reload)(void *userdata, const char **ret_why);
	void *userdata;
	/* Something was done: it is told now, before the answer. */
	void (*on_done)(void *done_userdata);
	void *done_userdata;
};

struct methods {
	struct methods_parts parts;
	struct authority authority;
	struct inhibits inhibits;
	struct image_lists *images;
	TAILQ_HEAD(listing_list, listing) listings;
};

/* Of Manager and of Job, with the signals; their handlers get the object, whose owner is a struct
 * methods. */
extern const sd_bus_vtable methods_of_manager[];
extern const sd_bus_vtable methods_of_job[];

/* 0 or -ENOMEM. */
int methods_init(struct methods *methods, const struct methods_parts *parts);

/* Releases every inhibitor. */
void methods_done(struct methods *methods);

/* On this bus from now on. */
void methods_put(struct methods *methods, sd_bus *bus);

/* The bus goes, and with it who waits for an answer. Inhibitors that were given stay: their ends
 * are descriptors. */
void methods_drop(struct methods *methods);

/* After a turn: answers what waited for it. */
void methods_turn(struct methods *methods);
