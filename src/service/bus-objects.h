/* SPDX-License-Identifier: MIT */
/*
 * bus-objects.h - the objects of org.plugflash1: what was told of each, and what is to be told.
 *
 * An object is a view that was told. Whoever asks for a property gets what was told last, so that
 * answers and signals are one story. Objects below /org/plugflash1 come and go with the views that
 * a pass finds; the properties of each kind are the table of its view, and no other list.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <systemd/sd-bus.h>

#include "service/view.h"

enum object_kind {
	OBJECT_MANAGER, /* there is one, always */
	OBJECT_SLOT,
	OBJECT_BRIDGE,
	OBJECT_JOB,
	OBJECT_KIND_MAX,
};

struct object {
	TAILQ_ENTRY(object) link;
	char path[VIEW_PATH_MAX];
	void *owner;	    /* for its methods: objects_init() */
	unsigned pass;	    /* the last that found it */
	uint64_t told_usec; /* when of its flow was told last */
	max_align_t told[]; /* its view */
};

/* Properties that flow, and the counts of the manager, are told no more often than this. */
#define OBJECTS_FLOW_USEC (250 * USEC_PER_MSEC)

struct object_table {
	sd_bus_vtable *vtable;
	uint32_t flow; /* its properties that are told now and then, and that never change */
	uint32_t constant;
	TAILQ_HEAD(object_list, object) objects;
	size_t n_objects;
	sd_bus_slot *slot, *enumerator;
};

struct objects {
	struct object_table tables[OBJECT_KIND_MAX];
	sd_bus_slot *object_manager;
	sd_bus *bus; /* NULL: there is none */
	unsigned pass;
	bool is_urgent;	    /* this one tells everything */
	uint64_t owed_usec; /* when the pass is due that tells what flowed; UINT64_MAX: nothing did
			     */
	int error;	    /* something could not be sent: -errno */
};

/*
 * Methods and signals by kind, closed by SD_BUS_VTABLE_END; NULL: none. Handlers get the object,
 * whose `owner` this is. 0 or -ENOMEM.
 */
int objects_init(
	struct objects *objects, const sd_bus_vtable *const methods[OBJECT_KIND_MAX], void *owner);
void objects_done(struct objects *objects);

/* On this bus from now on. 0 or -errno. */
int objects_put(struct objects *objects, sd_bus *bus);

/* The bus goes; nothing was told to anybody. */
void objects_drop(struct objects *objects);

/* NULL: there is none. */
struct object *objects_find(const struct objects *objects, enum object_kind kind, const char *path);

/*
 * A pass: each object that is there is told of, with its view; those that were not are gone at the
 * end. An urgent one tells at once what is told now and then. objects_tell() says whether it is a
 * new one; signals go out where something differs.
 */
void objects_begin(struct objects *objects, bool is_urgent);
bool objects_tell(
	struct objects *objects, enum object_kind kind, const char *path, const void *view);
void objects_end(struct objects *objects);
