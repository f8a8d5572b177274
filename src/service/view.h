/* SPDX-License-Identifier: MIT */
/*
 * view.h - what the outside sees of the service, its bridges and its attempts: plain data in the
 * words of README and journal, computed and never kept up to date by those who change something.
 *
 * Each view has a table of its properties, by which two views are compared: whoever tells them to
 * the outside takes a new view now and then, and tells what differs from the one before. Pure:
 * nothing here asks a clock, and no bus is known.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "service/bridge.h"
#include "service/dispatcher.h"

enum view_kind {
	VIEW_TEXT,   /* char[] */
	VIEW_FLAG,   /* bool */
	VIEW_NUMBER, /* uint32_t */
	VIEW_LONG,   /* uint64_t; times are milliseconds since 1970, 0: none */
	VIEW_SHARE,  /* double, 0 to 1 */
};

struct view_property {
	const char *name;
	enum view_kind kind;
	size_t offset; /* in the view */
};

/* The service. */
struct view_manager {
	char state[16]; /* running, stopping */
	uint32_t jobs_running;
	uint32_t jobs_waiting;
	uint32_t rules;
	uint32_t bridges;
	char image_directory[4096];
	bool config_stale; /* the configuration on disk was refused, an earlier one is in force */
	uint64_t config_time;
};

/* A bridge that is plugged in. */
struct view_bridge {
	char port[TEXT_MAX];
	char usb_id[10];
	char serial[TEXT_MAX];
	char product[TEXT_MAX];
	char manufacturer[TEXT_MAX];
	char usb_path[TEXT_MAX];
	char slot[SLOT_NAME_SIZE]; /* name of the socket, "" none */
	char interface[4];	   /* "" unknown */
	char board[64];		   /* "" where no rule, or more than one, fits */
	char match[16];		   /* one, none, ambiguous */
	char state[16];		   /* settling, waiting, working, done, held, flapping */
	char job[33];		   /* id of the attempt that has not ended, "" none */
	char unit[25];
	char last_outcome[32]; /* of the last attempt, "" where there was none yet */
	char last_reason[sizeof(((struct reason *)NULL)->text)];
	uint64_t last_time;
	uint64_t held_until; /* 0: until something changes, or somebody asks */
};

/* An attempt that has not ended. */
struct view_job {
	char id[33];
	char port[TEXT_MAX];
	char board[64];
	char unit[25];
	char operation[16]; /* flash, verify, probe, rollback */
	char phase[16];
	double progress; /* of the phase */
	uint64_t bytes;	 /* of the phase; pages for an erase */
	uint64_t bytes_done;
	uint64_t start_time;
	uint32_t attempt; /* 1: the first try */
	char image[TEXT_MAX];
	char version[64];
	bool cancelable; /* nothing was erased yet */
};

/* Tables of their properties, each closed by one without a name. */
extern const struct view_property view_manager_properties[];
extern const struct view_property view_bridge_properties[];
extern const struct view_property view_job_properties[];

/* Facts of the service itself. */
struct view_service {
	bool is_stopping;
	bool is_config_refused;
	int64_t config_loaded_ms;
};

void view_manager(const struct view_service *service, const struct config *config,
	const struct dispatcher_counts *counts, struct view_manager *ret);

void view_bridge(const struct bridge *bridge, struct view_bridge *ret);

/* False where the bridge has no attempt that has not ended. */
bool view_job(const struct bridge *bridge, struct view_job *ret);

/* The properties of this table that differ between two views of its kind: the n-th is bit n. */
uint32_t view_diff(const struct view_property *properties, const void *a, const void *b);

/* The line that `systemctl status` shows. */
void view_status(const struct view_manager *view, char *to, size_t size);
