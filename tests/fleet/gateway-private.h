/* SPDX-License-Identifier: MIT */
/* gateway-private.h - what the files of a gateway that is not there share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/queue.h>

#include "api/dict.h"
#include "base/text.h"
#include "base/util.h"
#include "fleet/gateway.h"

#define GATEWAY_PATH_MAX 80

struct unit {
	struct store_unit row;
	char slot[SLOT_NAME_SIZE];
	char path[TEXT_MAX]; /* its place in the USB tree */
	bool is_plugged;
	struct store_attempt *attempt; /* that has not ended */
	bool goes_back;		       /* it is the way back to the image before */
	enum outcome last_outcome;
	struct reason last_reason;
	int64_t last_ms, since_ms;
};

/* A connection of a client of the bus, and its place among the gateway's. */
struct line;

struct method_count {
	char name[32];
	unsigned n;
};

struct gateway {
	sd_event *event;
	char *name, *folder, *address, *images, *fleet, *trusted_keys;
	struct unit **units;
	unsigned n_units;
	struct store_attempt **attempts; /* the n-th has the id n + 1; NULL: forgotten */
	size_t n_attempts;
	bool holds_attempts;
	unsigned most_attempts; /* at once; 0: as many as there are units */
	char floor[64];		/* "" none */
	int64_t ahead_ms;
	sd_event_source *changes, *soon; /* of the image directory, and the look that follows */

	bool has_service;
	int listener;
	sd_event_source *accept;
	LIST_HEAD(, line) lines;
	unsigned n_lines;
	struct method_count calls[16];
};

int64_t gateway_now_ms(const struct gateway *gateway);

/* ------------------------------------------------------------------ gateway-view.c */

void view_bridge_path_of(unsigned number, char to[static GATEWAY_PATH_MAX]);
void view_slot_path_of(unsigned number, char to[static GATEWAY_PATH_MAX]);
void view_job_path_of(const struct store_attempt *attempt, char to[static GATEWAY_PATH_MAX]);

/* The properties of each object into an empty dict. */
void view_manager_of(const struct gateway *gateway, struct dict *ret);
void view_slot_of(const struct gateway *gateway, unsigned number, struct dict *ret);
void view_bridge_of(const struct gateway *gateway, unsigned number, struct dict *ret);
void view_job_of(const struct gateway *gateway, unsigned number, struct dict *ret);
/* A row of ListBoards. */
void view_board_of(const struct gateway *gateway, struct dict *ret);

/* ------------------------------------------------------------------- gateway-bus.c */

void gateway_bus_open(struct gateway *gateway);
void gateway_bus_close(struct gateway *gateway);

/* What all clients are told of; each is a whole signal. */
void gateway_tell_owner(struct gateway *gateway, bool is_there);
void gateway_tell_manager(struct gateway *gateway);
void gateway_tell_bridge(struct gateway *gateway, unsigned number);
void gateway_tell_plugged(struct gateway *gateway, unsigned number, bool is_plugged);
void gateway_tell_job(struct gateway *gateway, unsigned number);
void gateway_tell_end(struct gateway *gateway, const struct store_attempt *attempt);

/* ----------------------------------------------------------------------- gateway.c */

/* What a client may order: how many units were forgiven; `unit` is the beginning of an id. */
unsigned gateway_retry(struct gateway *gateway, const char *unit);
/* The job by which the board at this bridge shows itself, until gateway_end_attempts(). */
const struct store_attempt *gateway_identify(struct gateway *gateway, const char *bridge);
