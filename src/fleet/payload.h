/* SPDX-License-Identifier: MIT */
/*
 * payload.h - what the broker is told, as JSON on one line; src/doc/fleet has the schemas. Pure.
 *
 * Each begins with the number of the schema and the gateway. Keys are those of the page's documents
 * (api/state.h), of the bus's rows (ListAttempts, ListUnits) and of the table of a report's fields,
 * and a value that is not known is null. Two of the same things are the same bytes: nothing in them
 * goes on by itself, so that whoever compares sends what changed and nothing else. Progress of a
 * job is told by tenths for that reason.
 *
 * All set `ret` for free(), and return 0 or -ENOMEM.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "api/dict.h"
#include "api/state.h"

#define PAYLOAD_SCHEMA 1

/* The gateway itself. Free space is told by so many bytes, rounded down. */
#define PAYLOAD_SPACE_STEP (16 * 1024 * 1024)
struct payload_gateway {
	const char *name;
	char *const *groups;
	size_t n_groups;
	uint64_t since_ms;   /* this process runs since then */
	uint64_t free_bytes; /* where images go; 0: not known */
};

int payload_status(const struct payload_gateway *gateway, const struct state *state, char **ret);

/* The will of the connection, and what is told at the end of the process. */
int payload_offline(const char *gateway, char **ret);

int payload_slot(const char *gateway, const struct state_slot *slot, char **ret);

/* A unit that the service knows. */
struct payload_unit {
	const struct dict *row;	       /* of ListUnits */
	const struct state_slot *slot; /* where it is plugged in; NULL: nowhere */
	const char *latest;	       /* the version that its board is to have, "" none */
};

int payload_unit(const char *gateway, const struct payload_unit *unit, char **ret);

/*
 * The name of its topic: its unique id; else the place where it was seen last, by which the service
 * knows it as well. "" there is none.
 */
const char *payload_unit_name(const struct dict *row);

/* The version that it is to hold: that of its board, else the one that it has; "" not known. */
const char *payload_latest(const struct payload_unit *unit);

/*
 * An event: the end of an attempt, by its row of ListAttempts. Of a row that is no report, ids and
 * times alone are told: no attempt is passed over, and none holds up those behind it.
 */
int payload_attempt(const char *gateway, const char *store, const struct dict *row, char **ret);

/*
 * An event: attempts from `first` to `last` are no more in the store, and nobody can tell of them.
 * `last` 0: the store was replaced by another, and how far it went is not known.
 */
int payload_gap(const char *gateway, const char *store, uint64_t first, uint64_t last, char **ret);
