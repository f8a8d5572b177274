/* SPDX-License-Identifier: MIT */
/*
 * state.h - what a screen shows of the service, as plain data and as the one JSON document that
 * `plugflash status --json`, the page's GET /api/state and each event of its stream share.
 *
 * Times are milliseconds since 1970, 0: not known. Texts are "" where nothing is known. They and
 * the dicts belong to the mirror: a state is made, shown and dropped before the loop runs again.
 */
#pragma once

#include "api/advice.h"
#include "api/client.h"
#include "api/json.h"

struct state_job {
	const char *object; /* path on the bus; NULL: there is no job */
	const struct dict *properties;
	const char *id, *operation, *phase, *image, *version;
	unsigned percent;
	uint64_t bytes, bytes_done, rate, started_ms, expected_end_ms;
	uint32_t baud, attempt;
	bool is_cancelable;
};

/* A configured slot, or a bridge in none. */
struct state_slot {
	const char *slot;   /* its name */
	const char *object; /* of the bridge on the bus, "" none */
	const char *path, *port, *usb_id, *serial, *product, *board, *match;
	const char *state; /* "empty" without a bridge */
	const char *unit, *outcome, *reason;
	const char *next; /* NULL: nothing */
	uint64_t since_ms, last_ms, held_until_ms;
	enum light light;
	struct state_job job;
};

struct state {
	int64_t time_ms;
	enum client_presence presence;
	const char *why; /* with CLIENT_THERE ""; else a sentence that says what to do */

	/* The service, all "" and 0 where it is not there. */
	const char *state, *pause_reason, *stopped_units, *turned_off, *version, *config_error,
		*image_dir;
	uint32_t jobs_running, jobs_waiting, rules, bridges;
	bool is_config_stale;

	const char *day;
	uint64_t first_pass, retried, bad;
	int yield_percent;	     /* -1: nothing was done */
	const struct dict *counters; /* all of them; outcomes are under their words */

	const char *batch_board; /* "" there is no batch */
	uint32_t batch_count, batch_done;
	uint64_t batch_started_ms;

	struct state_slot *slots;
	size_t n_slots;
};

/*
 * The slots of the configuration in its order, then the bridges that are in none of them, in order
 * of appearance. `mirror` and `why` are borrowed. 0 or -ENOMEM.
 */
int state_make(const struct mirror *mirror, enum client_presence presence, const char *why,
	int64_t now_ms, struct state *ret);

/* The same of that client, as it is now. */
int state_of(const struct client *client, int64_t now_ms, struct state *ret);

/* One bridge alone, also one that has just left the mirror. */
void state_bridge(
	const struct mirror *mirror, const struct client_object *bridge, struct state_slot *ret);

/* For CLEANUP(), too. */
void state_done(struct state *state);

/* The document; NULL or a broken one without memory. The caller prints or frees it. */
struct json *state_json(const struct state *state);

/* Its parts: the keys "service", "counters" and "batch" into an object; those of a slot but for its
 * job; and one of the slots whole. */
void state_add_service(struct json *to, const struct state *state);
void state_add_slot(struct json *to, const struct state_slot *slot);
struct json *state_slot_json(const struct state_slot *slot);

/* The document of that client, as it is now. */
struct json *state_to_json(const struct client *client, int64_t now_ms);
